"""Runs of Airflow, as Airflow itself wrote them: stored once, brought up to date, and never what no Airflow writes."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from headway import wire
from headway.cli import airflow_metadata
from headway.cli.airflow_metadata import Source
from headway.cli.airflow_runs import INSTANCES, Left, Past, Reader
from headway.cli.import_runs import requests
from headway.core.airflow_runs import INSTANCES_MAX
from headway.errors import UsageError
from tests.airflow.conftest import Server
from tests.airflow.metadata import at_home, url_of
from tests.airflow.releases import IS_NEWEST
from tests.cli.conftest import headway
from tests.postgres import empty_database

pytestmark = pytest.mark.long

# Airflow 3.2 cannot answer its own tasks with the pydantic that is installed, so the run that it does itself fails.
of_newest = pytest.mark.skipif(
    not IS_NEWEST, reason="Airflow 3.2 does not run a DAG by itself here"
)
NOW: Final = datetime.now(UTC).replace(microsecond=0)
DAY: Final = timedelta(days=1)
FILE: Final = """
from airflow.sdk import DAG, task
with DAG("moved_orders", schedule="0 5 * * *") as dag:
    @task
    def extract():
        return [1, 2]
    @task
    def load(number):
        if number == 2:
            raise ValueError(number)
    @task(trigger_rule="all_done")
    def tell():
        pass
    load.expand(number=extract()) >> tell()
if __name__ == "__main__":
    dag.test()
"""


def text(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")


def columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def copy(database: sqlite3.Connection, number: int, days: int, **changed: Any) -> None:
    """Another run of the DAG, which was due so many days ago, with the task instances of the one that Airflow ran."""
    end = NOW - days * DAY
    given = {
        "id": number,
        "run_id": f"scheduled__{end - DAY:%Y-%m-%d}",
        "run_type": "scheduled",
        "logical_date": text(end - DAY),
        "data_interval_start": text(end - DAY),
        "data_interval_end": text(end),
        "run_after": text(end),
        "start_date": text(end + timedelta(minutes=1)),
        "end_date": text(end + timedelta(minutes=3)),
        **changed,
    }
    for table, key in (
        ("dag_run", "id = 1"),
        ("task_instance", "run_id = (SELECT run_id FROM dag_run WHERE id = 1)"),
    ):
        names = columns(database, table)
        of_table = {
            name: given[name]
            for name in names
            if name in given and (table == "dag_run" or name == "run_id")
        }
        chosen = [
            "?" if name in of_table else "hex(randomblob(16))" if name == "id" else name
            for name in names
        ]
        values = [of_table[name] for name in names if name in of_table]
        database.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(chosen)} FROM {table} WHERE {key}",
            values,
        )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AIRFLOW_HOME in whose database Airflow ran a DAG, and which has more runs of it."""
    home = tmp_path_factory.mktemp("airflow-runs-home")
    environment = at_home(home)
    (home / "dags").mkdir()
    (home / "dags" / "orders.py").write_text(FILE)
    done = subprocess.run(
        [sys.executable, str(home / "dags" / "orders.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(sqlite3.connect(home / "airflow.db")) as database, database:
        copy(database, 2, 120)
        copy(database, 3, 4)
        copy(database, 4, 3, state="failed")
        copy(database, 5, 2, state="running", end_date=None)
        copy(database, 6, 1)
        copy(database, 7, 0, state="queued", start_date=None, end_date=None)
    return home


@pytest.fixture
def file(home: Path, tmp_path: Path) -> Path:
    """A copy of the database, to be changed."""
    return Path(shutil.copy(home / "airflow.db", tmp_path))


@pytest.fixture
def loose(file: Path) -> Path:
    """A copy whose tables take whatever is written."""
    with closing(sqlite3.connect(file)) as database, database:
        for table in ("dag_run", "task_instance"):
            names = ", ".join(columns(database, table))
            database.execute(f"CREATE TABLE loose_{table} ({names})")
            database.execute(f"INSERT INTO loose_{table} SELECT {names} FROM {table}")
            database.execute(f"DROP TABLE {table}")
            database.execute(f"ALTER TABLE loose_{table} RENAME TO {table}")
    return file


def source(file: Path) -> Source:
    return Source(f"sqlite:///{file}", (), "airflow.cfg")


def read(source: Source, days: int = 90) -> tuple[list[Past], list[wire.AirflowRunDetail | Left]]:
    with airflow_metadata.opened(source) as ask:
        reader = Reader(ask, source, NOW - days * DAY, NOW + timedelta(minutes=5))
        dags = list(reader.dags(()))
        return dags, [run for dag in dags for run in reader.runs(dag.dag_id)]


def told(server: Server, *options: str) -> list[dict[str, Any]]:
    done = headway("import-runs", *options, "--output", "json", cwd=server.folder)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def numbers(moved: dict[str, Any]) -> tuple[int, int, int, int]:
    return moved["stored"], moved["changed"], moved["kept"], moved["left_out"]


@of_newest
def test_the_past_of_a_dag_comes_along_once(server: Server, home: Path, file: Path) -> None:
    cfg = file.parent / "airflow.cfg"
    cfg.write_text(f"[database]\nsql_alchemy_conn = sqlite:///{file}\n")
    options = [str(cfg), "--only", "moved_*"]
    (plan,) = told(server, *options)
    assert {name: plan["past"][name] for name in ("runs", "older", "open", "endless")} == {
        "runs": 4, "older": 1, "open": 2, "endless": 0,
    }  # fmt: skip
    assert (plan["here"], plan["stored"]) == (0, None)
    assert datetime.fromisoformat(plan["goes_on_after"]) == NOW - DAY
    assert told(server, str(cfg), "--only", "other_*") == []
    assert numbers(told(server, *options, "--apply")[0]) == (4, 0, 0, 0)
    assert numbers(told(server, *options, "--apply")[0]) == (0, 0, 4, 0)
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE dag_run SET state = 'success' WHERE id = 4")
        ended = text(NOW - DAY)
        database.execute("UPDATE dag_run SET state = 'success', end_date = ? WHERE id = 5", [ended])
    done = headway("import-runs", *options, "--apply", cwd=server.folder)
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stderr.split())
    assert "1 of 5 runs are new, 1 changed, and the rest was stored already" in shown
    assert "1 run ended before --since, or before the retention of 90 days" in shown
    assert "1 run has not ended in Airflow and is left out" in shown
    done = headway("ls", "airflow-runs", "--dag", "moved_orders", cwd=server.folder)
    assert [line.split()[1:3] for line in done.stdout.splitlines()[1:]] == [
        ["success", "manual"], ["success", "scheduled"], ["success", "scheduled"],
        ["success", "scheduled"], ["success", "scheduled"],
    ]  # fmt: skip
    run_id = f"scheduled__{NOW - 5 * DAY:%Y-%m-%d}"
    done = headway("show", "moved_orders", "--airflow-run", run_id, cwd=server.folder)
    assert [line.split()[:3] for line in done.stdout.splitlines()[1:]] == [
        ["extract", "success", "1"], ["load[0]", "success", "1"],
        ["load[1]", "failed", "1"], ["tell", "success", "1"],
    ]  # fmt: skip
    assert "success in Airflow after 2 m" in done.stderr
    done = headway("import-runs", "--forget", "moved_orders", cwd=server.folder)
    assert done.returncode == 0, done.stderr
    assert "moved_orders" not in headway("ls", "airflow-runs", cwd=server.folder).stdout


def test_since_leaves_runs_out_and_not_the_date(file: Path) -> None:
    (dag,), runs = read(source(file), days=2)
    assert (dag.runs, dag.older) == (2, 3)
    assert dag.done_until == NOW - DAY
    assert len(runs) == 2
    (dag,), runs = read(source(file), days=0)
    assert (dag.runs, dag.older, dag.done_until, len(runs)) == (1, 4, NOW - DAY, 1)


@of_newest
def test_a_run_is_what_airflow_says(file: Path) -> None:
    _, runs = read(source(file))
    first = next(
        each
        for each in runs
        if isinstance(each, wire.AirflowRunDetail) and each.due_at == NOW - 4 * DAY
    )
    assert (first.run_id, first.run_type) == (f"scheduled__{NOW - 5 * DAY:%Y-%m-%d}", "scheduled")
    assert (first.logical_date, first.interval_start, first.interval_end) == (
        NOW - 5 * DAY, NOW - 5 * DAY, NOW - 4 * DAY,
    )  # fmt: skip
    assert [(each.task_id, each.map_index, each.state, each.operator) for each in first.instances] == [
        ("extract", -1, "success", "@task"), ("load", 0, "success", "@task"),
        ("load", 1, "failed", "@task"), ("tell", -1, "success", "@task"),
    ]  # fmt: skip


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    with empty_database(postgres) as dsn:
        yield url_of(dsn)


def test_postgresql_says_the_same(home: Path, empty_url: str) -> None:
    with closing(sqlite3.connect(home / "airflow.db")) as lite, psycopg.connect(empty_url) as full:
        for table in ("dag_run", "task_instance"):
            names = columns(lite, table)
            kinds = [kind_of(table, name) for name in names]
            made = ", ".join(f'"{name}" {kind}' for name, kind in zip(names, kinds, strict=True))
            full.execute(f"CREATE TABLE {table} ({made})".encode())
            for row in lite.execute(f"SELECT * FROM {table}"):
                given = [
                    each and f"{each}Z"
                    if kind == "timestamptz"
                    else each
                    if kind == "integer"
                    else each and str(each)
                    for each, kind in zip(row, kinds, strict=True)
                ]
                places = ", ".join(["%s"] * len(names))
                full.execute(f"INSERT INTO {table} VALUES ({places})".encode(), given)
    url = empty_url.replace("postgresql://", "postgresql+psycopg2://")
    assert read(Source(url, (), "airflow.cfg")) == read(source(home / "airflow.db"))


def kind_of(table: str, name: str) -> str:
    if name in ("map_index", "try_number") or (name == "id" and table == "dag_run"):
        return "integer"
    dates = ("logical_date", "start_date", "end_date", "run_after")
    return "timestamptz" if name in dates or name.startswith("data_interval") else "text"


def test_airflow_2_has_other_names(file: Path) -> None:
    expected = read(source(file))
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript("""
            ALTER TABLE dag_run RENAME TO new_run;
            CREATE TABLE dag_run AS SELECT id, dag_id, run_id, run_type, state, logical_date AS execution_date,
                data_interval_start, data_interval_end, start_date, end_date FROM new_run;
            ALTER TABLE task_instance RENAME TO new_task_instance;
            CREATE TABLE task_instance AS SELECT task_id, dag_id, run_id, map_index, state, try_number, start_date,
                end_date, '@task' AS operator FROM new_task_instance;
        """)
        # The one by hand was due at once: Airflow 2 does not say when that was.
        database.execute("DELETE FROM dag_run WHERE id = 1")
    dags, runs = read(source(file))
    assert runs == expected[1][1:]
    assert dags[0].done_until == expected[0][0].done_until


@pytest.mark.parametrize("column", ["run_type", "data_interval_end", "logical_date"])
def test_an_airflow_that_is_too_old_is_one_sentence(file: Path, column: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(f"ALTER TABLE dag_run RENAME COLUMN {column} TO other")
    with pytest.raises(UsageError, match="columns of dag_run or task_instance are missing"):
        read(source(file))


@of_newest
def test_the_task_instances_of_a_large_run_are_counted(file: Path) -> None:
    more = INSTANCES_MAX + 500
    with closing(sqlite3.connect(file)) as database, database:
        names = columns(database, "task_instance")
        given = {"task_id": "'many'", "map_index": "n", "id": "'x' || n"}
        chosen = ", ".join(given.get(name, name) for name in names)
        database.execute(f"""
            WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n < {more - 1})
            INSERT INTO task_instance SELECT {chosen} FROM counted, task_instance
            WHERE task_id = 'tell' AND run_id = (SELECT run_id FROM dag_run WHERE id = 3)
        """)
        database.execute("DELETE FROM dag_run WHERE id <> 3")
    _, (run,) = read(source(file))
    assert isinstance(run, wire.AirflowRunDetail)
    assert (run.tasks, len(run.instances)) == (more + 4, INSTANCES_MAX)


def test_the_task_instances_of_a_run_are_found_by_key(file: Path) -> None:
    """Not among all that its DAG had: a million of them are read once, not once for each run."""
    with airflow_metadata.opened(source(file)) as ask:
        query = INSTANCES.format(operator="operator")
        ((*_, plan), *_) = ask(f"EXPLAIN QUERY PLAN {query}", "moved_orders", "r", "", -2, 100)
    assert "ti_dag_run (dag_id=? AND run_id=?)" in plan


def test_runs_travel_in_batches_and_the_date_comes_last(loose: Path) -> None:
    with closing(sqlite3.connect(loose)) as database, database:
        names = columns(database, "dag_run")
        given = {"id": "100 + n", "run_id": "'r' || n"}
        chosen = ", ".join(given.get(name, name) for name in names)
        database.execute(f"""
            WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n < 249)
            INSERT INTO dag_run SELECT {chosen} FROM counted, dag_run WHERE id = 3
        """)
    left: list[Left] = []
    with airflow_metadata.opened(source(loose)) as ask:
        reader = Reader(ask, source(loose), NOW - 90 * DAY, NOW + timedelta(minutes=5))
        (past,) = reader.dags(())
        sent = list(requests(reader, past, left))
    assert [len(each.runs) for each in sent] == [100, 100, 54]
    assert [each.done_until for each in sent] == [None, None, NOW - DAY]
    assert len({run.run_id for each in sent for run in each.runs}) == 254
    assert left == []


HOSTILE: Final = [
    ("dag_run", "run_id", "x" * 1_000_000, "length <= 250"),
    ("dag_run", "run_id", "a\0b", "matching regex"),
    ("dag_run", "run_id", 7, "Expected `str`"),
    ("dag_run", "run_id", b"\xff", "Expected `str`"),
    ("dag_run", "run_type", None, "Expected `str`"),
    ("dag_run", "run_type", "x" * 51, "length <= 50"),
    ("dag_run", "start_date", "1000000-01-01 00:00:00", "Invalid RFC3339"),
    ("dag_run", "start_date", "yesterday", "Invalid RFC3339"),
    ("dag_run", "start_date", 5, "Expected `datetime | null`"),
    ("dag_run", "end_date", "9999-12-31 23:59:59.000000", "a date before 1900"),
    ("dag_run", "end_date", text(NOW + 9 * DAY), "ends in the future"),
    ("dag_run", "end_date", "until now", "Invalid RFC3339"),
    ("dag_run", "logical_date", "0001-01-01 00:00:00.000000", "a date before 1900"),
    ("task_instance", "task_id", "t\0", "matching regex"),
    ("task_instance", "task_id", "x" * 1_000_000, "length <= 250"),
    ("task_instance", "state", "on fire", "is not a state of a task"),
    ("task_instance", "try_number", "many", "Expected `int`"),
    ("task_instance", "try_number", 2**40, "<= 2147483647"),
    ("task_instance", "start_date", "1000000-01-01", "Invalid RFC3339"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column", "value", "why"), HOSTILE)
def test_a_run_that_no_airflow_writes_is_left_out_with_the_reason(
    loose: Path, table: str, column: str, value: object, why: str
) -> None:
    key = (
        "id = 3"
        if table == "dag_run"
        else "task_id = 'tell' AND run_id = (SELECT run_id FROM dag_run WHERE id = 3)"
    )
    with closing(sqlite3.connect(loose)) as database, database:
        database.execute(f"UPDATE {table} SET {column} = ? WHERE {key}", [value])
    _, runs = read(source(loose))
    (left,) = [run for run in runs if isinstance(run, Left)]
    assert why in left.why
    assert len(str(left)) < 300
    assert len(runs) == 4


@pytest.mark.parametrize("value", [None, 7, "a/b", "x" * 251, "a\0b", b"\xff", ""])
def test_what_is_no_dag_is_one_sentence(loose: Path, value: object) -> None:
    with closing(sqlite3.connect(loose)) as database, database:
        database.execute("UPDATE dag_run SET dag_id = ? WHERE id = 3", [value])
    with pytest.raises(UsageError, match="is not the id of a DAG") as caught:
        read(source(loose))
    assert len(str(caught.value)) < 200


def test_years_that_python_has_not_are_one_sentence(empty_url: str) -> None:
    with psycopg.connect(empty_url) as full:
        full.execute("""
            CREATE TABLE dag_run (id integer, dag_id text, run_id text, run_type text, state text,
                logical_date timestamptz, data_interval_start timestamptz, data_interval_end timestamptz,
                start_date timestamptz, end_date timestamptz);
            CREATE TABLE task_instance (map_index integer, operator text);
            INSERT INTO dag_run VALUES (1, 'd', 'r', 'scheduled', 'success', now(), now(), now(), now(),
                '100000-01-01')
        """)
    with pytest.raises(UsageError, match="the metadata database cannot be read"):
        read(Source(empty_url, (), "airflow.cfg"))
