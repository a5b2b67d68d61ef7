"""Agents of the release before: what they say otherwise, and how it is read.

In a rolling upgrade they go on with what they run, and connect to schedulers of this release. Fields that were appended
have defaults, so that only messages whose form changed are here. A version leaves with the release after the next.
"""

from typing import Final

import msgspec

from headway.agent.protocol import (
    PROTOCOL_VERSION,
    AgentMessage,
    Ask,
    AttemptKey,
    ByAttempt,
    Ended,
    Errand,
    Fetch,
    Found,
    Heartbeat,
    Hello,
    Looked,
    Message,
    Named,
    OfWatcher,
    Probed,
    Started,
)

BEFORE_WAITS_ASK: Final = 6
SPOKEN: Final = (BEFORE_WAITS_ASK, PROTOCOL_VERSION)


class AskOfAttempt(Message, frozen=True, tag="Ask"):
    """A question as of version 6: only attempts asked."""

    request: int
    key: AttemptKey
    token: str
    kind: str
    name: str


Of6 = (
    Hello
    | Heartbeat
    | Started
    | Named
    | Ended
    | Found
    | Fetch
    | AskOfAttempt
    | Probed
    | Looked
    | OfWatcher
    | Errand
)

OF_6: Final[msgspec.msgpack.Decoder[Of6]] = msgspec.msgpack.Decoder(Of6)
OF_NOW: Final[msgspec.msgpack.Decoder[AgentMessage]] = msgspec.msgpack.Decoder(AgentMessage)


def decoded(body: bytes, version: int) -> AgentMessage:
    """Return a message of an agent that speaks this version. Raises MsgspecError."""
    if version != BEFORE_WAITS_ASK:
        return OF_NOW.decode(body)
    message = OF_6.decode(body)
    if isinstance(message, AskOfAttempt):
        by = ByAttempt(message.key, message.token)
        return Ask(message.request, by, message.kind, message.name)
    return message
