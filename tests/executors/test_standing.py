"""What an agent may tell of watchers: of those that it looks after, and what can be stored."""

from typing import Any

import pytest

from headway.agent.protocol import Hello
from headway.agent.watchers import Fired, WatcherEvent, WatcherKey
from headway.core.watchers import BATCH_MAX, CURSOR_BYTES_MAX
from headway.executors.agents.link import Link
from headway.executors.agents.standing import (
    flaw_of,
    flaw_of_cursor,
    flaw_of_event,
    holder_of,
    key_of,
    known_to,
)
from headway.store import watchers
from headway.store.watchers import Holder

DIGEST = "a" * 64
KEY = WatcherKey(DIGEST, 3)


def link(known: list[WatcherKey] | None) -> Link:
    hello = Hello("s", "agent", "token", 1, 1, "host", 7, [], watchers=known)
    return Link(None, team_id=2, hello=hello)  # type: ignore[arg-type]


def fired(*events: WatcherEvent, cursor: bytes | None = None) -> Fired:
    return Fired(KEY, 1, list(events), cursor)


def event(extra: bytes = b"{}", **more: Any) -> WatcherEvent:
    return WatcherEvent(extra, **more)


def test_an_agent_looks_after_what_it_says_as_far_as_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = [
        WatcherKey(digest, 1)
        for digest in ("", "A" * 64, "a" * 63, "a" * 65, "a" * 63 + "\n", "g" * 64)
    ]
    found = link([KEY, *odd])
    assert known_to(found) == {KEY}
    assert known_to(found) is found.watchers, "once"
    assert known_to(link(None)) == known_to(link([])) == set()
    monkeypatch.setattr(watchers, "HELD_MAX", 2)
    many = [WatcherKey(f"{number:064x}", 1) for number in range(5)]
    assert known_to(link(many)) == set(many[:2])


def test_a_holder_is_the_session_of_the_team_and_one_life() -> None:
    assert holder_of(link([KEY]), KEY) == Holder(2, "s", DIGEST, 3)
    held: Any = type("Held", (), {"digest": DIGEST, "life": 3})
    assert key_of(held) == KEY


@pytest.mark.parametrize(
    "good",
    [
        fired(),
        fired(event(), cursor=b"null"),
        fired(*[event()] * BATCH_MAX),
        fired(event(b'{"a": 1}', partition="2026-01-01", key="k")),
        fired(cursor=b'"' + b"x" * (CURSOR_BYTES_MAX - 2) + b'"'),
    ],
)
def test_what_can_be_stored_is_let_through(good: Fired) -> None:
    assert flaw_of(good) is None


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (fired(*[event()] * (BATCH_MAX + 1)), f"there are {BATCH_MAX + 1:,} events at once; the limit is {BATCH_MAX}"),
        (fired(cursor=b"{"), "its cursor is not JSON"),
        (fired(cursor=b"1" * (CURSOR_BYTES_MAX + 1)), "its cursor has"),
        (fired(event(), event(b"{")), "the extra of an event"),
        (fired(event(partition="a\0")), "the partition of an event"),
        (fired(event(partition="")), "the partition of an event"),
        (fired(event(key="a\0")), "the key of an event"),
    ],
)  # fmt: skip
def test_what_cannot_be_stored_is_told(odd: Fired, why: str) -> None:
    assert str(flaw_of(odd)).startswith(why)


def test_an_event_without_more_is_one() -> None:
    assert flaw_of_event(event()) is None


@pytest.mark.parametrize(
    ("cursor", "why"),
    [
        (b'"\xff"', "is not JSON"),
        (b"", "is not JSON"),
        (b"[" * 20_000 + b"]" * 20_000, None),
        (b'{"at": 1}', None),
    ],
)
def test_a_cursor_is_json(cursor: bytes, why: str | None) -> None:
    if len(cursor) > 1_000:
        assert flaw_of_cursor(cursor) is not None
    else:
        assert flaw_of_cursor(cursor) == why
