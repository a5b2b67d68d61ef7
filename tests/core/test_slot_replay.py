"""Replays of recorded attempts with other settings: never beyond the slots, none idle, and weights do what they say."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from headway.core.shares import Claim
from headway.core.slot_replay import Held, Waits, replay, summary

A, B = Claim(team_id=1), Claim(team_id=2)


def flood(team_id: int, count: int, seconds: float = 10.0, ready_s: float = 0.0) -> list[Held]:
    return [Held(ready_s, team_id, seconds) for _ in range(count)]


def test_alone_a_team_has_all_slots() -> None:
    assert replay(2, [A], flood(1, 4)) == {1: [0, 0, 10, 10]}


def test_more_weight_waits_less() -> None:
    recorded = flood(1, 40) + flood(2, 40)
    even = replay(4, [A, B], recorded)
    assert even[1] == even[2]
    heavy = replay(4, [replace(A, weight=3), B], recorded)
    assert summary(heavy[1]).p50_s < summary(even[1]).p50_s < summary(heavy[2]).p50_s


def test_what_is_lent_comes_back_as_it_ends() -> None:
    own = [replace(A, nominal=1), replace(B, nominal=1)]
    assert replay(2, own, flood(1, 4) + flood(2, 1, ready_s=1)) == {1: [0, 0, 10, 20], 2: [9]}


def test_a_limit_holds_while_slots_are_idle_and_none_starts_nothing() -> None:
    assert replay(9, [replace(A, limit=1)], flood(1, 2)) == {1: [0, 10]}
    assert replay(0, [A], flood(1, 2)) == {1: []}
    assert summary([]) == Waits(0, 0.0, 0.0)


WEIGHTS = st.sampled_from([0.5, 1.0, 2.0, 5.0])
TEAMS = st.builds(
    lambda settings: [
        Claim(team_id=number, nominal=nominal, weight=weight)
        for number, (nominal, weight) in enumerate(settings, 1)
    ],
    st.lists(st.tuples(st.integers(0, 4), WEIGHTS), min_size=1, max_size=3),
)
RECORDED = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 3), st.integers(0, 9)), max_size=40
)


def held(teams: list[Claim], recorded: list[tuple[int, int, int]]) -> list[Held]:
    return [Held(ready, 1 + team % len(teams), seconds) for ready, team, seconds in recorded]


@given(st.integers(1, 6), TEAMS, RECORDED)
def test_every_attempt_begins_once_and_never_more_than_there_are_slots(
    slots: int, teams: list[Claim], recorded: list[tuple[int, int, int]]
) -> None:
    attempts = held(teams, recorded)
    found = replay(slots, teams, attempts)
    spans: list[tuple[float, float]] = []
    for claim in teams:
        mine = sorted(each for each in attempts if each.team_id == claim.team_id)
        assert len(found[claim.team_id]) == len(mine)
        assert all(wait >= 0 for wait in found[claim.team_id])
        spans += [
            (each.ready_s + wait, each.ready_s + wait + each.seconds)
            for each, wait in zip(mine, found[claim.team_id], strict=True)
        ]
    for begun, _ in spans:
        assert sum(first <= begun < last for first, last in spans) <= slots


@given(st.integers(1, 6), TEAMS, RECORDED)
def test_no_slot_is_idle_while_something_waits(
    slots: int, teams: list[Claim], recorded: list[tuple[int, int, int]]
) -> None:
    attempts = held(teams, recorded)
    found = replay(slots, teams, attempts)
    ordered = {c.team_id: sorted(a for a in attempts if a.team_id == c.team_id) for c in teams}
    played = [
        (each.ready_s, each.ready_s + wait, each.ready_s + wait + each.seconds)
        for team_id, mine in ordered.items()
        for each, wait in zip(mine, found[team_id], strict=True)
    ]
    for ready, begun, _ in played:
        for moment in (ready, *(last for _, _, last in played)):
            if ready <= moment < begun:  # it waits: all slots are in use
                assert sum(first <= moment < last for _, first, last in played) == slots


@given(st.integers(1, 6), RECORDED)
def test_more_slots_wait_no_longer_in_all(slots: int, recorded: list[tuple[int, int, int]]) -> None:
    attempts = held([A], recorded)
    assert sum(replay(slots + 1, [A], attempts)[1]) <= sum(replay(slots, [A], attempts)[1])
