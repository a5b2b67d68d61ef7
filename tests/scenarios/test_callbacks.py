"""Callbacks, through the scheduler's own transactions: an event of a run brings runs of the companion."""

from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway.actions import commands
from headway.core.commands import Selection
from headway.core.repin import Code
from headway.core.states import Event
from headway.engine import callbacks as engine
from headway.errors import RateLimited
from headway.spec.callbacks import companion
from headway.spec.carried import PARAMS_BYTES_MAX
from headway.spec.model import Task
from headway.store import callbacks
from headway.store import events as stored
from headway.store.transact import transact
from tests.scenarios.test_unreadable import make_unreadable
from tests.scenarios.world import (
    ANN,
    Scheduler,
    deploy,
    graphs,
    run_state,
    task,
    trigger,
    value,
)

ALL = {"success": 1, "failure": 1, "retry": 1, "skipped": 1}


def deploy_both(conn: Connection[Any], *tasks: Task, bundle: str = "b1", **options: Any) -> None:
    spec = companion(deploy(conn, *tasks, bundle=bundle, **options))
    deploy(
        conn,
        *spec.tasks,
        dag_id=spec.dag_id,
        bundle=bundle,
        open_params=True,
        max_active_runs=spec.max_active_runs,
    )


class Following:
    """A scheduler's look at the events that have callbacks."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.made = 0
        self.follow()

    def new_id(self) -> str:
        self.made += 1
        return f"{self.scheduler.session}-{self.made}"

    def follow(self) -> int:
        return engine.follow(self.scheduler.conn, self.scheduler.ticker.catalog, self.new_id)


def calls(conn: Connection[Any]) -> list[tuple[str, str | None, int, int]]:
    """The occasion, task, attempt and index of each call, in order."""
    found = conn.execute(
        "SELECT params::text FROM run WHERE trigger = 'callback'"
        " ORDER BY split_part(run_key, ':', 2)::integer, run_key"
    ).fetchall()
    facts = [msgspec.json.decode(text)["callback"] for (text,) in found]
    return [(one["when"], one["task_id"], one["try_number"], one["index"]) for one in facts]


@pytest.fixture
def scheduler(conn: Connection[Any]) -> Scheduler:
    return Scheduler(conn)


def test_each_end_brings_its_calls(conn: Connection[Any], scheduler: Scheduler) -> None:
    deploy_both(
        conn,
        task("a", retries=1, retry_delay_s=0.0, callbacks={**ALL, "failure": 2}),
        callbacks={"failure": 1, "success": 1},
    )
    following = Following(scheduler)
    (run_id,) = trigger(conn, "d")
    scheduler.play(lambda _: {"outcome": "failed", "detail": "ValueError: no"}, 1.0)
    following.follow()
    assert calls(conn) == [
        ("retry", "a", 1, 0),
        ("failure", "a", 2, 0),
        ("failure", "a", 2, 1),
        ("failure", None, 0, 0),
    ]
    facts = value(conn, "SELECT params::text FROM run WHERE params #>> '{callback,when}' = 'retry'")
    told = msgspec.json.decode(facts)["callback"]
    assert told["run_id"] == run_id
    assert "ValueError: no" in told["reason"]


def test_a_call_is_made_once_however_often_its_event_is_read(
    conn: Connection[Any], scheduler: Scheduler
) -> None:
    deploy_both(conn, task("a", callbacks=ALL))
    following = Following(scheduler)
    trigger(conn, "d")
    scheduler.play()
    following.follow()
    assert calls(conn) == [("success", "a", 1, 0)]
    # What was read is read again, as after a restore of the database.
    events = conn.execute(
        "SELECT seq, team_id, at, subject, dag_id, run_id, task_id, map_index, attempt, version, name, state,"
        " actor, reason::text FROM event ORDER BY seq"
    ).fetchall()
    found = [stored.Event(*row) for row in events]
    transact(
        conn, lambda conn: engine.handle(scheduler.ticker.catalog, following.new_id, conn, found)
    )
    assert calls(conn) == [("success", "a", 1, 0)]


def test_nothing_is_called_before_the_commit(conn: Connection[Any], scheduler: Scheduler) -> None:
    deploy_both(conn, task("a", callbacks=ALL))
    following = Following(scheduler)
    trigger(conn, "d")
    scheduler.tick()
    (grant,) = scheduler.held.values()
    following.follow()
    assert calls(conn) == []
    scheduler.tick(scheduler.end(grant))
    following.follow()
    assert calls(conn) == [("success", "a", 1, 0)]


def test_losses_cancels_and_marks_call_on_failure(
    conn: Connection[Any], scheduler: Scheduler
) -> None:
    deploy_both(conn, task("a", callbacks={"failure": 1}), callbacks={"failure": 1})
    following = Following(scheduler)

    (lost,) = trigger(conn, "d")
    scheduler.tick()
    scheduler.later(60)
    scheduler.expire()
    scheduler = Scheduler(conn)
    following.scheduler = scheduler
    scheduler.later(120)
    for _ in range(10):  # lost again and again: the last loss is a failure
        scheduler.play(lambda _: {"outcome": "lost", "cause": "lost"}, 60.0)
    assert run_state(conn, lost) == "failed"
    following.follow()
    assert [one[:2] for one in calls(conn)] == [("failure", "a"), ("failure", None)]

    (marked,) = trigger(conn, "d")
    scheduler.play()
    chosen = Selection(tasks=frozenset({"a"}))
    transact(conn, commands.mark, 1, marked, chosen, Event.MARK_FAILED, graphs(scheduler), ANN)
    scheduler.play()
    following.follow()
    assert [one[1] for one in calls(conn)].count("a") == 2


def test_calls_of_calls_are_not_made(conn: Connection[Any], scheduler: Scheduler) -> None:
    deploy_both(conn, task("a", callbacks=ALL), callbacks={"success": 1})
    following = Following(scheduler)
    trigger(conn, "d")
    scheduler.play()
    following.follow()
    scheduler.play()
    before = calls(conn)
    following.follow()
    scheduler.play()
    following.follow()
    assert (len(before), calls(conn)) == (2, before)
    assert (
        value(conn, "SELECT count(*) FROM run WHERE trigger = 'callback' AND state = 'success'")
        == 2
    )


def test_a_call_has_the_files_of_its_run(conn: Connection[Any], scheduler: Scheduler) -> None:
    deploy_both(conn, task("a", callbacks=ALL))
    following = Following(scheduler)
    trigger(conn, "d")
    scheduler.tick()
    (grant,) = scheduler.held.values()
    deploy_both(conn, task("a", callbacks={}), bundle="b2")
    scheduler.tick(scheduler.end(grant))
    following.follow()
    assert calls(conn) == [("success", "a", 1, 0)]
    assert value(conn, "SELECT bundle_version FROM run WHERE trigger = 'callback'") == "b1"


def test_without_callbacks_no_event_is_read(conn: Connection[Any], scheduler: Scheduler) -> None:
    deploy(conn, task("a"))
    following = Following(scheduler)
    trigger(conn, "d")
    scheduler.play()
    assert (callbacks.are_there(conn), following.follow()) == (False, 0)
    deploy_both(conn, task("a", callbacks=ALL))
    trigger(conn, "d")
    scheduler.play()
    assert following.follow() > 0
    assert ("success", "a", 1, 0) in calls(conn)


def test_what_never_ran_calls_nobody_when_its_run_is_cancelled(
    conn: Connection[Any], scheduler: Scheduler
) -> None:
    deploy_both(
        conn,
        task("a", callbacks=ALL),
        task("b", "a", callbacks=ALL),
        callbacks={"failure": 1},
    )
    following = Following(scheduler)
    (run_id,) = trigger(conn, "d")
    scheduler.tick()
    transact(conn, commands.cancel, 1, run_id, graphs(scheduler), ANN)
    scheduler.play(lambda _: {"outcome": "cancelled", "cause": "cancelled"})
    following.follow()
    assert [one[:2] for one in calls(conn)] == [("failure", "a"), ("failure", None)]


def test_a_version_that_cannot_be_read_holds_up_no_other(
    conn: Connection[Any], scheduler: Scheduler
) -> None:
    """Neither the calls of other DAGs nor what comes later of the same one."""
    deploy_both(conn, task("a", callbacks={"success": 1}), dag_id="broken")
    deploy_both(conn, task("a", callbacks={"success": 1}), dag_id="fine")
    following = Following(scheduler)
    trigger(conn, "broken")
    trigger(conn, "fine")
    scheduler.play()
    make_unreadable(conn, scheduler, "broken")
    following.follow()
    assert value(conn, "SELECT array_agg(DISTINCT dag_id) FROM run WHERE trigger = 'callback'") == [
        "fine.callbacks"
    ]
    following.follow()
    assert value(conn, "SELECT count(*) FROM run WHERE trigger = 'callback'") == 1


FLOOD = """
    INSERT INTO event (team_id, at, subject, dag_id, run_id, task_id, map_index, attempt, version, name, state, actor)
    SELECT 1, now(), 'task_instance', 'd', %s, 'a', n, 1, 1, 'fail', 'failed', 'scheduler' FROM generate_series(1, %s) n
"""
MADE = "SELECT count(*) FROM run WHERE trigger = 'callback'"


def test_a_flood_of_failures_is_taken_in_parts_between_which_others_go_on(
    conn: Connection[Any], owner_conn: Connection[Any], scheduler: Scheduler
) -> None:
    """Very many mapped instances of one team fail at once. None of their calls is lost."""
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    owner_conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'default', 9)")
    deploy_both(conn, task("a", callbacks={"failure": 1}), dag_id="d")
    deploy(conn, task("a"), dag_id="mine", team_id=2)
    other = Scheduler(conn, team_id=2)
    following = Following(scheduler)
    (run_id,) = trigger(conn, "d")
    scheduler.play()
    while following.follow():
        pass
    conn.execute(FLOOD, [run_id, 3_000])
    made, looks = 0, 0
    while following.follow():
        looks += 1
        now_made = value(conn, MADE)
        assert now_made - made <= engine.PART
        made = now_made
        if looks % 5 == 1:
            (mine,) = trigger(conn, "mine", team_id=2)
            grants = other.tick(*other.work()).grants
            assert mine in {grant.run.run_id for grant in grants if grant.run.team_id == 2}
    assert made == 3_000
    assert looks >= 3_000 / engine.PART
    assert len(set(calls(conn))) == 1
    assert (
        value(conn, "SELECT count(DISTINCT run_key) FROM run WHERE trigger = 'callback'") == 3_000
    )
    scheduler.tick()
    running = "SELECT count(*) FROM run WHERE trigger = 'callback' AND state = 'running'"
    assert value(conn, running) == 4, "so many at once"
    owner_conn.execute("DELETE FROM event WHERE map_index >= 0")  # no task instances brought them


def test_calls_neither_use_up_the_limits_of_a_team_nor_are_refused_by_them(
    conn: Connection[Any], owner_conn: Connection[Any], scheduler: Scheduler
) -> None:
    deploy_both(conn, task("a", callbacks={"failure": 1}))
    following = Following(scheduler)
    (run_id,) = trigger(conn, "d")
    scheduler.play()
    conn.execute(FLOOD, [run_id, 20])
    owner_conn.execute("""UPDATE team SET limits = '{"runs_per_minute": 3, "open_runs": 2}'""")
    while following.follow():
        pass
    assert value(conn, MADE) == 20
    trigger(conn, "d", "one", "two")
    with pytest.raises(RateLimited, match=r"open_runs\): 2 are in use"):
        trigger(conn, "d")
    owner_conn.execute("DELETE FROM event WHERE map_index >= 0")  # no task instances brought them


def test_a_call_that_hangs_ends_at_its_time_out_and_holds_up_nobody(
    conn: Connection[Any], scheduler: Scheduler
) -> None:
    deploy_both(conn, task("a", callbacks={"success": 1}), dag_id="hangs")
    deploy_both(conn, task("a", callbacks={"success": 1}), dag_id="works")
    following = Following(scheduler)
    about = trigger(conn, "hangs", *(f"k{n}" for n in range(6)))
    scheduler.play()
    following.follow()
    scheduler.tick()
    hanging = [*scheduler.held.values()]
    assert len(hanging) == 4
    assert hanging[0].run.graph.nodes[0].timeout_s == 60.0
    trigger(conn, "works")
    for _ in range(6):  # while four hang, all of the other DAG goes on
        ends = [
            scheduler.end(grant) for grant in [*scheduler.held.values()] if grant not in hanging
        ]
        scheduler.tick(*ends)
        following.follow()
    assert value(conn, "SELECT state FROM run WHERE dag_id = 'works.callbacks'") == "success"

    def time_out(grant: Any) -> dict[str, Any]:
        return {"outcome": "failed", "cause": "timeout"}

    scheduler.play(time_out, 60.0)
    ended = "SELECT array_agg(DISTINCT state) FROM run WHERE dag_id = 'hangs.callbacks'"
    assert value(conn, ended) == ["failed"]
    assert {run_state(conn, run_id) for run_id in about} == {"success"}, "what it was about"


def test_a_call_about_a_run_with_large_parameters_can_run_and_run_again(
    conn: Connection[Any], scheduler: Scheduler
) -> None:
    deploy_both(conn, task("a", callbacks={"failure": 1}), open_params=True)
    following = Following(scheduler)
    large = {"p": "x" * (PARAMS_BYTES_MAX - 100)}
    trigger(conn, "d", params=large)
    scheduler.play(lambda _: {"outcome": "failed", "detail": "y" * 2000})
    following.follow()
    scheduler.play(lambda _: {"outcome": "failed", "detail": "no"}, 60.0)
    call = value(conn, "SELECT run_id FROM run WHERE trigger = 'callback'")
    told = msgspec.json.decode(value(conn, "SELECT params::text FROM run WHERE run_id = %s", call))
    assert told["callback"]["params"] == large
    again = Selection(tasks=frozenset({"call"}))
    transact(conn, commands.clear, 1, call, again, graphs(scheduler), ANN, Code.LATEST)
    scheduler.play()
    assert run_state(conn, call) == "success"
