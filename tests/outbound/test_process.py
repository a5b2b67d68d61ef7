"""The process that sends, as a scheduler starts it: killed between a request and its note, it sends the same again."""

import os
import signal
from pathlib import Path

import pytest

from headway.engine.sending import Sending
from headway.errors import UsageError
from headway.outbound.addresses import VARIABLE
from headway.outbound.follow import NAME
from headway.store import events
from headway.store.transact import Session
from tests.outbound.receiver import Receiver
from tests.outbound.world import World
from tests.scenarios.world import deploy, task


def test_a_process_that_is_killed_while_it_sends_is_followed_by_one_that_sends_the_same(
    world: World,
    receiver: Receiver,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, "127.0.0.0/8")
    deploy(world.conn, task("a"))
    world.create(receiver.url)
    world.end()
    sending = Sending(tmp_path, f"{database}\t")

    def kill() -> None:
        receiver.before_answer = lambda: None
        assert sending.process is not None
        os.kill(sending.process.pid, signal.SIGKILL)
        sending.process.wait()

    receiver.before_answer = kill
    try:
        sending.turn(world.conn)
        first = receiver.next()
        assert sending.process is not None
        assert sending.process.wait() == -signal.SIGKILL
        assert world.outcomes() == [("waiting", 1, None)]
        world.later()
        sending.again_at = sending.look_at = float("-inf")
        sending.turn(world.conn)
        second = receiver.next()
        assert (second.id, second.body) == (first.id, first.body)
    finally:
        sending.close()
    assert world.outcomes() == [("delivered", 2, 200)]


def test_a_process_ends_with_the_one_that_started_it(
    world: World, receiver: Receiver, database: str, tmp_path: Path
) -> None:
    world.create(receiver.url)
    sending = Sending(tmp_path, f"{database}\t")
    sending.turn(world.conn)
    process = sending.process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 0


def test_without_a_webhook_nothing_is_started_and_the_position_moves_on(
    conn: Session, tmp_path: Path
) -> None:
    sending = Sending(tmp_path, "no database")
    sending.turn(conn)
    assert sending.process is None
    assert events.position(conn, NAME, None) is not None


def test_settings_that_are_wrong_are_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "10.0.0.0/33")
    with pytest.raises(UsageError, match="is not a list of networks"):
        Sending(tmp_path, "")
