"""DAGs that have callbacks, known by their companions. None of the functions commits."""

from collections.abc import Collection
from typing import Any, LiteralString

from psycopg import Connection

from headway.core.callbacks import SUFFIX

ANY: LiteralString = "SELECT EXISTS (SELECT FROM dag WHERE right(dag_id, 10) = '.callbacks' AND missing_since IS NULL)"

# Each is found by its key behind a fence (see ``headway.store``).
WITH_CALLBACKS: LiteralString = """
    SELECT wanted.team_id, wanted.dag_id
    FROM unnest(%(teams)s::integer[], %(dags)s::text[], %(companions)s::text[]) AS wanted (team_id, dag_id, companion)
    CROSS JOIN LATERAL (
        SELECT FROM dag WHERE dag.team_id = wanted.team_id AND dag.dag_id = wanted.companion
            AND missing_since IS NULL
        OFFSET 0
    ) AS known
"""


def are_there(conn: Connection[Any]) -> bool:
    """Return whether any DAG has callbacks."""
    row = conn.execute(ANY).fetchone()
    return row is not None and bool(row[0])


def with_callbacks(
    conn: Connection[Any], dags: Collection[tuple[int, str]]
) -> set[tuple[int, str]]:
    """Return those of the DAGs that have a companion."""
    values = {
        "teams": [team_id for team_id, _ in dags],
        "dags": [dag_id for _, dag_id in dags],
        "companions": [f"{dag_id}{SUFFIX}" for _, dag_id in dags],
    }
    return {(team_id, dag_id) for team_id, dag_id in conn.execute(WITH_CALLBACKS, values)}
