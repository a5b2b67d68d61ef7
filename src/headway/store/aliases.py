"""Aliases of assets: which assets tasks have added through them. Every function takes a connection; none commits.

A tick writes an event with the aliases through which the task added the asset, and nothing else. Routing
(``store.assets``) then registers the asset, within limits, and gives the event to each alias of the asset: a row of
``asset_event`` whose asset is ``@alias:NAME``, with the asset as its origin. Consumers have it like one of an asset.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import args_row, scalar_row, tuple_row

from headway.core.aliases import ALIASES_MAX, ASSETS_MAX, TEAM_MAX, Addition, admit
from headway.store.rows import rows

# What tasks have just added and no alias has yet, the oldest first. Counted up to the limits, once for each.
NEW: LiteralString = """
    WITH told AS MATERIALIZED (
        SELECT DISTINCT ON (event.team_id, alias, event.asset) event.team_id, alias, event.asset, event.position,
            event.definition
        FROM json_to_recordset(%(rows)s::json) AS fresh (team_id integer, asset text, first bigint, latest bigint)
        CROSS JOIN LATERAL (
            SELECT team_id, asset, position, aliases, definition FROM asset_event AS event
            WHERE event.team_id = fresh.team_id AND event.asset = fresh.asset
                AND event.position >= fresh.first AND event.position <= fresh.latest OFFSET 0
        ) AS event
        CROSS JOIN LATERAL unnest(event.aliases) AS alias
        ORDER BY event.team_id, alias, event.asset, event.position
    ), new AS MATERIALIZED (
        SELECT * FROM told WHERE NOT EXISTS (
            SELECT FROM asset_alias AS member
            WHERE member.team_id = told.team_id AND member.alias = told.alias AND member.asset = told.asset OFFSET 0)
    ), of_alias AS MATERIALIZED (
        SELECT team_id, alias, (
            SELECT count(*) FROM (
                SELECT FROM asset_alias AS member
                WHERE member.team_id = each.team_id AND member.alias = each.alias LIMIT %(assets_max)s
            ) AS found) AS count
        FROM (SELECT DISTINCT team_id, alias FROM new) AS each
    ), of_asset AS MATERIALIZED (
        SELECT team_id, asset, EXISTS (
            SELECT FROM asset WHERE asset.team_id = each.team_id AND asset.name = each.asset OFFSET 0) AS known, (
            SELECT count(*) FROM (
                SELECT FROM asset_alias AS member
                WHERE member.team_id = each.team_id AND member.asset = each.asset LIMIT %(aliases_max)s
            ) AS found) AS count
        FROM (SELECT DISTINCT team_id, asset FROM new) AS each
    ), of_team AS MATERIALIZED (
        SELECT team_id, (
            SELECT count(*) FROM (
                SELECT FROM asset WHERE asset.team_id = each.team_id LIMIT %(team_max)s) AS found) AS count
        FROM (SELECT DISTINCT team_id FROM of_asset WHERE NOT known) AS each
    )
    SELECT team_id, alias, asset, position, definition::text, known, of_alias.count, of_asset.count,
        coalesce(of_team.count, 0)
    FROM new JOIN of_alias USING (team_id, alias) JOIN of_asset USING (team_id, asset)
    LEFT JOIN of_team USING (team_id)
    ORDER BY position, alias
"""

PUT_ASSETS: LiteralString = """
    INSERT INTO asset (team_id, name, uri, asset_group, extra, created_at)
    SELECT team_id, name, uri, asset_group, extra, %(now)s
    FROM json_to_recordset(%(rows)s::json) AS new (
        team_id integer, name text, uri text, asset_group text, extra json)
    ORDER BY team_id, name
    ON CONFLICT (team_id, name) DO UPDATE SET
        uri = excluded.uri, asset_group = excluded.asset_group, extra = excluded.extra, reference = false
    WHERE asset.reference
"""

PUT_MEMBERS: LiteralString = """
    INSERT INTO asset_alias (team_id, alias, asset, position, created_at)
    SELECT team_id, alias, asset, position, %(now)s
    FROM json_to_recordset(%(rows)s::json) AS new (team_id integer, alias text, asset text, position bigint)
    ORDER BY team_id, alias, asset
    ON CONFLICT (team_id, alias, asset) DO NOTHING
"""

# In the order in which everyone changes assets.
REFUSE: LiteralString = """
    WITH refused AS (
        SELECT asset.team_id, asset.name, last.asset, last.why
        FROM (
            SELECT DISTINCT ON (team_id, alias) * FROM json_to_recordset(%(rows)s::json) AS new (
                team_id integer, alias text, asset text, why text, position bigint)
            ORDER BY team_id, alias, position DESC
        ) AS last
        JOIN asset ON asset.team_id = last.team_id AND asset.name = '@alias:' || last.alias
        ORDER BY asset.team_id, asset.name FOR NO KEY UPDATE OF asset
    )
    UPDATE asset SET refused_asset = refused.asset, refused_why = refused.why, refused_at = %(now)s
    FROM refused WHERE asset.team_id = refused.team_id AND asset.name = refused.name
"""

# As of the statement: the events have their positions. Each is handed on once, for it gets its position once.
SHARE: LiteralString = """
    WITH shared AS (
        INSERT INTO asset_event (team_id, asset, at, extra, partition, dag_id, run_id, task_id, map_index, attempt, by,
            aliases, origin, origin_id)
        SELECT event.team_id, '@alias:' || member.alias, event.at, event.extra, event.partition, event.dag_id,
            event.run_id, event.task_id, event.map_index, event.attempt, event.by,
            CASE WHEN member.alias = ANY (event.aliases) THEN event.aliases END, event.asset, event.event_id
        FROM json_to_recordset(%(rows)s::json) AS fresh (team_id integer, asset text, first bigint, latest bigint)
        CROSS JOIN LATERAL (
            SELECT alias, position FROM asset_alias AS member
            WHERE member.team_id = fresh.team_id AND member.asset = fresh.asset OFFSET 0
        ) AS member
        CROSS JOIN LATERAL (
            SELECT * FROM asset_event AS event
            WHERE event.team_id = fresh.team_id AND event.asset = fresh.asset
                AND event.position >= greatest(fresh.first, member.position) AND event.position <= fresh.latest
            ORDER BY event.position OFFSET 0
        ) AS event
        ORDER BY event.position, member.alias
        RETURNING 1
    )
    SELECT count(*)::integer FROM shared
"""

# Those that came through the alias, which may be few among all events of its assets.
THROUGH: LiteralString = """
    SELECT * FROM (
        SELECT origin AS asset, at, extra::text, partition, dag_id, run_id, task_id, map_index, by, aliases
        FROM asset_event
        WHERE team_id = %(team_id)s AND asset = %(asset)s AND origin IS NOT NULL AND aliases IS NOT NULL
        ORDER BY event_id DESC LIMIT %(limit)s
    ) AS found ORDER BY at
"""

DEFINED: LiteralString = """
    SELECT name, uri, asset_group, extra::text FROM asset_alias AS member CROSS JOIN LATERAL (
        SELECT * FROM asset WHERE asset.team_id = member.team_id AND asset.name = member.asset OFFSET 0
    ) AS asset
    WHERE member.team_id = %(team_id)s AND member.alias = %(alias)s
    ORDER BY name LIMIT %(limit)s
"""


def share(conn: Connection[Any], fresh: Sequence[dict[str, Any]], now: datetime) -> int:
    """Register the assets that events added through aliases, and give each alias the events of its assets.

    ``fresh``: events that have just got their positions, by asset. Returns how many events aliases have from them.
    """
    if any(each["added"] for each in fresh):
        register(conn, [each for each in fresh if each["added"]], now)
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(SHARE, {"rows": rows(fresh)}).fetchone() or 0


def register(conn: Connection[Any], fresh: Sequence[dict[str, Any]], now: datetime) -> None:
    limits = {"assets_max": ASSETS_MAX, "aliases_max": ALIASES_MAX, "team_max": TEAM_MAX}
    with conn.cursor(row_factory=args_row(Addition)) as cursor:
        new = cursor.execute(NEW, {"rows": rows(fresh), **limits}).fetchall()
    taken, refused = admit(new)
    if taken:
        known = {
            (a.team_id, a.asset): {"team_id": a.team_id, "name": a.asset, **a.definition()}
            for a in taken
        }
        conn.execute(PUT_ASSETS, {"rows": rows(list(known.values())), "now": now})
        conn.execute(PUT_MEMBERS, {"rows": rows([a._asdict() for a in taken]), "now": now})
    if refused:
        told = [{**one._asdict(), "why": why} for one, why in refused]
        conn.execute(REFUSE, {"rows": rows(told), "now": now})


def defined(
    conn: Connection[Any], team_id: int, alias: str, limit: int
) -> list[tuple[str, str, str, str]]:
    """Return name, URI, group and extra (JSON) of the assets of an alias, by name."""
    values = {"team_id": team_id, "alias": alias, "limit": limit}
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(DEFINED, values).fetchall()
