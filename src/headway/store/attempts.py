"""Live attempts, for what they may ask. Every function takes a connection; none commits."""

from typing import Any, LiteralString

from psycopg import Connection

PROVE: LiteralString = """
    SELECT team.name, run.dag_id
    FROM attempt
    JOIN run ON run.team_id = attempt.team_id AND run.run_id = attempt.run_id
    JOIN team ON team.team_id = attempt.team_id AND team.deleted_at IS NULL
    WHERE attempt.team_id = %(team_id)s AND attempt.run_id = %(run_id)s AND attempt.task_id = %(task_id)s
        AND attempt.map_index = %(map_index)s AND attempt.number = %(number)s
        AND attempt.token = %(token)s AND attempt.session_id = %(session)s
"""


def prove(
    conn: Connection[Any],
    team_id: int,
    session: str,
    run_id: str,
    task_id: str,
    map_index: int,
    number: int,
    token: str,
) -> tuple[str, str] | None:
    """Return the team and DAG of a live attempt; None if it has ended or the token is not its own."""
    values = {"team_id": team_id, "session": session, "run_id": run_id, "task_id": task_id}
    values |= {"map_index": map_index, "number": number, "token": token}
    row = conn.execute(PROVE, values).fetchone()
    return None if row is None else (row[0], row[1])
