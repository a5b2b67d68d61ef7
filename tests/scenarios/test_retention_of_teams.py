"""The janitor of several teams: each is cleaned, and what is broken in one stops no other."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway.core.log_retention import Policy
from headway.engine import janitor
from headway.store import audit, log_retention, retention, run_retention
from headway.store.transact import enter_team, in_team, transact
from tests.scenarios.test_retention import KEEP, age, files_of, sweep
from tests.scenarios.world import Scheduler, deploy, task, trigger, value

TEAMS = {1: "default", 2: "broken", 3: "third"}

BROKEN = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'this row is broken' USING ERRCODE = 'data_corrupted'; END $$;
    CREATE TRIGGER broken BEFORE {event} ON run
        FOR EACH ROW WHEN (OLD.team_id = 2) EXECUTE FUNCTION refuse()
"""


@pytest.fixture
def old_runs(conn: Connection[Any], owner_conn: Connection[Any]) -> dict[int, str]:
    """A run of each team that ended long ago."""
    for team_id in (2, 3):
        conn.execute("INSERT INTO team (team_id, name) VALUES (%s, %s)", [team_id, TEAMS[team_id]])
        conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (%s, 'default', 8)", [team_id])
    found = {}
    for team_id in TEAMS:
        deploy(conn, task("a"), team_id=team_id)
        (found[team_id],) = trigger(conn, team_id=team_id)
        Scheduler(conn, team_id=team_id).play()
        age(owner_conn, found[team_id], 100)
    return found


def runs_left(conn: Connection[Any]) -> list[int]:
    return [team for (team,) in conn.execute("SELECT team_id FROM run ORDER BY team_id")]


def test_the_janitor_cleans_every_team(
    old_runs: dict[int, str], conn: Connection[Any], tmp_path: Path
) -> None:
    files = [file for run_id in old_runs.values() for file in files_of(tmp_path, run_id)]
    sweep(conn, tmp_path)
    assert runs_left(conn) == []
    assert not any(file.exists() for file in files)
    told = conn.execute(
        "SELECT team_id, reason ->> 'what' FROM event WHERE name = 'prune' ORDER BY team_id"
    )
    assert dict(told.fetchall()) == old_runs


def test_each_team_keeps_its_runs_for_as_long_as_it_says(
    old_runs: dict[int, str], conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    """They ended 100 days ago, then 60 days ago; the installation keeps runs for 90 days."""
    files = {team_id: files_of(tmp_path, run_id) for team_id, run_id in old_runs.items()}
    transact(conn, run_retention.set_days, 2, 400)
    sweep(conn, tmp_path)
    assert runs_left(conn) == [2]
    transact(conn, run_retention.set_days, 2, 101)
    sweep(conn, tmp_path)
    assert runs_left(conn) == [2]
    transact(conn, run_retention.set_days, 2, 99)
    sweep(conn, tmp_path)
    assert runs_left(conn) == []
    assert not any(file.exists() for file in files[2])


def test_a_team_that_keeps_its_runs_for_less_than_others(
    old_runs: dict[int, str], conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    for run_id in old_runs.values():
        age(owner_conn, run_id, -80)  # 20 days ago
    transact(conn, run_retention.set_days, 3, 7)
    sweep(conn, tmp_path)
    assert runs_left(conn) == [1, 2]
    assert value(conn, "SELECT count(*) FROM event WHERE run_id = %s", old_runs[3]) == 0


def test_what_is_broken_in_one_team_does_not_stop_the_others(
    old_runs: dict[int, str],
    conn: Connection[Any],
    owner_conn: Connection[Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    owner_conn.execute(BROKEN.format(event="DELETE").encode())
    files = {team_id: files_of(tmp_path, run_id) for team_id, run_id in old_runs.items()}
    with caplog.at_level(logging.ERROR):
        sweep(conn, tmp_path)
    assert runs_left(conn) == [2]
    kept = {team_id: all(file.exists() for file in those) for team_id, those in files.items()}
    assert kept == {1: False, 2: True, 3: False}
    assert [record.getMessage() for record in caplog.records] == [
        f"cannot remove old data of team broken; retrying in {janitor.EVERY_S:g} s"
    ]
    owner_conn.execute("DROP TRIGGER broken ON run")
    sweep(conn, tmp_path)
    assert runs_left(conn) == []


def test_logs_of_the_other_teams_go_too(
    old_runs: dict[int, str], conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    for run_id in old_runs.values():
        age(owner_conn, run_id, -80)
    owner_conn.execute(BROKEN.format(event="UPDATE OF logs_removed_at").encode())
    for team_id in TEAMS:
        transact(conn, log_retention.set_policy, team_id, Policy(7))
    sweep(conn, tmp_path)
    kept = conn.execute("SELECT team_id FROM run WHERE logs_removed_at IS NULL").fetchall()
    assert kept == [(2,)]


def test_in_a_team_that_it_entered_the_engine_removes_nothing_of_another(
    old_runs: dict[int, str], conn: Connection[Any]
) -> None:
    def remove_all(conn: Connection[Any], team_id: int | None) -> int:
        if team_id is not None:
            enter_team(conn, team_id)
        return conn.execute("DELETE FROM run").rowcount

    assert transact(conn, remove_all, 3) == 1
    assert runs_left(conn) == [1, 2]
    assert transact(conn, remove_all, None) == 2  # as ticks and the loader do


def test_a_batch_of_one_team_leaves_what_another_has(
    old_runs: dict[int, str], conn: Connection[Any], owner_conn: Connection[Any]
) -> None:
    owner_conn.execute("UPDATE event SET at = now() - interval '1 year' WHERE run_id IS NULL")
    count = "SELECT count(*) FROM event WHERE team_id <> 3"
    now, before = value(conn, "SELECT now()"), value(conn, count)
    assert list(transact(conn, in_team, 3, janitor.prune, now - KEEP, now, 10)) == [old_runs[3]]
    transact(conn, in_team, 3, retention.prune_rest, now - KEEP)
    transact(conn, in_team, 3, retention.prune_history, now - KEEP, 100)
    transact(conn, in_team, 3, audit.prune, now - timedelta(days=90), 100)
    assert runs_left(conn) == [1, 2]
    assert value(conn, count) == before
    assert value(conn, "SELECT count(*) FROM event WHERE team_id = 3") == 1  # the pruning
