"""Logs go before their runs, for as long as a team says; everything else of a run stays."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection, errors

from headway.actions import commands
from headway.agent.logs import FINISHED
from headway.clock import now
from headway.config import Layout
from headway.core.commands import Selection
from headway.core.log_retention import MARGIN, WITH_THE_RUN, Policy
from headway.engine.catalog import Catalog
from headway.engine.janitor import Janitor
from headway.engine.log_retention import BEGINNING, of_installation
from headway.errors import UsageError
from headway.logs import unwanted
from headway.logs.unwanted import Unwanted
from headway.paths import log_path, rendered_of
from headway.store import log_retention as store
from headway.store.transact import connect, enter_team, transact
from tests.scenarios.test_retention import KEEP, age, finished, left
from tests.scenarios.world import ANN, Scheduler, deploy, run_state, task, trigger, value

DAY = timedelta(days=1)


def keep(conn: Connection[Any], days: int | None, team_id: int = 1) -> None:
    transact(conn, store.set_policy, team_id, Policy(days))


def write(data: Path, run_id: str, days: float, number: int = 1) -> Path:
    """A log that was last written so many days ago."""
    path = data / log_path(run_id, "a", -1, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    at = now().timestamp() - days * DAY.total_seconds()
    os.utime(path, (at, at))
    return path


def sweep(
    conn: Connection[Any],
    data: Path,
    installation: Policy = WITH_THE_RUN,
    *,
    ships_logs: bool = False,
) -> Janitor:
    worker = Janitor(conn, data, KEEP, keep_logs=installation, ships_logs=ships_logs)
    while worker.work():
        pass
    worker.close()
    return worker


def removed_at(conn: Connection[Any], run_id: str) -> datetime | None:
    found: datetime | None = value(
        conn, "SELECT logs_removed_at FROM run WHERE run_id = %s", run_id
    )
    return found


def test_logs_go_and_all_else_of_the_run_stays(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    old, young = finished(conn, 2)
    age(owner_conn, old, 8)
    age(owner_conn, young, 6)
    before, revision = (
        left(conn, old),
        value(conn, "SELECT revision FROM run WHERE run_id = %s", old),
    )
    gone, kept = write(tmp_path, old, 8), write(tmp_path, young, 6)
    got = tmp_path / rendered_of(log_path(old, "a", -1, 1))[0]
    got.write_text("{}")
    keep(conn, 7)
    sweep(conn, tmp_path)
    assert [gone.exists(), kept.exists(), got.exists()] == [False, True, True]
    assert list(got.parent.iterdir()) == [got]
    assert (left(conn, old), run_state(conn, old)) == (before, "success")
    assert value(conn, "SELECT revision FROM run WHERE run_id = %s", old) == revision
    assert removed_at(conn, old) is not None
    assert removed_at(conn, young) is None
    told = conn.execute(
        "SELECT dag_id, actor, reason ->> 'what' FROM event WHERE name = 'remove_logs'"
    )
    assert told.fetchall() == [("d", "janitor", old)]


def test_what_is_decided_is_decided_once(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    (run_id,) = finished(conn, 1)
    age(owner_conn, run_id, 8)
    keep(conn, 7)
    sweep(conn, tmp_path)
    decided = removed_at(conn, run_id)
    sweep(conn, tmp_path)
    assert removed_at(conn, run_id) == decided
    assert value(conn, "SELECT count(*) FROM event WHERE name = 'remove_logs'") == 1


def test_each_team_keeps_its_own_for_as_long_as_it_says(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other'), (3, 'third')")
    conn.execute(
        "INSERT INTO pool (team_id, name, slots) VALUES (2, 'default', 8), (3, 'default', 8)"
    )
    ids = []
    for team_id in (1, 2, 3):
        deploy(conn, task("a"), team_id=team_id)
        scheduler = Scheduler(conn, team_id=team_id)
        ids += trigger(conn, team_id=team_id)
        scheduler.play()
    for run_id in ids:
        age(owner_conn, run_id, 20)
    logs = [write(tmp_path, run_id, 20) for run_id in ids]
    keep(conn, 7, team_id=2)
    keep(conn, 60, team_id=3)
    sweep(conn, tmp_path)
    assert [log.exists() for log in logs] == [True, False, True]
    sweep(conn, tmp_path, Policy(10))  # of the installation: for the team that says nothing
    assert [log.exists() for log in logs] == [False, False, True]


def test_a_run_that_was_cleared_keeps_what_it_writes_anew(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.play()
    age(owner_conn, run_id, 8)
    first = write(tmp_path, run_id, 8)
    keep(conn, 7)
    sweep(conn, tmp_path)
    transact(conn, commands.clear, 1, run_id, Selection(), Catalog(conn).graph, ANN)
    scheduler.play()
    second = write(tmp_path, run_id, 0, number=2)
    sweep(conn, tmp_path)  # a new life: it repeats what was decided, not more
    assert [first.exists(), second.exists()] == [False, True]
    age(owner_conn, run_id, 9)
    conn.execute("UPDATE run SET logs_removed_at = logs_removed_at - %s", [20 * DAY])
    os.utime(second, (0, 0))
    sweep(conn, tmp_path)
    assert not second.exists()
    assert value(conn, "SELECT count(*) FROM event WHERE name = 'remove_logs'") == 2


def test_a_run_that_is_being_cleared_is_left(
    conn: Connection[Any], owner_conn: Connection[Any], dsn: str, tmp_path: Path
) -> None:
    (run_id,) = finished(conn, 1)
    age(owner_conn, run_id, 8)
    log = write(tmp_path, run_id, 8)
    keep(conn, 7)
    with connect(dsn) as other, other.transaction():
        commands.clear(other, 1, run_id, Selection(), Catalog(other).graph, ANN)
        sweep(conn, tmp_path)
    sweep(conn, tmp_path)
    assert (log.exists(), removed_at(conn, run_id)) == (True, None)


def test_a_batch_is_bounded(conn: Connection[Any], owner_conn: Connection[Any]) -> None:
    ids = finished(conn, 5)
    for run_id in ids:
        age(owner_conn, run_id, 8)
    at = value(conn, "SELECT now()")
    batch = (1, at - 7 * DAY, at, 2)
    assert [len(transact(conn, store.remove, *batch)) for _ in range(4)] == [2, 2, 1, 0]


def test_files_that_a_crash_left_go_at_the_next_start(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    (run_id,) = finished(conn, 1)
    age(owner_conn, run_id, 8)
    log, stranger = write(tmp_path, run_id, 8), write(tmp_path, "000000000000", 8)
    at = value(conn, "SELECT clock_timestamp()")
    transact(conn, store.remove, 1, at - 7 * DAY, at, 10)  # and then it died
    keep(conn, None)
    sweep(conn, tmp_path)
    assert [log.exists(), stranger.exists()] == [False, True]


def test_what_was_not_decided_is_not_removed(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    (run_id,) = finished(conn, 1)
    age(owner_conn, run_id, 8)
    log = write(tmp_path, run_id, 8)
    keep(conn, 7)

    class Crash(Exception):
        pass

    def crashing(conn: Connection[Any]) -> None:
        at = value(conn, "SELECT clock_timestamp()")
        assert store.remove(conn, 1, at - 7 * DAY, at, 10) == [run_id]
        raise Crash

    with pytest.raises(Crash):
        transact(conn, crashing)
    assert (log.exists(), removed_at(conn, run_id)) == (True, None)
    keep(conn, None)
    sweep(conn, tmp_path)
    assert log.exists()


def test_no_link_leads_out_of_the_folder_of_a_run(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    linked, inside = finished(conn, 2)
    elsewhere = tmp_path / "elsewhere" / "1.log"
    elsewhere.parent.mkdir()
    elsewhere.write_text("x")
    os.utime(elsewhere, (0, 0))
    logs = tmp_path / "logs"
    (logs / inside).mkdir(parents=True)
    (logs / linked).symlink_to(elsewhere.parent)
    (logs / inside / "a").symlink_to(elsewhere.parent)
    for run_id in (linked, inside):
        age(owner_conn, run_id, 8)
    keep(conn, 7)
    sweep(conn, tmp_path)
    assert elsewhere.exists()


def test_the_application_changes_that_of_its_team_and_nothing_else_of_it(
    app_conn: Connection[Any], conn: Connection[Any]
) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")

    def change(conn: Connection[Any]) -> None:
        enter_team(conn, 1)
        store.set_policy(conn, 1, Policy(7))
        store.set_policy(conn, 2, Policy(7))

    transact(app_conn, change)
    assert [store.policy(conn, team_id) for team_id in (1, 2)] == [Policy(7), WITH_THE_RUN]
    with pytest.raises(errors.InsufficientPrivilege):
        app_conn.execute("UPDATE team SET name = 'mine'")


@pytest.mark.parametrize("days", [0, 36_501])
def test_the_database_refuses_what_makes_no_sense(conn: Connection[Any], days: int) -> None:
    with pytest.raises(errors.CheckViolation):
        keep(conn, days)


@pytest.mark.parametrize("text", ["", "soon", "0", "7.5", "-1", "36501", "1" * 50, "²"])
def test_a_default_that_makes_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        of_installation({"HEADWAY_LOG_DAYS": text})


def ship(data: Path, run_id: str, days: float) -> Path:
    """A log that the store has whole."""
    path = write(data, run_id, days)
    path.chmod(FINISHED)
    return path


def test_what_the_log_store_has_goes_from_this_machine_and_nothing_is_decided(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    old, unshipped, waiting, young = finished(conn, 4)
    for run_id, days in ((old, 8), (unshipped, 8.1), (waiting, 8.2), (young, 6)):
        age(owner_conn, run_id, days)
    gone, kept = ship(tmp_path, old, 8), ship(tmp_path, young, 6)
    never, link = write(tmp_path, unshipped, 8), ship(tmp_path, waiting, 8)
    (tmp_path / "spooled").hardlink_to(link)
    transact(conn, store.set_policy, 1, Policy(None, 7))
    sweep(conn, tmp_path)  # no log store: nobody could answer for them
    assert gone.exists()
    worker = sweep(conn, tmp_path, ships_logs=True)
    assert [log.exists() for log in (gone, never, link, kept)] == [False, True, True, True]
    assert removed_at(conn, old) is None
    (tmp_path / "spooled").unlink()  # it has been shipped meanwhile
    worker.work()
    worker.close()
    assert link.exists()
    worker.logs.all_again_at = float("-inf")
    worker.work()
    worker.close()
    assert not link.exists()


def test_a_run_opened_again_keeps_its_new_logs_here(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    (run_id,) = finished(conn, 1)
    age(owner_conn, run_id, 8)
    new = ship(tmp_path, run_id, 0)
    transact(conn, store.set_policy, 1, Policy(None, 7))
    sweep(conn, tmp_path, ships_logs=True)
    assert new.exists()


def test_batches_of_what_ended_follow_each_other(
    conn: Connection[Any], owner_conn: Connection[Any]
) -> None:
    ids = finished(conn, 5)
    for run_id in ids:
        age(owner_conn, run_id, 8)
    owner_conn.execute("UPDATE run SET ended_at = (SELECT max(ended_at) FROM run)")  # all at once
    at = value(conn, "SELECT now()") - 7 * DAY
    after, found = BEGINNING, list[str]()
    while batch := transact(conn, store.ended, 1, after, at, 2):
        found += [run_id for _, run_id in batch]
        after = batch[-1]
    assert sorted(ids) == found


def test_the_log_store_is_told_of_what_goes(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    pruned, old, young = finished(conn, 3)
    for run_id, days in ((pruned, 91), (old, 8), (young, 6)):
        age(owner_conn, run_id, days)
    keep(conn, 7)
    layout = Layout(tmp_path)
    layout.prepare()
    sweep(conn, tmp_path, ships_logs=True)
    told = {wish.run_id: wish for _, wish in unwanted.wishes(layout)}
    decided = removed_at(conn, old)
    assert decided is not None
    assert told == {
        pruned: Unwanted("default", pruned),
        old: Unwanted("default", old, decided - MARGIN),
    }
    for path, _ in unwanted.wishes(layout):
        path.unlink()
    sweep(conn, tmp_path, ships_logs=True)  # a new life asks again
    assert {wish.run_id: wish for _, wish in unwanted.wishes(layout)} == told


def test_a_disk_that_takes_no_wish_stops_nobody(
    conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    (run_id,) = finished(conn, 1)
    age(owner_conn, run_id, 8)
    keep(conn, 7)
    layout = Layout(tmp_path)
    layout.prepare()
    layout.unwanted.write_text("in its place")
    log = write(tmp_path, run_id, 8)
    sweep(conn, tmp_path, ships_logs=True)
    assert not log.exists()
    layout.unwanted.unlink()
    sweep(conn, tmp_path, ships_logs=True)
    assert [wish.run_id for _, wish in unwanted.wishes(layout)] == [run_id]


def test_the_default_asked_for() -> None:
    assert of_installation({}) == WITH_THE_RUN
    assert of_installation({"HEADWAY_LOG_DAYS": "30"}) == Policy(30)
    assert of_installation({"HEADWAY_LOG_LOCAL_DAYS": "7"}) == Policy(None, 7)
