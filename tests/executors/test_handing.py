"""Handing out what agents of a team look after: to who has the fewest, of the own team, and never beyond the most."""

from datetime import UTC, datetime
from typing import Any

import pytest

from headway.agent.protocol import FENCE_S, Hello
from headway.executors.agents.handing import AT_ONCE, ROUNDS_MAX, claim_of, hand_out
from headway.executors.agents.link import Link

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def link(session: str, team_id: int = 1, *queues: str) -> Link:
    hello = Hello(session, "agent", "t", 1, 1, "h", 1, [], queues=queues or ("default",))
    return Link(None, team_id=team_id, hello=hello)  # type: ignore[arg-type]


class Store:
    """What is free of each team, and how many each agent has."""

    def __init__(self, free: dict[int, int], **held: int) -> None:
        self.free = free
        self.held = held
        self.asked: list[tuple[str, int]] = []

    def load(self, link: Link) -> int:
        return self.held.get(link.session, 0)

    def give(self, link: Link, limit: int) -> int:
        self.asked.append((link.session, limit))
        got = min(limit, self.free[link.team_id])
        self.free[link.team_id] -= got
        self.held[link.session] = self.load(link) + got
        return got


def handed(store: Store, links: list[Link], most: int = 1_000) -> dict[str, int]:
    hand_out(links, store.load, most, store.give)
    return store.held


def test_who_has_the_fewest_is_given_the_next() -> None:
    store = Store({1: 250}, a=50, b=0)
    assert handed(store, [link("a"), link("b")]) == {"a": 150, "b": 150}
    assert store.asked == [("b", 100), ("a", 100), ("b", 100), ("a", 100)]


def test_teams_have_their_own() -> None:
    store = Store({1: 3, 2: 5})
    assert handed(store, [link("a", 1), link("b", 2)]) == {"a": 3, "b": 5}


def test_nobody_looks_after_more_than_the_most() -> None:
    store = Store({1: 500}, a=0, b=40)
    assert handed(store, [link("a"), link("b")], most=60) == {"a": 60, "b": 60}
    assert store.asked == [("a", 60), ("b", 20)]
    full, almost = Store({1: 9}, a=60), Store({1: 9}, a=59)
    assert handed(full, [link("a")], most=60) == {"a": 60}
    assert full.asked == []
    assert handed(almost, [link("a")], most=60) == {"a": 60}
    assert almost.asked == [("a", 1)]


def test_a_team_has_so_many_rounds() -> None:
    store = Store({1: 10**6})
    handed(store, [link("a")], most=10**6)
    assert store.held == {"a": AT_ONCE * ROUNDS_MAX}


def test_with_nobody_nothing_is_handed_out() -> None:
    assert handed(Store({}), []) == {}


def test_a_claim_is_of_the_team_and_queues_of_the_agent() -> None:
    found: Any = claim_of(link("s", 7, "q", "default"), 5, NOW)
    assert (found.team_id, found.session_id, found.queues) == (7, "s", ["q", "default"])
    assert (found.limit, found.now, found.silence.total_seconds()) == (5, NOW, FENCE_S)
    with pytest.raises(AssertionError):
        claim_of(Link(None), 5, NOW)  # type: ignore[arg-type]
