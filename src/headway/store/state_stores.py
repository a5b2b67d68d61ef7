"""State that tasks and watchers keep, of a task instance or of an asset (ADR 74). Every function takes a connection;
none commits.

Who asks is proved by a lock: an attempt by its row, which loses its token when it ends, a watcher by that of its life.
What the lock lets in commits before the end of who asks, and what comes after it is not let in. It is also the turn of
those who write to the same scope, so that limits hold.
"""

from datetime import datetime
from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection

from headway.store.rows import rows

ROW_BYTES: Final = 128  # that a key counts beside its value; so do the triggers of ``state_used``

ATTEMPT: LiteralString = """
    SELECT run.dag_id, attempt.state_question
    FROM attempt
    JOIN run ON run.team_id = attempt.team_id AND run.run_id = attempt.run_id
    WHERE attempt.team_id = %(team_id)s AND attempt.run_id = %(run_id)s AND attempt.task_id = %(task_id)s
        AND attempt.map_index = %(map_index)s AND attempt.number = %(number)s
        AND attempt.token = %(token)s AND attempt.session_id = %(session)s
        AND EXISTS (SELECT FROM team WHERE team.team_id = attempt.team_id AND team.deleted_at IS NULL)
    FOR NO KEY UPDATE OF attempt
"""

CHANGES: LiteralString = """
    UPDATE attempt SET state_question = %(question)s
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
        AND number = %(number)s
"""

# By its key, whatever else its session holds.
WATCHER: LiteralString = """
    SELECT FROM watch
    WHERE team_id = %(team_id)s AND digest = %(digest)s AND life = %(life)s AND session_id = %(session)s AND wanted
    FOR SHARE
"""

# One writer of an asset at a time. Aliases are assets, too, and keep no state.
ASSET: LiteralString = """
    SELECT name FROM asset
    WHERE team_id = %(team_id)s AND (name = %(name)s OR %(name)s::text IS NULL AND uri = %(uri)s)
        AND name NOT LIKE '@%%'
    ORDER BY name LIMIT 1
    FOR NO KEY UPDATE
"""

ASSETS_OF_WATCHER: LiteralString = """
    SELECT DISTINCT asset.name, asset.uri
    FROM asset_watcher AS named
    JOIN dag ON dag.team_id = named.team_id AND dag.dag_id = named.dag_id AND dag.missing_since IS NULL
    JOIN asset ON asset.team_id = named.team_id AND asset.name = named.asset
    WHERE named.team_id = %(team_id)s AND named.digest = %(digest)s
    ORDER BY asset.name
"""

GET_OF_TASK: LiteralString = """
    SELECT value::text, secrets FROM task_state
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
        AND key = %(key)s
"""

GET_OF_ASSET: LiteralString = """
    SELECT value::text, secrets FROM asset_state
    WHERE team_id = %(team_id)s AND asset = %(asset)s AND key = %(key)s
"""

# Beside the key that is about to be set, and the size of that.
USED_BY_TASK: LiteralString = """
    SELECT count(*) FILTER (WHERE key <> %(key)s), coalesce(sum(size) FILTER (WHERE key <> %(key)s), 0)::bigint,
        max(size) FILTER (WHERE key = %(key)s)
    FROM task_state
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
"""

USED_BY_ASSET: LiteralString = """
    SELECT count(*) FILTER (WHERE key <> %(key)s), coalesce(sum(size) FILTER (WHERE key <> %(key)s), 0)::bigint,
        max(size) FILTER (WHERE key = %(key)s)
    FROM asset_state
    WHERE team_id = %(team_id)s AND asset = %(asset)s
"""

# Counted by triggers, in as many parts as there were ever writers at the same moment.
USED_BY_TEAM: LiteralString = """
    SELECT coalesce(sum(bytes), 0)::bigint FROM state_used WHERE team_id = %(team_id)s
"""

SET_OF_TASK: LiteralString = """
    INSERT INTO task_state (team_id, run_id, task_id, map_index, key, value, size, secrets, updated_at, expires_at)
    VALUES (%(team_id)s, %(run_id)s, %(task_id)s, %(map_index)s, %(key)s, %(value)s::json, %(size)s,
        %(secrets)s::json, %(now)s, %(expires_at)s)
    ON CONFLICT (team_id, run_id, task_id, map_index, key) DO UPDATE SET value = excluded.value, size = excluded.size,
        secrets = excluded.secrets, updated_at = excluded.updated_at, expires_at = excluded.expires_at
"""

SET_OF_ASSET: LiteralString = """
    INSERT INTO asset_state (team_id, asset, key, value, size, secrets, updated_at, by)
    VALUES (%(team_id)s, %(asset)s, %(key)s, %(value)s::json, %(size)s, %(secrets)s::json, %(now)s, %(by)s)
    ON CONFLICT (team_id, asset, key) DO UPDATE SET value = excluded.value, size = excluded.size,
        secrets = excluded.secrets, updated_at = excluded.updated_at, by = excluded.by
"""

DELETE_OF_TASK: LiteralString = """
    DELETE FROM task_state
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
        AND key = %(key)s
"""

DELETE_OF_ASSET: LiteralString = """
    DELETE FROM asset_state WHERE team_id = %(team_id)s AND asset = %(asset)s AND key = %(key)s
"""

CLEAR_OF_TASK: LiteralString = """
    DELETE FROM task_state
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
"""

CLEAR_OF_ASSET: LiteralString = (
    "DELETE FROM asset_state WHERE team_id = %(team_id)s AND asset = %(asset)s"
)


class OfTask(NamedTuple):
    """The scope of a task instance."""

    team_id: int
    run_id: str
    task_id: str
    map_index: int


class OfAsset(NamedTuple):
    """The scope of an asset."""

    team_id: int
    asset: str


Scope = OfTask | OfAsset


class Found(NamedTuple):
    """``value``: JSON. ``secrets``: those that it reveals."""

    value: str
    secrets: list[str]


class Held(NamedTuple):
    """A live attempt. ``question``: the last one by which it changed a state."""

    dag_id: str
    question: int


class Used(NamedTuple):
    """``before``: the size of the key that is about to be set; None: the scope does not have it."""

    keys: int
    size: int
    before: int | None


class NewValue(NamedTuple):
    """``value``: JSON. ``secrets``: those that were handed to who writes, and that the value reveals."""

    key: str
    value: str
    secrets: list[str]
    expires_at: datetime | None

    @property
    def size(self) -> int:
        """In bytes, with the secrets, which are stored beside it."""
        return sum(len(text.encode()) for text in (self.value, *self.secrets))


def attempt(
    conn: Connection[Any], scope: OfTask, number: int, token: str, session: str
) -> Held | None:
    """Return a live attempt, which cannot end before this transaction; None: it has ended."""
    values = {**scope._asdict(), "number": number, "token": token, "session": session}
    row = conn.execute(ATTEMPT, values).fetchone()
    return None if row is None else Held(*row)


def changes(conn: Connection[Any], scope: OfTask, number: int, question: int) -> None:
    """Note the question by which an attempt that is held changes a state."""
    conn.execute(CHANGES, {**scope._asdict(), "number": number, "question": question})


def watcher(conn: Connection[Any], team_id: int, session: str, digest: str, life: int) -> bool:
    """Return whether a session holds a watcher in this life. It keeps it until the end of this transaction."""
    values = {"team_id": team_id, "session": session, "digest": digest, "life": life}
    return conn.execute(WATCHER, values).fetchone() is not None


def asset(conn: Connection[Any], team_id: int, name: str | None, uri: str | None) -> OfAsset | None:
    """Return the scope of an asset of that name, or else of that URI. Nobody else has it until the transaction ends."""
    row = conn.execute(ASSET, {"team_id": team_id, "name": name, "uri": uri}).fetchone()
    return None if row is None else OfAsset(team_id, row[0])


def assets_of(conn: Connection[Any], team_id: int, digest: str) -> list[tuple[str, str]]:
    """Return the names and URIs of the assets that have a watcher."""
    return conn.execute(ASSETS_OF_WATCHER, {"team_id": team_id, "digest": digest}).fetchall()


def get(conn: Connection[Any], scope: Scope, key: str) -> Found | None:
    statement = GET_OF_TASK if isinstance(scope, OfTask) else GET_OF_ASSET
    row = conn.execute(statement, {**scope._asdict(), "key": key}).fetchone()
    return None if row is None else Found(row[0], row[1] or [])


def used(conn: Connection[Any], scope: Scope, key: str) -> Used:
    """Return what a scope holds beside this key, and of it."""
    statement = USED_BY_TASK if isinstance(scope, OfTask) else USED_BY_ASSET
    row = conn.execute(statement, {**scope._asdict(), "key": key}).fetchone()
    assert row is not None
    return Used(*row)


def used_by_team(conn: Connection[Any], team_id: int) -> int:
    """Return what a team keeps, in bytes, with ``ROW_BYTES`` for each key. Not yet what others are about to set."""
    row = conn.execute(USED_BY_TEAM, {"team_id": team_id}).fetchone()
    assert row is not None
    return int(row[0])


def put(conn: Connection[Any], scope: Scope, new: NewValue, by: str, now: datetime) -> None:
    """Set the value of a key, whatever it was."""
    statement = SET_OF_TASK if isinstance(scope, OfTask) else SET_OF_ASSET
    values = {
        **scope._asdict(),
        **new._asdict(),
        "size": new.size,
        "secrets": rows(new.secrets) if new.secrets else None,
        "by": by,
        "now": now,
    }
    conn.execute(statement, values)


def delete(conn: Connection[Any], scope: Scope, key: str) -> None:
    statement = DELETE_OF_TASK if isinstance(scope, OfTask) else DELETE_OF_ASSET
    conn.execute(statement, {**scope._asdict(), "key": key})


def clear(conn: Connection[Any], scope: Scope) -> None:
    conn.execute(CLEAR_OF_TASK if isinstance(scope, OfTask) else CLEAR_OF_ASSET, scope._asdict())
