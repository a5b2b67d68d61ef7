"""Token buckets in memory: what is let through, when the next one is, and what is forgotten."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from headway import clock
from headway.api import rates, team_rates
from headway.api.rates import Rate
from headway.api.team_rates import READ_S, TeamRates
from headway.core.limits import NONE, Limits
from headway.errors import RateLimited
from headway.store import limits
from tests.agent.test_budget import Hands


@pytest.fixture
def hands() -> Iterator[Hands]:
    hands = Hands()
    with clock.use(hands):
        yield hands


def taken(rate: Rate, key: str = "ann") -> int | None:
    """Take one; the seconds to wait if there is none."""
    try:
        rate.take(key)
    except RateLimited as error:
        return error.retry_after_s
    return None


def test_a_burst_is_let_through_and_then_one_for_each_share_of_the_period(hands: Hands) -> None:
    rate = Rate(3, 60.0)
    assert [taken(rate) for _ in range(5)] == [None, None, None, 20, 20]
    hands.at += 19.0
    assert taken(rate) == 1
    hands.at += 1.0
    assert [taken(rate), taken(rate)] == [None, 20]
    assert taken(rate, "bob") is None, "another one has a bucket of their own"
    hands.at += 1_000.0
    assert [taken(rate) for _ in range(4)] == [None, None, None, 20]


def test_a_refusal_says_why_and_what_to_do(hands: Hands) -> None:
    rate = Rate(1, 10.0)
    rate.take("ann")
    with pytest.raises(RateLimited) as caught:
        rate.take("ann", "too many of them")
    assert (caught.value.message, caught.value.hint) == ("too many of them", "try again later")
    with pytest.raises(RateLimited, match=r"^too many requests"):
        rate.take("ann")


def test_what_is_given_back_can_be_taken_again_and_no_more_than_the_burst(hands: Hands) -> None:
    rate = Rate(2, 60.0)
    rate.give_back("ann")
    assert rate.buckets == {}
    assert [taken(rate) for _ in range(3)] == [None, None, 30]
    rate.give_back("ann")
    assert [taken(rate), taken(rate)] == [None, 30]
    for _ in range(5):
        rate.give_back("ann")
    assert [taken(rate) for _ in range(3)] == [None, None, 30]


def test_of_too_many_the_idle_ones_and_then_the_oldest_are_forgotten(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "KEYS_MAX", 4)
    rate = Rate(1, 10.0)
    for name in "abcd":
        taken(rate, name)
        hands.at += 1.0
    assert list(rate.buckets) == ["a", "b", "c", "d"]
    taken(rate, "e")
    assert list(rate.buckets) == ["d", "e"], "the latest half"
    assert taken(rate, "d") == 9, "it is still empty"
    hands.at += 9.5
    for name in "fgh":
        taken(rate, name)
    assert sorted(map(str, rate.buckets)) == ["g", "h"]
    hands.at += 10.0
    for name in "ijk":
        taken(rate, name)
    assert sorted(map(str, rate.buckets)) == ["j", "k"]
    for name in "lm":
        taken(rate, name)
    hands.at += 9.9
    rate.forget(clock.monotonic())
    assert sorted(map(str, rate.buckets)) == ["l", "m"]
    hands.at += 0.1
    rate.forget(clock.monotonic())
    assert rate.buckets == {}, "they are full again"


# -- of teams


class Store:
    """The limits of teams, as a door answers them; it remembers who asked."""

    def __init__(self, **of: Limits) -> None:
        self.limits = {int(name.removeprefix("team")): found for name, found in of.items()}
        self.asked: list[int] = []
        self.team_id = 0

    def of(self, team_id: int) -> "Store":
        self.team_id = team_id
        return self

    async def call(self, work: Any, team_id: int) -> Limits:
        assert (work, team_id) == (limits.of_team, self.team_id)
        self.asked.append(team_id)
        return self.limits[team_id]


def of(**found: Limits) -> tuple[TeamRates, Store]:
    store: Any = Store(**found)
    return TeamRates(store), store


def take(of_teams: TeamRates, team_id: int) -> str | None:
    """Take one request; the words of the refusal."""
    try:
        asyncio.run(of_teams.take(team_id))
    except RateLimited as error:
        return error.message
    return None


def test_a_team_has_what_it_may_send_in_two_seconds_at_once(hands: Hands) -> None:
    of_teams, store = of(team1=Limits(requests_per_s=1_500), team2=Limits(requests_per_s=1))
    said = "the limit of this team is 1 API requests a second (requests_per_s)"
    assert [take(of_teams, 2) for _ in range(3)] == [None, None, said]
    assert [take(of_teams, 1) for _ in range(3_000)] == [None] * 3_000
    assert take(of_teams, 1) == said.replace("1 API", "1,500 API")
    hands.at += 1.0
    assert [take(of_teams, 2), take(of_teams, 2)] == [None, said]
    assert [take(of_teams, 1) for _ in range(1_500)] == [None] * 1_500
    assert take(of_teams, 1) is not None
    assert store.asked == [2, 1]


def test_teams_of_the_same_limit_have_buckets_of_their_own(hands: Hands) -> None:
    of_teams, _ = of(team1=Limits(requests_per_s=1), team2=Limits(requests_per_s=1))
    found = [take(of_teams, 1) is None for _ in range(3)]
    assert found == [True, True, False]
    assert take(of_teams, 2) is None


def test_a_team_without_a_limit_is_not_counted(hands: Hands) -> None:
    of_teams, store = of(team1=NONE)
    assert [take(of_teams, 1) for _ in range(50)] == [None] * 50
    assert (of_teams.rates, store.asked) == ({}, [1])


def test_a_limit_is_read_again_when_it_is_old(hands: Hands) -> None:
    of_teams, store = of(team1=NONE)
    take(of_teams, 1)
    store.limits[1] = Limits(requests_per_s=1)
    hands.at += READ_S
    take(of_teams, 1)
    assert store.asked == [1]
    hands.at += 0.01
    assert [take(of_teams, 1) is None for _ in range(3)] == [True, True, False]
    assert store.asked == [1, 1]


def test_while_one_reads_the_others_go_on_with_what_was(hands: Hands) -> None:
    of_teams, store = of(team1=NONE)
    take(of_teams, 1)
    hands.at += READ_S + 1

    async def several() -> None:
        gate = asyncio.Event()
        answer = store.call

        async def slow(work: Any, team_id: int) -> Limits:
            await gate.wait()
            return await answer(work, team_id)

        store.call = slow  # type: ignore[method-assign]
        first = asyncio.create_task(of_teams.take(1))
        await asyncio.sleep(0)
        await of_teams.take(1)  # does not wait for the gate
        gate.set()
        await first

    asyncio.run(several())
    assert store.asked == [1, 1]
    assert team_rates.BURST_S == 2.0
