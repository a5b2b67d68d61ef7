"""Waits of deferred attempts. Every function takes a connection; none commits.

A row of ``wait`` is written with its attempt and goes with it (``WRITE``, ``DROP``: for ``store.changes``). What a
wait is for is looked up here, in SQL, and told to the run as a report.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString, TypeVar

import msgspec
from psycopg import Connection
from psycopg.rows import args_row

from headway.core.foreign import foreign
from headway.core.run import Attempt, Instance, Run
from headway.core.waits.deferral import Awaited, Deferral, Overdue
from headway.store.rows import Columns, names, taken, typed

FOUND_MAX: Final = 1_000  # in one look
Found = TypeVar("Found")

KEY: Columns = {
    "team_id": "integer",
    "run_id": "text",
    "task_id": "text",
    "map_index": "integer",
}
WAIT: Columns = {
    "attempt": "integer",
    "deferrals": "integer",
    "kind": "text",
    "facts": "json",
    "since": "timestamptz",
    "until": "timestamptz",
    "ends_at": "timestamptz",
    "timeout_s": "double precision",
    "overdue": "text",
    "method": "text",
    "kwargs": "json",
    "secrets": "json",
    "reschedules": "boolean",
    "finishes": "boolean",
    "is_over": "boolean",
    "found": "json",
    "timed_out": "boolean",
    "target_team": "text",
    "target_dag": "text",
    "target_date": "timestamptz",
    "queue": "text",
}
EACH: Columns = {**KEY, **WAIT}

WRITE: LiteralString = f"""
    INSERT INTO wait ({names(EACH)})
    SELECT {names(EACH)} FROM json_to_recordset(%(rows)s::json) AS new ({typed(EACH)})
    ON CONFLICT (team_id, run_id, task_id, map_index) DO UPDATE SET
        {taken(WAIT, "excluded")}, reported = false, session_id = NULL, looks = 0, looked_at = NULL, looks_at = NULL,
        note = NULL
"""

# Of a wait that is stored: all that its end changes. By a person's answer, too, who has no rights on the rest.
END: LiteralString = """
    WITH change AS MATERIALIZED (
        SELECT * FROM json_to_recordset(%(rows)s::json) AS change (
            team_id integer, run_id text, task_id text, map_index integer, deferrals integer, found json,
            timed_out boolean)
    )
    UPDATE wait SET is_over = true, found = change.found, timed_out = change.timed_out, reported = false,
        session_id = NULL
    FROM change CROSS JOIN LATERAL (
        SELECT ctid FROM wait AS known
        WHERE known.team_id = change.team_id AND known.run_id = change.run_id
            AND known.task_id = change.task_id AND known.map_index = change.map_index
            AND known.deferrals = change.deferrals AND NOT known.is_over
        OFFSET 0
    ) AS place
    WHERE wait.ctid = place.ctid
"""

DROP: LiteralString = """
    DELETE FROM wait USING json_to_recordset(%(rows)s::json) AS gone (
        team_id integer, run_id text, task_id text, map_index integer)
    CROSS JOIN LATERAL (
        SELECT ctid FROM wait AS known
        WHERE known.team_id = gone.team_id AND known.run_id = gone.run_id
            AND known.task_id = gone.task_id AND known.map_index = gone.map_index
        OFFSET 0
    ) AS found
    WHERE wait.ctid = found.ctid
"""

OF_WAIT: LiteralString = """
    task_id, map_index, kind, facts::text, since, until, ends_at, timeout_s, overdue, method, kwargs::text, secrets,
    reschedules, finishes, is_over, found::text, timed_out
"""

# Behind a fence (see ``headway.store``).
OF_RUNS: LiteralString = f"""
    SELECT found.* FROM unnest(%(teams)s::integer[], %(runs)s::text[]) AS wanted (team_id, run_id)
    CROSS JOIN LATERAL (
        SELECT team_id, run_id, {OF_WAIT}
        FROM wait WHERE wait.team_id = wanted.team_id AND wait.run_id = wanted.run_id
        OFFSET 0
    ) AS found
"""

OF_INSTANCES: LiteralString = f"""
    SELECT found.* FROM unnest(%(tasks)s::text[], %(indexes)s::integer[]) AS wanted (task_id, map_index)
    CROSS JOIN LATERAL (
        SELECT {OF_WAIT} FROM wait
        WHERE wait.team_id = %(team_id)s AND wait.run_id = %(run_id)s AND wait.task_id = wanted.task_id
            AND wait.map_index = wanted.map_index
        OFFSET 0
    ) AS found
"""

# One that is in a state that is waited for, else one that is in a state that ends the wait badly. Of a mapped task all
# instances count: the first of its states that is not waited for stands for it. A run of another team counts while a
# grant lives, and its id is not told.
LOOK: LiteralString = """
    WITH found AS MATERIALIZED (
        SELECT wait.ctid AS place, wait.team_id, wait.run_id, wait.task_id, wait.map_index, wait.attempt,
            wait.deferrals, CASE WHEN wait.target_team IS NULL THEN target.run_id END AS target,
            target.state, target.good, wait.facts ->> 'dag' AS dag
        FROM wait CROSS JOIN LATERAL (
            SELECT wait.team_id WHERE wait.target_team IS NULL
            UNION ALL
            SELECT owner.team_id FROM team AS guest
            JOIN team_grant AS given ON given.grantee = guest.name AND given.owner = wait.target_team
                AND given.name = wait.target_dag AND given.kind = 'wait' AND given.state = 'given'
            JOIN team AS owner ON owner.name = given.owner AND owner.deleted_at IS NULL
            WHERE guest.team_id = wait.team_id AND wait.target_team IS NOT NULL
        ) AS host CROSS JOIN LATERAL (
            SELECT run.run_id, coalesce(instance.state, run.state) AS state,
                coalesce(instance.state, run.state) = ANY (wanted.states) AS good
            FROM (SELECT ARRAY(SELECT json_array_elements_text(wait.facts -> 'states')) AS states,
                ARRAY(SELECT json_array_elements_text(wait.facts -> 'failed_states')) AS bad) AS wanted
            CROSS JOIN run
            LEFT JOIN LATERAL (
                SELECT ti.state FROM task_instance AS ti
                WHERE ti.team_id = host.team_id AND ti.run_id = run.run_id AND ti.task_id = wait.facts ->> 'task'
                ORDER BY ti.state = ANY (wanted.states), ti.state <> ALL (wanted.bad) LIMIT 1
            ) AS instance ON true
            WHERE run.team_id = host.team_id AND run.dag_id = wait.target_dag
                AND run.logical_date = wait.target_date
                AND (wait.facts ->> 'run' IS NULL OR run.run_id = wait.facts ->> 'run')
                AND (wait.facts ->> 'task' IS NULL OR instance.state IS NOT NULL)
                AND coalesce(instance.state, run.state) = ANY (wanted.states || wanted.bad)
            ORDER BY good DESC, run.created_at DESC LIMIT 1
        ) AS target
        WHERE wait.kind = 'run' AND NOT wait.is_over AND NOT wait.reported
        LIMIT %(limit)s
    ), reported AS (
        UPDATE wait SET reported = true FROM found
        WHERE wait.ctid = found.place AND wait.deferrals = found.deferrals AND NOT wait.reported
        RETURNING found.team_id, found.run_id, found.task_id, found.map_index, found.attempt, found.deferrals,
            found.target, found.state, found.good, found.dag
    )
    SELECT * FROM reported
"""
ANY: LiteralString = (
    "SELECT EXISTS (SELECT FROM wait WHERE kind = 'run' AND NOT is_over AND NOT reported)"
)

# The newest event of the asset, or of its partition. Of a few, since two that are written at once may be numbered in
# another order than they are dated.
LOOK_AT_ASSETS: LiteralString = """
    WITH found AS MATERIALIZED (
        SELECT wait.ctid AS place, wait.team_id, wait.run_id, wait.task_id, wait.map_index, wait.attempt,
            wait.deferrals, event.asset, event.partition, event.at, event.extra::text AS extra
        FROM wait CROSS JOIN LATERAL (
            SELECT wait.facts ->> 'asset' AS asset, wait.facts ->> 'partition' AS partition,
                coalesce((wait.facts ->> 'since')::timestamptz, '-infinity') AS since
        ) AS wanted CROSS JOIN LATERAL (
            SELECT newest.* FROM (
                (SELECT asset, partition, at, extra, event_id FROM asset_event AS event
                WHERE wanted.partition IS NULL AND event.asset = wanted.asset AND event.team_id = wait.team_id
                ORDER BY event_id DESC LIMIT 10)
                UNION ALL
                (SELECT asset, partition, at, extra, event_id FROM asset_event AS event
                WHERE event.team_id = wait.team_id AND event.asset = wanted.asset
                    AND event.partition = wanted.partition
                ORDER BY event_id DESC LIMIT 10)
            ) AS newest WHERE newest.at >= wanted.since
            ORDER BY newest.event_id DESC LIMIT 1
        ) AS event
        WHERE wait.kind = 'asset' AND NOT wait.is_over AND NOT wait.reported
        LIMIT %(limit)s
    ), reported AS (
        UPDATE wait SET reported = true FROM found
        WHERE wait.ctid = found.place AND wait.deferrals = found.deferrals AND NOT wait.reported
        RETURNING found.team_id, found.run_id, found.task_id, found.map_index, found.attempt, found.deferrals,
            found.asset, found.partition, found.at, found.extra
    )
    SELECT * FROM reported
"""
ANY_FOR_ASSETS: LiteralString = (
    "SELECT EXISTS (SELECT FROM wait WHERE kind = 'asset' AND NOT is_over AND NOT reported)"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A run that is waited for, in one of the states that end the wait: ``good``, the one that is hoped for.

    ``target``: its id; None: it is of another team.
    """

    team_id: int
    run_id: str
    task_id: str
    map_index: int
    attempt: int
    deferrals: int
    target: str | None
    state: str
    good: bool
    dag_id: str  # as the task named it


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event of the asset that is waited for. ``extra``: a JSON object."""

    team_id: int
    run_id: str
    task_id: str
    map_index: int
    attempt: int
    deferrals: int
    asset: str
    partition: str | None
    at: datetime
    extra: str


def look(conn: Connection[Any]) -> list[Seen]:
    """Find the waits for runs that are over now, and note that they are told."""
    return found(conn, ANY, LOOK, Seen)


def look_at_assets(conn: Connection[Any]) -> list[Arrived]:
    """Find the waits for assets that are over now, and note that they are told."""
    return found(conn, ANY_FOR_ASSETS, LOOK_AT_ASSETS, Arrived)


def found(
    conn: Connection[Any], any_: LiteralString, statement: LiteralString, kind: type[Found]
) -> list[Found]:
    row = conn.execute(any_).fetchone()
    if row is None or not row[0]:
        return []
    with conn.cursor(row_factory=args_row(kind)) as cursor:
        return cursor.execute(statement, {"limit": FOUND_MAX}).fetchall()


def key(run: Run, instance: Instance) -> dict[str, Any]:
    return {
        "team_id": run.team_id,
        "run_id": run.run_id,
        "task_id": instance.node.task_id,
        "map_index": instance.map_index,
    }


def rows_of(run: Run) -> Iterator[dict[str, Any]]:
    """Return the rows of the waits that began."""
    for instance, attempt in run.changes.waits.values():
        if attempt.ended_at is None:
            assert attempt.deferral is not None
            queue = instance.node.need.queue
            yield {**key(run, instance), **columns(attempt, attempt.deferral), "queue": queue}


def over(run: Run) -> Iterator[dict[str, Any]]:
    """Return the ends of stored waits, which the next process is still to be told of."""
    for instance, attempt in run.changes.over.values():
        if attempt.ended_at is None:
            assert attempt.deferral is not None
            end = {"found": raw(attempt.deferral.found), "timed_out": attempt.deferral.timed_out}
            yield {**key(run, instance), "deferrals": attempt.deferrals, **end}


def dropped(run: Run) -> Iterator[dict[str, Any]]:
    for instance, attempt in run.changes.waits.values():
        if attempt.ended_at is not None:
            yield key(run, instance)


def columns(attempt: Attempt, deferral: Deferral) -> dict[str, Any]:
    target = deferral.kind is Awaited.RUN
    dag_id = str(deferral.facts["dag"]) if target else None
    other = None if dag_id is None else foreign(dag_id)
    return {
        "attempt": attempt.number,
        "deferrals": attempt.deferrals,
        "kind": deferral.kind,
        "facts": deferral.facts,
        "since": deferral.since,
        "until": deferral.until,
        "ends_at": deferral.ends_at,
        "timeout_s": deferral.timeout_s,
        "overdue": deferral.overdue,
        "method": deferral.method,
        "kwargs": raw(deferral.kwargs),
        "secrets": deferral.secrets or None,
        "reschedules": deferral.reschedules,
        "finishes": deferral.finishes,
        "is_over": deferral.is_over,
        "found": raw(deferral.found),
        "timed_out": deferral.timed_out,
        "target_team": None if other is None else other.team,
        "target_dag": dag_id if other is None else other.name,
        "target_date": deferral.facts["date"] if target else None,
    }


def raw(text: str | None) -> msgspec.Raw | None:
    """JSON as it is: what a task gave is not read."""
    return None if text is None else msgspec.Raw(text.encode())


def load(conn: Connection[Any], models: Mapping[tuple[int, str], Run]) -> None:
    """Give the open attempts of these runs what they wait for."""
    wanted = {"teams": [team for team, _ in models], "runs": [run_id for _, run_id in models]}
    for team_id, run_id, task_id, map_index, *rest in conn.execute(OF_RUNS, wanted).fetchall():
        instance = models[team_id, run_id].get(task_id, map_index)
        if instance is not None and instance.attempt is not None:
            instance.attempt.deferral = of_row(*rest)


def load_some(conn: Connection[Any], run: Run, places: Mapping[str, object]) -> None:
    """Give some open attempts of a run what they wait for. ``places``: the parameters of ``OF_INSTANCES``."""
    for task_id, map_index, *rest in conn.execute(OF_INSTANCES, places).fetchall():
        instance = run.get(task_id, map_index)
        if instance is not None and instance.attempt is not None:
            instance.attempt.deferral = of_row(*rest)


def of_row(
    kind: str,
    facts: str,
    since: datetime,
    until: datetime | None,
    ends_at: datetime | None,
    timeout_s: float | None,
    overdue: str,
    method: str | None,
    kwargs: str | None,
    secrets: list[str] | None,
    reschedules: bool,
    finishes: bool,
    is_over: bool,
    found: str | None,
    timed_out: bool,
) -> Deferral:
    return Deferral(
        kind=Awaited(kind),
        facts=msgspec.json.decode(facts),
        since=since,
        until=until,
        ends_at=ends_at,
        timeout_s=timeout_s,
        overdue=Overdue(overdue),
        method=method,
        kwargs=kwargs,
        secrets=tuple(secrets or ()),
        reschedules=reschedules,
        finishes=finishes,
        is_over=is_over,
        found=found,
        timed_out=timed_out,
    )
