"""Reads and writes of pools. Every function takes a connection; none commits."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection

from headway.core.admission import Pool

# One order for everybody: two ticks that need the same pools wait for each other, never in a ring.
LOCK: LiteralString = """
    SELECT team_id, name, slots, used FROM pool
    WHERE (team_id, name) IN (SELECT * FROM unnest(%(teams)s::integer[], %(names)s::text[]))
    ORDER BY team_id, name
    FOR NO KEY UPDATE
"""

SET: LiteralString = """
    WITH changed AS (
        INSERT INTO pool (team_id, name, slots) VALUES (%(team)s, %(name)s, %(slots)s)
        ON CONFLICT (team_id, name) DO UPDATE SET slots = excluded.slots
        RETURNING team_id
    )
    INSERT INTO event (team_id, at, subject, name, actor, reason)
    SELECT team_id, %(now)s, 'pool', 'resize', %(actor)s, %(what)s FROM changed
"""

DELETE: LiteralString = """
    WITH gone AS (
        DELETE FROM pool WHERE team_id = %(team)s AND name = %(name)s AND used = 0 RETURNING team_id
    ), history AS (
        INSERT INTO event (team_id, at, subject, name, actor, reason)
        SELECT team_id, %(now)s, 'pool', 'delete', %(actor)s, %(name)s FROM gone
    )
    SELECT FROM gone
"""


def lock(conn: Connection[Any], wanted: Collection[tuple[int, str]]) -> dict[int, dict[str, Pool]]:
    """Lock pools, by team and name. One that does not exist is left out."""
    asked = sorted(wanted)
    values = {"teams": [team for team, _ in asked], "names": [name for _, name in asked]}
    found: dict[int, dict[str, Pool]] = {}
    for team_id, name, slots, used in conn.execute(LOCK, values):
        found.setdefault(team_id, {})[name] = Pool(name, slots, used)
    return found


def resize(
    conn: Connection[Any], team_id: int, name: str, slots: int, actor: str, now: datetime
) -> None:
    """Make a pool, or give it another size.

    Below what is in use: nothing starts until enough has ended.
    """
    what = f"{name}: {slots} slots"
    values = {"team": team_id, "name": name, "slots": slots, "what": what}
    conn.execute(SET, {**values, "actor": actor, "now": now})


def delete(conn: Connection[Any], team_id: int, name: str, actor: str, now: datetime) -> bool:
    """False: it is in use, or there is none."""
    values = {"team": team_id, "name": name, "actor": actor, "now": now}
    return conn.execute(DELETE, values).fetchone() is not None
