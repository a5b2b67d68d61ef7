"""Roles as sets of verbs, judged over everything there is."""

from itertools import combinations, product

import pytest

from headway.core.roles import BUILT_IN, ORDER, WORDS, Role, Verb, known, least, missing


def test_every_verb_has_words() -> None:
    assert set(WORDS) == set(Verb)


def test_each_built_in_role_has_more_than_the_one_before() -> None:
    for lower, higher in combinations(ORDER, 2):
        assert BUILT_IN[lower] < BUILT_IN[higher]
    assert BUILT_IN[Role.ADMIN] == frozenset(Verb)


@pytest.mark.parametrize("verb", Verb)
def test_the_least_role_with_a_verb(verb: Verb) -> None:
    place = ORDER.index(least(verb))
    assert [verb in BUILT_IN[role] for role in ORDER] == [n >= place for n in range(len(ORDER))]


def test_what_is_wanted_and_not_held_is_missing() -> None:
    some = [Verb.RUN_READ, Verb.RUN_CLEAR, Verb.MEMBER_MANAGE]
    sets = [frozenset(each) for size in range(4) for each in combinations(some, size)]
    for held, wanted in product(sets, sets):
        assert missing(held, wanted) == [verb for verb in some if verb in wanted - held]
        assert bool(missing(held, wanted)) == (not wanted <= held)


def test_a_word_that_is_no_verb_allows_nothing() -> None:
    assert known(["run.read", "run.readX", "RUN.READ", "run", "admin", ""]) == {Verb.RUN_READ}


def test_what_changes_things_is_not_for_viewers() -> None:
    assert all(verb.endswith(".read") for verb in BUILT_IN[Role.VIEWER])
    more = {Verb.CONNECTION_READ, Verb.VARIABLE_READ, Verb.MEMBER_READ, Verb.AUDIT_READ}
    assert {v for v in Verb if v.endswith(".read")} - BUILT_IN[Role.VIEWER] == more
