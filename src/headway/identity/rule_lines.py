"""The role map as it is written in the settings of sign-in: each rule with its number and line."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from headway.core.role_map import EVERY, PLATFORM, THE_TEAM, Rule
from headway.core.roles import Role
from headway.core.teams import NAME as TEAM_NAME
from headway.errors import UsageError
from headway.spec.errors import did_you_mean

RULE: Final = re.compile(r"^\s*\[\[\s*rule\s*\]\]", re.MULTILINE)


class RuleLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    group: str | None = None
    user: str | None = None
    grant: str | None = None
    deny: str | None = None


def rules_of(found: Sequence[RuleLine], text: str) -> Iterator[Rule]:
    starts = [text.count("\n", 0, each.end()) + 1 for each in RULE.finditer(text)]
    # Rules that are written as one array have no line of their own.
    lines: list[int | None] = [*starts] if len(starts) == len(found) else [None] * len(found)
    for number, (each, line) in enumerate(zip(found, lines, strict=True), 1):
        place = f"rule {number}" + ("" if line is None else f" (line {line})")
        if (each.group is None) == (each.user is None):
            raise UsageError(f"{place} must name either a group or a user")
        if not (each.group or each.user):
            raise UsageError(f"{place}: the name is empty", hint='"*" stands for all')
        team, role = given(each, place)
        yield Rule(number=number, line=line, group=each.group, user=each.user, team=team, role=role)


def given(rule: RuleLine, place: str) -> tuple[str, Role | None]:
    """Return team and role of a rule; no role denies."""
    if (rule.grant is None) == (rule.deny is None):
        raise UsageError(f"{place} must have either grant or deny")
    if rule.grant is None:
        team, role = rule.deny or "", None
    else:
        team, _, word = rule.grant.partition(":")
        role = role_named(word, rule.grant, place)
    if THE_TEAM in team and team != THE_TEAM:
        raise UsageError(f"{place}: {THE_TEAM} stands for the whole name of a team")
    if team == THE_TEAM and THE_TEAM not in (rule.group or ""):
        raise UsageError(
            f"{place}: {THE_TEAM} is not in the group", hint='"*" stands for every team'
        )
    if THE_TEAM in (rule.user or ""):
        raise UsageError(f"{place}: {THE_TEAM} can only be in a group")
    plain = team.replace(EVERY, "x")
    if team not in (THE_TEAM, PLATFORM) and not TEAM_NAME.fullmatch(plain):
        raise UsageError(f"{place}: {team!r} is not the name of a team, nor a pattern of one")
    if team == PLATFORM and role not in (None, Role.ADMIN):
        raise UsageError(f"{place}: the platform has only admins", hint='grant = "platform:admin"')
    return team, role


def role_named(word: str, grant: str, place: str) -> Role:
    try:
        return Role(word)
    except ValueError as error:
        raise UsageError(
            f"{place}: {grant!r} is not a team and a role, as in sales:viewer",
            hint=did_you_mean(word, Role) or "roles: " + ", ".join(Role),
        ) from error
