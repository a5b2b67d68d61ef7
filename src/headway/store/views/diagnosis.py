"""The diagnosis of a run: errors in order, what they blocked, and changes since the last successful run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import args_row, dict_row, tuple_row

from headway import wire
from headway.core import branches
from headway.core.commands import in_groups
from headway.core.dependencies import affected, directly_below
from headway.core.diagnosis import Facts, TaskTrouble, fingerprint, headline
from headway.core.graph import Graph
from headway.core.reasons import Reason
from headway.core.run import NOT_MAPPED
from headway.core.states import BROKEN, FINAL, RunState, State
from headway.core.waiting import why_queued
from headway.spec import compile
from headway.spec.model import Dag
from headway.store import queue
from headway.store.states import BROKEN_INSTANCES
from headway.store.views import dependencies, run_tasks, runs, troubles
from headway.store.views.memory import Memory
from headway.store.views.worded import worded_row, words

ERRORS_MAX: Final = 5_000  # that are looked at
GROUPS_MAX: Final = 50
INSTANCES_MAX: Final = 200  # of a group, that are named
BLOCKED_MAX: Final = 200

# Of the last attempt of what failed; of what never had one, the reason it was refused or marked for. Of one that was
# lost, the reason too: it says how often.
ERRORS: LiteralString = """
    SELECT task_id, map_index, rendered_map_index, instance.attempts,
        coalesce(attempt.ended_at, instance.ended_at) AS at,
        coalesce(attempt.cause, 'refused') AS cause,
        CASE WHEN attempt.state <> 'lost' THEN attempt.detail END AS detail,
        line, instance.reason::text AS reason, instance.state
    FROM task_instance AS instance LEFT JOIN LATERAL (
        SELECT ended_at, state, cause, detail, line FROM attempt AS last
        WHERE last.team_id = instance.team_id AND last.run_id = instance.run_id
            AND last.task_id = instance.task_id AND last.map_index = instance.map_index
            AND last.number = instance.attempts AND last.state <> 'success'
    ) AS attempt ON true
    WHERE run_id = %(run_id)s AND instance.state = 'failed'
    ORDER BY at, task_id, map_index LIMIT %(limit)s
"""

# The first attempt that failed: what a repair, or a retry, has left behind.
REPAIRED: LiteralString = """
    SELECT task_id, map_index, rendered_map_index, number, attempt.ended_at, cause, detail, line, NULL AS reason,
        instance.state
    FROM attempt LEFT JOIN task_instance AS instance USING (team_id, run_id, task_id, map_index)
    WHERE run_id = %(run_id)s AND attempt.state = 'failed' AND instance.state IS DISTINCT FROM 'failed'
    ORDER BY attempt.ended_at, task_id, map_index LIMIT 1
"""

BLOCKED: LiteralString = """
    SELECT task_id, count(*) AS count, min(reason::text) AS reason FROM task_instance
    WHERE run_id = %(run_id)s AND state = 'upstream_failed' GROUP BY task_id
"""

# What other DAGs would have got from tasks of the run that did not succeed.
WITHOUT_ASSETS: LiteralString = """
    SELECT DISTINCT consumer.dag_id, used.asset AS name, used.task_id AS source
    FROM asset_use AS used
    JOIN asset_consumer AS consumer ON consumer.team_id = used.team_id AND consumer.asset = used.asset
    JOIN dag ON dag.team_id = consumer.team_id AND dag.dag_id = consumer.dag_id
    WHERE used.dag_id = %(dag_id)s AND used.role = 'outlet' AND used.task_id = ANY (%(tasks)s::text[])
        AND missing_since IS NULL AND consumer.dag_id <> %(dag_id)s
    ORDER BY consumer.dag_id, name, source
"""

WAITING: LiteralString = """
    SELECT run.dag_id, run.run_id, wait.task_id AS name FROM wait JOIN run USING (team_id, run_id)
    WHERE wait.kind = 'run' AND NOT is_over AND NOT reported
        AND target_dag = %(dag_id)s AND target_date = %(logical_date)s AND run.dag_id <> %(dag_id)s
    ORDER BY run.dag_id, run.run_id, name LIMIT %(limit)s
"""

CHOICES: LiteralString = """
    SELECT DISTINCT task_id, state, follow FROM task_instance
    WHERE run_id = %(run_id)s AND task_id = ANY (%(tasks)s::text[])
"""
BROKEN_INDEXES: LiteralString = f"""
    SELECT task_id, map_index FROM task_instance
    WHERE run_id = %(run_id)s AND task_id = ANY (%(tasks)s::text[])
        AND state IN {BROKEN_INSTANCES}
"""
CHOSEN_INDEXES: LiteralString = """
    SELECT count(*) FROM unnest(%(tasks)s::text[], %(indexes)s::int[]) AS wanted (task_id, map_index)
    JOIN task_instance AS ti USING (task_id, map_index)
    WHERE ti.run_id = %(run_id)s AND ti.state <> 'waiting'
"""
TEAM: LiteralString = "SELECT team_id FROM run WHERE run_id = %(run_id)s"

LAST_GOOD: LiteralString = """
    SELECT run_id FROM run
    WHERE dag_id = %(dag_id)s AND state = 'success' AND ended_at <= %(before)s
    ORDER BY ended_at DESC LIMIT 1
"""


def of_run(conn: Connection[Any], memory: Memory, run_id: str) -> wire.Diagnosis:
    """Return the diagnosis of a run, without excerpts: logs are files."""
    run = runs.one(conn, run_id)
    version, now = run_tasks.pinned(conn, memory, run_id)
    found = errors(conn, run_id)
    groups = grouped(found)
    broken = troubles.of_runs(conn, [run_id])[run_id]
    facts = Facts(
        state=RunState(run.state),
        reason=run.why,
        started_at=run.started_at,
        ended_at=run.ended_at,
        now=now,
        counts=run.counts,
        troubles=broken,
        errors=len(groups),
        waits=waits(conn, run),
    )
    first = found[0] if found else None
    return wire.Diagnosis(
        run_id=run_id,
        headline=headline(facts),
        errors=groups[:GROUPS_MAX],
        blocked=blocked(conn, run_id, version.dag)[:BLOCKED_MAX],
        compared_to=compared(conn, run),
        first_failed=None if first is None else key_of(first),
        repaired=repaired(conn, run_id),
        retry=retry(conn, run_id, version.dag, broken),
        blocked_dags=blocked_elsewhere(conn, run, broken),
    )


def waits(conn: Connection[Any], run: wire.Run) -> Reason | None:
    """Why a queued run has not started."""
    if run.state != RunState.QUEUED:
        return None
    row = conn.execute(TEAM, {"run_id": run.run_id}).fetchone()
    if row is None:
        return None
    line = queue.line_of(
        conn, queue.Waiting(row[0], run.dag_id, run.logical_date, run.run_id, run.backfill_id)
    )
    return why_queued(replace(line, set_aside=run.set_aside))


def key_of(error: wire.FirstError) -> wire.InstanceKey:
    return wire.InstanceKey(task_id=error.task_id, map_index=error.map_index)


def errors(conn: Connection[Any], run_id: str) -> list[wire.FirstError]:
    """The first of them first."""
    with conn.cursor(row_factory=args_row(first_error)) as cursor:
        return cursor.execute(ERRORS, {"run_id": run_id, "limit": ERRORS_MAX}).fetchall()


def repaired(conn: Connection[Any], run_id: str) -> wire.FirstError | None:
    with conn.cursor(row_factory=args_row(first_error)) as cursor:
        return cursor.execute(REPAIRED, {"run_id": run_id}).fetchone()


def first_error(
    task_id: str,
    map_index: int,
    name: str | None,
    attempt: int,
    at: datetime | None,
    cause: str,
    detail: str | None,
    line: int | None,
    reason: str | None,
    state: str | None,
) -> wire.FirstError:
    return wire.FirstError(
        task_id=task_id,
        map_index=map_index,
        rendered_map_index=name,
        attempt=attempt,
        at=at,
        cause=cause,
        detail=words(reason) if detail is None else detail,
        line=line,
        state=None if state is None else State(state),
    )


def with_error(conn: Connection[Any], run_id: str, name: str) -> list[tuple[str, int]]:
    """Return the failed task instances (task, map index) whose error has this fingerprint."""
    return [
        (error.task_id, error.map_index)
        for error in errors(conn, run_id)
        if fingerprint(error.cause, error.detail) == name
    ]


def grouped(found: Sequence[wire.FirstError]) -> list[wire.ErrorGroup]:
    """The most frequent first; each with where it came first."""
    groups: dict[str, list[wire.FirstError]] = {}
    for error in found:
        groups.setdefault(fingerprint(error.cause, error.detail), []).append(error)
    ordered = sorted(groups.items(), key=lambda entry: -len(entry[1]))
    return [
        wire.ErrorGroup(
            fingerprint=name,
            count=len(same),
            task_ids=list(dict.fromkeys(error.task_id for error in same)),
            first=same[0],
            instances=[key_of(error) for error in same[:INSTANCES_MAX]],
        )
        for name, same in ordered
    ]


def blocked(conn: Connection[Any], run_id: str, dag: Dag) -> list[wire.BlockedTask]:
    """Upstream first."""
    place = {task.task_id: number for number, task in enumerate(dag.tasks)}
    with conn.cursor(row_factory=worded_row(wire.BlockedTask)) as cursor:
        found = cursor.execute(BLOCKED, {"run_id": run_id}).fetchall()
    return sorted(found, key=lambda task: place.get(task.task_id, len(place)))


def blocked_elsewhere(
    conn: Connection[Any], run: wire.Run, broken: Sequence[TaskTrouble]
) -> list[wire.BlockedDag]:
    """Return the DAGs that wait because of this run, then those that wait for them."""
    if not broken or run.state == RunState.SUCCESS:
        return []
    tasks = [trouble.task_id for trouble in broken]
    values = {
        "dag_id": run.dag_id,
        "logical_date": run.logical_date,
        "tasks": tasks,
        "limit": BLOCKED_MAX,
    }
    with conn.cursor(row_factory=dict_row) as cursor:
        direct = [{**row, "kind": "asset"} for row in cursor.execute(WITHOUT_ASSETS, values)]
        direct += [{**row, "kind": "run"} for row in cursor.execute(WAITING, values)]
    if not direct:
        return []
    links = dependencies.links(conn)
    first = [*dict.fromkeys(row["dag_id"] for row in direct)]
    by_ends = {(each.upstream, each.downstream): each for each in reversed(links)}
    known = {run.dag_id, *first}
    further = []
    below = directly_below(links)
    for dag_id in first:
        for lower, through in affected(below, dag_id):
            if lower not in known:
                known.add(lower)
                link = by_ends[through, lower]
                further.append(
                    {"dag_id": lower, "kind": link.kind, "name": link.name, "through": through}
                )
    owners = dependencies.owners(conn, known)
    return [
        wire.BlockedDag(**row, owner=owners.get(row["dag_id"], ""))
        for row in [*direct, *further][:BLOCKED_MAX]
    ]


def compared(conn: Connection[Any], run: wire.Run) -> wire.Comparison | None:
    values = {"dag_id": run.dag_id, "before": run.started_at or run.created_at}
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(LAST_GOOD, values).fetchone()
    if row is None:
        return None
    good = runs.one(conn, row[0])
    return wire.Comparison(
        run_id=good.run_id,
        logical_date=good.logical_date,
        version=good.version,
        differences=differences(good, run),
    )


def differences(good: wire.Run, run: wire.Run) -> list[wire.Difference]:
    pairs: list[tuple[str, Any, Any]] = [
        ("version", good.version, run.version),
        ("bundle", good.bundle_version, run.bundle_version),
        ("trigger", good.trigger, run.trigger),
        *(
            (f"param {name}", good.params.get(name), run.params.get(name))
            for name in sorted(good.params.keys() | run.params.keys())
        ),
        *(
            (f"image {name}", images_of(good, name), images_of(run, name))
            for name in sorted(good.images.keys() & run.images.keys())
        ),
        ("duration", good.duration_s, run.duration_s),
    ]
    return [
        wire.Difference(what=what, before=before, after=after)
        for what, before, after in pairs
        if before != after
    ]


def images_of(run: wire.Run, name: str) -> str:
    """Return what an image was in a run."""
    return ", ".join(run.images[name])


def retry(
    conn: Connection[Any], run_id: str, dag: Dag, broken: Sequence[TaskTrouble]
) -> wire.RetryCounts:
    """Return what a clear of the failed instances with all below them would choose (``core.commands.select``)."""
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(run_tasks.BY_TASK, {"run_id": run_id}).fetchall() if broken else []
    counts: dict[str, Mapping[str, int]] = {task_id: each for task_id, each, *_ in rows}
    failed = {
        task_id: bad
        for task_id, each in counts.items()
        if (bad := sum(each.get(state, 0) for state in BROKEN))
    }
    graph = compile.graph(dag)
    roots = {graph.by_id[task_id] for task_id in failed}
    _, indexes = branches.again(graph, roots, left_out(conn, run_id, graph), downstream=True)
    total, inside = in_mapped_groups(conn, run_id, graph, roots, indexes)
    below = {graph.nodes[index].task_id for index in indexes - inside}
    total += sum(
        bad
        for task_id, bad in failed.items()
        if task_id not in below and graph.by_id[task_id] not in inside
    )
    total += sum(
        number
        for task_id in below
        for state, number in counts.get(task_id, {}).items()
        if state != State.WAITING
    )
    return wire.RetryCounts(failed=sum(failed.values()), total=total)


def in_mapped_groups(
    conn: Connection[Any], run_id: str, graph: Graph, roots: set[int], below: set[int]
) -> tuple[int, set[int]]:
    """Return how many instances a clear would choose of nodes of which it takes some indexes only, and these nodes."""
    grouped = [index for index in sorted(roots) if graph.nodes[index].peers]
    if not grouped:
        return 0, set()
    names = [graph.nodes[index].task_id for index in grouped]
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(BROKEN_INDEXES, {"run_id": run_id, "tasks": names}).fetchall()
        at = [(graph.by_id[task_id], map_index) for task_id, map_index in rows]
        whole = [(index, NOT_MAPPED) for index in sorted(roots) if not graph.nodes[index].peers]
        found = {
            index: indexes
            for index, indexes in in_groups(graph, [*at, *whole], (), below, ()).items()
            if indexes is not None and graph.nodes[index].peers
        }
        keys = [(graph.nodes[index].task_id, at) for index, each in found.items() for at in each]
        values = {
            "run_id": run_id,
            "tasks": [task_id for task_id, _ in keys],
            "indexes": [map_index for _, map_index in keys],
        }
        ((number,),) = cursor.execute(CHOSEN_INDEXES, values).fetchall()
    return int(number), set(found)


def left_out(conn: Connection[Any], run_id: str, graph: Graph) -> dict[int, frozenset[int]]:
    """Return the tasks that branches which have ended left out, with all their instances."""
    found = [node for node in graph.nodes if node.branch and not node.decides_by_index]
    if not found:
        return {}
    values = {"run_id": run_id, "tasks": [branch.task_id for branch in found]}
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(CHOICES, values).fetchall()
    states: dict[str, set[str]] = {}
    follows: dict[str, list[branches.Follow]] = {}
    for task_id, state, follow in rows:
        states.setdefault(task_id, set()).add(state)
        if state == State.SUCCESS:
            chosen = None if follow is None else frozenset(follow)
            follows.setdefault(task_id, []).append(chosen)
    return {
        branch.index: branches.left_out(graph, branch, follows.get(branch.task_id, []))
        for branch in found
        if states.get(branch.task_id, set()) <= FINAL
    }
