"""The role map: which role the groups of a person give in a team.

A rule names a group or a user and grants a role in teams, or denies teams. ``*`` in a name stands for anything, and
``{team}`` in a group for the name of the team. The highest role that a rule grants counts; a denial is above all
grants, wherever it is in the file. Names of groups and users are compared without regard to case.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from headway.core.globs import fits
from headway.core.roles import ORDER, Role

PLATFORM: Final = "platform"  # no team has this name: platform:admin makes a platform admin
EVERY: Final = "*"
THE_TEAM: Final = "{team}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. Exactly one of ``group`` and ``user`` is given; ``role`` None denies."""

    number: int  # in the file, from 1
    line: int | None = None  # of the file
    group: str | None = None
    user: str | None = None
    team: str
    role: Role | None

    def __str__(self) -> str:
        who = f"group {self.group}" if self.user is None else f"user {self.user}"
        what = f"deny {self.team}" if self.role is None else f"{self.team}:{self.role}"
        return f"{who} → {what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The role in one team, and the rule that decides. No rule: nothing matches."""

    role: Role | None
    rule: Rule | None


NOTHING: Final = Verdict(None, None)


@dataclass(frozen=True, slots=True)
class Somebody:
    """The person who signs in: their name, and the groups that their way to sign in tells."""

    user: str
    groups: frozenset[str]


def somebody(user: str, groups: Iterable[str]) -> Somebody:
    return Somebody(user.casefold(), frozenset(group.casefold() for group in groups))


def roles(rules: Sequence[Rule], who: Somebody, teams: Collection[str]) -> dict[str, Verdict]:
    """Return the verdict for each team, and for ``PLATFORM``."""
    # What does not depend on the team is compared once: there may be many teams.
    fixed = [rule for rule in rules if THE_TEAM not in (rule.group or "") and matches(rule, who)]
    varied = [rule for rule in rules if THE_TEAM in (rule.group or "")]
    return {
        team: decide(
            [rule for rule in fixed if is_about(rule, team)]
            + [rule for rule in varied if is_about(rule, team) and matches(rule, who, team)]
        )
        for team in (*teams, PLATFORM)
    }


def decide(matching: Sequence[Rule]) -> Verdict:
    """Judge the rules that match. Of several that decide the same, the first in the file is named."""
    in_order = sorted(matching, key=lambda rule: rule.number)
    for rule in in_order:
        if rule.role is None:
            return Verdict(None, rule)
    if not in_order:
        return NOTHING
    best = max(in_order, key=lambda rule: ORDER.index(rule.role or Role.VIEWER))
    return Verdict(best.role, best)


def is_about(rule: Rule, team: str) -> bool:
    """No pattern grants the platform; a denial of every team denies it too."""
    if team == PLATFORM:
        return rule.team == PLATFORM or (rule.role is None and rule.team == EVERY)
    if rule.team == PLATFORM:
        return False
    return rule.team == THE_TEAM or fits(rule.team, team)


def matches(rule: Rule, who: Somebody, team: str = "") -> bool:
    if rule.user is not None:
        return fits(rule.user.casefold(), who.user)
    wanted = (rule.group or "").casefold().replace(THE_TEAM, team)
    if EVERY not in wanted:
        return wanted in who.groups
    return any(fits(wanted, group) for group in who.groups)
