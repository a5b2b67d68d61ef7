"""What must hold of assets in the database at every instant between transactions, as SQL.

``interrupted``: DAGs that were paused, for which events of that time do not count. ``dropped``: DAGs that once stopped
to wait for an asset, and have nothing of the time in which they did not.
"""

from collections.abc import Collection
from typing import Any, Final, LiteralString

from psycopg import Connection

# Each success that no person said, by history, with each outlet of its task.
SUCCESSES: LiteralString = """
    WITH success AS MATERIALIZED (
        SELECT event.team_id, event.run_id, event.task_id, event.map_index, event.attempt, outlet
        FROM event JOIN run ON run.team_id = event.team_id AND run.run_id = event.run_id
        JOIN dag_version AS version ON version.team_id = run.team_id
            AND version.dag_id = run.dag_id AND version.version = run.version
        CROSS JOIN LATERAL json_array_elements(spec -> 'tasks') AS task
        CROSS JOIN LATERAL json_array_elements_text(task -> 'outlets') AS outlet
        WHERE subject = 'task_instance' AND name = 'succeed' AND task ->> 'task_id' = event.task_id
    ), range AS MATERIALIZED (
        SELECT team_id, dag_id, asset, consumed_asset.consumed, latest, events,
            lag(latest) OVER (PARTITION BY team_id, dag_id, asset ORDER BY latest) AS before,
            lead(latest) OVER (PARTITION BY team_id, dag_id, asset ORDER BY latest) IS NULL AS is_last
        FROM consumed_asset JOIN run USING (team_id, run_id)
    )
"""
ATTEMPT: LiteralString = "(team_id, run_id, task_id, map_index, attempt)"
WITHIN: LiteralString = """
    SELECT {} FROM asset_event AS event WHERE event.team_id = one.team_id AND event.asset = one.asset
        AND event.position > one.consumed AND event.position <= one.latest
"""

INVARIANTS: Final[dict[LiteralString, LiteralString]] = {
    "I38 an event of what did not succeed with that outlet": f"""
        SELECT FROM asset_event LEFT JOIN success USING {ATTEMPT}
        WHERE asset_event.run_id IS NOT NULL AND origin IS NULL
        GROUP BY event_id, asset HAVING bool_or(outlet = asset) IS NOT TRUE""",
    "I38 a success without the event of its outlet": f"""
        SELECT FROM success WHERE NOT EXISTS (
            SELECT FROM asset_event WHERE asset = outlet AND {ATTEMPT} = (
                success.team_id, success.run_id, success.task_id, success.map_index, success.attempt))""",
    "I38 two events of one attempt, asset and partition": f"""
        SELECT FROM asset_event WHERE run_id IS NOT NULL
        GROUP BY {ATTEMPT}, asset, partition, origin HAVING count(*) > 1""",
    "I38 an event of an asset that its alias does not have once": """
        SELECT FROM asset_alias AS member JOIN asset_event AS event USING (team_id, asset)
        WHERE event.position > member.position AND 1 <> (
            SELECT count(*) FROM asset_event AS shared
            WHERE shared.asset = '@alias:' || member.alias AND shared.origin_id = event.event_id)""",
    "I38 an event of an alias that none of its assets has": """
        SELECT FROM asset_event AS shared WHERE origin_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM asset_event AS event JOIN asset_alias AS member USING (team_id, asset)
            WHERE event.event_id = shared.origin_id AND event.asset = shared.origin
                AND shared.asset = '@alias:' || member.alias)""",
    "I39 a consumer counts what is not there": f"""
        SELECT FROM asset_consumer AS one WHERE events > ({WITHIN.format("count(*)")})""",
    "I39 a consumer does not count what is there": f"""
        SELECT FROM asset_consumer AS one WHERE dag_id <> ALL(%(interrupted)s)
            AND ROW(events, since, latest_at) IS DISTINCT FROM (
                {WITHIN.format("ROW(count(*)::integer, min(at), max(at))")})""",
    "I39 an event that a consumer was not told of": """
        SELECT FROM asset_consumer AS one JOIN asset_event USING (team_id, asset)
        WHERE position > latest AND one.dag_id <> ALL(%(interrupted)s)""",
    "I40 a run of assets without events": """
        SELECT FROM run WHERE (trigger = 'asset') <> (
            EXISTS (SELECT FROM consumed_asset WHERE consumed_asset.run_id = run.run_id)
            OR EXISTS (SELECT FROM consumed_partition WHERE consumed_partition.run_id = run.run_id))""",
    "I40 a run counts what is not there": f"""
        SELECT FROM range AS one WHERE events > ({WITHIN.format("count(*)")})""",
    "I40 a run does not count what is there": f"""
        SELECT FROM range AS one WHERE dag_id <> ALL(%(interrupted)s)
            AND events <> ({WITHIN.format("count(*)")})""",
    "I40 two runs have the same event": "SELECT FROM range WHERE consumed < before",
    "I40 an event between two runs that neither has": """
        SELECT FROM range WHERE consumed > before AND dag_id <> ALL(%(dropped)s)""",
    "I40 a consumer does not go on where its last run ended": """
        SELECT FROM range JOIN asset_consumer AS one USING (team_id, dag_id, asset)
        WHERE is_last AND (one.consumed < range.latest
            OR (one.consumed > range.latest AND dag_id <> ALL(%(dropped)s)))""",
}
CHECK: Final[LiteralString] = SUCCESSES + " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS ({broken})" for name, broken in INVARIANTS.items()
)

# What is left to be done for assets, once nothing is paused.
LEFT: Final[LiteralString] = """
    SELECT 'an event that was not handed on' WHERE EXISTS (
        SELECT FROM asset_event WHERE position IS NULL)
    UNION ALL SELECT 'news that nobody judged' WHERE EXISTS (SELECT FROM asset_consumer WHERE news)
"""


def check(
    conn: Connection[Any], interrupted: Collection[str], dropped: Collection[str]
) -> list[str]:
    """The names of what does not hold."""
    values = {"interrupted": list(interrupted), "dropped": list(dropped)}
    return [str(row[0]) for row in conn.execute(CHECK, values)]


def left(conn: Connection[Any]) -> list[str]:
    return [str(row[0]) for row in conn.execute(LEFT)]
