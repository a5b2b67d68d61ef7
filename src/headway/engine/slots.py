"""The pools and shares that a tick has locked, and what it takes and gives back of their slots.

Where nothing is shared (``Claimed.shares``) no share is locked: what a team uses is only counted.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from headway.core.admission import Pool, Share
from headway.core.run import Run
from headway.store import lending, pools, shares
from headway.store.runs import Claimed


@dataclass(slots=True)
class Held:
    """The slots held, by team; in pools by name, too."""

    pools: dict[int, dict[str, Pool]]
    shares: dict[int, Share]
    before: dict[tuple[int, str], int]  # what was in use of each pool
    short: frozenset[int]  # teams that were

    def give_back(self, runs: Sequence[Run]) -> None:
        """Free the slots of attempts that have ended."""
        for run in runs:
            of_team = self.pools.get(run.team_id, {})
            for name, slots in run.changes.released.items():
                if name in of_team:
                    of_team[name].used -= slots
            if run.team_id in self.shares:
                self.shares[run.team_id].used -= run.changes.ended

    def are_uneven(self, conn: Connection[Any]) -> bool:
        """Return whether to divide the slots anew: a team has come to want more, or others have some for it."""
        came = any(share.short for team, share in self.shares.items() if team not in self.short)
        return came or (bool(self.shares) and shares.is_uneven(conn, self.shares))

    def pools_are_uneven(self, conn: Connection[Any], runs: Sequence[Run]) -> bool:
        """Return whether to divide shared pools anew: somebody waits, and slots are free or others have more."""
        asked: dict[tuple[int, str], int] = {}  # what the team would use, with what is next in it
        for run in runs:
            for name, need in run.queues.by_need:
                pool = self.pools.get(run.team_id, {}).get(name)
                head = run.queues.first(name, need)
                if pool is None or head is None or not pool.is_shared or not pool.is_open:
                    continue
                if head.node.pool_slots > pool.free:
                    asked[run.team_id, name] = pool.used + head.node.pool_slots
        short = {*asked}
        for (team, name), before in self.before.items():
            pool = self.pools[team][name]
            if pool.is_shared and pool.used < before:
                asked.setdefault((team, name), pool.used)
        if not asked:
            return False
        for (team, name), others in lending.others(conn, asked).items():
            pool, mine = self.pools[team][name], (team, name) in short
            spare = pool.slots - pool.used - others.used
            if (spare > 0 and (mine or others.short)) or (mine and others.ahead):
                return True
        return False

    def of_pools(self) -> list[dict[str, Any]]:
        """Return by how much the use of each pool has changed, for the store."""
        return [
            {"team_id": team, "name": name, "by": pool.used - self.before[team, name]}
            for team, of_team in self.pools.items()
            for name, pool in of_team.items()
        ]

    def of_teams(self, runs: Sequence[Run]) -> list[dict[str, Any]]:
        """Return the same of each team, and whether it is short now where it was not, or the reverse."""
        by: Counter[int] = Counter()
        for run in runs:
            by[run.team_id] += len(run.changes.granted) - run.changes.ended
        turned = {
            team: share.short
            for team, share in self.shares.items()
            if share.short != (team in self.short)
        }
        return [{"team_id": team, "by": by[team], "short": turned.get(team)} for team in sorted(by)]


def lock(conn: Connection[Any], planned: Sequence[tuple[Claimed, Run]]) -> Held:
    """Lock the pools that the runs need or give back to, then the shares of their teams."""
    wanted = {
        (run.team_id, name)
        for _, run in planned
        for name in (*(pool for pool, _ in run.queues.by_need), *run.changes.released)
    }
    sharing = {row.team_id for row, run in planned if row.shares}
    sharing &= {team for team, _ in wanted}
    locked = pools.lock(conn, wanted) if wanted else {}
    held = shares.lock(conn, sharing) if sharing else {}
    return Held(
        pools=locked,
        shares=held,
        before={(team, name): p.used for team, of in locked.items() for name, p in of.items()},
        short=frozenset(team for team, share in held.items() if share.short),
    )
