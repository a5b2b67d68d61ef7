"""Dependencies of DAGs: by assets that tasks update, by tasks that wait for runs, and by tasks that start them."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import args_row, dict_row

from headway import wire
from headway.core.dependencies import Below, Link, affected, directly_below
from headway.store.views import pages

AFFECTED_MAX: Final = 100  # that are named of one DAG

# By its schedule, or by a task. An asset of an alias is updated by who updates the alias, and the other way round.
BY_ASSETS: LiteralString = """
    SELECT DISTINCT coalesce(producer.dag_id, '') AS upstream, consumer.dag_id AS downstream, 'asset' AS kind,
        consumer.asset AS name
    FROM (
        SELECT team_id, dag_id, asset FROM asset_consumer
        UNION SELECT team_id, dag_id, asset FROM asset_use WHERE role = 'wait'
    ) AS consumer
    JOIN dag AS waits ON waits.dag_id = consumer.dag_id AND waits.team_id = consumer.team_id
    LEFT JOIN (
        SELECT used.team_id, used.asset, used.dag_id FROM (
            SELECT team_id, asset, dag_id FROM asset_use WHERE role = 'outlet'
            UNION ALL SELECT made.team_id, '@alias:' || member.alias, made.dag_id
            FROM asset_alias AS member JOIN asset_use AS made USING (team_id, asset) WHERE role = 'outlet'
            UNION ALL SELECT made.team_id, member.asset, made.dag_id
            FROM asset_alias AS member JOIN asset_use AS made
                ON made.team_id = member.team_id AND made.asset = '@alias:' || member.alias
            WHERE role = 'outlet'
        ) AS used
        JOIN dag AS updates ON updates.dag_id = used.dag_id AND updates.team_id = used.team_id
        WHERE updates.missing_since IS NULL
    ) AS producer ON producer.team_id = consumer.team_id AND producer.asset = consumer.asset
    WHERE waits.missing_since IS NULL
"""

BY_RUNS: LiteralString = """
    SELECT DISTINCT awaited.dag_id AS upstream, dag.dag_id AS downstream, 'run' AS kind, awaited.task_id AS name
    FROM dag JOIN dag_version USING (team_id, dag_id, version)
    CROSS JOIN LATERAL json_to_recordset(awaited_dags) AS awaited (dag_id text, task_id text)
    WHERE missing_since IS NULL AND awaited.dag_id <> dag.dag_id
"""

# As it was the last time: no spec says which runs a task starts. The run of the task is looked for among those of the
# team, because a task of another team may have started it.
BY_TRIGGERS: LiteralString = """
    SELECT starter.dag_id AS upstream, dag.dag_id AS downstream, 'trigger' AS kind,
        regexp_replace(split_part(latest.created_by, '/', 3), '\\[\\d+\\]$', '') AS name
    FROM dag CROSS JOIN LATERAL (
        SELECT created_by FROM run
        WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
        ORDER BY logical_date DESC, run_id LIMIT 1
    ) AS latest
    JOIN run AS starter ON starter.team_id = dag.team_id
        AND starter.run_id = split_part(latest.created_by, '/', 2)
    WHERE missing_since IS NULL AND starts_with(latest.created_by, 'task:') AND starter.dag_id <> dag.dag_id
"""

DAGS: LiteralString = """
    SELECT dag.dag_id, owner, paused_at, latest.state AS last_run_state, next_fire_at AS next_run_at
    FROM dag JOIN dag_version USING (team_id, dag_id, version)
    LEFT JOIN LATERAL (
        SELECT state FROM run
        WHERE run.team_id = dag.team_id AND run.dag_id = dag.dag_id
        ORDER BY logical_date DESC, run_id LIMIT 1
    ) AS latest ON true
    WHERE dag.dag_id = ANY (%(dag_ids)s::text[])
    ORDER BY dag.dag_id
"""

OWNERS: LiteralString = """
    SELECT dag_id, owner FROM dag JOIN dag_version USING (team_id, dag_id, version)
    WHERE dag_id = ANY (%(dag_ids)s::text[])
"""


def links(conn: Connection[Any]) -> list[Link]:
    """Return what links the DAGs of the team. An asset that no DAG updates has no ``upstream``."""
    with conn.cursor(row_factory=args_row(Link)) as cursor:
        found = [
            link
            for statement in (BY_ASSETS, BY_RUNS, BY_TRIGGERS)
            for link in cursor.execute(statement)
        ]
    return sorted(found, key=lambda link: (link.downstream, link.upstream, link.kind, link.name))


def page(
    conn: Connection[Any],
    *,
    dag_id: str | None = None,
    q: str | None = None,
    limit: int,
    cursor: str | None = None,
) -> wire.Page[wire.DagLinks]:
    """Return DAGs that wait for something of other DAGs, and those that are waited for, by id.

    ``q``: part of the id of a DAG, its owner, or the name of what it waits for.
    """
    limit = pages.capped(limit)
    found = links(conn)
    owned = owners(conn, {name for link in found for name in (link.upstream, link.downstream)})
    before: dict[str, list[wire.DagLink]] = defaultdict(list)
    after: dict[str, list[wire.DagLink]] = defaultdict(list)
    for link in found:
        before[link.downstream].append(other(link, link.upstream, owned))
        after[link.upstream].append(other(link, link.downstream, owned))
    named = sorted((before.keys() | after.keys()) - {""})
    if dag_id is not None:
        named = [name for name in named if name == dag_id]
    if q:
        named = [name for name in named if concerns(q, name, owned.get(name, ""), before[name])]
    if cursor:
        (last,) = pages.decode(cursor, tuple[str])
        named = named[bisect_right(named, last) :]
    shown = named[:limit]
    with conn.cursor(row_factory=dict_row) as rows_cursor:
        rows = rows_cursor.execute(DAGS, {"dag_ids": shown}).fetchall()
    below = directly_below(found)
    return wire.Page(
        [dag_links(row, before[row["dag_id"]], after[row["dag_id"]], below, owned) for row in rows],
        pages.encode((shown[-1],)) if len(named) > limit else None,
    )


def concerns(q: str, dag_id: str, owner: str, upstream: Iterable[wire.DagLink]) -> bool:
    return any(q.lower() in name.lower() for name in (dag_id, owner, *(x.name for x in upstream)))


def dag_links(
    row: dict[str, Any],
    upstream: list[wire.DagLink],
    downstream: list[wire.DagLink],
    below: Below,
    owned: Mapping[str, str],
) -> wire.DagLinks:
    late = [lower for lower, _ in affected(below, row["dag_id"])]
    return wire.DagLinks(
        **row,
        upstream=upstream,
        downstream=downstream,
        affected=late[:AFFECTED_MAX],
        affected_total=len(late),
        affected_owners=owners_of(late, owned),
    )


def other(link: Link, dag_id: str, owned: Mapping[str, str]) -> wire.DagLink:
    owner = owned.get(dag_id, "")
    return wire.DagLink(dag_id=dag_id or None, kind=link.kind, name=link.name, owner=owner)


def owners_of(dag_ids: Iterable[str], owned: Mapping[str, str]) -> list[str]:
    """Return the owners of DAGs, each once."""
    return sorted({owned.get(dag_id, "") for dag_id in dag_ids} - {""})


def below_asset(conn: Connection[Any], consumers: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the DAGs that are late if an asset is, the nearest first, and their owners. ``consumers`` wait for it."""
    below = {**directly_below(links(conn)), "": sorted(consumers)}
    late = [lower for lower, _ in affected(below, "")]
    return late, owners_of(late, owners(conn, late))


def owners(conn: Connection[Any], dag_ids: Iterable[str]) -> dict[str, str]:
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(OWNERS, {"dag_ids": list(dag_ids)}).fetchall()
    return {row["dag_id"]: row["owner"] for row in rows}
