"""Settings of teams in a cluster, and the state of what was applied. Functions take a connection; none commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row

from headway.core.cluster import ClusterSettings
from headway.store.rows import rows
from headway.store.transact import secret_of

SET: LiteralString = (
    "SELECT set_team_cluster(%(actor)s, %(secret)s, %(team_id)s, %(cluster)s::jsonb)"
)

# The deleted ones as long as something of them is left.
TEAMS: LiteralString = """
    SELECT team.team_id, team.name, team.cluster, team.deleted_at IS NOT NULL AS is_deleted,
        coalesce(found.state, '') AS state, coalesce(found.applied, '') AS applied, found.trouble, found.namespace,
        extract(epoch FROM %(now)s - found.checked_at)::float AS age_s
    FROM team LEFT JOIN team_cluster AS found ON found.team_id = team.team_id AND found.executor = %(executor)s
    WHERE team.deleted_at IS NULL OR found.team_id IS NOT NULL
    ORDER BY team.team_id
"""

# One scheduler has it: who waited finds that it was looked at. A namespace is one team's, also while it is removed.
CLAIM: LiteralString = """
    INSERT INTO team_cluster AS known (team_id, executor, namespace, state, checked_at)
    SELECT %(team_id)s, %(executor)s, %(namespace)s, 'applying', %(now)s
    WHERE NOT EXISTS (
        SELECT FROM team_cluster
        WHERE namespace = %(namespace)s AND executor = %(executor)s AND team_id <> %(team_id)s)
    ON CONFLICT (team_id, executor) DO UPDATE SET checked_at = %(now)s
        WHERE known.checked_at <= %(now)s - make_interval(secs => %(age_s)s)
    RETURNING team_id
"""

TELL: LiteralString = """
    UPDATE team_cluster SET state = %(state)s, applied = %(applied)s, trouble = %(trouble)s, quota = %(quota)s::jsonb,
        repaired_at = CASE WHEN %(is_repaired)s THEN %(now)s ELSE repaired_at END
    WHERE team_id = %(team_id)s AND executor = %(executor)s
"""

FORGET: LiteralString = (
    "DELETE FROM team_cluster WHERE team_id = %(team_id)s AND executor = %(executor)s"
)

STATES: LiteralString = """
    SELECT executor, namespace, state, trouble, quota, checked_at, repaired_at FROM team_cluster
    WHERE team_id = %(team_id)s ORDER BY executor
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTeam:
    """A team, and what is known of it in the cluster. ``state`` is empty if nobody looked yet."""

    team_id: int
    name: str
    cluster: dict[str, Any]
    is_deleted: bool
    state: str
    applied: str
    trouble: str | None
    namespace: str | None
    age_s: float | None  # since it was looked at

    @property
    def settings(self) -> ClusterSettings:
        return read(self.cluster)


class Used(msgspec.Struct, frozen=True):
    """The amount of a resource that a quota allows, and that pods use of it."""

    name: str
    used: str
    hard: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    executor: str
    namespace: str
    state: str
    trouble: str | None
    quota: list[dict[str, str]]
    checked_at: datetime
    repaired_at: datetime | None


def read(stored: dict[str, Any]) -> ClusterSettings:
    """Return settings as they are stored. Those of another version are left out."""
    return msgspec.convert(stored, ClusterSettings)


def set_of(conn: Connection[Any], actor: int, team_id: int, settings: ClusterSettings) -> None:
    """Set all settings of a team, for a platform admin."""
    given = {k: v for k, v in msgspec.to_builtins(settings).items() if v not in (None, {}, [], ())}
    values = {"actor": actor, "secret": secret_of(conn), "team_id": team_id}
    conn.execute(SET, {**values, "cluster": msgspec.json.encode(given).decode()})


def teams(conn: Connection[Any], executor: str, now: datetime) -> list[ClusterTeam]:
    """Return all live teams, and the deleted ones of which something is left."""
    with conn.cursor(row_factory=class_row(ClusterTeam)) as cursor:
        return cursor.execute(TEAMS, {"executor": executor, "now": now}).fetchall()


def claim(
    conn: Connection[Any],
    team_id: int,
    executor: str,
    namespace: str,
    now: datetime,
    age_s: float,
) -> bool:
    """Take on to look at a team. False: another scheduler did within ``age_s``, or the namespace is another team's."""
    values = {"team_id": team_id, "executor": executor, "namespace": namespace}
    return conn.execute(CLAIM, {**values, "now": now, "age_s": age_s}).fetchone() is not None


def tell(
    conn: Connection[Any],
    team_id: int,
    executor: str,
    now: datetime,
    *,
    state: str,
    applied: str,
    trouble: str | None = None,
    quota: Sequence[Used] = (),
    is_repaired: bool = False,
) -> None:
    """Store what was found."""
    values = {"team_id": team_id, "executor": executor, "now": now, "state": state}
    values |= {"applied": applied, "trouble": trouble, "is_repaired": is_repaired}
    conn.execute(TELL, {**values, "quota": rows(msgspec.to_builtins(list(quota)))})


def forget(conn: Connection[Any], team_id: int, executor: str) -> None:
    """Forget a team of which nothing is left in the cluster."""
    conn.execute(FORGET, {"team_id": team_id, "executor": executor})


def states(conn: Connection[Any], team_id: int) -> list[State]:
    """Return what was found of a team in each cluster."""
    with conn.cursor(row_factory=class_row(State)) as cursor:
        return cursor.execute(STATES, {"team_id": team_id}).fetchall()
