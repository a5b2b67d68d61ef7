"""Views of the slots that teams share. A team sees its own; all are for a platform admin."""

from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

from headway import wire
from headway.store.transact import secret_of

CAPACITY: LiteralString = "SELECT count_slots()"

OWN: LiteralString = """
    SELECT name, slots, weight::double precision, used, allotted, fair, short
    FROM share JOIN team USING (team_id)
"""

ALL: LiteralString = """
    SELECT team, slots, weight::double precision, used, allotted, fair, short FROM shares_of_all(%(actor)s, %(secret)s)
"""


def capacity(conn: Connection[Any]) -> int | None:
    """Return how many slots there are for all teams. None: as many as their agents have."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(CAPACITY).fetchone()
    return None if row is None else row[0]


def own(conn: Connection[Any]) -> wire.TeamShare:
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(OWN).fetchone()
    assert row is not None, "every team has a share"
    return share(*row)


def every(conn: Connection[Any], actor: int) -> list[wire.TeamShare]:
    """Return those of all teams, for a platform admin. The database refuses anybody else."""
    values = {"actor": actor, "secret": secret_of(conn)}
    with conn.cursor(row_factory=tuple_row) as cursor:
        return [share(*row) for row in cursor.execute(ALL, values)]


def share(
    team: str,
    nominal: int | None,
    weight: float,
    used: int,
    allotted: int | None,
    fair: int | None,
    short: bool,
) -> wire.TeamShare:
    is_shared = allotted is not None and nominal is not None
    return wire.TeamShare(
        team=team,
        slots=nominal,
        weight=weight,
        used=used,
        allotted=allotted,
        fair=fair,
        borrowed=max(0, used - (nominal or 0)) if is_shared else 0,
        lent=max(0, (nominal or 0) - (allotted or 0)) if is_shared else 0,
        short=short,
    )
