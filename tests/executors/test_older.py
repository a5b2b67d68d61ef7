"""What agents of the release before say is read as what it means now (``executors.agents.older``)."""

import msgspec
import pytest

from headway.agent.protocol import (
    PROTOCOL_VERSION,
    Ask,
    AttemptKey,
    ByAttempt,
    Heartbeat,
    Hello,
    Started,
)
from headway.executors.agents.flaws import flaw_of_hello
from headway.executors.agents.older import SPOKEN, decoded

KEY = AttemptKey("r", "a", -1, 1)
OF_6 = ["Ask", 3, ["r", "a", -1, 1], "token", "variable", "region"]  # as version 6 wrote it
NOW = Ask(3, ByAttempt(KEY, "token"), "variable", "region")


def test_a_question_of_an_attempt() -> None:
    assert decoded(msgspec.msgpack.encode(OF_6), 6) == NOW
    assert decoded(msgspec.msgpack.encode(NOW), PROTOCOL_VERSION) == NOW


@pytest.mark.parametrize("message", [Heartbeat(1), Started(2, KEY, "t", 1, 0.0)])
def test_what_did_not_change_is_the_same_in_every_version(message: msgspec.Struct) -> None:
    for version in SPOKEN:
        assert decoded(msgspec.msgpack.encode(message), version) == message


def test_a_question_of_now_is_none_of_then() -> None:
    with pytest.raises(msgspec.MsgspecError):
        decoded(msgspec.msgpack.encode(OF_6), PROTOCOL_VERSION)
    with pytest.raises(msgspec.MsgspecError):
        decoded(msgspec.msgpack.encode(NOW), 6)


def test_versions_that_are_let_in() -> None:
    hello = Hello("s", "a", "t", 1, 1, "node", 1, [])
    let_in = [
        version
        for version in range(PROTOCOL_VERSION + 2)
        if flaw_of_hello(msgspec.structs.replace(hello, protocol_version=version)) is None
    ]
    assert let_in == [PROTOCOL_VERSION - 1, PROTOCOL_VERSION]
