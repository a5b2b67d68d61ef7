"""The inbox of reports whose run another scheduler held. None commits."""

from collections.abc import Collection, Sequence
from typing import Any, LiteralString

from psycopg import Connection

from headway.store.rows import rows

# A report of a run that does not exist is of no use to anybody.
PUT: LiteralString = """
    INSERT INTO report (team_id, run_id, body)
    SELECT new.team_id, new.run_id, decode(new.body, 'base64')
    FROM json_to_recordset(%(rows)s::json) AS new (team_id integer, run_id text, body text)
    CROSS JOIN LATERAL (
        SELECT FROM run WHERE run.team_id = new.team_id AND run.run_id = new.run_id OFFSET 0
    ) AS known
"""

TAKE: LiteralString = """
    WITH taken AS (
        DELETE FROM report
        WHERE (team_id, run_id) IN (SELECT * FROM unnest(%(teams)s::integer[], %(runs)s::text[]))
        RETURNING seq, team_id, run_id, body
    )
    SELECT team_id, run_id, body FROM taken ORDER BY seq
"""


def put(conn: Connection[Any], reports: Sequence[tuple[int, str, bytes]]) -> None:
    """Leave reports (team, run, encoded report) for the scheduler that ticks their run next."""
    batch = [{"team_id": team, "run_id": run, "body": body} for team, run, body in reports]
    conn.execute(PUT, {"rows": rows(batch)})


def take(conn: Connection[Any], keys: Collection[tuple[int, str]]) -> list[tuple[int, str, bytes]]:
    """Take the reports of locked runs, in order of arrival."""
    values = {"teams": [team for team, _ in keys], "runs": [run for _, run in keys]}
    return [(team, run, bytes(body)) for team, run, body in conn.execute(TAKE, values)]
