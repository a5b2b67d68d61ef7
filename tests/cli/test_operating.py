"""What a person on call does from a terminal: read results, leave notes, clear dates, start again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from headway.cli import init
from headway.cli.pool import read
from headway.cli.watching import tell_waits
from headway.errors import UsageError
from headway.loader.check import check
from tests.cli.conftest import (
    Command,
    connected,
    wait_until,
)

pytestmark = pytest.mark.long


def test_a_run_is_named_by_its_dag_and_its_results_are_read(cli: Command) -> None:
    run_id = cli("run", "hello", "-p", "size=5").stdout.strip()
    assert cli("run", "naps").returncode == 0
    assert f"run {run_id} of hello" in cli("show", "hello@latest").stderr
    assert cli("xcom", "hello@latest", "names").stdout == '["a","b","c"]\n'
    rows = [line.split() for line in cli("xcom", run_id).stdout.splitlines()]
    assert ["greet", "1", "return_value", '"b"'] in rows
    assert cli("note", "hello@latest", "as it should be").returncode == 0
    shown = json.loads(cli("show", run_id, "--output", "json").stdout)
    assert shown["run"]["note"] == "as it should be"
    assert "removes" in cli("note", "--help").stdout
    unknown = cli("show", "helo@latest")
    assert (unknown.returncode, "there is no run of a DAG 'helo'" in unknown.stderr) == (2, True)


def test_the_instances_of_a_task_are_listed_by_name(cli: Command) -> None:
    run_id = cli("run", "hello").stdout.strip()
    shown = cli("show", run_id, "greet")
    assert shown.stderr == f"greet of run {run_id}: 3 instances\n"
    rows = [line.split("  ") for line in shown.stdout.splitlines()]
    assert [[cell.strip() for cell in row if cell][:3] for row in rows[1:]] == [
        [str(index), f"Ms. {letter}", "success"] for index, letter in enumerate("ABC")
    ]
    assert cli("why", run_id, "greet", "--index", "1").stdout == "greet[1] (Ms. B) succeeded\n"
    unknown = cli("show", run_id, "gret")
    assert (unknown.returncode, "has no task 'gret'" in unknown.stderr) == (2, True)


def test_a_run_is_started_again_with_other_parameters(cli: Command) -> None:
    first = cli("run", "hello", "-p", "size=5", "--date", "2026-01-02").stdout.strip()
    again = cli("run", "hello", "--like", first, "-p", "size=7", "--output", "json")
    assert again.returncode == 0, again.stderr
    assert (
        f"run {first} of this date exists already (success); this is one more run" in again.stderr
    )
    assert f"headway clear {first}" in again.stderr
    then = json.loads(again.stdout.splitlines()[-1])
    assert then["logical_date"].startswith("2026-01-02T00:00:00")
    run = json.loads(cli("show", then["run_id"], "--output", "json").stdout)["run"]
    assert run["params"] == {"size": 7}
    whole, *tasks = [line.split() for line in cli("durations", "hello").stdout.splitlines()[1:]]
    assert whole[:3] == ["the", "whole", "run"]
    assert {row[0] for row in tasks} >= {"greet", "names"}
    told = cli("audit", "--action", "dags.trigger").stdout
    assert f"triggered run `{then['run_id']}` of `hello` for 2026-01-02" in told
    other = cli("run", "naps", "--like", first)
    assert (other.returncode, "is of hello, not of naps" in other.stderr) == (2, True)


def test_dates_are_cleared_and_backfills_listed_and_cancelled(cli: Command) -> None:
    days = ("--from", "2016-01-01", "--to", "2016-01-03")
    done = cli("backfill", "daily", *days)
    assert done.returncode == 0, done.stderr
    would = cli("clear", "daily", *days, "--dry-run")
    assert would.stderr.endswith("3 task instances of 3 runs would run again\n"), would.stderr
    part = cli("clear", "daily", "--from", "2016-01-02", "--to", "2016-01-02")
    assert part.stderr.endswith("1 task instance of 1 run run again\n"), part.stderr
    none = cli("clear", "daily", *days, "--state", "failed")
    assert none.stderr.endswith("0 task instances of 0 runs run again\n"), none.stderr
    (listed,) = json.loads(cli("ls", "backfills", "--dag", "daily", "--output", "json").stdout)
    said = cli("cancel", "--backfill", listed["backfill_id"])
    assert f"backfill {listed['backfill_id']} of daily" in said.stderr
    assert cli("cancel").returncode == 2


def test_pools_come_from_a_file(cli: Command, home: Path) -> None:
    (home / "pools.yaml").write_text("etl: 4\nsmall: {slots: 1, description: exported}\n")
    assert cli("pool", "apply", "pools.yaml", "--dry-run").stderr.startswith("pool etl: new, 4")
    assert cli("pool", "apply", "pools.yaml").returncode == 0
    assert cli("pool", "apply", "pools.yaml").stderr == (
        "nothing to change: 2 pools as the file says\n"
    )
    for name in ("etl", "small"):
        assert cli("pool", "delete", name).returncode == 0


@pytest.mark.parametrize("text", ["etl: many", "- etl", "etl: {size: 3}", "etl: -1", "{"])
def test_a_file_that_is_none_of_pools_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "pools.yaml").write_text(text)
    with pytest.raises(UsageError):
        read(tmp_path / "pools.yaml")


def test_a_task_that_cannot_run_is_told_without_a_terminal(
    cli: Command, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = cli("run", "distant", "--detach").stdout.strip()
    client, told = connected(home / ".headway"), set[str]()

    def is_told() -> bool:
        tell_waits(client, client.run(run_id), told)
        return any(
            text.startswith("fit: ") for text in told
        )  # after the run, which waits for a moment

    wait_until(is_told, "nothing was told of the task")
    tell_waits(client, client.run(run_id), told)
    client.close()
    said = capsys.readouterr().err.splitlines()
    (line,) = [line for line in said if line.startswith("waiting: fit: ")]
    assert "gpu" in line
    assert cli("cancel", run_id).returncode == 0


def test_a_new_project_has_a_dag_that_loads_and_a_test_that_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    init.init("my-nightly")
    (found,) = check(tmp_path / "my-nightly" / "dags")
    assert (found.error, [dag.dag_id for dag in found.dags]) == (None, ["my_nightly"])
    assert found.warnings == ()
    assert (tmp_path / "my-nightly" / ".github" / "workflows" / "dags.yml").is_file()
    tested = subprocess.run(
        [Path(sys.executable).with_name("pytest"), "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "my-nightly",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tested.returncode, "1 passed" in tested.stdout) == (0, True), tested.stdout
    with pytest.raises(UsageError, match="the folder is not empty"):
        init.init("my-nightly")
    with pytest.raises(UsageError, match="cannot be the name of a DAG"):
        init.init("4.b")


def test_an_outbound_webhook_from_its_creation_to_its_end(cli: Command) -> None:
    """The server starts what sends; what is not public is refused, unless the operator allows it."""

    def outbound(*arguments: str) -> str:
        done = cli("webhook", "outbound", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = outbound("create", "out", "http://127.0.0.1:9/", "--dag", "none*", "--state", "failed")
    assert made.split()[1].startswith("hws_")
    outbound("ping", "out")
    wait_until(lambda: "no public address" in outbound("show", "out"), "the ping was not tried")
    assert "no public address" in outbound("ls")
    outbound("change", "out", "--no-params", "--url", "http://127.0.0.1:8/")
    outbound("disable", "out")
    assert json.loads(outbound("show", "out", "-o", "json"))[0]["status"] == "given_up"
    outbound("enable", "out")
    outbound("redeliver", "out", "1")
    outbound("delete", "out")
    assert json.loads(outbound("ls", "-o", "json")) == []


def test_a_dag_whose_file_was_mended_a_moment_ago_runs_by_its_name(
    cli: Command, home: Path
) -> None:
    code = "from headway import dag, task\n\n\n@dag({0})\ndef hasty():\n    @task\n    def t(): ...\n\n    t()\n"
    file = home / "dags" / "hasty.py"
    file.write_text(code.format("shedule=None"))
    broken = cli("run", "hasty")
    assert broken.returncode == 2
    assert "no DAG 'hasty'" in broken.stderr
    assert "1 DAG file failed to load; to see why: headway ls errors" in broken.stderr
    other = home / "dags" / "stays_broken.py"
    other.write_text(code.format("shedule=None").replace("hasty", "other"))
    file.write_text(code.format(""))
    done = cli("run", "hasty")
    other.unlink()
    file.unlink()
    assert done.returncode == 0, done.stderr


def test_a_run_for_a_date_in_the_future_waits_for_it(cli: Command) -> None:
    done = cli("run", "distant", "--date", "2099-01-01T05:00:00Z", "--detach")
    assert done.returncode == 0
    run_id = done.stdout.strip()
    why = "its logical date, 2099-01-01 05:00:00 UTC, lies in the future"
    assert f"of distant is queued and waits: {why}" in done.stderr, done.stderr
    assert why in cli("why", run_id).stdout
    assert cli("cancel", run_id).returncode == 0
