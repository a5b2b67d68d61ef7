"""A DAG that names something of its own team as that of another one is refused, with its line and what to write."""

from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway.frontends.base import Trouble
from headway.loader import teams
from headway.loader.check import check
from headway.loader.loader import Loader
from tests.loader.conftest import Folder, dags, errors, rows

pytestmark = pytest.mark.long

SCRIPT = """\
from headway import Asset, dag, task, wait_for_run


@dag({options})
def names():
    @task({of_task})
    def work(): ...

    work()
    {more}


names()
"""
AIRFLOW = """\
from airflow.sdk import DAG
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

with DAG("names"):
    ExternalTaskSensor(task_id="waits", external_dag_id="@shop/x")
"""


def script(options: str = "", of_task: str = "", more: str = "") -> str:
    return SCRIPT.format(options=options, of_task=of_task, more=more)


NAMES = {
    "pool.py": ("pool", 6, script(of_task='pool="@shop/x"')),
    "schedule.py": ("asset", 4, script(options='schedule=[Asset("@shop/x")]')),
    "inlet.py": ("asset", 6, script(of_task='inlets=[Asset("@shop/x")]')),
    "wait.py": ("DAG", 10, script(more='wait_for_run(task_id="waits", dag_id="@shop/x")')),
    "waits.py": (
        "DAG",
        10,
        script(more='wait_for_run.partial(task_id="waits").expand(dag_id=["a", "@shop/x"])'),
    ),
    "sensor.py": ("DAG", 5, AIRFLOW),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for team in ("shop", "stats"):
        (tmp_path / "teams" / team).mkdir(parents=True)
    (tmp_path / "teams" / teams.MARK).touch()
    return tmp_path / "teams"


@pytest.mark.parametrize("file", NAMES)
def test_the_own_team_is_refused_and_another_one_is_not(root: Path, file: str) -> None:
    what, line, text = NAMES[file]
    for team in ("shop", "stats"):
        (root / team / file).write_text(text)
    refused = Trouble(
        f'names: the {what} "@shop/x" is of this team itself',
        line,
        "write x; names with @ are of other teams",
    )
    of_shop, of_stats = check(root)
    assert (of_shop.error, of_shop.dags) == (refused, ())
    assert (of_stats.error, len(of_stats.dags)) == (None, 1)
    for place in (root / "shop", root / "shop" / file):
        (found,) = check(place)
        assert found.error == refused


def test_an_outlet_is_refused_whoever_the_team_is(root: Path) -> None:
    (root / "shop" / "a.py").write_text(script(of_task='outlets=[Asset("@shop/x")]'))
    (found,) = check(root)
    assert found.error is not None
    assert found.error.line == 6
    assert "only tasks of that team update" in found.error.message
    assert found.error.hint == "if it is your own team, write x"


def test_who_does_not_know_the_team_refuses_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(NAMES["pool.py"][2])
    (found,) = check(tmp_path / "a.py")
    assert found.error is None


@pytest.mark.parametrize("name", ["@shop", "@/x", "@shop/", "@Shop/x", "@shop/@stats/x"])
@pytest.mark.parametrize(
    "text",
    [
        script(of_task='pool="{}"'),
        script(of_task='inlets=[Asset("{}")]'),
        script(options='schedule=[Asset("{}")]'),
    ],
)
def test_what_is_no_name_of_another_team_says_how_it_is_written(
    tmp_path: Path, text: str, name: str
) -> None:
    (tmp_path / "a.py").write_text(text.replace("{}", name))
    (found,) = check(tmp_path / "a.py")
    assert found.error is not None
    assert "@team/name" in found.error.message
    assert found.error.line in (4, 6)


def test_the_loader_keeps_the_last_good_version(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    folder.write("a.py", script(of_task='pool="x"'))
    folder.write("b.py", script(of_task='pool="@shop/x"').replace("names", "others"))
    loader.settle()
    folder.write("a.py", script(of_task='pool="@default/x"'))
    loader.settle()
    assert dags(conn) == {"names": (1, "a.py", False), "others": (1, "b.py", False)}
    assert errors(conn) == {
        "a.py": (
            6,
            'names: the pool "@default/x" is of this team itself; write x; names with @ are of other teams',
        )
    }
    folder.write("a.py", script(of_task='pool="x"'))
    loader.settle()
    assert rows(conn, "SELECT count(*) FROM import_error") == [(0,)]
