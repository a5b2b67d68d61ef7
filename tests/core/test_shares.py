"""What each team may use of the slots, beside a reference that tries every division, and played through."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from headway.core.admission import Share
from headway.core.reasons import TeamSlots
from headway.core.shares import Claim, Division, divide
from headway.core.wording import said


def claim(
    team_id: int,
    wants: int,
    nominal: int = 0,
    weight: float = 1.0,
    used: int = 0,
    limit: int | None = None,
) -> Claim:
    return Claim(
        team_id=team_id, used=used, wants=wants, nominal=nominal, weight=weight, limit=limit
    )


def allotted(slots: int, *claims: Claim) -> list[int]:
    found = divide(slots, claims)
    return [found[each.team_id].allotted for each in claims]


def fair(slots: int, *claims: Claim) -> list[int]:
    found = divide(slots, claims)
    return [found[each.team_id].fair for each in claims]


def test_equal_teams_get_equal_parts_and_weights_count() -> None:
    assert allotted(10, claim(1, 99), claim(2, 99)) == [5, 5]
    assert allotted(12, claim(1, 99, weight=2), claim(2, 99)) == [8, 4]
    assert allotted(7, claim(1, 99), claim(2, 99), claim(3, 99)) == [3, 2, 2]


def test_what_one_does_not_want_is_lent() -> None:
    assert allotted(10, claim(1, 99, nominal=5), claim(2, 2, nominal=5)) == [8, 2]


def test_what_is_kept_is_not_lent_but_no_more_than_the_nominal_slots() -> None:
    idle = claim(2, 0, nominal=5)
    assert allotted(10, claim(1, 99, nominal=5), replace(idle, kept=2)) == [8, 2]
    assert allotted(10, claim(1, 99, nominal=5), replace(idle, kept=9)) == [5, 5]
    assert allotted(10, claim(1, 99, nominal=5), replace(idle, nominal=0, kept=2)) == [10, 0]
    assert not divide(10, [claim(1, 10, used=10), replace(idle, kept=2)])[2].short


def test_nominal_slots_come_first_and_the_rest_goes_by_weight() -> None:
    assert allotted(
        22, claim(1, 99, nominal=10), claim(2, 99, weight=1), claim(3, 99, weight=4)
    ) == [12, 2, 8]


def test_where_more_is_promised_than_there_is_each_gets_the_same_part() -> None:
    assert allotted(6, claim(1, 99, nominal=8), claim(2, 99, nominal=4)) == [4, 2]


def test_what_is_in_use_is_taken_from_nobody_and_comes_back_as_it_is_freed() -> None:
    assert allotted(8, claim(1, 99, nominal=4, used=8), claim(2, 99, nominal=4)) == [8, 0]
    assert fair(8, claim(1, 99, nominal=4, used=8), claim(2, 99, nominal=4)) == [4, 4]
    assert allotted(8, claim(1, 99, nominal=4, used=6), claim(2, 99, nominal=4)) == [6, 2]


def test_what_nobody_wants_is_at_hand_by_the_same_order() -> None:
    assert allotted(8, claim(1, 1, nominal=4), claim(2, 0, nominal=2)) == [5, 3]


def test_a_team_at_its_limit_is_not_short() -> None:
    found = divide(8, [claim(1, 99, limit=3), claim(2, 1)])
    assert found == {1: Division(3, 3, False), 2: Division(5, 5, False)}


def test_no_slots_and_no_teams() -> None:
    assert divide(4, []) == {}
    assert divide(0, [claim(1, 9)]) == {1: Division(0, 0, True)}


# -- a reference: of all divisions that waste nothing, the one whose worst turns are the best


def turns(each: Claim, count: int) -> list[tuple[bool, float, int]]:
    """For each of its slots how far the team has come with it, in words of the documentation."""
    found = []
    for slot in range(1, count + 1):
        borrowed = slot - each.nominal
        if borrowed <= 0:
            found.append((False, slot / each.nominal, each.team_id))
        else:
            found.append((True, borrowed / each.weight, each.team_id))
    return found


def best(slots: int, claims: Sequence[Claim]) -> tuple[int, ...]:
    """By trying all."""
    most = [min(each.wants, slots) for each in claims]
    full = min(slots, sum(most))
    return min(
        (
            counts
            for counts in product(*(range(limit + 1) for limit in most))
            if sum(counts) == full
        ),
        key=lambda counts: sorted(
            (
                turn
                for each, count in zip(claims, counts, strict=True)
                for turn in turns(each, count)
            ),
            reverse=True,
        ),
    )


SHAPES = [
    (wants, nominal, weight) for wants in (0, 2, 5) for nominal in (0, 2) for weight in (1, 3)
]


@pytest.mark.parametrize("slots", [0, 1, 3, 5])
def test_small_cases_are_as_the_reference_finds_them(slots: int) -> None:
    for shapes in product(SHAPES, repeat=2):
        claims = [claim(team, *shape) for team, shape in enumerate(shapes, 1)]
        found = divide(slots, claims)
        wanted = [min(each.wants, found[each.team_id].fair) for each in claims]
        assert tuple(wanted) == best(slots, claims), (slots, shapes)


def test_three_teams_are_as_the_reference_finds_them() -> None:
    for shapes in product([(4, 0, 1), (4, 2, 1), (1, 2, 3), (4, 0, 3)], repeat=3):
        claims = [claim(team, *shape) for team, shape in enumerate(shapes, 1)]
        found = divide(5, claims)
        wanted = [min(each.wants, found[each.team_id].fair) for each in claims]
        assert tuple(wanted) == best(5, claims), shapes


# -- properties

WEIGHTS = st.sampled_from([0.1, 0.5, 1.0, 2.0, 3.0, 10.0])


@st.composite
def some_claims(draw: st.DrawFn) -> tuple[int, list[Claim]]:
    """What is in use is no more than there is."""
    slots = draw(st.integers(0, 60))
    left, claims = slots, []
    for team_id in range(1, draw(st.integers(1, 6)) + 1):
        used = draw(st.integers(0, left))
        left -= used
        wants = used + draw(st.integers(0, 80))
        limit = draw(st.none() | st.integers(used, 80))
        claims.append(claim(team_id, wants, draw(st.integers(0, 30)), draw(WEIGHTS), used, limit))
    return slots, claims


def wants_of(each: Claim, slots: int) -> int:
    return min(each.wants, slots, slots if each.limit is None else each.limit)


@given(some_claims())
def test_never_more_than_there_is_and_never_more_than_a_limit(
    case: tuple[int, list[Claim]],
) -> None:
    slots, claims = case
    found = divide(slots, claims)
    assert sum(each.allotted for each in found.values()) <= slots
    assert sum(each.fair for each in found.values()) <= slots
    for each in claims:
        assert found[each.team_id].allotted >= each.used
        assert each.limit is None or found[each.team_id].allotted <= max(each.limit, each.used)


@given(some_claims())
def test_no_slot_is_idle_while_somebody_allowed_wants_it(case: tuple[int, list[Claim]]) -> None:
    slots, claims = case
    found = divide(slots, claims)
    wanted = {each.team_id: wants_of(each, slots) for each in claims}
    if any(wanted[team] > found[team].fair for team in found):
        assert sum(each.fair for each in found.values()) == slots
    # A slot that is free and wanted is somebody's to take, and not beyond what it is due.
    free = slots - sum(each.used for each in claims)
    takeable = sum(
        min(f.allotted, f.fair) - each.used
        for each in claims
        if (f := found[each.team_id]).fair >= each.used
    )
    wanting = sum(
        max(0, min(wanted[each.team_id], found[each.team_id].fair) - each.used) for each in claims
    )
    assert takeable >= min(free, wanting)


@given(some_claims())
def test_weighted_max_min_within_one_slot(case: tuple[int, list[Claim]]) -> None:
    """Nobody who wants more is further behind another one's share, for its weight, than one slot."""
    slots, claims = case
    found = divide(slots, claims)
    for poor, rich in product(claims, repeat=2):
        if poor is rich or wants_of(poor, slots) <= found[poor.team_id].fair:
            continue
        borrowed = found[rich.team_id].fair - rich.nominal
        if borrowed <= 0:
            continue
        assert found[poor.team_id].fair >= min(poor.nominal, wants_of(poor, slots))
        missing = found[poor.team_id].fair + 1 - poor.nominal
        assert borrowed / rich.weight <= missing / poor.weight + 1e-9


@given(some_claims(), st.integers(0, 5), WEIGHTS)
def test_more_weight_is_never_less(case: tuple[int, list[Claim]], index: int, more: float) -> None:
    slots, claims = case
    index %= len(claims)
    before = claims[index]
    heavier = [*claims]
    heavier[index] = replace(before, weight=before.weight + more)
    assert divide(slots, heavier)[before.team_id].fair >= divide(slots, claims)[before.team_id].fair


@given(some_claims(), st.integers(0, 5))
def test_the_order_of_the_teams_does_not_matter(case: tuple[int, list[Claim]], by: int) -> None:
    slots, claims = case
    by %= len(claims)
    assert divide(slots, [*claims[by:], *claims[:by]]) == divide(slots, claims)


@given(some_claims(), st.randoms(use_true_random=False))
def test_the_wait_is_bounded(case: tuple[int, list[Claim]], chance: object) -> None:
    """Each team that wants something has what it is due after every attempt has ended once."""
    slots, claims = case
    claims = [replace(each, wants=10_000, limit=None) for each in claims]
    assume(slots >= 1)
    for _ in range(slots):
        found = divide(slots, claims)
        after = []
        for each in claims:
            share = share_of(each, found[each.team_id])
            used = each.used if share.is_full else share.limit or 0
            after.append(replace(each, used=used))
        assert sum(each.used for each in after) <= slots
        # One of those that use too much ends; the others' ends give their slots to themselves.
        over = [each for each in after if each.used > found[each.team_id].fair]
        claims = [
            replace(each, used=each.used - 1) if over and each is over[0] else each
            for each in after
        ]
    found = divide(slots, claims)
    assert {team: each.allotted for team, each in found.items()} == {
        team: each.fair for team, each in found.items()
    }


# -- what a tick makes of it


def share_of(each: Claim, division: Division) -> Share:
    return Share(
        team="t",
        used=each.used,
        nominal=each.nominal,
        allotted=division.allotted,
        fair=division.fair,
        short=division.short,
    )


def test_who_uses_more_than_it_is_due_starts_nothing_and_gives_back() -> None:
    share = Share(team="a", used=7, nominal=4, allotted=8, fair=4, short=True)
    assert (share.limit, share.is_full, share.slack) == (4, True, 1)
    share.short = False
    assert share.slack == 1
    assert Share(team="a", used=2, allotted=8, fair=4, short=True).slack == 4
    assert Share(team="a", used=9).is_full is False


def test_the_reason_says_what_is_borrowed_and_what_is_lent() -> None:
    share = Share(team="a", used=40, nominal=32, allotted=40, fair=40)
    assert share.why() == TeamSlots("a", 40, 40, borrowed=8)
    lender = Share(team="b", used=3, nominal=32, allotted=3, fair=32)
    assert said(lender.why()) == (
        "team `b` uses 3 of 3 slots; 29 more are lent to other teams until their tasks end"
    )
    assert said(Share(team="c", used=3, allotted=3, fair=3).why()) == "team `c` uses 3 of 3 slots"
