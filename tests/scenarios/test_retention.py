"""What has been over for long enough goes; what has not is never touched."""

from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from psycopg import Connection, errors

from headway import clock
from headway.actions import commands
from headway.agent.protocol import XComValue
from headway.core.commands import Selection
from headway.engine import janitor, removals
from headway.engine.catalog import Catalog
from headway.engine.janitor import Janitor, retention_from
from headway.engine.scheduler import Scheduler as Process
from headway.errors import UsageError
from headway.paths import log_path, xcom_path
from headway.store import retention
from headway.store.transact import connect, in_team, transact
from tests.scenarios.world import ANN, Scheduler, deploy, run_state, task, trigger, value

KEEP = timedelta(days=90)
HANGING = ("task_instance", "attempt", "xcom", "event")


TIMES = {
    "run": "created_at started_at ended_at",
    "task_instance": "ready_at queued_at started_at ended_at",
    "attempt": "queued_at started_at ended_at",
    "event": "at",
}


def age(owner: Connection[Any], run_id: str, days: float) -> None:
    """Let all of a run have happened so long ago."""
    for table, columns in TIMES.items():
        earlier = ", ".join(f"{name} = {name} - %(by)s" for name in columns.split())
        values = {"by": timedelta(days=days), "run": run_id}
        owner.execute(f"UPDATE {table} SET {earlier} WHERE run_id = %(run)s".encode(), values)


def finished(conn: Connection[Any], number: int) -> list[str]:
    deploy(conn, task("a"), task("b", "a"))
    scheduler = Scheduler(conn)
    ids = trigger(conn, "d", *(f"k{n}" for n in range(number)))
    result = XComValue("return_value", b"1", None, 1)
    scheduler.play(lambda _: {"outcome": "success", "xcoms": [result]})
    return ids


def left(conn: Connection[Any], run_id: str) -> dict[str, int]:
    return {
        table: value(conn, f"SELECT count(*) FROM {table} WHERE run_id = %s", run_id)
        for table in HANGING
    }


def files_of(data: Path, run_id: str) -> list[Path]:
    files = [data / log_path(run_id, "a", -1, 1), data / (xcom_path(run_id, "a", -1, 1) + ".json")]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    return files


def sweep(conn: Connection[Any], data: Path) -> Janitor:
    worker = Janitor(conn, data, KEEP)
    while worker.work():
        pass
    worker.close()
    return worker


def test_an_old_run_goes_with_all_that_hangs_on_it(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    old, young = finished(conn, 2)
    age(owner_conn, old, 91)
    age(owner_conn, young, 89)
    before = left(conn, young)
    gone, kept = files_of(tmp_path, old), files_of(tmp_path, young)
    sweep(conn, tmp_path)
    assert left(conn, old) == dict.fromkeys(HANGING, 0)
    assert left(conn, young) == before
    assert [file.exists() for file in (*gone, *kept)] == [False, False, True, True]
    assert value(conn, "SELECT reason ->> 'what' FROM event WHERE name = 'prune'") == old


def test_a_run_that_has_not_ended_stays_however_old(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    age(owner_conn, run_id, 1000)
    sweep(conn, tmp_path)
    assert run_state(conn, run_id) == "running"
    assert left(conn, run_id)["event"] > 0


def test_a_run_that_is_being_cleared_is_left(
    conn: Connection[Any], owner_conn: Connection[Any], dsn: str, tmp_path: Path
) -> None:
    (run_id,) = finished(conn, 1)
    age(owner_conn, run_id, 91)
    with connect(dsn) as other, other.transaction():
        commands.clear(other, 1, run_id, Selection(), Catalog(other).graph, ANN)
        sweep(conn, tmp_path)
    sweep(conn, tmp_path)
    assert run_state(conn, run_id) == "queued"


def test_a_batch_is_bounded_and_a_crash_leaves_whole_runs(
    conn: Connection[Any], owner_conn: Connection[Any]
) -> None:
    ids = finished(conn, 7)
    for run_id in ids:
        age(owner_conn, run_id, 100)
    now = value(conn, "SELECT now()")
    assert len(transact(conn, in_team, 1, janitor.prune, now - KEEP, now, 3)) == 3

    class Crash(Exception):
        pass

    def crashing(conn: Connection[Any]) -> None:
        janitor.prune(conn, 1, now - KEEP, now, 3)
        raise Crash

    with pytest.raises(Crash):
        transact(conn, crashing)
    whole = {"task_instance": 2, "attempt": 2, "xcom": 2, "event": 11}
    states = [left(conn, run_id) for run_id in ids]
    assert states.count(dict.fromkeys(HANGING, 0)) == 3
    assert states.count(whole) == 4


def test_files_that_a_crash_left_go_at_the_next_start(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    (run_id,) = finished(conn, 1)
    age(owner_conn, run_id, 100)
    files = files_of(tmp_path, run_id)
    strangers = files_of(tmp_path, "000000000000")  # of another database: none of our business
    now = value(conn, "SELECT clock_timestamp()")
    transact(conn, in_team, 1, janitor.prune, now - KEEP, now, 10)  # and then it died
    sweep(conn, tmp_path)
    assert [file.exists() for file in (*files, *strangers)] == [False, False, True, True]


def test_what_hangs_on_no_run_goes_too_and_what_is_used_stays(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    old, young = finished(conn, 2)
    deploy(conn, task("a"), bundle="b2")
    age(owner_conn, old, 100)
    for statement in (
        "UPDATE bundle SET created_at = now() - interval '1 year'",
        "INSERT INTO bundle VALUES (1, 'unused', 1, 1, now() - interval '1 year')",
        "UPDATE agent_session SET ended_at = now() - interval '1 year'",
        "INSERT INTO agent_session VALUES (1, 'unused', 'a', 'h', 1, 1, now(), now(),"
        " now() - interval '1 year')",
        "INSERT INTO scheduler VALUES ('dead', 'h', 1, now(), now() - interval '1 year')",
        "INSERT INTO import_error VALUES (1, 'f', 1, 'm', 'b1', now() - interval '1 year')",
        "UPDATE event SET at = now() - interval '1 year' WHERE run_id IS NULL",
    ):
        owner_conn.execute(statement.encode())
    sweep(conn, tmp_path)
    assert conn.execute("SELECT version FROM bundle ORDER BY 1").fetchall() == [("b1",), ("b2",)]
    assert value(conn, "SELECT count(*) FROM agent_session") == 1
    assert value(conn, "SELECT count(*) FROM scheduler") == 0
    assert value(conn, "SELECT count(*) FROM import_error") == 0
    assert value(conn, "SELECT count(*) FROM event WHERE run_id IS NULL") == 1  # the pruning
    assert left(conn, young)["event"] == 11


def test_the_right_to_prune_history_is_narrow(
    conn: Connection[Any], owner_conn: Connection[Any], app_conn: Connection[Any]
) -> None:
    (run_id,) = finished(conn, 1)
    prune = "SELECT prune_events_of_runs(ARRAY[1], ARRAY[%s], 'infinity')"
    other = "SELECT prune_other_events_of_team(1, 'infinity', 1000)"
    age(owner_conn, run_id, 100)
    assert value(conn, prune, run_id) == 0  # the run is there
    assert value(conn, other) == 0  # younger than a week
    conn.execute("DELETE FROM run")
    assert value(conn, prune, run_id) == 11
    with pytest.raises(errors.InsufficientPrivilege):
        app_conn.execute(other)


def test_an_owner_without_superpowers_can_prune(
    conn: Connection[Any], owner_conn: Connection[Any]
) -> None:
    """Row security is forced for the owner as well."""
    (run_id,) = finished(conn, 1)
    age(owner_conn, run_id, 100)
    things = (
        *("TABLE event", "TABLE run"),
        *("FUNCTION prune_events_of_runs", "FUNCTION prune_other_events_of_team"),
    )
    policies = ("janitor_reads ON event", "janitor_deletes ON event", "janitor_reads ON run")
    prune = "SELECT prune_events_of_runs(ARRAY[1], ARRAY[%s], 'infinity')"
    with owner_conn.transaction(force_rollback=True):
        owner_conn.execute("CREATE ROLE plain_owner")
        for thing in things:
            owner_conn.execute(f"ALTER {thing} OWNER TO plain_owner".encode())
        for policy in policies:
            owner_conn.execute(f"ALTER POLICY {policy} TO plain_owner".encode())
        owner_conn.execute("SET LOCAL ROLE headway_engine")
        assert value(owner_conn, prune, run_id) == 0
        owner_conn.execute("DELETE FROM run")
        assert value(owner_conn, prune, run_id) == 11


@pytest.mark.parametrize("text", ["", "soon", "0", "6.9", "nan", "-1", "1e9"])
def test_a_retention_that_makes_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        retention_from({"HEADWAY_RETENTION_DAYS": text})


def test_the_retention_asked_for() -> None:
    assert retention_from({}) == timedelta(days=90)
    assert retention_from({"HEADWAY_RETENTION_DAYS": "7.5"}) == timedelta(days=7.5)


def test_while_more_is_to_go_the_janitor_turns_again_soon(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    ids = finished(conn, 3 * janitor.RUNS_MIN)
    for run_id in ids:
        age(owner_conn, run_id, 100)
    worker = Janitor(conn, tmp_path, KEEP)
    worker.due_at, turns = 0.0, 0
    while worker.due_at == 0.0 or worker.due_in() < janitor.EVERY_S / 2:
        clock.sleep(max(0.0, worker.due_in()))
        worker.turn()
        turns += 1
    assert turns >= 2
    assert value(conn, "SELECT count(*) FROM run") == 0


def test_a_turn_is_as_large_as_fits() -> None:
    assert janitor.fitting(100, janitor.TURN_S) == 100
    assert janitor.fitting(100, janitor.TURN_S / 10) == 200
    assert janitor.fitting(200, janitor.TURN_S * 4) == 50
    assert janitor.fitting(100, 10.0) == janitor.RUNS_MIN
    assert janitor.fitting(janitor.RUNS_MAX, 0.0) == janitor.RUNS_MAX


def test_the_scheduler_turns_it_between_ticks_not_only_once_a_second(
    dsn: str, tmp_path: Path
) -> None:
    scheduler = Process(dsn, [], data=tmp_path)
    try:
        assert scheduler.janitor is not None
        scheduler.wanted = False
        scheduler.last_tick = scheduler.last_sweep = clock.monotonic()
        assert scheduler.pause() > 0
        scheduler.janitor.due_at = 0.0
        assert scheduler.pause() == 0
    finally:
        scheduler.conn.close()
        scheduler.ears.close()
        scheduler.selector.close()


def test_a_turn_does_not_wait_for_files_and_the_end_does(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    (run_id,) = finished(conn, 1)
    age(owner_conn, run_id, 100)
    files = files_of(tmp_path, run_id)
    worker, hold = Janitor(conn, tmp_path, KEEP), Event()
    worker.removals.add(hold.wait)  # the disk is slow
    while worker.work():
        pass
    assert value(conn, "SELECT count(*) FROM run") == 0
    assert [file.exists() for file in files] == [True, True]
    hold.set()
    worker.close()
    assert [file.exists() for file in files] == [False, False]


def test_rows_wait_while_too_many_files_do(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    (run_id,) = finished(conn, 1)
    age(owner_conn, run_id, 100)
    worker, hold = Janitor(conn, tmp_path, KEEP), Event()
    for _ in range(removals.WAITING_MAX):
        worker.removals.add(hold.wait)
    worker.due_at = 0.0
    worker.turn()
    assert value(conn, "SELECT count(*) FROM run") == 1
    assert worker.due_in() <= janitor.FULL_S
    hold.set()
    worker.close()
    for _ in range(2):  # the first looks for what a crash left
        worker.due_at = 0.0
        worker.turn()
    worker.close()
    assert value(conn, "SELECT count(*) FROM run") == 0


def test_a_removal_that_fails_keeps_no_other_from_being_done() -> None:
    def fail() -> None:
        raise OSError("the disk")

    done, waiting = Event(), removals.Removals()
    waiting.add(fail)
    waiting.add(done.set)
    waiting.settle()
    assert done.is_set()


def test_tokens_go_when_they_have_long_been_of_no_use(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    """A program that signs in has a new one each time. Those of use stay, and so does that of our own agent."""
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    owner_conn.execute(
        "INSERT INTO person (person_id, team_id, name, display_name, created_by) OVERRIDING SYSTEM VALUE"
        " VALUES (7, 1, 'ci', 'ci', 'me')"
    )
    for token, team, expires, revoked in (
        ("expired", 1, -91, None), ("revoked", 1, 1, -91), ("lately", 1, -89, None), ("of use", 1, 1, None),
        ("local-agent", 1, -91, None), ("of the other", 2, -91, None), ("revoked lately", 1, -91, -89),
    ):  # fmt: skip
        owner_conn.execute(
            "INSERT INTO api_token (team_id, token_id, person_id, name, role, hash, expires_at, revoked_at)"
            " VALUES (%(team)s, %(id)s, 7, %(id)s, 'viewer', %(id)s::text::bytea,"
            " now() + make_interval(days => %(expires)s), now() + make_interval(days => %(revoked)s))",
            {"team": team, "id": token, "expires": expires, "revoked": revoked},
        )
    transact(conn, in_team, 1, retention.prune_rest, clock.now() - KEEP)
    left = owner_conn.execute("SELECT token_id FROM api_token ORDER BY token_id").fetchall()
    assert [token for (token,) in left] == ["lately", "local-agent", "of the other", "of use"]
