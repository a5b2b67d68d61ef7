"""Reads and writes of pools. Every function takes a connection; none commits."""

from collections.abc import Collection
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
    INSERT INTO pool (team_id, name, slots) VALUES (%(team)s, %(name)s, %(slots)s)
    ON CONFLICT (team_id, name) DO UPDATE SET slots = excluded.slots
"""

DELETE: LiteralString = "DELETE FROM pool WHERE team_id = %(team)s AND name = %(name)s AND used = 0"


def lock(conn: Connection[Any], wanted: Collection[tuple[int, str]]) -> dict[int, dict[str, Pool]]:
    """Lock pools, by team and name. One that does not exist is left out."""
    values = {"teams": [team for team, _ in wanted], "names": [name for _, name in wanted]}
    found: dict[int, dict[str, Pool]] = {}
    for team_id, name, slots, used in conn.execute(LOCK, values):
        found.setdefault(team_id, {})[name] = Pool(name, slots, used)
    return found


def resize(conn: Connection[Any], team_id: int, name: str, slots: int) -> None:
    """Make a pool, or give it another size.

    Below what is in use: nothing new starts until enough has ended.
    """
    conn.execute(SET, {"team": team_id, "name": name, "slots": slots})


def delete(conn: Connection[Any], team_id: int, name: str) -> bool:
    """False: it is in use, or there is none."""
    return conn.execute(DELETE, {"team": team_id, "name": name}).rowcount == 1
