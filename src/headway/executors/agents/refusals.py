"""Refused agents and pods in the audit: who came, from where, and why.

Of each reason the first is told to each team, and of those that follow within ten minutes the next entry tells the
number: a crowd fills no table. Of whom no team is known, the first one is told.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from psycopg import Connection

from headway import clock
from headway.agent.protocol import Hello
from headway.executors.base import Host
from headway.store import audit, teams
from headway.store.transact import transact

ACTION: Final = "agents.refuse"
WINDOW_S: Final = 600.0


@dataclass(slots=True)
class Count:
    times: int = 0  # since the last entry
    until: float = float("-inf")


class Refusals:
    def __init__(self, host: Host) -> None:
        self.host = host
        self.counts: dict[tuple[int | None, str], Count] = {}  # by team and reason

    def note(self, hello: Hello, address: str, why: str, team_id: int | None) -> None:
        """Count a refusal, and write it unless one like it was written lately."""
        count = self.counts.setdefault((team_id, why), Count())
        count.times += 1
        if clock.monotonic() < count.until:
            return
        entry = audit.Entry(
            actor=f"agent:{hello.agent}",
            via="agent",
            action=ACTION,
            subject=hello.host,
            address=address,
            detail={"reason": why, "times": count.times},
        )
        if self.host.safely(partial(transact, self.host.conn, write, team_id, entry)):
            count.times, count.until = 0, clock.monotonic() + WINDOW_S


def write(conn: Connection[Any], team_id: int | None, entry: audit.Entry) -> None:
    if team_id is None:
        team_id = next(each.team_id for each in teams.every(conn) if not each.is_deleted)
    audit.write(conn, team_id, entry)
