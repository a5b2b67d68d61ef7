"""How a pool that teams share is divided."""

import random
from dataclasses import replace

import pytest

from headway.core.lending import Claim, divide, dues


def test_who_has_least_is_next() -> None:
    assert divide(
        6, [Claim(team_id=1, used=2, wants=[1] * 9), Claim(team_id=2, wants=[1] * 9)]
    ) == {
        1: 3,
        2: 3,
    }


def test_by_weight() -> None:
    found = divide(
        9, [Claim(team_id=1, wants=[1] * 9, weight=2.0), Claim(team_id=2, wants=[1] * 9)]
    )
    assert found == {1: 6, 2: 3}


def test_what_one_does_not_want_others_have() -> None:
    found = divide(6, [Claim(team_id=1, wants=[1]), Claim(team_id=2, wants=[1] * 9)])
    assert found == {1: 1, 2: 5}


def test_what_nobody_wants_is_the_owners() -> None:
    found = divide(6, [Claim(team_id=1, is_owner=True, used=1), Claim(team_id=2, wants=[2])])
    assert found == {1: 4, 2: 2}


def test_what_is_in_use_stays() -> None:
    found = divide(4, [Claim(team_id=1, used=4, wants=[1]), Claim(team_id=2, wants=[1])])
    assert found == {1: 3, 2: 0}
    assert divide(2, [Claim(team_id=1, used=4), Claim(team_id=2, wants=[1])]) == {1: 1, 2: 0}


def test_free_slots_are_kept_for_a_large_task_whose_turn_it_is() -> None:
    """Small ones would take each slot that comes back."""
    small = Claim(team_id=1, used=3, wants=[1] * 9, since=1)
    assert divide(4, [small, Claim(team_id=2, wants=[3], since=2)]) == {1: 1, 2: 1}


def test_one_that_needs_all_has_its_turn_when_it_has_waited_longest() -> None:
    small = Claim(team_id=1, wants=[1] * 9, since=1)
    assert divide(4, [small, Claim(team_id=2, wants=[4], since=2)]) == {1: 4, 2: 0}
    small = Claim(team_id=1, used=3, wants=[1] * 9, since=2)
    assert divide(4, [small, Claim(team_id=2, wants=[4], since=1)]) == {1: 0, 2: 1}


def test_who_lost_the_grant_has_nothing_more() -> None:
    found = divide(
        4, [Claim(team_id=1, is_owner=True), Claim(team_id=2, used=3, wants=[1], is_open=False)]
    )
    assert found == {1: 1}


def test_what_is_too_little_for_the_next_task_of_one_stays_the_owners() -> None:
    found = divide(5, [Claim(team_id=1, is_owner=True, wants=[1]), Claim(team_id=2, wants=[3, 3])])
    assert found == {1: 2, 2: 3}


def test_of_two_who_are_due_as_much_the_one_that_waits_longer_is_first() -> None:
    waiting = [Claim(team_id=1, wants=[1], since=2), Claim(team_id=2, wants=[1], since=1)]
    assert divide(3, [*waiting, Claim(team_id=3, used=2)]) == {1: 0, 2: 1, 3: 1}


def test_what_comes_back_is_given_by_turns() -> None:
    waiting = [Claim(team_id=1, wants=[1, 1]), Claim(team_id=2, wants=[1, 1])]
    assert divide(6, [*waiting, Claim(team_id=3, used=4)]) == {1: 1, 2: 1, 3: 2}


def test_what_others_still_hold_without_a_grant_is_due_to_nobody() -> None:
    closed = Claim(team_id=3, used=2, is_open=False)
    found = divide(4, [Claim(team_id=1, wants=[1] * 9), Claim(team_id=2, used=2), closed])
    assert found == {1: 0, 2: 1}


@pytest.mark.parametrize("seed", range(200))
def test_never_above_and_nothing_idle(seed: int) -> None:
    chance = random.Random(seed)
    slots = chance.randrange(12)
    found = [
        Claim(
            team_id=team,
            used=chance.randrange(4),
            wants=[chance.randint(1, 3) for _ in range(chance.randrange(6))],
            since=chance.random(),
            weight=chance.choice([1.0, 2.0, 0.5]),
            is_owner=team == 1,
            is_open=team == 1 or chance.random() < 0.8,
        )
        for team in range(1, 5)
    ]
    allotted = divide(slots, found)
    used = sum(each.used for each in found)
    held = {each.team_id: max(each.used, allotted.get(each.team_id, 0)) for each in found}
    assert sum(held.values()) <= max(slots, used), "never above"
    assert sum(held.values()) >= slots, "nothing idle"


@pytest.mark.parametrize("seed", range(50))
def test_whatever_comes_everything_runs_and_shares_are_even(seed: int) -> None:
    """Tasks of one to all of the slots, by teams that always want more: each has its turns."""
    chance = random.Random(seed)
    slots = chance.randint(2, 6)
    teams = range(1, 4)
    waiting = {t: [(chance.randint(1, slots), 0.0) for _ in range(4)] for t in teams}
    running: dict[int, list[int]] = {t: [] for t in teams}
    started = dict.fromkeys(teams, 0)
    for now in range(600):
        claims = [
            Claim(
                team_id=t,
                used=sum(running[t]),
                wants=[needed for needed, _ in waiting[t]],
                since=waiting[t][0][1],
                is_owner=t == 1,
            )
            for t in teams
        ]
        allotted = divide(slots, claims)
        for t in teams:
            while sum(running[t]) + waiting[t][0][0] <= allotted[t]:
                running[t].append(waiting[t].pop(0)[0])
                waiting[t].append((chance.randint(1, slots), now))
                started[t] += 1
        assert sum(sum(of_team) for of_team in running.values()) <= slots
        some = [t for t in teams if running[t]]
        assert some, "all wait for each other"
        ends = chance.choice(some)
        running[ends].pop(chance.randrange(len(running[ends])))
    assert min(started.values()) * 3 > max(started.values()), started


def test_a_slot_is_idle_only_while_it_is_kept_for_a_larger_one_that_is_due() -> None:
    """What would fit waits for that one, which waits until others have ended."""
    for seed in range(3_000):
        chance = random.Random(seed)
        slots = chance.randint(1, 8)
        claims, left = [], slots
        for team_id in range(3):
            left -= (used := chance.randint(0, left))
            wants = [chance.randint(1, min(4, slots)) for _ in range(chance.randint(0, 4))]
            since, weight = chance.randint(0, 3), chance.choice([1.0, 2.0])
            claims.append(
                Claim(
                    team_id=team_id,
                    used=used,
                    wants=wants,
                    since=since,
                    weight=weight,
                    is_owner=team_id == 0,
                )
            )
        claims = started(slots, claims)
        idle = slots - sum(claim.used for claim in claims)
        due = dues(slots, claims)
        if any(claim.wants and claim.wants[0] <= idle for claim in claims):
            late = [claim for claim in claims if claim.used < due[claim.team_id]]
            assert any(claim.wants[0] > idle for claim in late), seed
            assert any(claim.used > due[claim.team_id] for claim in claims), seed


def started(slots: int, claims: list[Claim]) -> list[Claim]:
    """The claims after each team has started all that it may, and the slots have been divided again, to the end."""
    while True:
        allotted, before = divide(slots, claims), claims
        for number, claim in enumerate(claims):
            used, wants = claim.used, [*claim.wants]
            while wants and used + wants[0] <= allotted[claim.team_id]:
                used += wants.pop(0)
            claims = [
                *claims[:number],
                replace(claim, used=used, wants=wants),
                *claims[number + 1 :],
            ]
        if claims == before:
            return claims
