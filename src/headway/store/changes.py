"""Everything a tick or a command changed in its runs, written in a few bulk statements. None
commits.

Each row is found by its full key behind a fence (see ``headway.store``) and guarded by the state it had when it was
loaded; a row that is not found means that the model was wrong: the transaction is given up and the
model thrown away. Lock order: runs (held already), pools (held already), task instances, attempts.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection

from headway.core.canary import is_canary
from headway.core.run import Attempt, Changes, Instance, Run
from headway.store import answers, assets, deferrals
from headway.store.rows import Columns, names, rows, taken, typed
from headway.store.transact import pipelined

KEY: Columns = {
    "team_id": "integer",
    "run_id": "text",
    "task_id": "text",
    "map_index": "integer",
}
INSTANCE: Columns = {
    "state": "text",
    "attempts": "integer",
    "rank": "double precision",
    "item": "boolean",
    "follow": "text[]",
    "blocked_reason": "jsonb",
    "reason": "jsonb",
    "ready_at": "timestamptz",
    "queued_at": "timestamptz",
    "ended_at": "timestamptz",
}
# What a new one has not yet, and what stays as it was.
INSTANCE_LATER: Columns = {
    "failures": "integer",
    "losses": "integer",
    "intent": "text",
    "intent_by": "text",
    "wake_at": "timestamptz",
    "length": "integer",
    "started_at": "timestamptz",
}
INSTANCE_FIXED: Columns = {
    "pool": "text",
    "pool_slots": "integer",
    "queue": "text",
    "executor": "text",
}
INSTANCE_NEW: Columns = {**KEY, **INSTANCE, **INSTANCE_FIXED}
INSTANCE_CHANGE: Columns = {**INSTANCE, **INSTANCE_LATER}
ATTEMPT_NEW: Columns = {
    **KEY,
    "number": "integer",
    "session_id": "text",
    "token": "text",
    "queued_at": "timestamptz",
    "ready_at": "timestamptz",
    "waited_for": "jsonb",
}
ATTEMPT_CHANGE: Columns = {
    "state": "text",
    "token": "text",
    "started_at": "timestamptz",
    "ended_at": "timestamptz",
    "cause": "text",
    "detail": "text",
    "line": "integer",
    "exit_code": "integer",
}

# Of an attempt that goes on in another process, too.
ATTEMPT_RESUMED: Columns = {**ATTEMPT_CHANGE, "session_id": "text", "deferrals": "integer"}

INSERT_INSTANCES: LiteralString = f"""
    INSERT INTO task_instance ({names(INSTANCE_NEW)})
    SELECT {names(INSTANCE_NEW)}
    FROM json_to_recordset(%(rows)s::json) AS new ({typed(INSTANCE_NEW)})
"""

UPDATE_INSTANCES: LiteralString = f"""
    WITH change AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS change (
            {typed(KEY)}, stored text, name text, {typed(INSTANCE_CHANGE)})
    )
    UPDATE task_instance SET
        {taken(INSTANCE_CHANGE, "change")},
        rendered_map_index = coalesce(change.name, task_instance.rendered_map_index)
    FROM change CROSS JOIN LATERAL (
        SELECT ctid FROM task_instance AS instance
        WHERE instance.team_id = change.team_id AND instance.run_id = change.run_id
            AND instance.task_id = change.task_id AND instance.map_index = change.map_index
            AND instance.state = change.stored
        OFFSET 0
    ) AS found
    WHERE task_instance.ctid = found.ctid
"""

# Their attempts stay, the last one marked.
DELETE_INSTANCES: LiteralString = """
    WITH gone AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS gone (
            team_id integer, run_id text, task_id text, map_index integer, stored text, attempts integer)
    ), kept AS (
        UPDATE attempt SET former = true
        FROM gone CROSS JOIN LATERAL (
            SELECT ctid FROM attempt AS known
            WHERE known.team_id = gone.team_id AND known.run_id = gone.run_id
                AND known.task_id = gone.task_id AND known.map_index = gone.map_index
                AND known.number = gone.attempts
            OFFSET 0
        ) AS last
        WHERE attempt.ctid = last.ctid
    )
    DELETE FROM task_instance
    USING gone CROSS JOIN LATERAL (
        SELECT ctid FROM task_instance AS instance
        WHERE instance.team_id = gone.team_id AND instance.run_id = gone.run_id
            AND instance.task_id = gone.task_id AND instance.map_index = gone.map_index
            AND instance.state = gone.stored
        OFFSET 0
    ) AS found
    WHERE task_instance.ctid = found.ctid
"""

INSERT_ATTEMPTS: LiteralString = f"""
    INSERT INTO attempt ({names(ATTEMPT_NEW)})
    SELECT {names(ATTEMPT_NEW)}
    FROM json_to_recordset(%(rows)s::json) AS new ({typed(ATTEMPT_NEW)})
"""

# Live is who has a token, by a CHECK. Said by the states, it would allow a plan to take the partial
# index of one live attempt for the primary key.
UPDATE_ATTEMPTS: LiteralString = f"""
    WITH change AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS change (
            {typed(KEY)}, number integer, pid integer, {typed(ATTEMPT_CHANGE)})
    )
    UPDATE attempt SET
        {taken(ATTEMPT_CHANGE, "change")}, pid = coalesce(change.pid, attempt.pid)
    FROM change CROSS JOIN LATERAL (
        SELECT ctid FROM attempt AS known
        WHERE known.team_id = change.team_id AND known.run_id = change.run_id
            AND known.task_id = change.task_id AND known.map_index = change.map_index
            AND known.number = change.number AND known.token IS NOT NULL
        OFFSET 0
    ) AS found
    WHERE attempt.ctid = found.ctid
"""

# Deferred attempts have no token: open is what has not ended.
OF_OPEN_ATTEMPTS: LiteralString = """
    FROM change CROSS JOIN LATERAL (
        SELECT ctid FROM attempt AS known
        WHERE known.team_id = change.team_id AND known.run_id = change.run_id
            AND known.task_id = change.task_id AND known.map_index = change.map_index
            AND known.number = change.number AND known.ended_at IS NULL
        OFFSET 0
    ) AS found
    WHERE attempt.ctid = found.ctid
"""

RESUME_ATTEMPTS: LiteralString = f"""
    WITH change AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS change (
            {typed(KEY)}, number integer, pid integer, {typed(ATTEMPT_RESUMED)})
    )
    UPDATE attempt SET
        {taken(ATTEMPT_RESUMED, "change")}, pid = coalesce(change.pid, attempt.pid)
{OF_OPEN_ATTEMPTS}
"""

# By a person's word, who has no rights on tokens: a deferred attempt has none.
END_DEFERRED: LiteralString = f"""
    WITH change AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS change (
            team_id integer, run_id text, task_id text, map_index integer, number integer,
            state text, ended_at timestamptz, cause text, detail text)
    )
    UPDATE attempt SET
        state = change.state, ended_at = change.ended_at, cause = change.cause, detail = change.detail
{OF_OPEN_ATTEMPTS}
"""

# What a cleared task instance brought before is nobody's input any more.
FORGET_RESULTS: LiteralString = """
    DELETE FROM xcom USING json_to_recordset(%(rows)s::json) AS cleared (
        team_id integer, run_id text, task_id text, map_index integer)
    CROSS JOIN LATERAL (
        SELECT ctid FROM xcom AS known
        WHERE known.team_id = cleared.team_id AND known.run_id = cleared.run_id
            AND known.task_id = cleared.task_id AND known.map_index = cleared.map_index
        OFFSET 0
    ) AS found
    WHERE xcom.ctid = found.ctid
"""

# Visible from now on, in place of what an earlier attempt left.
STORE_RESULTS: LiteralString = """
    INSERT INTO xcom (team_id, run_id, task_id, map_index, key, attempt, value, file, size, length,
        masked, whole, secrets)
    SELECT team_id, run_id, task_id, map_index, key, attempt, value::json, file, size, length,
        whole IS NOT NULL, whole::json, secrets::json
    FROM json_to_recordset(%(rows)s::json) AS new (
        team_id integer, run_id text, task_id text, map_index integer, key text, attempt integer,
        value text, file text, size bigint, length integer, whole text, secrets text)
    ON CONFLICT (team_id, run_id, task_id, map_index, key) DO UPDATE SET
        attempt = excluded.attempt, value = excluded.value, file = excluded.file,
        size = excluded.size, length = excluded.length, masked = excluded.masked, whole = excluded.whole,
        secrets = excluded.secrets
"""

WRITE_HISTORY: LiteralString = """
    INSERT INTO event (team_id, at, subject, dag_id, run_id, task_id, map_index, attempt, name, state, actor, reason)
    SELECT team_id, %(now)s, CASE WHEN task_id IS NULL THEN 'run' ELSE 'task_instance' END, dag_id, run_id,
        task_id, map_index, attempt, name, state, actor, reason
    FROM json_to_recordset(%(rows)s::json) AS new (
        team_id integer, dag_id text, run_id text, task_id text, map_index integer, attempt integer,
        name text, state text, actor text, reason jsonb)
"""

UPDATE_RUNS: LiteralString = """
    WITH change AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS change (
            team_id integer, run_id text, revision bigint, state text, reason jsonb, due_at timestamptz,
            cancelled_by text, started_at timestamptz, ended_at timestamptz, failed_instances integer)
    ), changed AS (
        UPDATE run SET
            revision = run.revision + 1, state = change.state, due_at = change.due_at,
            reason = coalesce(change.reason, run.reason), cancelled_by = change.cancelled_by,
            started_at = change.started_at, ended_at = change.ended_at,
            failed_instances = change.failed_instances
        FROM change CROSS JOIN LATERAL (
            SELECT ctid FROM run AS known
            WHERE known.team_id = change.team_id AND known.run_id = change.run_id
                AND known.revision = change.revision
            OFFSET 0
        ) AS found
        WHERE run.ctid = found.ctid
        RETURNING run.run_id, run.ended_at
    )
    SELECT pg_notify('headway_run', run_id || CASE WHEN ended_at IS NULL THEN '' ELSE ' ended' END)
    FROM changed
"""

USE_POOLS: LiteralString = """
    UPDATE pool SET used = pool.used + change.by
    FROM json_to_recordset(%(rows)s::json) AS change (team_id integer, name text, by integer)
    WHERE pool.team_id = change.team_id AND pool.name = change.name
"""

USE_SHARES: LiteralString = """
    UPDATE share SET used = share.used + change.by, short = coalesce(change.short, share.short)
    FROM json_to_recordset(%(rows)s::json) AS change (team_id integer, by integer, short boolean)
    WHERE share.team_id = change.team_id
"""


class ModelDiffers(AssertionError):
    """The database does not hold what the model was loaded with:

    our mistake, never written over.
    """


def write(
    conn: Connection[Any],
    runs: Sequence[Run],
    now: datetime,
    used: Sequence[dict[str, Any]] = (),
    shares: Sequence[dict[str, Any]] = (),
) -> None:
    """Write the changes of locked runs and history, and the slots they took and gave back: ``used`` of pools
    (``team_id``, ``name``, ``by``), ``shares`` of teams (``team_id``, ``by``, ``short``).

    Raises:
        ModelDiffers: a row was not as it was loaded. Nothing may be committed.
    """
    changed = [run for run in runs if run.changes]
    batches: list[tuple[LiteralString, list[dict[str, Any]], bool]] = [
        (DELETE_INSTANCES, [row for run in changed for row in removed(run)], True),
        (INSERT_INSTANCES, [row for run in changed for row in instances(run, new=True)], True),
        (UPDATE_INSTANCES, [row for run in changed for row in instances(run, new=False)], True),
        # Ends before beginnings: what was cleared while it ran may run again in the same tick.
        (UPDATE_ATTEMPTS, [row for run in changed for row in attempts(run)], True),
        (RESUME_ATTEMPTS, [row for run in changed for row in resumed(run)], True),
        (END_DEFERRED, [row for run in changed for row in ended_deferred(run)], True),
        (deferrals.WRITE, [row for run in changed for row in deferrals.rows_of(run)], True),
        (deferrals.END, [row for run in changed for row in deferrals.over(run)], True),
        (deferrals.HAND, [row for run in changed for row in deferrals.handed(run)], True),
        (deferrals.DROP, [row for run in changed for row in deferrals.dropped(run)], False),
        (INSERT_ATTEMPTS, [row for run in changed for row in granted(run)], True),
        (FORGET_RESULTS, [row for run in changed for row in forgotten(run)], False),
        (answers.WRITE, [row for run in changed for row in answers.rows_of(run)], True),
        (answers.RESULTS, [row for run in changed for row in answers.results(run)], True),
        (assets.EMIT, [row for run in changed for row in assets.emitted(run)], True),
        (STORE_RESULTS, [row for run in changed for row in results(run)], True),
        (WRITE_HISTORY, [row for run in changed for row in history(run)], True),
        (UPDATE_RUNS, [run_row(run) for run in changed], True),
        (USE_POOLS, [change for change in used if change["by"]], False),
        (
            USE_SHARES,
            [change for change in shares if change["by"] or change["short"] is not None],
            False,
        ),
    ]
    sent = []
    with pipelined(conn):
        for statement, batch, guarded in batches:
            if batch:
                cursor = conn.execute(statement, {"rows": rows(batch), "now": now})
                sent.append((cursor, len(batch), guarded, statement))
    for cursor, expected, guarded, statement in sent:
        if guarded and cursor.rowcount != expected:
            raise ModelDiffers(f"{cursor.rowcount} of {expected} rows were as loaded: {statement}")


def settle(runs: Sequence[Run]) -> None:
    """Adjust the models to what was stored, after the commit."""
    for run in runs:
        if run.changes:
            run.revision += 1
            for instance in run.changes.touched.values():
                instance.stored = instance.state
            run.changes = Changes()


def key(run: Run, instance: Instance) -> dict[str, Any]:
    return {
        "team_id": run.team_id,
        "run_id": run.run_id,
        "task_id": instance.node.task_id,
        "map_index": instance.map_index,
    }


def removed(run: Run) -> Iterator[dict[str, Any]]:
    for instance in run.changes.removed.values():
        yield {**key(run, instance), "stored": instance.stored, "attempts": instance.attempts}


def forgotten(run: Run) -> Iterator[dict[str, Any]]:
    for instance in run.changes.forgotten.values():
        yield key(run, instance)


def instances(run: Run, *, new: bool) -> Iterator[dict[str, Any]]:
    for instance in run.changes.touched.values():
        if (instance.stored is None) is not new:
            continue
        node = instance.node
        yield {
            "team_id": run.team_id,
            "run_id": run.run_id,
            "task_id": node.task_id,
            "map_index": instance.map_index,
            "stored": instance.stored,
            "state": instance.state,
            "attempts": instance.attempts,
            "failures": instance.failures,
            "losses": instance.losses,
            "pool": node.pool,
            "pool_slots": node.pool_slots,
            "rank": instance.rank,
            "queue": node.need.queue,
            "executor": node.need.executor,
            "intent": instance.intent,
            "intent_by": instance.intent_by,
            "wake_at": instance.wake_at,
            "length": instance.length,
            "item": instance.item,
            "follow": None if instance.follow is None else sorted(instance.follow),
            "blocked_reason": instance.blocked_reason,
            "reason": instance.reason,
            "ready_at": instance.ready_at,
            "queued_at": instance.queued_at,
            "started_at": instance.started_at,
            "ended_at": instance.ended_at,
            "name": instance.name,
        }


def granted(run: Run) -> Iterator[dict[str, Any]]:
    for instance, attempt in run.changes.granted:
        if attempt.deferrals:
            continue
        yield {
            **key(run, instance),
            "number": attempt.number,
            "session_id": attempt.session,
            "token": attempt.token,
            "queued_at": attempt.queued_at,
            "ready_at": attempt.ready_at,
            "waited_for": attempt.waited_for,
        }


def attempts(run: Run) -> Iterator[dict[str, Any]]:
    for instance, attempt in run.changes.attempts.values():
        if not attempt.deferrals:
            yield {**key(run, instance), **attempt_columns(attempt)}


def resumed(run: Run) -> Iterator[dict[str, Any]]:
    """Return the rows of attempts that were deferred, except those that ended while they were."""
    for instance, attempt in run.changes.attempts.values():
        if attempt.deferrals and not attempt.ended_idle:
            row = {**key(run, instance), **attempt_columns(attempt)}
            yield {**row, "session_id": attempt.session, "deferrals": attempt.deferrals}


def ended_deferred(run: Run) -> Iterator[dict[str, Any]]:
    for instance, attempt in run.changes.attempts.values():
        if attempt.ended_idle:
            yield {**key(run, instance), **attempt_columns(attempt)}


def attempt_columns(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "state": attempt.state,
        "token": attempt.token,
        "pid": attempt.pid,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "cause": attempt.cause,
        "detail": attempt.detail,
        "line": attempt.line,
        "exit_code": attempt.exit_code,
    }


def results(run: Run) -> Iterable[dict[str, Any]]:
    """Return the rows of results. The later of two values under one key counts; removed instances have none."""
    found: dict[tuple[int, int, str], dict[str, Any]] = {}
    for result in run.changes.results:
        xcom: Any = result.xcom
        if run.get(result.instance.node.task_id, result.instance.map_index) is None:
            continue
        found[(*result.instance.key, xcom.key)] = {
            **key(run, result.instance),
            "attempt": result.attempt,
            "key": xcom.key,
            "value": text_of(xcom.value if xcom.shown is None else xcom.shown),
            "whole": None if xcom.shown is None else text_of(xcom.value),
            "secrets": text_of(msgspec.json.encode(xcom.secrets)) if xcom.secrets else None,
            "file": xcom.file,
            "size": xcom.size,
            "length": xcom.length,
        }
    return found.values()


def text_of(body: bytes | None) -> str | None:
    return None if body is None else body.decode()


def history(run: Run) -> Iterator[dict[str, Any]]:
    """Return the rows of events. A canary has none: alerts, webhooks and people read them, and they stay for a week."""
    if is_canary(run.run_id):
        return
    for move in run.changes.moves:
        row: dict[str, Any] = {
            "team_id": run.team_id,
            "dag_id": run.graph.dag_id,
            "run_id": run.run_id,
            "name": move.name,
            "state": move.state,
            "actor": move.actor,
            "reason": move.reason,
        }
        if move.instance is not None:
            row["task_id"] = move.instance.node.task_id
            row["map_index"] = move.instance.map_index
            row["attempt"] = move.attempt
        yield row


def run_row(run: Run) -> dict[str, Any]:
    return {
        "team_id": run.team_id,
        "run_id": run.run_id,
        "revision": run.revision,
        "state": run.state,
        "reason": run.reason,
        "due_at": run.due_at,
        "cancelled_by": run.cancelled_by,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "failed_instances": run.failed_instances(),
    }
