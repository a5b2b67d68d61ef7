"""Stories of single runs, through the scheduler's own transaction."""

from typing import Any

import pytest
from psycopg import Connection

from headway.actions import commands, previews
from headway.core.commands import Selection
from headway.core.states import Event
from headway.executors.base import Grant
from headway.store import changes
from headway.store.changes import ModelDiffers
from headway.store.transact import connect, transact
from tests.scenarios.world import (
    ANN,
    Scheduler,
    deploy,
    graphs,
    names,
    run_state,
    states,
    task,
    trigger,
    value,
)


def result(key: str, text: bytes, length: int | None = None) -> dict[str, Any]:
    from headway.agent.protocol import XComValue

    return {"outcome": "success", "xcoms": [XComValue(key, text, None, len(text), length)]}


def items(number: int) -> dict[str, Any]:
    return result("return_value", str(list(range(number))).encode(), number)


def test_a_chain_to_success(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b", "a"), task("c", "b"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.play()
    assert run_state(conn, run_id) == "success"
    assert states(conn, run_id) == {"a": "success", "b": "success", "c": "success"}
    history = conn.execute(
        "SELECT name, state FROM event WHERE task_id = 'b' ORDER BY seq"
    ).fetchall()
    assert history == [
        ("release", "ready"),
        ("grant", "queued"),
        ("start", "running"),
        ("succeed", "success"),
    ]
    assert value(conn, "SELECT used FROM pool") == 0


def test_a_mapped_run_and_a_clear_with_another_length(conn: Connection[Any]) -> None:
    deploy(conn, task("list"), task("each", over="list"), task("sum", "each"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    length = 3
    scheduler.play(
        lambda grant: (
            items(length) if grant.instance.node.task_id == "list" else {"outcome": "success"}
        )
    )
    assert run_state(conn, run_id) == "success"
    assert set(states(conn, run_id)) == {"list", "each[0]", "each[1]", "each[2]", "sum"}
    length = 2
    transact(
        conn,
        commands.clear,
        1,
        run_id,
        Selection(tasks=frozenset({"list"}), downstream=True),
        graphs(scheduler),
        ANN,
    )
    scheduler.play(
        lambda grant: (
            items(length) if grant.instance.node.task_id == "list" else {"outcome": "success"}
        )
    )
    assert run_state(conn, run_id) == "success"
    assert states(conn, run_id) == dict.fromkeys(("list", "each[0]", "each[1]", "sum"), "success")


def test_a_retry_after_its_delay(conn: Connection[Any]) -> None:
    deploy(conn, task("a", retries=1, retry_delay_s=60.0))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "failed", "detail": "ValueError: no"}))
    assert states(conn, run_id) == {"a": "up_for_retry"}
    assert not scheduler.tick().grants
    scheduler.later(61)
    assert names(scheduler.tick().grants) == ["a"]
    scheduler.play()
    attempts = conn.execute("SELECT number, state, detail FROM attempt ORDER BY number").fetchall()
    assert attempts == [(1, "failed", "ValueError: no"), (2, "success", None)]
    assert run_state(conn, run_id) == "success"


def test_the_attempts_of_a_dead_agent_are_taken_back(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    (grant, _) = scheduler.tick().grants
    scheduler.later(60)
    assert scheduler.expire() == [scheduler.session]
    scheduler.tick()
    assert states(conn, run_id) == {"a": "up_for_retry", "b": "up_for_retry"}
    # Its word comes too late, and the session never comes back.
    scheduler.tick(scheduler.end(grant))
    assert states(conn, run_id)["a"] == "up_for_retry"
    other = Scheduler(conn)
    other.offset = scheduler.offset
    other.later(5)
    other.play()
    assert run_state(conn, run_id) == "success"
    assert conn.execute("SELECT DISTINCT cause FROM attempt WHERE number = 1").fetchall() == [
        ("no_heartbeat",)
    ]


def test_an_attempt_bound_to_a_session_in_the_moment_of_its_death(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    trigger(conn)
    scheduler.tick()
    conn.execute("UPDATE agent_session SET ended_at = now()")
    assert scheduler.expire() == []
    scheduler.tick()
    assert value(conn, "SELECT state FROM task_instance") == "up_for_retry"


def test_a_clear_in_a_running_run_runs_again_what_was_cleared(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b", "a"), task("side"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    (a, _) = scheduler.tick().grants
    scheduler.tick(scheduler.end(a, "failed", retry=False))
    assert states(conn, run_id) == {"a": "failed", "b": "upstream_failed", "side": "queued"}
    chosen = Selection(failed_only=True)
    transact(conn, commands.clear, 1, run_id, chosen, graphs(scheduler), ANN)
    assert names(scheduler.tick().grants) == ["a"]
    scheduler.play()
    assert run_state(conn, run_id) == "success"


def test_a_mark_in_a_running_run_lets_the_rest_go_on(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b", "a"), task("c", "b"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    chosen = Selection(tasks=frozenset({"b"}))
    transact(conn, commands.mark, 1, run_id, chosen, Event.MARK_SUCCESS, graphs(scheduler), ANN)
    assert names(scheduler.tick().grants) == ["c"]
    scheduler.play()
    assert run_state(conn, run_id) == "success"


@pytest.mark.parametrize("event", [Event.MARK_SUCCESS, Event.MARK_FAILED])
def test_a_marked_run_ends_when_what_is_live_has_ended(conn: Connection[Any], event: Event) -> None:
    deploy(conn, task("a"), task("b", "a"), task("side"), task("end", "b"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    (a, side) = scheduler.tick().grants
    scheduler.tick(scheduler.end(side, "failed", retry=False))
    would = transact(conn, previews.would_mark_run, 1, run_id, event, graphs(scheduler))
    assert states(conn, run_id)["b"] == "waiting"
    did = transact(conn, commands.mark_run, 1, run_id, event, graphs(scheduler), ANN)
    assert did == would
    mended = {"side"} if event is Event.MARK_SUCCESS else set()
    assert {one.task_id for one in did} == {"a", "b", "end"} | mended
    assert scheduler.tick().intents
    assert (run_state(conn, run_id), states(conn, run_id)["a"]) == ("running", "queued")
    scheduler.tick(scheduler.end(a, "success"))
    scheduler.play()
    wanted = "success" if event is Event.MARK_SUCCESS else "failed"
    assert states(conn, run_id) == dict.fromkeys(("a", "b", "side", "end"), wanted)
    assert run_state(conn, run_id) == wanted
    assert value(conn, "SELECT used FROM pool") == 0
    assert value(conn, "SELECT count(*) FROM attempt") == 2


def test_a_queued_run_that_is_marked_makes_room_and_never_starts(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b", "a"), max_active_runs=1)
    scheduler = Scheduler(conn)
    first, second = trigger(conn, "d", "one", "two")
    scheduler.tick()
    waits = first if run_state(conn, first) == "queued" else second
    known = graphs(scheduler)
    transact(conn, commands.mark_run, 1, waits, Event.MARK_SUCCESS, known, ANN)
    assert run_state(conn, waits) == "success"
    assert states(conn, waits) == {"a": "success", "b": "success"}
    scheduler.play()
    assert [run_state(conn, run_id) for run_id in (first, second)] == ["success", "success"]
    started = "SELECT count(*) FROM run WHERE started_at IS NOT NULL"
    assert (value(conn, started), value(conn, "SELECT count(*) FROM attempt")) == (1, 2)


def test_a_dry_run_names_what_the_deed_does(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b", "a"), task("c"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.play(
        lambda grant: {"outcome": "failed" if grant.instance.node.task_id == "a" else "success"}
    )
    for chosen in (
        Selection(failed_only=True),
        Selection(tasks=frozenset({"a"}), downstream=True),
        Selection(tasks=frozenset({"b"}), upstream=True),
        Selection(),
    ):
        before = states(conn, run_id)
        would = transact(conn, commands.would_clear, 1, run_id, chosen, graphs(scheduler))
        assert states(conn, run_id) == before
        did = transact(conn, commands.clear, 1, run_id, chosen, graphs(scheduler), ANN)
        assert did == would
        after = states(conn, run_id)
        assert {n for n in after if after[n] == "waiting"} == {one.task_id for one in did}
        scheduler.play(
            lambda grant: {"outcome": "failed" if grant.instance.node.task_id == "a" else "success"}
        )


def test_cancel_waits_for_what_is_live(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b", "a"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    (a,) = scheduler.tick().grants
    transact(conn, commands.cancel, 1, run_id, graphs(scheduler), ANN)
    assert scheduler.tick().intents
    assert (run_state(conn, run_id), states(conn, run_id)["b"]) == ("running", "cancelled")
    scheduler.tick(scheduler.end(a, "cancelled"))
    assert run_state(conn, run_id) == "cancelled"
    assert value(conn, "SELECT used FROM pool") == 0


def test_cancel_before_it_began_and_clear_afterwards(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b", "a"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    transact(conn, commands.cancel, 1, run_id, graphs(scheduler), ANN)
    assert run_state(conn, run_id) == "cancelled"
    scheduler.tick()
    transact(conn, commands.clear, 1, run_id, Selection(), graphs(scheduler), ANN)
    scheduler.play()
    assert run_state(conn, run_id) == "success"


def test_a_pause_holds_and_its_end_releases(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b", "a"))
    scheduler = Scheduler(conn)
    first, second = trigger(conn, "d", "k1", "k2")
    scheduler.places = 1
    scheduler.tick()
    assert transact(conn, commands.pause, 1, "d", ANN)
    assert not transact(conn, commands.pause, 1, "d", ANN)
    (third,) = trigger(conn)
    scheduler.places = 10
    assert not scheduler.tick().grants
    scheduler.tick(*scheduler.work())
    assert not scheduler.tick().grants
    reasons = conn.execute(
        "SELECT DISTINCT blocked_reason ->> 'by' FROM task_instance WHERE state = 'ready'"
    )
    assert reasons.fetchall() == [(ANN,)]
    assert run_state(conn, third) == "queued"
    assert transact(conn, commands.resume, 1, "d", ANN)
    scheduler.play()
    assert {run_state(conn, run) for run in (first, second, third)} == {"success"}


def test_a_run_keeps_the_version_it_began_with(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b", "a"))
    scheduler = Scheduler(conn)
    (old,) = trigger(conn)
    scheduler.tick()
    deploy(conn, task("a"), task("c", "a"), bundle="b2")
    (new,) = trigger(conn)
    scheduler.play()
    assert set(states(conn, old)) == {"a", "b"}
    assert set(states(conn, new)) == {"a", "c"}
    pins = conn.execute("SELECT version, bundle_version FROM run ORDER BY created_at").fetchall()
    assert pins == [(1, "b1"), (2, "b2")]


def test_a_model_that_is_not_the_database_is_never_written(
    conn: Connection[Any], dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(conn, task("a"), task("b", "a"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    (a,) = scheduler.tick().grants
    with connect(dsn) as other:  # past the core, without the run's version
        other.execute("UPDATE task_instance SET state = 'running' WHERE task_id = 'a'")
        other.execute("UPDATE attempt SET state = 'running', started_at = queued_at")
    envelope = scheduler.end(a)
    with pytest.raises(ModelDiffers):
        scheduler.tick(envelope)
    assert states(conn, run_id) == {"a": "running", "b": "waiting"}
    assert value(conn, "SELECT used FROM pool") == 1
    assert value(conn, "SELECT count(*) FROM event WHERE name = 'succeed'") == 0
    # Read again, the same report is good.
    scheduler.tick(envelope)
    assert states(conn, run_id) == {"a": "success", "b": "queued"}
    assert changes.ModelDiffers is ModelDiffers


NASTY = [
    "nul \0 in it",
    r"a backslash and u0000: \u0000",
    "\\\\u0000",
    "ünïcode \u2028",
    "x" * 5000,
]


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_no_text_of_a_task_stops_the_scheduler(conn: Connection[Any], text: str) -> None:
    import msgspec

    deploy(conn, task("a"), task("b"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)

    def behave(grant: Grant) -> dict[str, Any]:
        if grant.instance.node.task_id == "a":
            return {"outcome": "failed", "detail": text}
        return result("return_value", msgspec.json.encode([text]), 1)

    scheduler.play(behave)
    assert states(conn, run_id) == {"a": "failed", "b": "success"}
    stored = value(conn, "SELECT value::text FROM xcom")
    assert msgspec.json.decode(stored) == [text]


def test_a_result_reported_twice_under_one_key_is_one(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    both = result("k", b"1")
    both["xcoms"] += result("k", b"2")["xcoms"]
    scheduler.play(lambda _: both)
    assert run_state(conn, run_id) == "success"
    assert value(conn, "SELECT value::text FROM xcom") == "2"


def test_the_result_of_a_cleared_task_is_gone_until_it_succeeds_again(
    conn: Connection[Any],
) -> None:
    deploy(conn, task("list"), task("each", over="list"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.play(lambda grant: items(2))
    chosen = Selection(tasks=frozenset({"list"}))
    transact(conn, commands.clear, 1, run_id, chosen, graphs(scheduler), ANN)
    asked = "SELECT array_agg(task_id || map_index ORDER BY map_index) FROM xcom"
    assert value(conn, asked) == ["each0", "each1"]
    scheduler.play(lambda grant: {"outcome": "failed", "retry": False})
    assert value(conn, asked) == ["each0", "each1"]
    assert run_state(conn, run_id) == "success"  # of its leaves


def test_agents_are_told_anew_of_a_run_whose_results_were_replaced(conn: Connection[Any]) -> None:
    deploy(conn, task("list"), task("each", over="list"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    assert scheduler.tick(*scheduler.work(lambda grant: items(2))).read == []
    chosen = Selection(tasks=frozenset({"list"}))
    transact(conn, commands.clear, 1, run_id, chosen, graphs(scheduler), ANN)
    assert scheduler.tick().read == [run_id]
    (again,) = [grant for grant in scheduler.held.values() if str(grant.instance) == "list"]
    assert scheduler.tick(scheduler.end(again, **items(2))).read == [run_id]


def test_a_run_that_ended_counts_the_failures_inside(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b", "a", trigger_rule="all_done"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    counted = f"SELECT failed_instances FROM run WHERE run_id = '{run_id}'"
    scheduler.play(
        lambda grant: {"outcome": "failed" if grant.instance.node.task_id == "a" else "success"}
    )
    assert run_state(conn, run_id) == "success"
    assert value(conn, counted) == 1
    again = Selection(failed_only=True, downstream=True)
    transact(conn, commands.clear, 1, run_id, again, graphs(scheduler), ANN)
    assert value(conn, counted) == 0
    scheduler.play()
    assert run_state(conn, run_id) == "success"
    assert value(conn, counted) == 0
