"""``headway up --demo``: two teams whose DAGs load, in a folder that was empty, and nothing is overwritten."""

import json
from pathlib import Path

import pytest

from headway.cli.demo import History, create, is_empty, is_first_start
from headway.cli.up import say_if_no_dags, say_if_of_airflow
from headway.config import Layout, read_server_file
from headway.errors import UsageError
from headway.loader.check import check
from headway.up.supervisor import Settings
from headway.up.teams import Served, Teams
from tests.cli.conftest import copy_data, headway, start, stop, wait_until


def test_two_teams_whose_dags_load(tmp_path: Path) -> None:
    folder = create(tmp_path / "new")
    found = {each.file: (each.error, [dag.dag_id for dag in each.dags]) for each in check(folder)}
    assert found == {
        "marketing/newsletter.py": (None, ["newsletter"]),
        "sales/orders.py": (None, ["orders"]),
    }
    assert not is_empty(folder)


def test_a_second_call_leaves_what_was_changed(tmp_path: Path) -> None:
    folder = create(tmp_path)
    (folder / "sales" / "orders.py").write_text("changed")
    assert create(tmp_path) == folder
    assert (folder / "sales" / "orders.py").read_text() == "changed"


def test_a_folder_with_files_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / ".headway").mkdir()
    assert is_empty(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    assert not is_empty(tmp_path)
    with pytest.raises(UsageError, match="the demo needs an empty folder"):
        create(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".headway", "notes.txt"}


def test_only_the_first_start_in_an_empty_place_writes_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    layout = Layout(tmp_path / ".headway")
    assert is_first_start(layout)
    layout.data.mkdir()
    assert not is_first_start(layout)
    layout.data.rmdir()
    (tmp_path / "notes.txt").write_text("mine")
    assert not is_first_start(layout)


def test_a_folder_with_files_but_no_dag_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*, of_teams: bool = False) -> str:
        say_if_no_dags(tmp_path, of_teams=of_teams)
        return capsys.readouterr().err

    assert "headway up --demo" in said()
    (tmp_path / "helpers.py").write_text("def twice(x):\n    return 2 * x\n")
    assert f"No file in {tmp_path} defines a DAG yet" in said()
    assert said(of_teams=True) == ""
    (tmp_path / "orders.py").write_text("from headway import dag\n\n@dag\ndef orders(): ...\n")
    assert said() == ""


def test_the_link_of_the_server_shows_a_team_that_has_dags(tmp_path: Path) -> None:
    teams = Teams(Settings(layout=Layout(tmp_path), dags=create(tmp_path / "dags")), say=print)

    def shown(**folders: Path | None) -> str | None:
        teams.served = {
            name: Served(name, at, dags, None) for at, (name, dags) in enumerate(folders.items())
        }
        return teams.shown_first()

    assert shown(default=None, sales=tmp_path, marketing=tmp_path) == "marketing"
    assert shown(default=tmp_path, marketing=tmp_path) is None
    assert shown(default=None) is None


def test_who_brings_files_of_airflow_is_told_how_to_see_what_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ours.py").write_text("from headway import dag\n")
    say_if_of_airflow(tmp_path)
    assert capsys.readouterr().err == ""
    (tmp_path / "theirs.py").write_text("from airflow.sdk import dag\n")
    say_if_of_airflow(tmp_path)
    told = capsys.readouterr().err
    assert "1 file was written for Airflow" in told
    assert f"headway import-airflow {tmp_path}" in told


@pytest.mark.long
def test_a_server_in_an_empty_place_serves_both_teams(tmp_path: Path, data: Path) -> None:
    copy_data(data, tmp_path)
    server = start(tmp_path, "--demo")
    try:
        for team, dag_id in (("sales", "orders"), ("marketing", "newsletter")):

            def loaded(team: str = team, dag_id: str = dag_id) -> bool:
                return dag_id in headway("ls", "--team", team, cwd=tmp_path).stdout

            wait_until(loaded, f"{dag_id} of {team} is not there")
        assert (
            "marketing and sales have" in headway("ls", cwd=tmp_path).stderr
        )  # not the first team
        opened = headway("open", "--team", "sales", cwd=tmp_path).stdout
        assert "/login?next=/t/sales/overview#" in opened
        assert "/login#" in headway("open", "--team", "default", cwd=tmp_path).stdout
        found = read_server_file(Layout(tmp_path / ".headway"))
        assert found is not None
        past = History(found)
        past.turn()
        assert past.missing == {}
        listed = headway("ls", "backfills", "--team", "sales", "--output", "json", cwd=tmp_path)
        (backfill,) = json.loads(listed.stdout)  # the schedule may have made the newest of 30
        assert (backfill["dag_id"], 25 <= backfill["total"] <= 30) == ("orders", True)
        done = headway("run", "orders", "--team", "sales", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    finally:
        stop(server)
