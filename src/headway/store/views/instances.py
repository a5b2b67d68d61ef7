"""Views of task instances: pages, and one with its attempts."""

from collections.abc import Sequence
from typing import Any, LiteralString, NamedTuple

import msgspec
from psycopg import Connection
from psycopg.rows import args_row, dict_row, scalar_row, tuple_row

from headway import wire
from headway.core.foreign import Foreign
from headway.core.grants import GrantKind
from headway.core.states import AttemptState, State
from headway.core.wording import said
from headway.errors import NotFound, UsageError
from headway.paths import log_path
from headway.spec import model
from headway.spec.errors import did_you_mean
from headway.spec.outline import mapped_group_of
from headway.store import grants
from headway.store.views import iterations, pages, present, questions
from headway.store.views.worded import worded, worded_row

COLUMNS: LiteralString = f"""
    task_id, map_index, rendered_map_index, state, attempts, blocked_reason::text, reason::text,
    ready_at, queued_at, started_at, ended_at, {present.COLUMNS}
"""

MATCHING: LiteralString = f"""
    SELECT {COLUMNS} FROM task_instance
    WHERE run_id = %(run_id)s
        AND (%(task_id)s::text IS NULL OR task_id = %(task_id)s)
        AND (%(state)s::text IS NULL OR state = %(state)s)
        AND (%(among_tasks)s::text[] IS NULL OR (task_id, map_index) IN (
            SELECT * FROM unnest(%(among_tasks)s::text[], %(among_indexes)s::integer[])))
        AND (%(q)s::text IS NULL OR strpos(lower(task_id || '[' || map_index || ']'), lower(%(q)s)) > 0
            OR strpos(lower(rendered_map_index), lower(%(q)s)) > 0
            OR strpos(lower(reason ->> 'detail'), lower(%(q)s)) > 0)
"""

PAGE: LiteralString = f"""{MATCHING}
        AND (%(after_task)s::text IS NULL
            OR (task_id, map_index) > (%(after_task)s, %(after_index)s))
    ORDER BY task_id, map_index LIMIT %(limit)s
"""

# Of a mapped group: one item after the other, in each the tasks in the order of the spec.
ITEMS: LiteralString = f"""{MATCHING}
        AND task_id = ANY (%(tasks)s)
        AND (%(after_task)s::text IS NULL OR (map_index, array_position(%(tasks)s::text[], task_id))
            > (%(after_index)s, array_position(%(tasks)s::text[], %(after_task)s::text)))
    ORDER BY map_index, array_position(%(tasks)s::text[], task_id) LIMIT %(limit)s
"""

ONE: LiteralString = f"""
    SELECT {COLUMNS}, run_id, dag_id, file, pool, wake_at, failures FROM (
        SELECT task_instance.*, dag.dag_id, dag.file
        FROM task_instance
        JOIN run USING (team_id, run_id)
        JOIN dag USING (team_id, dag_id)
        WHERE run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
    ) AS task_instance
"""

WAIT: LiteralString = """
    SELECT kind, since, until, ends_at, overdue, looks, looked_at, looks_at, note, agent, target_team, target_dag
    FROM wait LEFT JOIN agent_session USING (team_id, session_id)
    WHERE run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s AND NOT is_over
"""

INDEXES: LiteralString = """
    SELECT map_index FROM task_instance WHERE run_id = %(run_id)s AND task_id = %(task_id)s
    ORDER BY map_index LIMIT 2
"""

ATTEMPTS: LiteralString = """
    SELECT attempt.number, attempt.state, deferrals, cause, detail, line, exit_code, agent, attempt.pid,
        queued_at, attempt.started_at, attempt.ended_at,
        CASE WHEN attempt.ended_at < logs_removed_at THEN logs_removed_at END AS log_removed_at
    FROM attempt
    JOIN run USING (team_id, run_id)
    LEFT JOIN agent_session USING (team_id, session_id)
    WHERE run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
    ORDER BY attempt.number DESC LIMIT 100
"""

# Of attempts that are named, or of the latest of their instances.
LATEST: LiteralString = """
    SELECT found.number, found.state
    FROM unnest(%(runs)s::text[], %(tasks)s::text[], %(indexes)s::integer[], %(numbers)s::integer[])
        WITH ORDINALITY AS wanted (run_id, task_id, map_index, number, place)
    LEFT JOIN LATERAL (
        SELECT number, state FROM attempt
        WHERE attempt.run_id = wanted.run_id AND attempt.task_id = wanted.task_id
            AND attempt.map_index = wanted.map_index
            AND (wanted.number IS NULL OR attempt.number = wanted.number)
        ORDER BY attempt.number DESC LIMIT 1
    ) AS found ON true
    ORDER BY wanted.place
"""

RUN_SPEC: LiteralString = """
    SELECT spec::text FROM run JOIN dag_version USING (team_id, dag_id, version)
    WHERE run_id = %(run_id)s
"""

XCOMS: LiteralString = """
    SELECT task_id, map_index, key, attempt, size, length, value::text, file, masked FROM xcom
    WHERE run_id = %(run_id)s
        AND (%(task_id)s::text IS NULL OR task_id = %(task_id)s)
        AND (%(map_index)s::integer IS NULL OR map_index = %(map_index)s)
        AND (%(after_task)s::text IS NULL
            OR (task_id, map_index, key) > (%(after_task)s, %(after_index)s, %(after_key)s))
    ORDER BY task_id, map_index, key LIMIT %(limit)s
"""


def page(
    conn: Connection[Any],
    run_id: str,
    *,
    task_id: str | None,
    state: str | None,
    q: str | None = None,
    among: Sequence[tuple[str, int]] | None = None,
    mapped_group: str | None = None,
    limit: int,
    cursor: str | None,
) -> wire.Page[wire.TaskInstance]:
    """Return one page. ``q``: part of an instance's ``task[7]``, name or error; ``among``: only these;
    ``mapped_group``: those of its tasks, one item after the other.
    """
    limit = pages.capped(limit)
    if state is not None and state not in set(State):
        raise UsageError(f"{state!r} is not a valid task state", hint=f"one of: {', '.join(State)}")
    after_task, after_index = pages.decode(cursor, tuple[str, int]) if cursor else (None, None)
    values = {
        "run_id": run_id,
        "task_id": task_id,
        "state": state,
        "q": q,
        "among_tasks": None if among is None else [task for task, _ in among],
        "among_indexes": None if among is None else [index for _, index in among],
        "tasks": None if mapped_group is None else in_group(conn, run_id, mapped_group),
        "after_task": after_task,
        "after_index": after_index,
        "limit": limit + 1,
    }
    with conn.cursor(
        row_factory=worded_row(wire.TaskInstance, present.Present(conn))
    ) as rows_cursor:
        rows = rows_cursor.execute(PAGE if mapped_group is None else ITEMS, values).fetchall()
    if len(rows) <= limit:
        return wire.Page(rows)
    last = rows[limit - 1]
    return wire.Page(rows[:limit], pages.encode((last.task_id, last.map_index)))


def in_group(conn: Connection[Any], run_id: str, group: str) -> list[str]:
    """Return the tasks of a mapped group, upstream first."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        spec: str | None = cursor.execute(RUN_SPEC, {"run_id": run_id}).fetchone()
    tasks = () if spec is None else model.decode(spec).tasks
    found = [task.task_id for task in tasks if mapped_group_of(task) == group]
    if not found:
        known = sorted({name for task in tasks if (name := mapped_group_of(task))})
        hint = did_you_mean(group, known) or (
            f"mapped groups are: {', '.join(known)}" if known else "its DAG has no mapped group"
        )
        raise NotFound(f"this run has no mapped group {group!r}", hint=hint)
    return found


def one(
    conn: Connection[Any], run_id: str, task_id: str, map_index: int | None
) -> wire.TaskInstanceDetail:
    """``map_index`` None: the only instance there is."""
    index = only_index(conn, run_id, task_id) if map_index is None else map_index
    history = attempts(conn, run_id, task_id, index)
    key: dict[str, Any] = {"run_id": run_id, "task_id": task_id, "map_index": index}
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(ONE, key).fetchone()
        wait = cursor.execute(WAIT, key).fetchone()
    if row is None:
        raise unknown(conn, run_id, task_id, map_index)
    waits = None if wait is None else waiting(conn, **wait)
    known = worded(present.Present(conn).pop(row))
    if known["state"] == State.WAITING and known["why"] is None and index >= 0:
        known["why"] = iterations.awaited(conn, run_id, run_spec(conn, run_id), task_id, index)
        known["reason"] = None if known["why"] is None else said(known["why"])
    asked = questions.of_instance(conn, **key)
    return wire.TaskInstanceDetail(**known, history=history, wait=waits, questions=asked)


def waiting(
    conn: Connection[Any], *, target_team: str | None, target_dag: str | None, **wait: Any
) -> wire.Wait:
    """Return a wait; its note says so if no grant lets the team wait for what it names."""
    if target_team is not None:
        target = Foreign(target_team, str(target_dag))
        if grants.closed(conn, [target], GrantKind.WAIT):
            text = f"no grant of team {target.team} lets this team wait for {target.name}"
            wait["note"] = (
                f"{text}; to ask for it: headway grant ask {target.team} wait {target.name}"
            )
    return wire.Wait(**wait)


def history(
    conn: Connection[Any], run_id: str, task_id: str, map_index: int | None
) -> list[wire.Attempt]:
    """The latest attempt first; also of an instance that is gone, because its list got shorter."""
    found = attempts(conn, run_id, task_id, map_index) if map_index is not None else []
    return found or one(conn, run_id, task_id, map_index).history


def attempts(
    conn: Connection[Any], run_id: str, task_id: str, map_index: int
) -> list[wire.Attempt]:
    key = {"run_id": run_id, "task_id": task_id, "map_index": map_index}
    with conn.cursor(row_factory=dict_row) as cursor:
        return [
            wire.Attempt(**row, log=log_path(run_id, task_id, map_index, row["number"]))
            for row in cursor.execute(ATTEMPTS, key)
        ]


class Latest(NamedTuple):
    number: int
    state: AttemptState
    log: str  # below the data directory


def latest(
    conn: Connection[Any], wanted: Sequence[tuple[str, str, int, int | None]]
) -> list[Latest | None]:
    """Find attempts by run, task, map index and number (None: the latest), in request order."""
    runs, tasks, indexes, numbers = (list(column) for column in zip(*wanted, strict=True))
    values = {"runs": runs, "tasks": tasks, "indexes": indexes, "numbers": numbers}
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(LATEST, values).fetchall()
    return [
        None
        if number is None
        else Latest(number, AttemptState(state), log_path(run_id, task_id, map_index, number))
        for (run_id, task_id, map_index, _), (number, state) in zip(wanted, rows, strict=True)
    ]


def only_index(conn: Connection[Any], run_id: str, task_id: str) -> int:
    with conn.cursor(row_factory=scalar_row) as cursor:
        found: list[int] = cursor.execute(
            INDEXES, {"run_id": run_id, "task_id": task_id}
        ).fetchall()
    if not found:
        raise unknown(conn, run_id, task_id, None)
    if len(found) > 1:
        raise UsageError(
            f"task {task_id!r} is mapped, so it needs a map index",
            hint="set map_index (on the command line: --index N)",
        )
    return found[0]


def run_spec(conn: Connection[Any], run_id: str) -> model.Dag:
    """The version the run is pinned to."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        text: str | None = cursor.execute(RUN_SPEC, {"run_id": run_id}).fetchone()
    if text is None:
        raise NotFound(f"there is no run {run_id!r}")
    return model.decode(text)


def unknown(conn: Connection[Any], run_id: str, task_id: str, map_index: int | None) -> NotFound:
    spec = run_spec(conn, run_id)
    known = [task.task_id for task in spec.tasks]
    if task_id in known:
        if map_index is not None and (
            told := iterations.not_there(conn, run_id, spec, task_id, map_index)
        ):
            return NotFound(f"run {run_id} has no iteration {map_index} of {task_id!r}", hint=told)
        which = "" if map_index is None else f" with map index {map_index}"
        return NotFound(
            f"run {run_id} has no instance of {task_id!r}{which}",
            hint=f"headway show {run_id} lists its task instances",
        )
    advice = did_you_mean(task_id, known) or f"its tasks: {', '.join(known[:20])}"
    return NotFound(f"run {run_id} has no task {task_id!r}", hint=advice)


def xcoms(
    conn: Connection[Any],
    run_id: str,
    *,
    task_id: str | None,
    map_index: int | None,
    limit: int,
    cursor: str | None,
) -> wire.Page[wire.XCom]:
    limit = pages.capped(limit)
    after = pages.decode(cursor, tuple[str, int, str]) if cursor else (None, None, None)
    values = {
        "run_id": run_id,
        "task_id": task_id,
        "map_index": map_index,
        "after_task": after[0],
        "after_index": after[1],
        "after_key": after[2],
        "limit": limit + 1,
    }
    with conn.cursor(row_factory=args_row(xcom_from_row)) as rows_cursor:
        rows = rows_cursor.execute(XCOMS, values).fetchall()
    if len(rows) <= limit:
        return wire.Page(rows)
    last = rows[limit - 1]
    return wire.Page(rows[:limit], pages.encode((last.task_id, last.map_index, last.key)))


def xcom_from_row(
    task_id: str,
    map_index: int,
    key: str,
    attempt: int,
    size: int,
    length: int | None,
    value: str | None,
    file: str | None,
    masked: bool,
) -> wire.XCom:
    return wire.XCom(
        task_id=task_id,
        map_index=map_index,
        key=key,
        attempt=attempt,
        size=size,
        length=length,
        value=None if value is None else msgspec.Raw(value.encode()),
        file=file,
        masked=masked,
    )
