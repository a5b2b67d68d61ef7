"""The role map against an answer that is found the slow way, and example by example."""

import itertools
from typing import Final

import pytest

from headway.core.globs import fits
from headway.core.role_map import (
    NOTHING,
    PLATFORM,
    Rule,
    Verdict,
    roles,
    somebody,
)
from headway.core.roles import ORDER, Role

TEAMS: Final = ("sales", "sales-eu", "ops")


def rule(number: int, who: str, team: str, role: Role | None) -> Rule:
    kind, _, name = who.partition(" ")
    if kind == "user":
        return Rule(number=number, user=name, team=team, role=role)
    return Rule(number=number, group=name, team=team, role=role)


def given(rules: list[Rule], user: str, *groups: str) -> dict[str, Role | None]:
    """What is granted, without teams in which there is nothing."""
    found = roles(rules, somebody(user, groups), TEAMS)
    return {team: verdict.role for team, verdict in found.items() if verdict.role is not None}


def test_no_rule_gives_nothing() -> None:
    assert roles([], somebody("ann", ["a"]), TEAMS) == dict.fromkeys((*TEAMS, PLATFORM), NOTHING)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (rule(1, "group data", "sales", Role.VIEWER), "group data → sales:viewer"),
        (rule(1, "user ann", "sales", None), "user ann → deny sales"),
    ],
)
def test_a_rule_in_words(one: Rule, words: str) -> None:
    assert str(one) == words


@pytest.mark.parametrize("role", Role)
def test_a_group_gives_a_role_in_one_team(role: Role) -> None:
    rules = [rule(1, "group data", "sales", role)]
    assert given(rules, "ann", "data") == {"sales": role}
    assert given(rules, "ann", "dat", "data2", "") == {}
    assert given(rules, "data") == {}  # a user's name is not a group


def test_a_user_is_no_group() -> None:
    rules = [rule(1, "user ann", "sales", Role.ADMIN)]
    assert given(rules, "ann") == {"sales": Role.ADMIN}
    assert given(rules, "bob", "ann") == {}


def test_the_highest_role_counts_in_any_order() -> None:
    for order in itertools.permutations(Role):
        rules = [rule(at, f"group {role}", "ops", role) for at, role in enumerate(order, 1)]
        assert given(rules, "ann", *Role) == {"ops": Role.ADMIN}


def test_a_denial_is_above_every_grant_in_any_order() -> None:
    grant, deny = ("group a", "ops", Role.ADMIN), ("group b", "ops", None)
    for first, second in ((grant, deny), (deny, grant)):
        rules = [rule(1, *first), rule(2, *second)]
        assert given(rules, "ann", "a", "b") == {}
        assert given(rules, "ann", "a") == {"ops": Role.ADMIN}
        verdict = roles(rules, somebody("ann", ["a", "b"]), TEAMS)["ops"]
        assert verdict.rule is not None
        assert verdict.rule.role is None


def test_the_rule_that_decides_is_named_the_first_of_equals() -> None:
    rules = [
        rule(1, "group a", "ops", Role.VIEWER),
        rule(2, "group a", "ops", Role.AUTHOR),
        rule(3, "group a", "ops", Role.AUTHOR),
    ]
    found = roles(rules, somebody("ann", ["a"]), TEAMS)
    assert found["ops"] == Verdict(Role.AUTHOR, rules[1])


def test_patterns_of_groups_and_teams() -> None:
    assert given([rule(1, "group dw-*", "sales*", Role.VIEWER)], "ann", "dw-x") == {
        "sales": Role.VIEWER,
        "sales-eu": Role.VIEWER,
    }
    assert given([rule(1, "group *", "*", Role.VIEWER)], "ann") == {}  # in no group at all
    assert given([rule(1, "user *", "*", Role.VIEWER)], "ann") == dict.fromkeys(TEAMS, Role.VIEWER)


def test_the_name_of_the_team_in_a_group() -> None:
    rules = [rule(1, "group dw-{team}-admins", "{team}", Role.ADMIN)]
    assert given(rules, "ann", "dw-sales-admins") == {"sales": Role.ADMIN}
    assert given(rules, "ann", "dw-sales-eu-admins") == {"sales-eu": Role.ADMIN}
    assert given(rules, "ann", "dw-*-admins", "dw-{team}-admins", "dw--admins") == {}
    assert given(rules, "ann", "dw-platform-admins") == {}
    wide = [rule(1, "group {team}-*", "{team}", Role.VIEWER)]
    assert given(wide, "ann", "ops-berlin") == {"ops": Role.VIEWER}


def test_only_its_name_gives_the_platform() -> None:
    for team in ("*", "plat*", "{team}"):
        assert PLATFORM not in given([rule(1, "group a", team, Role.ADMIN)], "ann", "a")
    assert given([rule(1, "group a", PLATFORM, Role.ADMIN)], "ann", "a") == {PLATFORM: Role.ADMIN}


@pytest.mark.parametrize("denied", ["platform", "*"])
def test_the_platform_is_denied_by_its_name_and_with_all(denied: str) -> None:
    rules = [rule(1, "group a", PLATFORM, Role.ADMIN), rule(2, "user ann", denied, None)]
    assert given(rules, "ann", "a") == {}


def test_case_makes_no_difference() -> None:
    rules = [rule(1, "group DW-Sales", "sales", Role.VIEWER), rule(2, "user Ann", "*", None)]
    assert given(rules, "bob", "dw-SALES") == {"sales": Role.VIEWER}
    assert given(rules, "ANN", "dw-sales") == {}


@pytest.mark.parametrize("odd", ["a.c", "a[bc]", "a?c", "(a|b)", "a\\c", "^a", "a$"])
def test_nothing_but_a_star_is_a_pattern(odd: str) -> None:
    assert fits(odd, odd)
    assert not fits(odd, "abc")
    assert not fits(odd, "a")
    assert not fits("a*", "b\na")
    assert fits("a*", "a\nb")
    assert not fits("a", "a\n")


def test_all_small_maps_against_the_slow_way() -> None:
    """Every map of three rules over two groups and two teams."""
    kinds = list(itertools.product("ab", ("sales", "ops", "*"), (Role.VIEWER, Role.ADMIN, None)))
    for chosen in itertools.product(kinds, repeat=3):
        rules = [rule(at, f"group {g}", t, r) for at, (g, t, r) in enumerate(chosen, 1)]
        found = given(rules, "ann", "a")
        for team in ("sales", "ops"):
            about = [r for g, t, r in chosen if g == "a" and t in (team, "*")]
            expected = (
                None
                if None in about or not about
                else max((r for r in about if r is not None), key=ORDER.index)
            )
            assert found.get(team) == expected, (chosen, team)
