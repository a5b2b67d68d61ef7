"""Dates and parameters as people type them, through the command and a real server to the task."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from headway.cli.place import refuse_broken
from headway.errors import UsageError
from tests.cli.conftest import Command, copy_data, headway, wait_for_dag

pytestmark = pytest.mark.long

DAGS = """
from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Literal as Of

from headway import Run, dag, task


class Level(Enum):
    LOW = 1
    HIGH = 2


@dag(schedule="0 5 * * *")
def at_five():
    @task
    def ok() -> None: ...

    ok()


@dag(schedule="@daily", timezone="Europe/Berlin")
def in_berlin(s: str = "x"):
    @task
    def ok(s: str) -> str:
        return s

    ok(s)


@dag(timezone="Europe/Berlin")
def unscheduled(
    s: str = "", open="", day: date = date(2024, 2, 29), of: Of["de", "fr"] = "de", level: Level = Level.LOW
):
    @task
    def show(s: str, open: object, day: date, of: str, level: Level, run: Run) -> None:
        print([s, open, type(day).__name__, str(day), of, level.name, run.logical_date.isoformat()])

    show(s, open, day, of, level)


@dag()
def never_starts():
    @task
    def fine() -> int:
        return 3

    @task
    def each(n: int) -> int:
        return n

    each.expand(n=fine())
"""


@pytest.fixture(scope="module")
def values(home: Path) -> Callable[..., object]:
    (home / "dags" / "values.py").write_text(DAGS)
    wait_for_dag(home / ".headway", "never_starts")
    return lambda *arguments: headway(*arguments, cwd=home)


def test_a_day_is_a_whole_day_of_the_zone_of_the_dag(values: Command) -> None:
    def dates(dag: str, first: str, last: str) -> list[str]:
        done = values("backfill", dag, "--from", first, "--to", last, "--dry-run")
        assert done.returncode == 0, done.stderr
        return [" ".join(line.split()[:2]) for line in done.stdout.splitlines()[1:]]

    january = dates("at_five", "2013-01-01", "2013-01-31")
    assert (len(january), january[-1]) == (31, "2013-01-31 05:00:00Z")
    assert dates("at_five", "2013-01-31", "2013-01-31") == january[-1:]
    assert dates("in_berlin", "2026-03-28", "2026-03-30") == [
        "2026-03-28 00:00:00+01:00",
        "2026-03-29 00:00:00+01:00",
        "2026-03-30 00:00:00+02:00",
    ]
    assert dates("in_berlin", "2026-03-28T23:00Z", "2026-03-29T21:59Z") == [
        "2026-03-29 00:00:00+01:00"
    ]
    mistaken = values("backfill", "at_five", "--from", "2013-02-01", "--to", "2013-01-31")
    assert (mistaken.returncode, "before it starts" in mistaken.stderr) == (2, True)
    mistaken = values("backfill", "in_berlin", "--from", "soon", "--to", "2013-01-31")
    assert (mistaken.returncode, "'soon' is not a valid date" in mistaken.stderr) == (2, True)


def test_a_backfill_takes_parameters_and_its_latest_run_is_its_last(values: Command) -> None:
    done = values("backfill", "in_berlin", "--from", "2013-01-01", "--to", "2013-01-12", "-p", "s=42",
                  "--output", "json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {run["params"]["s"] for run in json.loads(done.stdout)} == {"42"}
    latest = json.loads(values("show", "@latest", "--output", "json").stdout)
    assert "2013-01-11T23:00:00Z" in json.dumps(latest)
    wrong = values(
        "backfill", "in_berlin", "--from", "2013-01-01", "--to", "2013-01-02", "-p", "x=1"
    )
    assert (wrong.returncode, "no parameter" in wrong.stderr) == (2, True)


def test_a_parameter_arrives_as_what_was_typed(values: Command) -> None:
    def shown(*given: str) -> str:
        done = values("run", "unscheduled", "--date", "2026-03-28", *given)
        assert done.returncode == 0, done.stderr
        return values("logs", done.stdout.strip()).stdout.partition("Z ")[2].strip()

    at = "'2026-03-27T23:00:00+00:00'"  # midnight in Berlin
    assert shown() == f"['', '', 'date', '2024-02-29', 'de', 'LOW', {at}]"
    for text in ("1.10", "null"):
        assert shown("-p", f"s={text}").startswith(f"[{text!r}, ")
    given = ("-p", "open=1.10", "-p", "day=20130131", "-p", "of=fr", "-p", "level=2")
    assert shown(*given) == f"['', '1.10', 'date', '2013-01-31', 'fr', 'HIGH', {at}]"
    done = values("run", "unscheduled", "-p", "day=nonsense")
    assert (done.returncode, '"day" of unscheduled is a date' in done.stderr) == (2, True)


def test_what_failed_before_it_started_is_told(values: Command) -> None:
    done = values("run", "never_starts", "--output", "json")
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    states = {each["task_id"]: each["state"] for each in result["task_instances"]}
    assert (result["state"], states["fine"], states["each"]) == ("failed", "success", "failed")
    assert "each: " in done.stderr
    assert "fine: success" not in done.stderr
    assert "each: " in values("why", result["run_id"]).stdout


def test_a_link_to_a_run_is_made_listed_and_revoked(values: Command) -> None:
    run_id = values("run", "unscheduled").stdout.strip()
    made = values("link", "create", run_id[:8], "--for", "2d", "--with-logs")
    assert "/linked#hwl_" in made.stdout
    (listed,) = json.loads(values("link", "ls", "--output", "json").stdout)
    assert (listed["run_id"], listed["with_logs"], listed["revoked_at"]) == (run_id, True, None)
    assert listed["id"] in made.stderr
    assert "revoked the link" in values("link", "revoke", listed["id"]).stderr
    refused = values("link", "create", run_id, "--for", "soon")
    assert (refused.returncode, "12h, 7d, 2w" in refused.stderr) == (2, True)


def test_grants_are_asked_for_given_and_revoked(values: Command, tmp_path: Path) -> None:
    def grants() -> list[tuple[str, str]]:
        listed = json.loads(values("grant", "ls", "--output", "json").stdout)
        return [(each["kind"], each["state"]) for each in listed]

    values("team", "create", "partners")
    there = ("--team", "partners")
    asked = values("grant", "ask", "default", "start", "unscheduled", "--note", "daily", *there)
    assert "asked: team partners may start unscheduled of team default" in asked.stderr
    (listed,) = json.loads(values("grant", "ls", "--output", "json").stdout)
    assert (listed["state"], listed["note"]) == ("asked", "daily")
    assert values("grant", "refuse", listed["id"]).returncode == 0
    values("grant", "give", "partners", "start", "unscheduled")
    assert grants() == [("start", "given")]
    file = tmp_path / "teams.yaml"
    file.write_text("teams: {default: {grants: {partners: {unscheduled: [see_runs]}}}}")
    planned = values("team", "apply", str(file), "--yes").stdout.splitlines()
    assert planned == [
        "+ grant: partners may see the runs of unscheduled of default",
        "- grant: partners may start unscheduled of default",
    ]
    assert values("team", "apply", str(file), "--dry-run").stdout == ""
    assert sorted(grants()) == [("see_runs", "given"), ("start", "revoked")]
    assert values("grant", "revoke", listed["id"]).returncode != 0  # it is already
    unknown = values("grant", "give", "partners", "start", "unschedule")
    assert (unknown.returncode, "unscheduled" in unknown.stderr) == (2, True)


def test_the_audit_names_the_run_that_was_meant(values: Command) -> None:
    run_id = values("run", "unscheduled").stdout.strip()
    assert values("clear", run_id[:8]).returncode == 0
    entries = json.loads(values("audit", "--action", "runs.clear", "--output", "json").stdout)
    assert entries[0]["subject"] == run_id


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ls", "runs", "--dag", "nope"), 2, "there is no DAG 'nope'"),
        (("why", ""), 2, "there is no DAG or run ''"),
        (("show", ""), 2, "there is no DAG or run ''"),
        (("why", "unschedule"), 2, r"no DAG or run 'unschedule'\n  did you mean \"unscheduled\"\?"),
        (("why", "nothing"), 2, "to list DAGs: headway ls; to list runs: headway ls runs"),
        (("logs", "unscheduled"), 2, "unscheduled is a DAG; its latest run is unscheduled@latest"),
        (("ls", "dag"), 2, "Invalid value for 'what': 'dag' is not one of 'dags', 'runs'"),
        (("conn", "set", "shop"), 2, "give --uri or --type\n  for instance headway conn set shop"),
        (("--version",), 0, r"headway \d+\.\d+"),
    ],
)
def test_small_mistakes_are_told(
    values: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = values(*arguments)
    assert done.returncode == code
    assert re.search(said, done.stderr or done.stdout)
    assert "full traceback" not in done.stderr


def test_a_retry_of_a_run_without_failures_says_that_nothing_runs(values: Command) -> None:
    run_id = values("run", "unscheduled").stdout.strip()
    done = values("retry", run_id)
    assert done.returncode == 0
    assert done.stderr == (
        f"run {run_id} has no failed task, so nothing runs again; to run all its tasks again: headway clear {run_id}\n"
    )
    assert values("why", run_id).stdout.startswith(f"run {run_id} of unscheduled succeeded")


def test_check_gives_every_hint(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        "from headway import dag, task\n\n\n@dag\ndef d():\n    @task(retires=1)\n    def t(): ...\n"
    )
    (tmp_path / "needs.py").write_text(
        "from headway import dag\n\n\n@dag(schedule='@daily')\ndef needs(country: str): ...\n"
    )
    said = headway("check", ".", cwd=tmp_path)
    assert (said.returncode, 'did you mean "retries"?' in said.stderr) == (2, True), said.stderr
    assert (
        "needs.py:4: needs: scheduled runs have no value for the parameter country" in said.stderr
    )
    assert "give country a default, or remove the schedule" in said.stderr
    errors = json.loads(headway("check", ".", "--output", "json", cwd=tmp_path).stdout)["errors"]
    assert 'did you mean "retries"?' in [error["hint"] for error in errors]


def test_without_a_server_a_file_is_judged_as_it_is_now(tmp_path: Path, data: Path) -> None:
    copy_data(data, tmp_path)
    file = tmp_path / "now.py"
    broken = (
        "from headway import dag, task\n\n\n@dag(concurrency=3)\ndef now():\n"
        "    @task\n    def t(): ...\n\n    t()\n"
    )
    file.write_text(broken)
    (tmp_path / "other.py").write_text("import headway\nraise ValueError(1)\n")
    done = headway("run", "now.py", cwd=tmp_path)
    assert (done.returncode, "max_active_tasks" in done.stderr) == (2, True), done.stderr
    file.write_text(broken.replace("concurrency=3", "max_active_tasks=3"))
    done = headway("run", "now.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "af.py").write_text("from airflow import DAG\n")
    done = headway("run", "af.py", cwd=tmp_path)
    assert (done.returncode, "does not define a DAG" in done.stderr) == (2, True), done.stderr
    (tmp_path / "flow.py").write_text("from prefect import flow\n")
    for command in ("run", "check"):
        done = headway(command, "flow.py", cwd=tmp_path)
        assert (done.returncode, "flow.py: this is not a DAG file" in done.stderr) == (2, True)
        assert "a DAG file is a .py file that imports headway" in done.stderr
    (tmp_path / "none.py").write_text("import headway\n")
    done = headway("check", "none.py", cwd=tmp_path)
    assert (done.returncode, "none.py: the file does not define a DAG" in done.stderr) == (0, True)
    with pytest.raises(UsageError, match="the file does not define a DAG"):
        refuse_broken(tmp_path / "none.py")
