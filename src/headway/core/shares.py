"""Divides the slots of an installation among its teams. Pure.

First each team is due its nominal slots, then what is left goes round by weight: slot by slot to the team that has the
fewest beyond its nominal ones for its weight. What a team does not want is lent to those that do, but for the slots
that are kept for it. Nothing that runs is ended for it: a team that uses more than it is due keeps that until its
tasks end, and starts nothing meanwhile.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The slots that a team uses and wants. ``wants`` counts what it uses, ``limit`` is the most it may have,
    ``kept`` how many of its nominal slots are not lent while it is idle.
    """

    team_id: int
    used: int = 0
    wants: int = 0
    nominal: int = 0
    weight: float = 1.0
    limit: int | None = None
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Division:
    """``allotted``: how many slots the team may use now; ``fair``: how many it is due; ``short``: it wants more."""

    allotted: int
    fair: int
    short: bool


def divide(slots: int, claims: Sequence[Claim]) -> dict[int, Division]:
    """Return what each team may use. All that is allotted is never more than ``slots``, as long as no more are in use.

    A slot that nobody wants is allotted by the same order, so that its team need not ask first.
    """
    claims = sorted(claims, key=lambda claim: claim.team_id)
    most = {claim.team_id: min(slots, bound(claim, slots)) for claim in claims}
    wanted = {claim.team_id: bound(claim, max(claim.used, claim.wants)) for claim in claims}
    kept = {claim.team_id: min(claim.kept, claim.nominal) for claim in claims}
    useful = {team: min(most[team], max(wanted[team], kept[team])) for team in most}
    due = fill(slots, claims, dict.fromkeys(most, 0), useful)
    due = fill(slots - sum(due.values()), claims, due, most)
    used = {claim.team_id: claim.used for claim in claims}
    allotted = fill(slots - sum(used.values()), claims, used, due)
    return {
        team: Division(allotted[team], due[team], wanted[team] > allotted[team]) for team in used
    }


def bound(claim: Claim, count: int) -> int:
    return count if claim.limit is None else min(count, claim.limit)


def fill(
    free: int, claims: Sequence[Claim], start: Mapping[int, int], most: Mapping[int, int]
) -> dict[int, int]:
    """Hand out up to ``free`` slots one by one, each to the team that is next; no team gets more than its ``most``."""
    held = dict(start)
    if sum(max(0, most[team] - held[team]) for team in held) <= free:  # enough for all
        return {team: max(held[team], most[team]) for team in held}
    line = [
        (turn(claim, held[claim.team_id]), claim.team_id, claim)
        for claim in claims
        if held[claim.team_id] < most[claim.team_id]
    ]
    heapq.heapify(line)
    while line and free > 0:
        _, team, claim = line[0]
        held[team] += 1
        free -= 1
        if held[team] < most[team]:
            heapq.heapreplace(line, (turn(claim, held[team]), team, claim))
        else:
            heapq.heappop(line)
    return held


def turn(claim: Claim, held: int) -> tuple[bool, float]:
    """Return when a team that has so many slots is next to get one; the smaller goes first.

    Nominal slots come before borrowed ones. Where there are fewer than all teams together are promised, each gets
    the same part of its own.
    """
    if held < claim.nominal:
        return False, (held + 1) / claim.nominal
    return True, (held + 1 - claim.nominal) / claim.weight
