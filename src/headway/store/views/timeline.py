"""The time axis of all DAGs: the runs that were, those that schedules will bring, and their load.

A slot is held from its grant to the end of the attempt. What will run is taken to run as long as it
usually does, with as many slots, on the mean, as the last run that went well.
"""

from collections import defaultdict
from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row, tuple_row

from headway import wire
from headway.core import forecast, load
from headway.core.load import Step
from headway.core.schedules import LAST
from headway.errors import UsageError
from headway.spec import dates
from headway.store.views import calendar, overview, pools

DAYS_MAX: Final = 14
AROUND: Final = timedelta(hours=6)  # before and after now, unless asked otherwise
PARTS: Final = 120
RUNS_MAX: Final = 2_000
LOAD_RUNS_MAX: Final = 20_000
ATTEMPTS_MAX: Final = 200_000
HISTORY: Final = timedelta(days=30)
HISTORY_RUNS_MAX: Final = 50  # of a DAG

# A run may end after the span it is seen in: up to so much later it is looked for.
AFTER: Final = timedelta(days=7)

RUNS: LiteralString = """
    (SELECT run_id, dag_id, state, logical_date, started_at, ended_at FROM run
    WHERE ended_at >= %(first)s AND ended_at < %(latest)s AND started_at < %(last)s
    ORDER BY ended_at DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT run_id, dag_id, state, logical_date, started_at, ended_at FROM run
    WHERE state = 'running' AND started_at < %(last)s
    LIMIT %(limit)s)
"""

# Summed by pool and part of the time, as `core.load` takes it. The pool of a task is looked up once for each version of
# its DAG, not for each attempt, which were thousands for a mapped task: those that are gone had it, too.
STEPS: LiteralString = """
    WITH seen AS MATERIALIZED (
        (SELECT team_id, run_id, dag_id, version, true AS is_over FROM run
        WHERE ended_at >= %(first)s AND ended_at < %(latest)s AND started_at < %(last)s
        ORDER BY ended_at DESC LIMIT %(runs)s + 1)
        UNION ALL
        (SELECT team_id, run_id, dag_id, version, false FROM run
        WHERE state = 'running' AND started_at < %(last)s
        LIMIT %(runs)s + 1)
    ), tried AS MATERIALIZED (
        SELECT team_id, run_id, dag_id, version, task_id,
            extract(epoch FROM greatest(queued_at, %(first)s) - %(first)s)::float8 AS taken_s,
            extract(epoch FROM least(coalesce(ended_at, %(now)s), %(last)s) - %(first)s)::float8 AS given_s
        FROM seen CROSS JOIN LATERAL (
            SELECT task_id, queued_at, ended_at FROM attempt AS known
            WHERE known.team_id = seen.team_id AND known.run_id = seen.run_id
                AND queued_at < %(last)s AND coalesce(ended_at, %(now)s) > %(first)s
            OFFSET 0 -- kept apart: run by run
        ) AS known
        LIMIT %(attempts)s + 1
    ), steps AS MATERIALIZED (
        SELECT team_id, dag_id, version, task_id, floor(at_s / %(part_s)s)::integer AS part,
            sum(change) AS change, sum(change * at_s) AS moment, max(run_id) AS run_id
        FROM tried CROSS JOIN LATERAL (VALUES (taken_s, 1), (given_s, -1)) AS step (at_s, change)
        GROUP BY team_id, dag_id, version, task_id, part
    ), using_pool AS MATERIALIZED (
        SELECT dag_id, version, task_id, pool, pool_slots FROM (
            SELECT team_id, dag_id, version, task_id, max(run_id) AS run_id FROM steps
            GROUP BY team_id, dag_id, version, task_id
        ) AS task CROSS JOIN LATERAL (
            SELECT pool, pool_slots FROM task_instance AS instance
            WHERE instance.team_id = task.team_id AND instance.run_id = task.run_id
                AND instance.task_id = task.task_id
            LIMIT 1
        ) AS instance
    )
    SELECT pool, part, sum(change * pool_slots)::float8 AS change, sum(moment * pool_slots) AS moment,
        greatest((SELECT count(*) FROM seen WHERE is_over), (SELECT count(*) FROM seen WHERE NOT is_over))
            > %(runs)s OR (SELECT count(*) FROM tried) > %(attempts)s AS is_cut
    FROM steps JOIN using_pool USING (dag_id, version, task_id)
    GROUP BY pool, part
"""

USUAL: LiteralString = """
    SELECT wanted.dag_id, usual.median_s FROM unnest(%(dag_ids)s::text[]) AS wanted (dag_id)
    CROSS JOIN LATERAL (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median_s FROM (
            SELECT extract(epoch FROM ended_at - started_at)::float8 AS seconds FROM run
            WHERE run.dag_id = wanted.dag_id AND ended_at > %(since)s AND state = 'success'
            ORDER BY ended_at DESC LIMIT %(history)s
        ) AS took
    ) AS usual
    WHERE usual.median_s IS NOT NULL
"""

NEEDS: LiteralString = """
    SELECT wanted.dag_id, pool,
        (sum(pool_slots * extract(epoch FROM tried.ended_at - queued_at)) / good.seconds)::float8
    FROM unnest(%(dag_ids)s::text[]) AS wanted (dag_id)
    CROSS JOIN LATERAL (
        SELECT team_id, run_id, extract(epoch FROM ended_at - started_at) AS seconds FROM run
        WHERE run.dag_id = wanted.dag_id AND ended_at > %(since)s AND state = 'success'
        ORDER BY ended_at DESC LIMIT 1
    ) AS good
    CROSS JOIN LATERAL (
        SELECT task_id, queued_at, ended_at FROM attempt AS known
        WHERE known.team_id = good.team_id AND known.run_id = good.run_id AND ended_at IS NOT NULL
    ) AS tried CROSS JOIN LATERAL (
        SELECT pool, pool_slots FROM task_instance AS instance
        WHERE instance.team_id = good.team_id AND instance.run_id = good.run_id
            AND instance.task_id = tried.task_id
        LIMIT 1
    ) AS instance
    WHERE good.seconds > 0
    GROUP BY wanted.dag_id, pool, good.seconds
"""

Span = tuple[datetime, datetime]
Steps = dict[str, list[Step]]


def show(conn: Connection[Any], asked_first: str | None, asked_last: str | None) -> wire.Timeline:
    now = overview.clock(conn)
    span = spanned(now, asked_first, asked_last)
    found = runs(conn, span)
    predicted, cut = upcoming(conn, now, span)
    part_s = (span[1] - span[0]).total_seconds() / PARTS
    steps, load_cut = past(conn, now, span, part_s)
    for pool, coming in to_come(conn, now, span, predicted, part_s).items():
        steps[pool] += coming
    return wire.Timeline(
        now=now,
        first=span[0],
        last=span[1],
        runs=found[:RUNS_MAX],
        predicted=predicted,
        part_s=part_s,
        load=loads(conn, now, span[0], steps, part_s),
        truncated=cut or len(found) > RUNS_MAX,
        load_truncated=load_cut,
    )


def spanned(now: datetime, asked_first: str | None, asked_last: str | None) -> Span:
    """``from`` and ``to`` as they were asked for; what was not asked for is near to now."""
    first = now - AROUND if asked_first is None else dates.span(asked_first, "UTC")[0]
    last = now + AROUND if asked_last is None else dates.before(asked_last, "UTC")
    if not first < last:
        raise UsageError("`from` must be before `to`")
    if last - first > timedelta(days=DAYS_MAX):
        raise UsageError(f"at most {DAYS_MAX} days at once")
    return first, last


def runs(conn: Connection[Any], span: Span) -> list[wire.TimelineRun]:
    """The latest, and one more where there are more than are shown."""
    values = {**within(span), "limit": RUNS_MAX + 1}
    with conn.cursor(row_factory=class_row(wire.TimelineRun)) as cursor:
        found = cursor.execute(RUNS, values).fetchall()
    found.sort(key=lambda run: (run.started_at, run.run_id), reverse=True)
    return found[: RUNS_MAX + 1]


def within(span: Span) -> dict[str, datetime]:
    latest = min(span[1], LAST - AFTER) + AFTER  # the year 9999 has no week after it
    return {"first": span[0], "last": span[1], "latest": latest}


def upcoming(
    conn: Connection[Any], now: datetime, span: Span
) -> tuple[list[wire.PredictedRun], bool]:
    """Return upcoming runs of schedules, and whether there are more."""
    if span[1] <= now:
        return [], False
    every, more = calendar.scheduled(conn)
    fires = forecast.together(every, max(now, span[0]), span[1], RUNS_MAX + 1)
    usual = medians(conn, now, {dag_id for _, dag_id in fires})
    predicted = [
        wire.PredictedRun(dag_id=dag_id, at=at, expected_s=usual.get(dag_id))
        for at, dag_id in fires[:RUNS_MAX]
    ]
    return predicted, len(fires) > RUNS_MAX or more


def medians(conn: Connection[Any], now: datetime, dag_ids: Set[str]) -> dict[str, float]:
    """Seconds, of those that have run well of late."""
    values = {
        "dag_ids": sorted(dag_ids),
        "since": now - HISTORY,
        "history": HISTORY_RUNS_MAX,
    }
    with conn.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(USUAL, values).fetchall())


def past(conn: Connection[Any], now: datetime, span: Span, part_s: float) -> tuple[Steps, bool]:
    """Return what the runs of the span used, and whether there are more than are looked at."""
    values = {
        **within(span),
        "now": now,
        "part_s": part_s,
        "runs": LOAD_RUNS_MAX,
        "attempts": ATTEMPTS_MAX,
    }
    found: Steps = defaultdict(list)
    cut = False
    with conn.cursor(row_factory=tuple_row) as cursor:
        for pool, part, change, moment, is_cut in cursor.execute(STEPS, values):
            found[pool].append(Step(part, change, moment))
            cut = is_cut
    return found, cut


def to_come(
    conn: Connection[Any],
    now: datetime,
    span: Span,
    predicted: Sequence[wire.PredictedRun],
    part_s: float,
) -> Steps:
    wanted = sorted({each.dag_id for each in predicted})
    needs: dict[str, list[tuple[str, float]]] = defaultdict(list)
    with conn.cursor(row_factory=tuple_row) as cursor:
        values = {"dag_ids": wanted, "since": now - HISTORY}
        for dag_id, pool, slots in cursor.execute(NEEDS, values):
            needs[dag_id].append((pool, slots))
    found: Steps = defaultdict(list)
    for each in predicted:
        begin_s = (each.at - span[0]).total_seconds()
        for pool, slots in needs[each.dag_id]:
            end_s = begin_s + (each.expected_s or 0.0)
            found[pool] += load.steps(begin_s, end_s, slots, part_s)
    return found


def loads(
    conn: Connection[Any], now: datetime, first: datetime, steps: Steps, part_s: float
) -> list[wire.PoolLoad]:
    begins = [first + timedelta(seconds=number * part_s) for number in range(PARTS)]
    part = timedelta(seconds=part_s)
    return [
        wire.PoolLoad(
            name=pool.name,
            slots=pool.slots,
            parts=[
                wire.LoadPart(at=at, used=round(used, 3), predicted=at + part > now)
                for at, used in zip(
                    begins, load.levels(steps.get(pool.name, []), PARTS, part_s), strict=True
                )
            ],
        )
        for pool in pools.every(conn)
    ]
