"""Divides the slots of one pool among the team whose pool it is and those that it lends it to. Pure.

First what each team is due, as if nothing ran: max-min by weight, one task instance after another to the team that has
the least of the pool for its weight; among equals, to the one that waits longest. A task instance that finds too few
slots left is not due yet. Then what is free goes to those that have less than they are due. Too few for the next task
instance are kept for it until more come back: else a team with small ones would hold up one with large ones forever.
Nothing that runs is ended: a team that uses more than it is due starts nothing until enough of it has ended.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The part of a team. ``wants``: how many slots each of its task instances needs that could
    run now, in their order; ``since``: when the first of them was ready, in seconds. ``is_owner``: the pool is its own.
    ``is_open``: false once it may start nothing more.
    """

    team_id: int
    used: int = 0
    wants: Sequence[int] = ()
    since: float = inf
    weight: float = 1.0
    is_owner: bool = False
    is_open: bool = True

    def turn(self, held: int) -> tuple[float, float, int]:
        """Return when a team that has so many slots is next to get more; the smaller goes first."""
        return held / self.weight, self.since, self.team_id


def divide(slots: int, claims: Sequence[Claim]) -> dict[int, int]:
    """Return how many slots each team may use now: with what is in use, never more than ``slots``, unless more than
    that are in use already.

    What nobody wants is the owner's, so that it need not ask first.
    """
    closed = sum(claim.used for claim in claims if not claim.is_open)
    claims = [claim for claim in claims if claim.is_open]
    due = dues(slots - closed, claims)
    free = slots - closed - sum(claim.used for claim in claims)
    allotted = {claim.team_id: min(claim.used, due[claim.team_id]) for claim in claims}
    behind = [claim for claim in claims if claim.used < due[claim.team_id]]
    line = [(claim.turn(claim.used), claim, iter(claim.wants)) for claim in behind]
    heapq.heapify(line)
    while line and free > 0:
        _, claim, wants = heapq.heappop(line)
        team = claim.team_id
        if (needed := min(next(wants, 0), due[team] - allotted[team])) > 0:
            given = min(needed, free)
            allotted[team] += given
            free -= given
            heapq.heappush(line, (claim.turn(allotted[team]), claim, wants))
    for claim in claims:
        if claim.is_owner:
            allotted[claim.team_id] += max(0, free)
    return allotted


def dues(slots: int, claims: Sequence[Claim]) -> Mapping[int, int]:
    """Return what each team would have if nothing ran yet and all that runs and waits came together."""
    due = {claim.team_id: 0 for claim in claims}
    line = [(claim.turn(0), claim, needs(claim)) for claim in claims]
    heapq.heapify(line)
    while line and slots > 0:
        _, claim, wants = heapq.heappop(line)
        if 0 < (needed := next(wants, 0)) <= slots:
            due[claim.team_id] += needed
            slots -= needed
            heapq.heappush(line, (claim.turn(due[claim.team_id]), claim, wants))
    return due


def needs(claim: Claim) -> Iterator[int]:
    return chain(repeat(1, claim.used), claim.wants)
