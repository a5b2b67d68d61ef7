"""What an agent may tell of watchers: of those that it looks after, and what can be stored."""

from types import SimpleNamespace
from typing import Any

import pytest

from headway.agent.protocol import Hello
from headway.agent.watchers import (
    Fired,
    Release,
    Sighted,
    Stopped,
    Taken,
    WatcherEvent,
    WatcherKey,
    WatcherLook,
)
from headway.core.watchers import BATCH_MAX, CURSOR_BYTES_MAX
from headway.executors.agents import standing
from headway.executors.agents.link import Link
from headway.executors.agents.standing import (
    StandingWatches,
    flaw_of,
    flaw_of_cursor,
    flaw_of_event,
    holder_of,
    key_of,
    known_to,
)
from headway.executors.agents.triggers import NOTE_CHARS_MAX
from headway.store import notices, watchers
from headway.store.watchers import Holder, Look, NewEvent

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


# -- what agents tell

NOW: Any = object()
HOLDER = Holder(2, "s", DIGEST, 3)


class World:
    """A gateway and a database that note what they are told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[Any] = []
        self.done: list[Any] = []
        self.taken = watchers.Taken(over=False, again_s=0.0)
        gateway: Any = SimpleNamespace(
            links={}, send=lambda link, message: self.sent.append(message)
        )
        self.watches = StandingWatches("conn", gateway)  # type: ignore[arg-type]
        note = self.done.append
        monkeypatch.setattr(standing, "transact", lambda conn, work, *of: work(conn, *of))
        monkeypatch.setattr(standing, "clock", lambda conn: NOW)
        monkeypatch.setattr(watchers, "store", self.store)
        monkeypatch.setattr(
            watchers, "stopped", lambda _, holder, error, now: note(("stopped", holder, error))
        )
        monkeypatch.setattr(
            watchers, "note", lambda _, team, session, told, now: note((team, session, told))
        )
        monkeypatch.setattr(notices, "tell_of_assets", lambda _: note("assets"))

    def store(self, _: Any, holder: Holder, batch: int, events: Any, cursor: Any, now: Any) -> Any:
        self.done.append((holder, batch, events, cursor, now is NOW))
        return self.taken


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_what_a_watcher_tells_is_stored_as_its_holder(world: World) -> None:
    found = link([KEY])
    world.watches.answer(
        found, fired(event(b'{"a": 1}', partition="p", key="k"), event(), cursor=b"7")
    )
    events = [NewEvent('{"a": 1}', "p", "watcher:k"), NewEvent("{}", None, None)]
    assert world.done == [(HOLDER, 1, events, "7", True), "assets"]
    assert world.sent == [Taken(KEY, 1, 0.0)]
    assert known_to(found) == {KEY}


@pytest.mark.parametrize(
    ("events", "over", "again_s", "told"),
    [(1, False, 0.0, True), (0, False, 0.0, False), (1, True, 0.0, False), (1, False, 2.0, False)],
)
def test_schedulers_are_told_of_what_is_stored(
    world: World, events: int, over: bool, again_s: float, told: bool
) -> None:
    world.taken = watchers.Taken(over=over, again_s=again_s)
    found = link([KEY])
    world.watches.answer(found, fired(*[event()] * events))
    assert ("assets" in world.done) == told
    assert world.sent == [Release([KEY]) if over else Taken(KEY, 1, again_s)]
    assert known_to(found) == (set() if over else {KEY})


OTHER = WatcherKey("b" * 64, 1)


@pytest.mark.parametrize("key", [OTHER, WatcherKey(DIGEST, 2)])
def test_an_agent_tells_nothing_of_what_another_one_looks_after(world: World, key: Any) -> None:
    found = link([KEY])
    world.watches.answer(found, Fired(key, 1, [event()], None))
    assert world.sent == [Release([key])]
    world.watches.answer(found, Stopped(key, "why"))
    world.watches.answer(found, Sighted([WatcherLook(key, 1, 0.0, None, "")]))
    assert world.done == []
    assert known_to(found) == {KEY}


def test_what_cannot_be_stored_ends_the_watcher(world: World) -> None:
    found = link([KEY])
    world.watches.answer(found, fired(event(b"{")))
    ((what, holder, error),) = world.done
    assert (what, holder) == ("stopped", HOLDER)
    assert error.startswith("what it tells cannot be stored: the extra of an event")
    assert world.sent == [Release([KEY])]
    assert known_to(found) == set()


@pytest.mark.parametrize(
    ("error", "stored"), [("", None), ("a\0b", "a\u2400b"), ("x" * 3_000, "x" * 2_000)]
)
def test_a_watcher_that_stops_is_no_longer_of_the_agent(
    world: World, error: str, stored: str | None
) -> None:
    found = link([KEY])
    for _ in range(2):
        world.watches.answer(found, Stopped(KEY, error))
    assert world.done == [("stopped", HOLDER, stored)]
    assert known_to(found) == set()


def test_looks_are_bounded_and_of_what_it_looks_after(world: World) -> None:
    found = link([KEY])
    looks = [
        WatcherLook(KEY, -5, -1.0, None, "n\0" + "x" * 5_000),
        WatcherLook(KEY, 3, 1.0, 2.0, "fine"),
        WatcherLook(OTHER, 1, 0.0, None, "not its own"),
    ]
    world.watches.answer(found, Sighted(looks))
    ((team_id, session, told),) = world.done
    assert (team_id, session, len(told)) == (2, "s", 2)
    first, second = told
    assert (first.looks, first.again_s, first.age_s >= 0) == (0, None, True)
    assert first.note.startswith("n\u2400x")
    assert len(first.note) == NOTE_CHARS_MAX
    assert second == Look(DIGEST, 3, 3, age_s=1.0, again_s=2.0, note="fine")
    world.done.clear()
    world.watches.answer(found, Sighted([]))
    assert world.done == []
