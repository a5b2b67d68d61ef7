"""Every command against a real server: what it prints where, and its exit code."""

import json

import pytest

from tests.cli.conftest import Command


def test_a_run_is_watched_to_its_end(cli: Command) -> None:
    done = cli("run", "hello", "-p", "size=5", "--output", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["state"] == "success"
    assert [each["map_index"] for each in result["task_instances"]] == [0, 1, 2, -1]
    shown = cli("show", result["run_id"][:6])
    assert "success 3" in shown.stdout
    log = cli("logs", result["run_id"], "greet", "--index", "1")
    assert "hello b" in log.stdout
    mapped = cli("logs", result["run_id"], "greet")
    assert (mapped.returncode, "--index" in mapped.stderr) == (2, True)


def test_a_failure_says_why_and_where(cli: Command) -> None:
    done = cli("run", "sad")
    assert done.returncode == 1
    assert "ValueError: no flights today" in done.stderr
    assert "demo.py:" in done.stderr
    assert "before the tears" in done.stderr
    assert "Traceback" not in done.stdout
    why = cli("why", "@failed")
    assert "no flights today" in why.stdout
    assert "before the tears" in cli("logs", "@failed").stdout
    planned = cli("retry", "@failed", "--dry-run")
    assert planned.stdout.splitlines()[1].split() == ["weep", "-"]


def test_a_detached_run_goes_on(cli: Command) -> None:
    done = cli("run", "hello", "--detach")
    assert done.returncode == 0
    assert len(done.stdout.strip()) == 12


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("run", "helo"), 2, 'did you mean "hello"?'),
        (("run", "hello", "-p", "sise=3"), 2, "sise"),
        (("run", "hello", "--date", "soon"), 2, "'soon' is no date"),
        (("run", "nothing.py"), 2, "no such file"),
        (("show", "zzzz"), 2, "zzzz"),
        (("logs", "@latest", "nobody"), 2, "nobody"),
        (("backfill", "hello", "--from", "2026-01-01", "--to", "2026-01-02"), 2, "no schedule"),
        (("ls", "--colour"), 2, "No such option"),
        (("pool", "delete", "default"), 2, "default"),
        (("up",), 2, "in use by process"),
    ],
)
def test_a_mistake_is_told_in_one_clear_way(
    cli: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    if arguments[0] == "logs":
        cli("run", "hello")
    done = cli(*arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_pause_resume_pools_and_lists(cli: Command) -> None:
    assert cli("pause", "sad").returncode == 0
    assert "paused" in cli("ls").stdout
    assert cli("resume", "sad").returncode == 0
    assert cli("pool", "set", "etl", "4").returncode == 0
    pools = json.loads(cli("pool", "ls", "--output", "json").stdout)
    assert {pool["name"]: pool["slots"] for pool in pools}["etl"] == 4
    assert cli("pool", "delete", "etl").returncode == 0
    assert "dag_id:" in cli("ls", "--output", "yaml").stdout
    assert cli("ls", "runs").returncode == 0


def test_doctor_finds_a_healthy_server_healthy(cli: Command) -> None:
    done = cli("doctor", "--output", "json")
    findings = {each["what"]: each["ok"] for each in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert {"python", "postgres", "disk", "database", "scheduler", "agent"} <= findings.keys()
