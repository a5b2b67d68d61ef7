"""The ends of runs are told to URLs: at least once, with one id; what is wrong with one URL is no other's business."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from headway.actions import commands
from headway.actions import outbound as actions
from headway.core.commands import Selection
from headway.core.outbound import GIVE_UP
from headway.core.webhooks import Proof, verify
from headway.errors import Conflict
from headway.executors.base import Grant
from headway.outbound import follow
from headway.outbound import sender as module
from headway.outbound.post import Answer
from headway.secrets import stored
from headway.secrets.keys import Keys, local_keys
from headway.store import sending
from headway.store.clock import clock
from headway.store.events import Event
from headway.store.transact import Session, transact
from tests.outbound.receiver import FAILED, Receiver, nobody, receiving
from tests.outbound.world import World
from tests.scenarios.world import ANN, Scheduler, deploy, graphs, task


def fail(_: Grant) -> dict[str, Any]:
    return {"outcome": "failed"}


def test_the_end_of_a_run_is_told_with_what_it_was(world: World, receiver: Receiver) -> None:
    deploy(world.conn, task("a"), dag_id="sales_day", open_params=True)
    made = world.create(receiver.url, dags=["sales_*"], with_params=True)
    run_id = world.end("sales_day", params={"day": "monday"})
    world.send()
    request = receiver.next()
    told = request.told
    assert {name: told[name] for name in ("event", "team", "dag_id", "run_id", "state")} == {
        "event": "run.ended",
        "team": "default",
        "dag_id": "sales_day",
        "run_id": run_id,
        "state": "success",
    }
    assert told["url"] == f"https://headway.example.com/t/default/runs/{run_id}"
    assert told["params"] == {"day": "monday"}
    assert told["logical_date"] <= told["started_at"] <= told["ended_at"]
    assert (request.id, request.headers["x-headway-event"]) == (told["id"], "run.ended")
    assert isinstance(verify([str(made.secret)], request.headers, request.body, now(world)), Proof)
    (kept,) = world.deliveries()
    assert (kept.status, kept.code, kept.answer, kept.trouble) == ("delivered", 200, "ok", None)
    assert (kept.event_id, json.loads(kept.body)) == (request.id, told)
    world.send()
    assert receiver.all() == []


def test_who_is_told_of_what(world: World, receiver: Receiver) -> None:
    """By DAG, by state, from its beginning on, and of no run that calls a callback."""
    for dag_id in ("a", "b", "a.callbacks"):
        deploy(world.conn, task("t"), dag_id=dag_id)
    world.end("a")
    world.create(receiver.url, dags=["a*"], states=["failed", "cancelled"])
    world.end("a")
    world.end("b", how=fail)
    world.end("a.callbacks", how=fail)
    failed = world.end("a", how=fail)
    world.send()
    (request,) = receiver.all()
    assert (request.told["run_id"], request.told["state"]) == (failed, "failed")
    assert "params" not in request.told


def test_parameters_that_are_too_long_are_left_out(world: World, receiver: Receiver) -> None:
    deploy(world.conn, task("a"), open_params=True)
    world.create(receiver.url, with_params=True)
    world.end(params={"text": "x" * 70_000})
    world.send()
    assert receiver.next().told["params"] is None


def test_what_fails_is_sent_again_with_the_same_id_and_another_signature(
    world: World, receiver: Receiver
) -> None:
    deploy(world.conn, task("a"))
    made = world.create(receiver.url)
    receiver.answers = [FAILED]
    world.end()
    world.send()
    (waits,) = world.deliveries()
    assert (waits.status, waits.tries, waits.code, waits.trouble, waits.answer) == (
        "waiting",
        1,
        500,
        "it answered 500",
        "broken",
    )
    assert waits.next_at is not None
    assert waits.next_at > now(world)
    assert world.change().trouble == "it answered 500"
    world.send()
    first = receiver.next()
    assert receiver.all() == []
    world.later()
    world.send()
    second = receiver.next()
    assert (second.id, second.body) == (first.id, first.body)
    for request in (first, second):
        found = verify([str(made.secret)], request.headers, request.body, now(world))
        assert isinstance(found, Proof)
    assert world.outcomes() == [("delivered", 2, 200)]
    assert world.change().failing_since is None


def test_after_hours_a_delivery_is_given_up_and_shown_and_can_be_sent_again(world: World) -> None:
    deploy(world.conn, task("a"))
    with nobody() as url:
        world.create(url)
        world.end()
        world.send()
        assert world.outcomes() == [("waiting", 1, None)]
        world.conn.execute("UPDATE outbound_delivery SET since = since - %s", [GIVE_UP])
        world.later()
        world.send()
    (kept,) = world.deliveries()
    assert (kept.status, kept.tries, kept.next_at) == ("given_up", 2, None)
    assert "the connection failed" in str(kept.trouble)
    with receiving() as receiver:
        world.change(url=receiver.url)
        world.entered(actions.redeliver, 1, "hook", kept.number)
        world.send()
        assert receiver.next().id == kept.event_id
    assert world.outcomes() == [("delivered", 1, 200)]


def test_killed_between_sending_and_noting_it_sends_the_same_again(
    world: World, receiver: Receiver
) -> None:
    """The answer of the first request is never noted: its lease ends, and another process sends it."""
    deploy(world.conn, task("a"))
    world.create(receiver.url)
    world.end()
    lost = world.sender()
    lost.record = lambda *_: None  # type: ignore[method-assign]
    world.send(lost)
    first = receiver.next()
    assert world.outcomes() == [("waiting", 1, None)]
    world.send()
    assert receiver.all() == []  # as long as the lease lasts, it may be under way
    world.later()
    world.send()
    assert receiver.next().id == first.id
    assert world.outcomes() == [("delivered", 2, 200)]


def test_a_late_answer_changes_nothing(world: World, receiver: Receiver) -> None:
    """A sender that stood still longer than its lease notes what came of a try that is no longer its own."""
    deploy(world.conn, task("a"))
    world.create(receiver.url)
    world.end()
    slow = world.sender()
    claimed, *_ = slow.work([], {}) or []
    world.later()
    world.send()
    trouble = Answer(None, "late", None, 1)
    slow.work([(claimed, trouble)], {})
    assert world.outcomes() == [("delivered", 2, 200)]


def test_a_dead_url_of_one_team_delays_no_other(world: World, receiver: Receiver) -> None:
    """While every request that the one team may have under way hangs, the other team's arrives."""
    two_teams(world)

    async def play(dead: Receiver) -> None:
        sender = world.sender()
        with ThreadPoolExecutor(1) as database:
            await sender.turn(database)
            assert len(sender.tasks) == sending.AT_ONCE
            told = world.end(team_id=2)
            await sender.turn(database)
            assert len(sender.tasks) == sending.AT_ONCE + 1
            (done, hanging) = await asyncio.wait(sender.tasks, return_when=asyncio.FIRST_COMPLETED)
            assert (len(done), len(hanging)) == (1, sending.AT_ONCE)
            assert receiver.next().told["run_id"] == told
            await sender.turn(database)
            assert world.outcomes(team_id=2) == [("delivered", 1, 200)]
            dead.release()
            await world.all_due(sender)

    with receiving() as dead:
        dead.answers = [None] * 100
        world.create(dead.url)
        world.create(receiver.url, team_id=2)
        for _ in range(2 * sending.AT_ONCE):
            world.end()
        asyncio.run(play(dead))
    assert world.outcomes() == [("delivered", 1, 200)] * 2 * sending.AT_ONCE


def test_a_url_that_fails_is_tried_with_one_at_a_time(world: World, receiver: Receiver) -> None:
    deploy(world.conn, task("a"))
    world.create(receiver.url)
    receiver.answers = [FAILED] * sending.AT_ONCE
    for _ in range(sending.AT_ONCE):
        world.end()
    world.send()
    world.later()
    sender = world.sender()
    assert len(sender.work([], {}) or ()) == 1
    assert sender.work([], {(1, "hook"): 1}) == []
    world.later()
    world.send()
    assert {status for status, _, _ in world.outcomes()} == {"delivered"}


def test_no_more_than_a_process_can_hold_are_under_way(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNDER_WAY_MAX", 3)
    deploy(world.conn, task("a"))
    world.create(receiver.url)
    for _ in range(4):
        world.end()
    assert len(world.sender().work([], {(2, "other"): 1}) or ()) == 2


def test_one_that_is_disabled_sends_nothing_and_tells_later_of_what_ends_later(
    world: World, receiver: Receiver
) -> None:
    deploy(world.conn, task("a"))
    world.create(receiver.url)
    receiver.answers = [FAILED]
    world.end()
    world.send()
    receiver.next()
    world.change(disabled=True)
    world.later()
    world.end()
    world.send()
    (kept,) = world.deliveries()
    assert (kept.status, kept.trouble) == ("given_up", "the webhook was disabled")
    with pytest.raises(Conflict, match="is disabled"):
        world.entered(actions.redeliver, 1, "hook", kept.number)
    world.change(disabled=False)
    told = world.end()
    world.send()
    assert [request.told["run_id"] for request in receiver.all()] == [told]


def test_events_that_are_read_again_are_told_once(world: World, receiver: Receiver) -> None:
    """As after a restore: the hour before is read again."""
    deploy(world.conn, task("a"))
    world.create(receiver.url)
    before = world.conn.execute("SELECT * FROM event_position").fetchall()
    world.end()
    world.send()
    world.conn.execute("DELETE FROM event_position")
    columns = [
        column.name
        for column in world.conn.execute("SELECT * FROM event_position").description or ()
    ]
    for row in before:
        kept = json.dumps(dict(zip(columns, row, strict=True)), default=str)
        world.conn.execute(
            "INSERT INTO event_position SELECT * FROM json_populate_record(NULL::event_position, %s)",
            [kept],
        )
    world.send()
    assert len([receiver.next(), *receiver.all()]) == 1
    assert len(world.deliveries()) == 1


def test_a_run_that_is_cleared_ends_again(world: World, receiver: Receiver) -> None:
    deploy(world.conn, task("a"))
    world.create(receiver.url)
    run_id = world.end(how=fail)
    scheduler = Scheduler(world.conn)
    transact(world.conn, commands.clear, 1, run_id, Selection(), graphs(scheduler), ANN)
    scheduler.play()
    world.send()
    first, second = receiver.next(), receiver.next()
    told = {request.told["state"]: request.id for request in (first, second)}
    assert set(told) == {"failed", "success"}
    assert len(set(told.values())) == 2


def test_deliveries_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "KEPT", 2)
    monkeypatch.setattr(sending, "WAITING_MAX", 3)
    deploy(world.conn, task("a"))
    with nobody() as url:
        world.create(url)
        for _ in range(5):
            world.end()
        world.send()
        assert [status for status, _, _ in world.outcomes()] == ["waiting"] * 5
        transact(world.conn, sending.tidy, {(1, "hook")})
        found = world.deliveries()
        assert [each.status for each in found] == ["given_up"] * 2 + ["waiting"] * 3
        assert found[0].trouble == sending.CROWDED
        world.change(disabled=True)
    transact(world.conn, sending.tidy, {(1, "hook")})
    assert len(world.deliveries()) == 2


def test_a_secret_that_cannot_be_opened_is_the_trouble_of_its_webhook_alone(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    deploy(world.conn, task("a"))
    world.create(receiver.url)
    (tmp_path / "other").mkdir()
    mine, world.keys = world.keys, local_keys(tmp_path / "other", None)
    world.create(receiver.url, name="foreign")
    world.keys = mine
    world.end()
    world.send()
    assert len(receiver.all()) == 1
    assert world.outcomes() == [("delivered", 1, 200)]
    (kept,) = world.deliveries("foreign")
    assert (kept.status, "the master key" in str(kept.trouble)) == ("waiting", True)


def test_secrets_are_wrapped_anew_with_another_master_key(
    world: World, receiver: Receiver, keys: Keys
) -> None:
    deploy(world.conn, task("a"))
    made = world.create(receiver.url)
    keys.rotate()
    assert world.entered(stored.rewrap, keys, 1) == 1
    world.end()
    world.send()
    request = receiver.next()
    found = verify([str(made.secret)], request.headers, request.body, now(world))
    assert isinstance(found, Proof)


def test_a_ping_is_signed_and_listed(world: World, receiver: Receiver) -> None:
    made = world.create(receiver.url)
    sent = world.entered(actions.ping, 1, "hook")
    world.send()
    request = receiver.next()
    assert request.headers["x-headway-event"] == "ping"
    assert request.told == {"id": sent.event_id, "event": "ping", "team": "default"}
    found = verify([str(made.secret)], request.headers, request.body, now(world))
    assert isinstance(found, Proof)
    assert [(each.event_id, each.run_id) for each in world.deliveries()] == [(request.id, None)]


def test_a_run_that_cannot_be_told_of_keeps_no_other_from_it(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(world.conn, task("a"))
    world.create(receiver.url)
    bad, good = world.end(), world.end()
    real = follow.delivery

    def delivery(event: Event, target: sending.Target, run: sending.Told) -> sending.New:
        if event.run_id == bad:
            raise ValueError("no")
        return real(event, target, run)

    monkeypatch.setattr(follow, "delivery", delivery)
    world.send()
    assert [request.told["run_id"] for request in receiver.all()] == [good]


def test_the_webhooks_of_a_deleted_team_go_with_it(
    world: World, receiver: Receiver, owner_conn: Session
) -> None:
    two_teams(world)
    world.create(receiver.url, team_id=2)
    world.end(team_id=2)
    world.follow()
    owner_conn.execute("UPDATE team SET deleted_at = now() WHERE team_id = 2")
    found = owner_conn.execute(
        "SELECT FROM outbound_webhook UNION ALL SELECT FROM outbound_delivery"
    )
    assert found.fetchall() == []
    world.send()
    assert receiver.all() == []


def two_teams(world: World) -> None:
    world.conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    world.conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'default', 8)")
    for team_id in (1, 2):
        deploy(world.conn, task("a"), team_id=team_id)


def now(world: World) -> datetime:
    return transact(world.conn, clock)
