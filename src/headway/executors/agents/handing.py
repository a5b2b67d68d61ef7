"""Hands out what the agents of a team look after, waits of triggers and watchers: each goes to who has the fewest."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from headway.agent.protocol import FENCE_S
from headway.executors.agents.link import Link
from headway.store.claims import Claim

AT_ONCE: Final = 100  # by one agent, so that several share them
ROUNDS_MAX: Final = 50  # of a team, in one sweep
SILENCE: Final = timedelta(seconds=FENCE_S)  # by then an agent has ended what it looked after


def hand_out(
    links: Iterable[Link],
    load: Callable[[Link], int],
    most: int,
    give: Callable[[Link, int], int],
) -> None:
    """Let agents claim what is free. ``load``: how many an agent looks after, at the ``most``.

    ``give`` lets an agent claim up to a number, and returns how many it got.
    """
    by_team: dict[int, list[Link]] = {}
    for link in links:
        by_team.setdefault(link.team_id, []).append(link)
    for team in by_team.values():
        for _ in range(ROUNDS_MAX):
            if not team:
                break
            link = min(team, key=load)
            limit = min(AT_ONCE, most - load(link))
            if limit <= 0:
                break
            if give(link, limit) < AT_ONCE:  # its queues have no more, or it is silent
                team.remove(link)


def claim_of(link: Link, limit: int, now: datetime) -> Claim:
    assert link.hello is not None
    return Claim(link.team_id, link.session, list(link.hello.queues), limit, now, SILENCE)
