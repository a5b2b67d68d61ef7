"""Dependencies of DAGs: by assets that tasks update, and by tasks that wait for runs."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import args_row, dict_row

from headway import wire
from headway.core.dependencies import Link, affected, directly_below

BY_ASSETS: LiteralString = """
    SELECT DISTINCT coalesce(producer.dag_id, '') AS upstream, consumer.dag_id AS downstream, 'asset' AS kind,
        consumer.asset AS name
    FROM asset_consumer AS consumer
    JOIN dag AS waits ON waits.dag_id = consumer.dag_id AND waits.team_id = consumer.team_id
    LEFT JOIN (
        SELECT used.team_id, used.asset, used.dag_id FROM asset_use AS used
        JOIN dag AS updates ON updates.dag_id = used.dag_id AND updates.team_id = used.team_id
        WHERE used.role = 'outlet' AND updates.missing_since IS NULL
    ) AS producer ON producer.team_id = consumer.team_id AND producer.asset = consumer.asset
    WHERE waits.missing_since IS NULL
"""

BY_RUNS: LiteralString = """
    SELECT DISTINCT awaited.dag_id AS upstream, dag.dag_id AS downstream, 'run' AS kind, awaited.task_id AS name
    FROM dag JOIN dag_version USING (team_id, dag_id, version)
    CROSS JOIN LATERAL json_to_recordset(awaited_dags) AS awaited (dag_id text, task_id text)
    WHERE missing_since IS NULL AND awaited.dag_id <> dag.dag_id
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
        found = [*cursor.execute(BY_ASSETS), *cursor.execute(BY_RUNS)]
    return sorted(found, key=lambda link: (link.downstream, link.upstream, link.kind, link.name))


def of_team(conn: Connection[Any]) -> list[wire.DagLinks]:
    """Return the DAGs that wait for something of other DAGs, and those that are waited for."""
    found = links(conn)
    named = sorted({name for link in found for name in (link.upstream, link.downstream)} - {""})
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(DAGS, {"dag_ids": named}).fetchall()
    below = directly_below(found)
    before: dict[str, list[wire.DagLink]] = defaultdict(list)
    after: dict[str, list[wire.DagLink]] = defaultdict(list)
    for link in found:
        before[link.downstream].append(other(link, link.upstream))
        after[link.upstream].append(other(link, link.downstream))
    return [
        wire.DagLinks(
            **row,
            upstream=before[dag_id],
            downstream=after[dag_id],
            affected=[lower for lower, _ in affected(below, dag_id)],
        )
        for row in rows
        for dag_id in [row["dag_id"]]
    ]


def other(link: Link, dag_id: str) -> wire.DagLink:
    return wire.DagLink(dag_id=dag_id or None, kind=link.kind, name=link.name)


def owners(conn: Connection[Any], dag_ids: Iterable[str]) -> dict[str, str]:
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(OWNERS, {"dag_ids": list(dag_ids)}).fetchall()
    return {row["dag_id"]: row["owner"] for row in rows}
