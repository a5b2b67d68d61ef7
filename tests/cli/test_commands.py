"""Every command against a real server: what it prints where, and its exit code."""

import json
import signal
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import msgspec
import pytest

from headway import config, wire
from headway.client import client_of
from headway.clock import now
from headway.config import Layout, Lock, read_server_file, write_server_file
from headway.core.webhooks import sign
from headway.engine import tick
from headway.pg import Server
from headway.store.clock import clock
from headway.store.transact import ENGINE, connect, transact
from tests.cli.conftest import (
    DAGS,
    PATIENCE_S,
    Command,
    headway,
    wait_for,
    wait_for_dag,
    wait_until,
)
from tests.processes import begin
from tests.tidy.tree import ROOT


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
    assert 'raise ValueError("no flights today")' in done.stderr
    assert "Traceback" not in done.stdout
    why = cli("why", "@failed")
    assert "no flights today" in why.stdout
    assert "before the tears" in cli("logs", "@failed").stdout
    run_id = json.loads(cli("ls", "runs", "--state", "failed", "--output", "json").stdout)[0][
        "run_id"
    ]
    for place in ((), ("@failed",), ("@failed", "weep")):
        (match,) = cli("logs", *place, "--grep", "before .* tears").stdout.splitlines()
        assert match.startswith(f"{run_id} weep #1:")
        assert match.endswith("before the tears")
    assert cli("logs", "--grep", "before .* tears", "--dag", "hello").stdout == ""
    assert cli("logs").returncode == 2
    planned = cli("retry", "@failed", "--dry-run")
    assert planned.stdout.splitlines()[1].split() == ["weep", "-"]


def test_a_detached_run_goes_on(cli: Command) -> None:
    done = cli("run", "hello", "--detach")
    assert done.returncode == 0
    run_id = done.stdout.strip()
    assert len(run_id) == 12
    assert done.stderr.startswith(f"run {run_id} of hello is queued; to follow it: headway show")


def test_a_detached_run_that_waits_says_for_what(cli: Command) -> None:
    assert cli("pause", "hello").returncode == 0
    try:
        done = cli("run", "hello", "--detach")
    finally:
        assert cli("resume", "hello").returncode == 0
    assert "of hello is queued and waits: DAG paused by" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("run", "helo"), 2, 'did you mean "hello"?'),
        (("run", "hello", "-p", "sise=3"), 2, "sise"),
        (("run", "hello", "--date", "soon"), 2, "'soon' is not a valid date"),
        (("run", "nothing.py"), 2, "the file does not exist"),
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
    assert cli("pool", "set", "etl", "4").stderr == "pool etl has 4 slots\n"
    assert cli("pool", "set", "one", "1").stderr == "pool one has 1 slot\n"
    pools = json.loads(cli("pool", "ls", "--output", "json").stdout)
    assert {pool["name"]: pool["slots"] for pool in pools}["etl"] == 4
    assert cli("pool", "delete", "etl").returncode == 0
    assert "dag_id:" in cli("ls", "--output", "yaml").stdout
    assert cli("ls", "runs").returncode == 0


def test_a_run_is_marked_as_a_dry_run_says(cli: Command, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run_id = cli("run", "slow", "-p", f"gate={gate}", "--detach").stdout.strip()
    wait_for(tmp_path / "gate.reached")
    would = json.loads(cli("mark", run_id, "failed", "--dry-run", "--output", "json").stdout)
    assert ([each["task_id"] for each in would["marked"]], would["ending"]) == (["wait"], 1)
    assert "maybe" in cli("mark", run_id, "maybe").stderr
    done = cli("mark", run_id, "success")
    assert (done.returncode, done.stdout) == (0, "")
    assert "marked as success" in done.stderr
    cli("logs", "-f", run_id, "wait")
    shown = json.loads(cli("show", run_id, "--output", "json").stdout)
    assert shown["run"]["state"] == "success"


def test_a_cancel_of_what_has_ended_says_so(cli: Command) -> None:
    run_id = cli("run", "hello").stdout.strip()
    done = cli("cancel", run_id)
    assert done.returncode == 0
    assert "has already ended (success), so there is nothing to cancel" in done.stderr


def test_a_replay_runs_the_code_of_then_and_a_diff_says_what_changed(
    cli: Command, home: Path
) -> None:
    code = (
        "from headway import dag, task\n\n\n@dag()\ndef again():\n"
        "    @task\n    def {0}():\n        print('{0}')\n\n    {0}()\n"
    )
    file = home / "dags" / "again.py"
    runs = []
    for word in ("before", "after"):
        file.write_text(code.format(word))
        done = cli("run", "dags/again.py")
        assert done.returncode == 0, done.stderr
        runs.append(done.stdout.strip())
    file.unlink()
    would = cli("replay", runs[0], "--dry-run")
    assert "the replay runs version 1" in would.stdout
    assert "packages outside the bundle" in would.stdout
    done = cli("replay", runs[0])
    again = done.stdout.strip()
    assert (done.returncode, len(again)) == (0, 12), done.stderr
    assert f"is a replay of {runs[0]}" in done.stderr
    assert "before" in cli("logs", "-f", again, "before").stdout
    rows = [line.split() for line in cli("diff", *runs).stdout.splitlines()]
    assert rows[0] == ["TASK", "WHAT", *runs]
    assert ["-", "version", "1", "2"] in rows
    assert ["before", "task", "there", "missing"] in rows
    assert "are identical" in cli("diff", again, again).stderr


def test_doctor_finds_a_healthy_server_healthy(cli: Command) -> None:
    done = cli("doctor", "--output", "json")
    findings = {each["what"]: each["ok"] for each in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert {"python", "postgres", "disk", "database", "scheduler", "agent"} <= findings.keys()


def test_a_run_set_aside_is_found_by_doctor_until_a_person_takes_it_in(
    cli: Command, home: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run_id = cli("run", "slow", "-p", f"gate={gate}", "--detach").stdout.strip()
    wait_for(tmp_path / "gate.reached")
    with connect(Server(home / ".headway").dsn, role=ENGINE) as conn:
        transact(conn, tick.set_aside, (1, run_id), "KeyError: 'x'", transact(conn, clock))
    said = "after the scheduler failed to plan it 3 times: KeyError: 'x'"
    assert said in cli("why", run_id).stdout
    done = cli("doctor", "--output", "json")
    (found,) = [each for each in json.loads(done.stdout) if not each["ok"]]
    assert done.returncode == 1
    assert found["what"] == f"run {run_id[:6]}"
    assert said in found["detail"]
    assert cli("cancel", run_id).returncode == 0
    assert cli("doctor").returncode == 0


def test_a_log_is_followed_to_its_end(cli: Command, home: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run_id = cli("run", "slow", "-p", f"gate={gate}", "--detach").stdout.strip()
    wait_for(tmp_path / "gate.reached")
    following = begin("logs", "-f", run_id, "wait", cwd=home)
    assert following.stdout is not None
    assert "before the gate" in following.stdout.readline()
    gate.touch()
    rest, said = following.communicate(timeout=PATIENCE_S)
    assert (following.returncode, said) == (0, "")
    assert rest.endswith("behind the gate\n")


def test_ctrl_c_leaves_a_run_to_the_server(cli: Command, home: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    watching = begin("run", "slow", "-p", f"gate={gate}", cwd=home)
    wait_for(tmp_path / "gate.reached")
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate(timeout=PATIENCE_S)
    assert watching.returncode == 130
    assert "keeps running; to cancel it: headway cancel" in said
    run_id = said.split()[said.split().index("run") + 1]
    assert "running" in cli("why", run_id).stdout
    assert cli("cancel", run_id).returncode == 0


def test_a_task_whose_queue_nobody_serves_is_explained(cli: Command) -> None:
    run_id = cli("run", "distant", "--detach").stdout.strip()
    hint = "no live agent serves queue `gpu`: headway up --queue default --queue gpu"
    wait_until(lambda: hint in cli("why", run_id, "fit").stdout, "nobody says why it waits")
    assert "gpu" in cli("show", "distant").stdout.split()
    assert "took" not in cli("show", run_id).stderr
    assert cli("logs", run_id, "fit").stderr.startswith("fit has not started; to see why: headway")
    assert cli("cancel", run_id).returncode == 0
    assert "of distant was cancelled" in cli("why", run_id).stdout


def test_a_log_without_a_line_is_said_to_be_so(cli: Command) -> None:
    run_id = cli("run", "naps").stdout.strip()
    assert f"run {run_id} of naps succeeded" in cli("why", run_id).stdout
    silent = cli("logs", run_id, "nap")
    assert (silent.stdout, silent.stderr) == ("", "nap printed nothing\n")


def test_a_task_took_at_least_as_long_as_it_slept(cli: Command) -> None:
    done = cli("run", "naps", "--output", "json")
    run_id = json.loads(done.stdout)["run_id"]
    (task,) = json.loads(cli("show", run_id, "--output", "json").stdout)["tasks"]
    began, ended = (datetime.fromisoformat(task[name]) for name in ("started_at", "ended_at"))
    assert (ended - began).total_seconds() >= 0.2
    assert task["duration_s"] >= 0.2


def test_a_backfill_is_waited_for(cli: Command) -> None:
    dates = ("--from", "2016-01-01", "--to", "2016-01-03")
    planned = cli("backfill", "daily", *dates, "--dry-run")
    assert len(planned.stdout.splitlines()) == 4
    done = cli("backfill", "daily", *dates, "--output", "json")
    assert done.returncode == 0, done.stderr
    assert [run["state"] for run in json.loads(done.stdout)] == ["success"] * 3
    assert "3 succeeded" in done.stderr
    more = ("--from", "2016-01-01", "--to", "2016-01-04")
    planned = cli("backfill", "daily", *more, "--dry-run")
    assert [line.split()[-2:] for line in planned.stdout.splitlines()[1:]] == [
        *[["left", "out"]] * 3,
        ["new", "run"],
    ]
    assert "3 dates left out, because they have a run: 3 success" in planned.stderr
    again = cli("backfill", "daily", *more, "--again", "all", "--output", "json")
    assert again.returncode == 0, again.stderr
    assert [run["state"] for run in json.loads(again.stdout)] == ["success"] * 4


def test_check_loads_files_without_a_server(tmp_path: Path) -> None:
    (tmp_path / "demo.py").write_text(DAGS)
    good = headway("check", "demo.py", cwd=tmp_path)
    assert (good.returncode, "hello" in good.stdout) == (0, True), good.stderr
    (tmp_path / "broken.py").write_text("from headway import dag\nx = 1 +\n")
    bad = headway("check", ".", cwd=tmp_path)
    assert (bad.returncode, "broken.py:2: SyntaxError" in bad.stderr) == (2, True), bad.stderr
    (tmp_path / "broken.py").write_text("import uuid, headway\nOWN = uuid.uuid4()\n")
    warned = headway("check", "broken.py", "--output", "json", cwd=tmp_path)
    assert (warned.returncode, "! broken.py:2: OWN is an id generated" in warned.stderr) == (
        0,
        True,
    )
    (told,) = json.loads(warned.stdout)["warnings"]
    assert (told["line"], told["hint"]) == (2, "create it inside the task")


def test_a_wrong_token_is_not_allowed(home: Path, tmp_path: Path) -> None:
    server = read_server_file(Layout(home / ".headway"))
    assert server is not None
    forged = config.layout(tmp_path / "forged")
    forged.prepare()
    lock = Lock(forged)
    lock.acquire()
    try:
        write_server_file(forged, msgspec.structs.replace(server, token="guessed"))
        done = headway("ls", "--data", str(forged.data), cwd=home)
    finally:
        lock.release()
    assert (done.returncode, done.stdout) == (3, "")
    assert "Traceback" not in done.stderr


def test_how_long_logs_are_kept_is_shown_and_changed(cli: Command) -> None:
    shown = cli("retention")
    assert (shown.returncode, shown.stdout.split("\n")[1].split()[:2]) == (0, ["logs", "as"])
    changed = cli("retention", "--days", "30")
    assert "logs 30 days this team" in " ".join(changed.stdout.split()), changed.stderr
    for wrong in ("0", "soon", "-1"):
        assert cli("retention", "--days", wrong).returncode == 2
    assert json.loads(cli("retention", "--output", "json").stdout)["days"] == 30
    cli("retention", "--local-days", "7")
    back = cli("retention", "--days", "default", "--output", "json")
    shown = json.loads(back.stdout)
    assert (shown["days"], shown["local_days"]) == (None, 7)


def test_how_long_runs_are_kept_is_shown_and_changed(cli: Command) -> None:
    assert "runs 90 days installation default" in " ".join(cli("retention").stdout.split())
    would = cli("retention", "--run-days", "30", "--dry-run")
    assert (would.returncode, would.stdout) == (0, "")
    assert would.stderr == (
        "0 runs that ended more than 30 days ago would be removed; nothing has changed\n"
    )
    assert "runs 90 days installation default" in " ".join(cli("retention").stdout.split())
    changed = cli("retention", "--run-days", "30")
    assert "runs 30 days this team" in " ".join(changed.stdout.split()), changed.stderr
    assert "will be removed within ten minutes" in changed.stderr
    for wrong in ("6", "soon"):
        assert cli("retention", "--run-days", wrong).returncode == 2
    assert cli("retention", "--dry-run").returncode == 2
    back = cli("retention", "--run-days", "default")
    assert "runs 90 days installation default" in " ".join(back.stdout.split())


MENDED = """
from headway import dag, task


@dag()
def mended():
    @task
    def parse() -> int:
        return int({text!r})

    parse()
"""


def test_a_retry_says_which_code_it_runs_and_runs_the_fixed_one_when_asked(
    cli: Command, home: Path
) -> None:
    file = home / "dags" / "mended.py"
    file.write_text(MENDED.format(text="12,5"))
    failed = cli("run", "mended")
    assert failed.returncode == 1, failed.stderr
    run_id = json.loads(cli("ls", "runs", "--dag", "mended", "--output", "json").stdout)[0][
        "run_id"
    ]
    planned = cli("retry", run_id, "--dry-run").stderr
    assert "would run again with the code of this run (version 1, bundle " in planned
    assert "--latest" not in planned, "nothing has changed"
    file.write_text(MENDED.format(text="12"))
    wait_until(
        lambda: "--latest" in cli("retry", run_id, "--dry-run").stderr, "the fix was not loaded"
    )
    assert "  file changed: mended.py" in cli("clear", run_id, "--dry-run").stderr
    asked = cli("retry", run_id, "--as-it-was", "--dry-run").stderr
    assert "the code of this run" in asked
    assert "--latest" not in asked, "it was chosen"
    done = cli("retry", run_id, "--latest")
    assert done.returncode == 0, done.stderr
    assert "runs again with the latest code (version 1, bundle " in done.stderr
    assert "  file changed: mended.py" in done.stderr

    def state() -> str:
        shown = json.loads(cli("ls", "runs", "--dag", "mended", "--output", "json").stdout)
        return str(shown[0]["state"])

    wait_until(lambda: state() == "success", "the fixed code did not run")


def test_a_dag_runs_when_its_assets_are_new(cli: Command, home: Path) -> None:
    """The example, with the extra of an event on its way from one task to another."""
    shop = (ROOT / "examples" / "assets" / "shop.py").read_text(encoding="utf-8")
    (home / "dags" / "shop.py").write_text(shop, encoding="utf-8")
    wait_for_dag(home / ".headway", "shop_report")
    assert cli("run", "shop_orders", "-p", "rows=5").returncode == 0
    said = "it waits for events of `shop_rates`, since "
    wait_until(lambda: said in cli("why", "shop_report").stdout, "the event did not count")
    shown = cli("asset", "show", "shop_orders")
    assert '{"rows": 5}' in shown.stdout
    assert "shop_orders.load in " in shown.stdout
    emitted = cli("asset", "emit", "shop_rates", "--extra", '{"day": "monday"}')
    assert emitted.returncode == 0, emitted.stderr
    assert cli("asset", "emit", "shop_rate").returncode == 2

    def runs() -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(
            cli("ls", "runs", "--dag", "shop_report", "-o", "json").stdout
        )
        return found

    wait_until(lambda: [run["state"] for run in runs()] == ["success"], "it did not run")
    (run,) = runs()
    assert (run["trigger"], "shop_report" in cli("asset", "ls").stdout) == ("asset", True)


def test_a_day_runs_when_its_hours_are_there(cli: Command, home: Path) -> None:
    """The example: keys from outside, what is missing, and the runs of the day and the month."""
    source = (ROOT / "examples" / "partitions" / "clicks.py").read_text(encoding="utf-8")
    (home / "dags" / "clicks.py").write_text(source, encoding="utf-8")
    wait_for_dag(home / ".headway", "sum_up_day")
    with closing(client_of(Layout(home / ".headway"))) as client:
        for hour in range(24):
            if hour != 5:
                key = f"2026-03-01T{hour:02}"
                client.emit_asset_event(
                    wire.AssetEventRequest(asset="hourly_clicks", partition=key)
                )
    missing = "it waits for the partition 2026-03-01: `2026-03-01T05` of `hourly_clicks`"
    wait_until(lambda: missing in cli("why", "sum_up_day").stdout, "the keys did not arrive")
    told = cli("asset", "partitions", "sum_up_day").stdout
    assert "1 key of hourly_clicks: 2026-03-01T05" in told
    assert "2026-03-01T23" in cli("asset", "partitions", "hourly_clicks").stdout
    assert cli("asset", "emit", "hourly_clicks", "--partition", "2026-03-01T05").returncode == 0

    def month() -> str:
        return cli("asset", "partitions", "report_month").stdout

    wait_until(lambda: "2026-03 " in month(), "the day did not run, or its event did not count")
    (run,) = json.loads(cli("ls", "runs", "--dag", "sum_up_day", "-o", "json").stdout)
    assert (run["partition"], run["trigger"], run["state"]) == ("2026-03-01", "asset", "success")
    assert "2026-03-01 of hourly_clicks" in cli("ls", "runs", "--dag", "sum_up_day").stdout


def test_a_signed_request_to_a_webhook_runs_a_dag(cli: Command, home: Path) -> None:
    """A webhook from its creation to its end, called as any HTTP client would."""
    source = """
from headway import Asset, dag, task

@dag(schedule=Asset("erp_orders"))
def from_erp():
    @task
    def load():
        pass
    load()

from_erp()
"""
    (home / "dags" / "erp.py").write_text(source, encoding="utf-8")
    wait_for_dag(home / ".headway", "from_erp")
    field = ("--field", "rows=data.rows")
    made = cli("webhook", "create", "erp", "--asset", "erp_orders", *field, "--key", "id")
    assert made.returncode == 0, made.stderr
    (_, url), (_, secret) = (row.split() for row in made.stdout.splitlines())
    assert secret not in cli("webhook", "ls", "-o", "json").stdout

    def send(secret: str) -> int:
        body = b'{"id": "1", "data": {"rows": 7}}'
        headers = {"X-Headway-Signature": sign(secret, now(), body)}
        try:
            with urlopen(Request(url, data=body, headers=headers)) as answer:
                return int(answer.status)
        except HTTPError as error:
            with error:
                return error.code

    assert (send(secret), send("hws_wrong")) == (200, 404)
    shown = cli("webhook", "show", "erp").stdout
    assert "accepted" in shown
    assert "refused" in shown
    found = json.loads(cli("webhook", "show", "erp", "-o", "json").stdout)
    number = next(each["number"] for each in found if each["outcome"] == "accepted")
    assert cli("webhook", "replay", "erp", str(number)).returncode == 0
    assert cli("asset", "show", "erp_orders").stdout.count('{"rows": 7}') == 2
    rotated = cli("webhook", "rotate", "erp", "--overlap", "0")
    assert send(secret) == 404
    assert send(rotated.stdout.split()[-1]) == 200
    wrong = cli("webhook", "create", "erp2", "--asset", "erp_orders", "--field", "rows")
    assert (wrong.returncode, "is not NAME=PATH" in wrong.stderr) == (2, True)
    assert cli("webhook", "delete", "erp").returncode == 0
    assert cli("webhook", "show", "erp").returncode == 2

    def ended() -> bool:
        runs = json.loads(cli("ls", "runs", "--dag", "from_erp", "-o", "json").stdout)
        return bool(runs) and all(run["state"] == "success" for run in runs)

    wait_until(ended, "the runs of the webhook's asset did not succeed")
