"""The reads stay on their indexes, on an empty database and on a large one."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, LiteralString

import pytest
from psycopg import Connection

from headway.store import moments, outbound, webhooks
from headway.store.transact import Session, enter_team, transact
from headway.store.views import (
    airflow_runs,
    assets,
    backfills,
    briefs,
    calendar,
    dags,
    dependencies,
    diagnosis,
    durations,
    events,
    expected,
    gantt,
    gauges,
    grid,
    health,
    history,
    instances,
    iterations,
    logs,
    news,
    overview,
    pools,
    run_diff,
    run_tasks,
    runs,
    search,
    slot_history,
    slots,
    stream,
    strips,
    timeline,
    troubles,
    versions,
)
from tests.api import seed

RUNS = 4000
INSTANCES = 5
EVENTS = 5

PAGE: dict[str, Any] = {"after": None, "after_id": None, "limit": 51}
KEY: dict[str, Any] = {"run_id": "run000001000", "task_id": "t1", "map_index": -1}
WHOLE: dict[str, Any] = {
    **KEY, "state": None, "limit": 500, "task_id": None, "map_index": None,
    "after_task": None, "after_index": None, "after_key": None, "q": None, "among_tasks": None,
    "among_indexes": None,
}  # fmt: skip
AMONG: dict[str, Any] = {**WHOLE, "among_tasks": ["t1"], "among_indexes": [-1], "q": "t1"}

SOME: dict[str, Any] = {"runs": ["run000001000"], "tasks": ["t1"], "indexes": [-1]}
WINDOW: dict[str, Any] = {
    "begun": "9000000", "were_open": ["8000000"], "end": "9000100", "still_open": ["9000050"],
    "runs": ["run000001000"], "dags": ["d"], "limit": 1000,
}  # fmt: skip
LISTED: dict[str, Any] = {
    **PAGE,
    **dict.fromkeys(("state", "trigger", "backfill_id", "q", "first", "last")),
    "window": 20_000,
    "skip": 0,
    "set_aside": False,
}
BLOCKED: dict[str, Any] = {
    "dag_id": "d", "logical_date": seed.NOON, "tasks": ["t1"], "limit": 200,
}  # fmt: skip
SPAN: dict[str, Any] = {
    "first": seed.NOON + timedelta(days=2), "last": seed.NOON + timedelta(days=3), "zone": "UTC",
}  # fmt: skip
LATELY: dict[str, Any] = {
    "zone": "UTC",
    "dag_id": "d", "since": seed.NOON + timedelta(days=2), "middle": seed.NOON + timedelta(days=2),
    "runs": 5, "instances": 1000,
}  # fmt: skip
HELD: dict[str, Any] = {
    "team_id": 1, "since": seed.NOON + timedelta(days=2), "until": seed.NOON + timedelta(days=3),
    "limit": 1000,
}  # fmt: skip
DAGS: dict[str, Any] = {
    **dict.fromkeys(("dag_ids", "after", "q", "tag", "owner", "paused", "state", "ran")),
    "with_missing": False,
    "limit": 101,
}
SOURCES: tuple[LiteralString, ...] = (
    *(
        events.OF_RUN,
        events.BY_PEOPLE,
        events.OF_NOTE,
        events.OF_DAG,
        events.OF_NO_TASK,
        events.ANYWHERE,
    ),
)
EVENTS_ASKED: dict[str, Any] = {
    **dict.fromkeys(("subject", "actor", "task_id", "name", "since", "until")),
    **{
        "of_note": False,
        "dag_id": "d",
        "run_id": "run000001000",
        "before": 5000,
        "limit": 101,
        "window": 20_000,
        "skip": 0,
    },
}

SEEN: dict[str, Any] = {
    **SPAN, "latest": seed.NOON + timedelta(days=4), "now": seed.NOON + timedelta(days=3),
    "limit": 2_001, "runs": 2_001, "attempts": 20_000, "part_s": 360.0,
}  # fmt: skip
COMING: dict[str, Any] = {"dag_ids": ["d"], "since": seed.NOON + timedelta(days=2), "history": 50}

READS: list[tuple[LiteralString, Mapping[str, Any]]] = [
    (runs.ONE, KEY),
    (runs.STATE, KEY),
    (runs.NEWEST["newest"], LISTED),
    (runs.NEWEST["newest"], {**LISTED, "after": seed.NOON, "after_id": "r"}),
    (runs.NEWEST["newest"], {**LISTED, "state": "running"}),
    (runs.NEWEST["newest"], {**LISTED, "state": "failed"}),
    (runs.NEWEST["newest"], {**LISTED, "state": "running", "set_aside": True}),
    (runs.NEWEST["newest"], {**LISTED, "trigger": "backfill", "q": "d"}),
    (runs.OF_DAG["newest"], {**LISTED, "dag_id": "d"}),
    (runs.OF_DAG["newest"], {**LISTED, "dag_id": "d", "first": seed.NOON, "last": seed.NOON}),
    (runs.OF_DAG["newest"], {**LISTED, "dag_id": "d", "backfill_id": "b"}),
    *((runs.NEWEST[sort], LISTED) for sort in runs.SORTS),
    *((runs.OF_DAG[sort], {**LISTED, "dag_id": "d"}) for sort in runs.SORTS),
    *((each, {**KEY, "dag_id": "d", "at": seed.NOON}) for each in (runs.PREVIOUS, runs.NEXT)),
    (runs.GIVEN, {"dag_id": "d", "given_id": "orders-17"}),
    (runs.PLACE, KEY),
    (runs.DAG_OF_BACKFILL, {"backfill_id": "b"}),
    (backfills.LIST, {**PAGE, "backfill_id": None, "dag_id": None}),
    (calendar.DAYS_OF_DAG, {**SPAN, "dag_id": "d"}),
    (calendar.DAYS, SPAN),
    (calendar.SCHEDULED, {"dag_id": None, "after": "d", "limit": 100}),
    (airflow_runs.PAGE, {**PAGE, "dag_id": "d"}),
    (airflow_runs.PAGE, {**PAGE, "dag_id": "d", "after": seed.NOON, "after_id": "r"}),
    (airflow_runs.ONE, {"dag_id": "d", "run_id": "r"}),
    (airflow_runs.DAGS, {"dag_id": None, "after": "d", "limit": 51}),
    (dags.AIRFLOW_RUNS, {"dag_id": "d"}),
    (versions.LIST, {"dag_id": "d", "before": None, "version": None, "limit": 51}),
    (versions.SPEC, {"dag_id": "d", "version": 1}),
    (versions.OF_RUN, KEY),
    (durations.OWNER, {"dag_id": "d"}),
    (durations.OF_DAG, LATELY),
    (durations.BY_DAY, LATELY),
    (durations.OF_TASKS, LATELY),
    (slots.USERS, {}),
    (slots.QUEUES, {"limit": 100, "unseen": ""}),
    (slots.RUNS, {"limit": 100}),
    (slot_history.ATTEMPTS, HELD),
    (calendar.STANDING, {"dag_id": "d"}),
    (runs.LATEST, {}),
    (runs.LATEST_FAILED, {}),
    (runs.LATEST_OF_DAG, {"dag_id": "d"}),
    (runs.LATEST_FAILED_OF_DAG, {"dag_id": "d"}),
    (runs.BY_PREFIX, {"prefix": "run000001"}),
    (instances.PAGE, WHOLE),
    (instances.PAGE, AMONG),
    (instances.ITEMS, {**WHOLE, "tasks": ["t0", "t1"]}),
    (instances.ONE, KEY),
    (instances.INDEXES, KEY),
    (instances.ATTEMPTS, KEY),
    (run_tasks.BY_TASK, KEY),
    (instances.RUN_SPEC, KEY),
    (instances.XCOMS, WHOLE),
    (history.OF_RUN, {**KEY, "after": 0, "limit": 500}),
    (pools.ALL, {}),
    (dags.LIST, DAGS),
    (dags.LIST, {**DAGS, "q": "d", "tag": "demo", "paused": False, "state": "failed"}),
    (dags.LIST, {**DAGS, "dag_ids": ["d"], "with_missing": True}),
    (dags.COUNTS, DAGS),
    *((dags.in_order(order), {**DAGS, "place": 0, "ran": True}) for order in dags.ORDERS.values()),
    (briefs.RECENT, {"dag_ids": ["d"], "most": 12}),
    (overview.DAGS, {}),
    (overview.RUNS, {"since": seed.NOON + timedelta(days=2)}),
    (overview.ACTIVITY, {"since": seed.NOON + timedelta(days=2)}),
    (overview.FAILED, {"since": seed.NOON + timedelta(days=2), "limit": 20}),
    (overview.FLAWED, {"since": seed.NOON + timedelta(days=2), "limit": 20}),
    (run_tasks.TIMES, KEY),
    (iterations.OPEN, {**KEY, "upstream": ["t1"], "inside": ["t1", "t2"], "iteration": 1}),
    (iterations.LAST, {**KEY, "gate": "t1"}),
    (diagnosis.REPAIRED, KEY),
    (diagnosis.WITHOUT_ASSETS, BLOCKED),
    (diagnosis.WAITING, BLOCKED),
    (dependencies.BY_ASSETS, {}),
    (dependencies.BY_RUNS, {}),
    (dependencies.BY_TRIGGERS, {}),
    (assets.WAITERS, {"name": "a", "limit": 100}),
    (webhooks.DELIVERIES, {"name": "a", "number": None, "before": None, "limit": 51}),
    (webhooks.SEEN, {"team_id": 1, "name": "a", "digest": b"x"}),
    (webhooks.MADE_BEFORE, {"team_id": 1, "name": "a", "made": "1"}),
    (outbound.DELIVERIES, {"name": "a", "number": None, "before": None, "limit": 51}),
    (dependencies.DAGS, {"dag_ids": ["d"]}),
    (briefs.OF_DATE, {"dag_id": "d", "logical_date": seed.NOON, "most": 12}),
    (overview.WAITING, {"before": seed.NOON, "limit": 10}),
    (overview.LATE, {"before": seed.NOON, "limit": 10}),
    (overview.NEXT, {"now": seed.NOON, "limit": 10}),
    (troubles.OF_RUNS, {"run_ids": ["run000001000", "run000001001"]}),
    (grid.CURRENT, {"dag_id": "d"}),
    (grid.RUNS, {**PAGE, "dag_id": "d"}),
    (grid.RUNS, {**PAGE, "dag_id": "d", "after": seed.NOON, "after_id": "r"}),
    (strips.STRIPS, {"run_ids": ["run000001000", "run000001001"]}),
    (versions.OF_DAG, {"dag_id": "d", "versions": [1]}),
    (run_tasks.PINNED, KEY),
    (expected.LAST_GOOD, {"dag_id": "d"}),
    (expected.MEDIANS, {"dag_id": "d", "runs": 20, "instances": 50_000}),
    (gantt.BARS, {**KEY, "limit": 2001}),
    (gantt.ATTEMPTS, {**KEY, "limit": 2001}),
    (gantt.OWNER, KEY),
    (diagnosis.ERRORS, {**KEY, "limit": 5000}),
    (diagnosis.BLOCKED, KEY),
    (run_diff.ATTEMPTS, KEY),
    (diagnosis.LAST_GOOD, {"dag_id": "d", "before": seed.NOON}),
    (search.DAGS, {"q": "d", "words": ["d"], "limit": 8}),
    (search.RUNS, {"q": "run00000100", "limit": 8}),
    (search.TASKS, {"words": ["t1"], "limit": 8}),
    *((events.listing(source), EVENTS_ASKED) for source in SOURCES),
    *((events.edge(source), EVENTS_ASKED) for source in SOURCES),
    (events.NEXT, {"seq": 5000}),
    (runs.COUNT, LISTED),
    (runs.COUNT_OF_DAG, {**LISTED, "dag_id": "d"}),
    (events.LAST, {}),
    (news.DAG_EVENTS, {"after": RUNS * EVENTS}),
    (news.LAST, {}),
    (health.AGENTS, {}),
    (instances.LATEST, {**SOME, "numbers": [None]}),
    (logs.OF_RUN, {**KEY, "number": 0, "limit": 2001}),
    (gauges.ACTIVE, {"limit": 500}),
    (gauges.POOLS, {"limit": 500}),
    (gauges.ENDED, {}),
    (gauges.DURATIONS, {"limit": 500, "runs": 20_000}),
    (gauges.SCHEDULERS, {}),
    (gauges.GUESSES, {"team_id": 1}),
    (gauges.FOLLOWERS, {"limit": 500}),
    (moments.NOW, {}),
    (stream.CHANGED, WINDOW),
    (stream.RUNS, SOME),
    (stream.INSTANCES, SOME),
    (stream.DAGS, {"dags": ["d"]}),
    (stream.POOLS, {}),
    (timeline.RUNS, SEEN),
    (timeline.STEPS, SEEN),
    (timeline.USUAL, COMING),
    (timeline.NEEDS, COMING),
]

LARGE = ("run", "task_instance", "attempt", "event", "xcom")


@pytest.fixture(params=["large", "large and analysed"])
def large(request: pytest.FixtureRequest, conn: Session) -> None:
    seed.dag(conn, "d")
    conn.execute(
        "INSERT INTO run (team_id, run_id, dag_id, version, bundle_version, run_key, trigger, state,"
        " logical_date, interval_start, interval_end, created_by, created_at, started_at, ended_at)"
        " SELECT 1, 'run' || lpad(n::text, 9, '0'), 'd', 1, 'b1', n::text, 'manual', 'success',"
        " at, at, at, 'user:admin', at, at, at"
        " FROM generate_series(1, %s) AS n, LATERAL (SELECT %s + n * interval '1 minute' AS at) AS t",
        [RUNS, seed.NOON],
    )
    conn.execute(
        "INSERT INTO task_instance (team_id, run_id, task_id, state, pool, attempts, ended_at)"
        " SELECT 1, run_id, 't' || n, 'success', 'default', 1, ended_at"
        " FROM run, generate_series(0, %s) AS n",
        [INSTANCES - 1],
    )
    conn.execute(
        "INSERT INTO agent_session (team_id, session_id, agent, host, pid, slots, started_at, heartbeat_at)"
        " VALUES (1, 's', 'a', 'h', 1, 1, now(), now())"
    )
    conn.execute(
        "INSERT INTO attempt (team_id, run_id, task_id, map_index, number, state, session_id,"
        " queued_at, started_at, ended_at)"
        " SELECT 1, run_id, task_id, map_index, 1, 'success', 's', ended_at, ended_at, ended_at"
        " FROM task_instance"
    )
    conn.execute(
        "INSERT INTO xcom (team_id, run_id, task_id, map_index, key, attempt, value, size)"
        " SELECT 1, run_id, task_id, map_index, 'return_value', 1, '1', 1 FROM attempt"
    )
    conn.execute(
        "INSERT INTO event (team_id, at, subject, run_id, name, actor)"
        " SELECT 1, ended_at, 'run', run_id, 'start', 'scheduler'"
        " FROM run, generate_series(1, %s) AS n",
        [EVENTS],
    )
    if request.param == "large and analysed":
        conn.execute("ANALYZE")


def plan(conn: Connection[Any], statement: LiteralString, values: Mapping[str, Any]) -> str:
    enter_team(conn, 1)
    return "\n".join(row[0] for row in conn.execute(f"EXPLAIN {statement}", values))


def test_reads_of_a_large_database_scan_no_large_table(app_conn: Session, large: None) -> None:
    app_conn.prepare_threshold = None
    for statement, values in READS:
        found = transact(app_conn, plan, statement, values)
        for table in LARGE:
            scanned = re.search(rf"Seq Scan on {table}\b", found)  # event is not event_position
            assert scanned is None, f"{statement}\n{found}"


def test_reads_of_an_empty_database_work(app_conn: Session) -> None:
    for statement, values in READS:
        assert transact(app_conn, plan, statement, values)
