"""The four things that each attack shows: a refusal, which tells nothing, changes nothing, and leaves one entry.

``Watch.attack`` looks at the rows of all teams and at the audit; whoever attacks looks at the answers, which are those
for what nobody has.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from headway import clock
from headway.store.transact import Session
from tests.api.conftest import Served
from tests.leaks.world import rows_of

PATIENCE_S: Final = 60.0
# Of the team of who attacks: when its credentials were used, and what is counted of their tries.
OWN: Final = {"audit", "api_token", "browser_session"}


Entry = tuple[str, str, str, Any]  # who, what, on which request or person, its status or reason


@dataclass
class Watch:
    """``conn``: as the owner of the schema. ``team_id``: whose audit tells of attacks."""

    server: Served
    conn: Session
    team_id: int = 1

    @contextmanager
    def attack(self, entries: int = 1) -> Iterator[list[Entry]]:
        """Whatever is tried meanwhile changes no row of any team, and leaves so many entries, of one team."""
        self.write()
        self.server.api.refusals.counts.clear()
        before, known = self.rows(), self.entries()
        told: list[Entry] = []
        yield told
        deadline = clock.monotonic() + PATIENCE_S
        self.write()
        while len(self.entries()) < len(known) + entries and clock.monotonic() < deadline:
            self.write()  # a request is counted after its answer
        assert self.rows() == before
        found = {key: entry for key, entry in self.entries().items() if key not in known}
        assert {team_id for team_id, _ in found} <= {self.team_id}
        told += found.values()
        assert len(told) == entries, told

    def write(self) -> None:
        """Write what was refused and is only counted yet."""
        api = self.server.api
        due = [kind for kind, count in list(api.refusals.counts.items()) if count.times]
        asyncio.run(api.refusals.write(api.door, due))

    def rows(self) -> dict[int, dict[str, str]]:
        teams = [team_id for (team_id,) in self.conn.execute("SELECT team_id FROM team").fetchall()]
        found = {team_id: rows_of(self.conn, team_id) for team_id in teams}
        for table in OWN:
            found[self.team_id].pop(table, None)
        return found

    def entries(self) -> dict[tuple[int, int], Entry]:
        rows = self.conn.execute(
            "SELECT team_id, seq, actor, action, subject, coalesce(detail->'status', detail->'reason')"
            " FROM audit ORDER BY team_id, seq"
        ).fetchall()
        return {(team_id, seq): (*entry,) for team_id, seq, *entry in rows}
