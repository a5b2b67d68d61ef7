"""Proofs of who asks for connections and variables. Every function takes a connection; none commits.

An attempt proves itself by its token, a wait and a watcher by the session that holds it now. Team and DAG are those of
the database, never those of the message.
"""

from typing import Any, LiteralString, NamedTuple

from psycopg import Connection

ATTEMPT: LiteralString = """
    SELECT team.name, run.dag_id
    FROM attempt
    JOIN run ON run.team_id = attempt.team_id AND run.run_id = attempt.run_id
    JOIN team ON team.team_id = attempt.team_id AND team.deleted_at IS NULL
    WHERE attempt.team_id = %(team_id)s AND attempt.run_id = %(run_id)s AND attempt.task_id = %(task_id)s
        AND attempt.map_index = %(map_index)s AND attempt.number = %(number)s
        AND attempt.token = %(token)s AND attempt.session_id = %(session)s
"""

WAIT: LiteralString = """
    SELECT team.name, run.dag_id
    FROM wait
    JOIN run ON run.team_id = wait.team_id AND run.run_id = wait.run_id
    JOIN team ON team.team_id = wait.team_id AND team.deleted_at IS NULL
    JOIN agent_session AS holder ON holder.team_id = wait.team_id AND holder.session_id = wait.session_id
        AND holder.ended_at IS NULL
    WHERE wait.team_id = %(team_id)s AND wait.run_id = %(run_id)s AND wait.task_id = %(task_id)s
        AND wait.map_index = %(map_index)s AND wait.attempt = %(number)s AND wait.deferrals = %(deferrals)s
        AND wait.session_id = %(session)s AND wait.kind = 'trigger' AND NOT wait.is_over AND NOT wait.reported
"""

# The DAGs that name the watcher now. Where its code is a file's, those of this file only: the same name may be other
# code elsewhere, and that code does not run.
WATCHER: LiteralString = """
    SELECT team.name, array_agg(DISTINCT named.dag_id), min(named.name)
    FROM watch
    JOIN team ON team.team_id = watch.team_id AND team.deleted_at IS NULL
    JOIN agent_session AS holder ON holder.team_id = watch.team_id AND holder.session_id = watch.session_id
        AND holder.ended_at IS NULL
    JOIN asset_watcher AS named ON named.team_id = watch.team_id AND named.digest = watch.digest
    JOIN dag ON dag.team_id = named.team_id AND dag.dag_id = named.dag_id AND dag.missing_since IS NULL
        AND (watch.shared OR dag.file = watch.file)
    WHERE watch.team_id = %(team_id)s AND watch.digest = %(digest)s AND watch.life = %(life)s
        AND watch.session_id = %(session)s AND watch.wanted
    GROUP BY team.name
"""


class Proved(NamedTuple):
    """The team, the DAGs of which one is enough, and the name of a watcher."""

    team: str
    dags: frozenset[str]
    name: str = ""


def attempt(
    conn: Connection[Any],
    team_id: int,
    session: str,
    run_id: str,
    task_id: str,
    map_index: int,
    number: int,
    token: str,
) -> Proved | None:
    """Return the team and DAG of a live attempt; None if it has ended or the token is not its own."""
    values = {"team_id": team_id, "session": session, "run_id": run_id, "task_id": task_id}
    values |= {"map_index": map_index, "number": number, "token": token}
    row = conn.execute(ATTEMPT, values).fetchone()
    return None if row is None else Proved(row[0], frozenset((row[1],)))


def wait(
    conn: Connection[Any],
    team_id: int,
    session: str,
    run_id: str,
    task_id: str,
    map_index: int,
    number: int,
    deferrals: int,
) -> Proved | None:
    """Return the team and DAG of a wait that this session holds; None if it is over, or another one holds it."""
    values = {"team_id": team_id, "session": session, "run_id": run_id, "task_id": task_id}
    values |= {"map_index": map_index, "number": number, "deferrals": deferrals}
    row = conn.execute(WAIT, values).fetchone()
    return None if row is None else Proved(row[0], frozenset((row[1],)))


def watcher(
    conn: Connection[Any], team_id: int, session: str, digest: str, life: int
) -> Proved | None:
    """Return the team and DAGs of a watcher that this session holds in this life; None: it does not."""
    values = {"team_id": team_id, "session": session, "digest": digest, "life": life}
    row = conn.execute(WATCHER, values).fetchone()
    return None if row is None else Proved(row[0], frozenset(row[1]), row[2])
