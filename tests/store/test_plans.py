"""Every statement of the hot path finds its rows by key: on a database that is empty and was never
analysed, where PostgreSQL knows nothing, and on a large one, with and without statistics.
What the engine sends is prepared, so its generic plans are judged; the API's statements are
planned with their values. No table that grows with history is read as a whole, nor all that a team
has of it.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any, Final

import pytest
from psycopg import ClientCursor, Connection
from psycopg.conninfo import make_conninfo

from headway.clock import now
from headway.store import (
    airflow_runs,
    aliases,
    answers,
    askers,
    assets,
    attempts,
    backfills,
    bundles,
    callbacks,
    changes,
    connection_tests,
    dags,
    deferrals,
    events,
    gates,
    images,
    lending,
    limits,
    log_retention,
    moments,
    notes,
    partitions,
    partitions_due,
    pools,
    questions,
    queue,
    reports,
    retention,
    run_retention,
    runs,
    sending,
    sessions,
    shares,
    snapshots,
    state_stores,
    strategies,
    team_canaries,
    triggers,
    waits,
    warm_pools,
    watchers,
    xcoms,
)
from headway.store.transact import APP, ENGINE, PREPARE_AFTER, connect
from headway.store.views import airflow_runs as airflow_run_views
from headway.store.views import assets as asset_views
from headway.store.views import diagnosis, history, instances, news, run_tasks
from headway.store.views import pools as pool_views
from headway.store.views import questions as question_views
from headway.store.views import runs as run_views
from tests.postgres import fresh_database
from tests.store.large import LARGE
from tests.store.large_outbound import OUTBOUND
from tests.store.large_partitions import PARTITION_TABLES, PARTITIONS

ENGINES: Final = (
    *(aliases, answers, askers, assets, attempts, backfills, bundles, callbacks, changes, dags, deferrals, events),
    *(lending, gates, images, log_retention, moments, notes, partitions, partitions_due, pools, questions, queue),
    *(reports, retention, run_retention, runs, sending, sessions, shares, snapshots, state_stores, strategies),
    *(team_canaries, triggers, waits, warm_pools, watchers, xcoms),
)  # fmt: skip
GROWING: Final = (
    *("run_image", "airflow_run"),
    *("run", "task_instance", "attempt", "event", "xcom", "wait", "answer", "asset_event"),
    *("outbound_delivery", "task_state", "asset_state", *PARTITION_TABLES),
)

# Partial indexes over what is going on now, and the column by which each is to be entered.
CURRENT: Final = {
    "run_due": "due_at",
    "run_set_aside": "set_aside_until",
    "run_queued": "dag_id",
    "run_running": "dag_id",
    "task_instance_ready": "pool",
    "task_instance_awaits_past": "run",
    "task_instance_awaits_place": "dag",
    "one_open_attempt": "run_id",
    "attempt_live_of_session": "session_id",
    "event_of_no_run": "at",
    "wait_for_run": "team_id",
    "wait_for_asset": "team_id",
    "wait_free": "team_id",
    "wait_held": "session_id",
    "open_question": "team_id",
    "asset_event_unrouted": "team_id",
    "pending_partition_news": "dag_id",
    "dag_partitions_due": "partitions_due_at",
    "dag_goes_on": "team_id",
    "run_logs_kept": "ended_at",
    "outbound_delivery_due": "name",
}

# It may be read whole: the sweep looks at every live attempt, once a second, and who wants to rest
# for anything that holds a slot or waits for one; of followers there are a few.
WHOLE: Final = {
    "sessions.ALARM": {"attempt_live_of_session", "one_open_attempt"},
    "queue.UNDER_WAY": {"task_instance_ready", "one_open_attempt", "attempt_live_of_session"},
    "shares.CLAIMS": {"attempt_live_of_session", "one_open_attempt"},
    "lending.CLAIMS": {"attempt_live_of_session", "one_open_attempt"},
    "shares.RECOUNT": {"attempt_live_of_session", "one_open_attempt"},
    # Every one that is open: a look is followed by a pause.
    **{key: {"wait_for_run"} for key in ("deferrals.LOOK", "deferrals.ANY")},
    **{key: {"wait_for_asset"} for key in ("deferrals.LOOK_AT_ASSETS", "deferrals.ANY_FOR_ASSETS")},
    "triggers.ANY": {"wait_free", "wait_held"},  # whether there is one
    "triggers.FREE": {"wait_held"},  # from one holder to the next
    "assets.ANY_EVENT": {"asset_event_unrouted"},
    "assets.TAKE": {"asset_event_unrouted"},
    "bundles.ACTIVE": {"run_running", "run_queued"},
    "events.UNREAD_SINCE": {"event_position_follower_team_id_key"},
}

TYPES: Final = {
    "integer": "team_id number deferrals slots map_index limit max due_max places ending pid bytes_max window "
    "assets_max aliases_max team_max life batch events failures window_events",
    "bigint": "turn upto",
    "timestamptz": "now first last next older_than since until at since_at until_at before starts_at window_at",
    "timestamptz[]": "dates",
    "interval": "lease silence",
    "text[]": "queues names runs dags keys tasks sessions executors dag_ids spec_hashes retimed specs companions",
    "integer[]": "teams indexes numbers max_active_runs used",
    "boolean[]": "scheduled skips goes_on",
    "boolean": "anew sharing ok whole",
}
TYPE_OF: Final = {name: kind for kind, names in TYPES.items() for name in names.split()}

FORGETFUL: Final = """
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', name);
        END LOOP;
    END $$;
"""


@pytest.fixture(scope="module", params=["empty", "large", "large and analysed"])
def filled(request: pytest.FixtureRequest, postgres: str) -> Iterator[str]:
    with fresh_database(postgres) as dsn:
        with connect(dsn) as conn:
            conn.execute(FORGETFUL.encode())
            if request.param != "empty":
                for statement in (LARGE + PARTITIONS + OUTBOUND).split(";\n"):
                    if statement.strip():
                        conn.execute(statement.encode())
            if request.param == "large and analysed":
                conn.execute("ANALYZE")
        yield dsn


@pytest.fixture(scope="module")
def engine(filled: str) -> Iterator[Connection[Any]]:
    with connect(make_conninfo(filled), role=ENGINE) as conn:
        yield conn


@pytest.fixture(scope="module")
def app(filled: str) -> Iterator[Connection[Any]]:
    with connect(make_conninfo(filled), role=APP, prepare=False) as conn:
        conn.execute(
            "SELECT set_config('role', %s, false), set_config('app.team_id', '1', false)", [APP]
        )
        yield conn


def statements(module: ModuleType) -> dict[str, str]:
    """Its statements: constants of SQL, by name."""
    return {
        f"{module.__name__.removeprefix('headway.store.')}.{name}": text
        for name, text in vars(module).items()
        if name.isupper()
        and isinstance(text, str)
        and re.match(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", text)
    }


PREPARED: Final = {
    name: text for module in ENGINES for name, text in statements(module).items()
} | {
    "connection_tests.CLAIM": connection_tests.CLAIM,  # the API's others are by key
    "connection_tests.FINISH": connection_tests.FINISH,
    "airflow_runs.ANY_OLD": airflow_runs.ANY_OLD,  # the API has the others
    "airflow_runs.PRUNE": airflow_runs.PRUNE,
}


def generic(text: str) -> str:
    """``%(name)s`` → ``$n``, typed as the driver does."""
    order: list[str] = []

    def place(match: re.Match[str]) -> str:
        name = match[1]
        if name not in order:
            order.append(name)
        kind = TYPE_OF.get(name)
        return f"${order.index(name) + 1}" + (f"::{kind}" if kind else "")

    return re.sub(r"%\((\w+)\)s", place, text).replace("%%", "%")


def nodes(plan: dict[str, Any], limited: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """Each node, and whether a LIMIT above ends it early."""
    yield plan, limited
    kind = plan["Node Type"]
    stops = kind == "Limit" or (limited and kind in ("LockRows", "Nested Loop", "Subquery Scan"))
    for below in plan.get("Plans", ()):
        yield from nodes(below, stops)


def faults(plan: dict[str, Any]) -> list[str]:
    """Where a plan reads all of a growing table, or all that a team has of it."""
    found = []
    for node, limited in nodes(plan):
        kind, table, index = node["Node Type"], node.get("Relation Name"), node.get("Index Name")
        if kind == "Seq Scan" and table in GROWING:
            found.append(f"sequential scan of {table}")
        if index is not None and index.startswith(GROWING):
            condition = node.get("Index Cond", "")
            columns = set(
                re.findall(r"\b(\w+)'?(?:::\w+)?\)?(?:::\w+)? (?:=|<|>|<=|>=) ", condition)
            )
            entered = CURRENT[index] in columns if index in CURRENT else columns - {"team_id"}
            if not entered and not limited:
                found.append(f"{kind} of all of {index}: {condition}")
    return found


def plan_of(conn: Connection[Any], explain: str, *values: Any) -> dict[str, Any]:
    cursor = ClientCursor(conn)
    row = cursor.execute(explain.encode(), *values).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


@pytest.mark.parametrize("name", PREPARED)
def test_the_engine_finds_what_it_needs_by_key(engine: Connection[Any], name: str) -> None:
    plan = plan_of(engine, f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {generic(PREPARED[name])}")
    allowed = tuple(f"of all of {index}: " for index in WHOLE.get(name, ()))
    assert [fault for fault in faults(plan) if not any(a in fault for a in allowed)] == []


def test_a_tick_is_not_planned_anew_each_time(engine: Connection[Any]) -> None:
    """With few values in its arrays the server would: a plan for those seems to be worth its making."""
    for _ in range(3 * PREPARE_AFTER):
        runs.claim(engine, [(1, "r7")], now(), due_max=9, offers={(1, "", "default"): 9}, ending=1)
    made = "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements"
    row = engine.execute(f"{made} WHERE statement LIKE '%FOR NO KEY UPDATE SKIP LOCKED%'")
    generic_plans, custom_plans = row.fetchone() or (0, 0)
    assert generic_plans > PREPARE_AFTER
    assert custom_plans == 0


def test_alone_a_team_reads_its_share_once_in_a_tick(engine: Connection[Any]) -> None:
    """Whether it is alone; how much of it is left is looked up only where slots are shared, once for each offer."""
    values: dict[str, Any] = {"teams": [1], "runs": ["r7"], "now": now(), "due_max": 9, "ending": 1}
    offers = {
        "of_teams": [1, 1],
        "executors": ["", "agents"],
        "queues": ["default"] * 2,
        "free": [9, 9],
    }
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {runs.CLAIM}"
    loops = {
        sharing: sum(
            node["Actual Loops"]
            for node, _ in nodes(plan_of(engine, explain, {**values, **offers, "sharing": sharing}))
            if node.get("Relation Name") == "share"
        )
        for sharing in (False, True)
    }
    assert loops[False] <= 1 < loops[True]


@pytest.mark.parametrize("name", ["sessions.ALARM", "sessions.UNSENT"])
def test_the_live_attempts_of_a_session_are_not_found_among_all_it_had(
    engine: Connection[Any], name: str
) -> None:
    plan = plan_of(engine, f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {generic(PREPARED[name])}")
    used = {node.get("Index Name") for node, _ in nodes(plan)}
    assert used & {"attempt_live_of_session", "one_open_attempt"}
    assert "attempt_by_session" not in used


def test_whose_logs_are_gone_is_not_looked_at_again(postgres: str) -> None:
    """In a database of its own: statistics outlive a rollback."""
    runs = [statement for statement in LARGE.split(";\n") if "INSERT INTO run " in statement]
    with fresh_database(postgres) as dsn, connect(dsn) as conn:
        for statement in ("SET session_replication_role = replica", *runs):
            conn.execute(statement.encode())
        conn.execute("UPDATE run SET logs_removed_at = now() WHERE run_id <> 'r20000'")
        conn.execute("ANALYZE run")
        explain = f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {generic(PREPARED['log_retention.OLD'])}"
        used = {node.get("Index Name") for node, _ in nodes(plan_of(conn, explain))}
    assert "run_logs_kept" in used


def test_a_heartbeat_reads_no_session_that_has_ended(postgres: str) -> None:
    """With a limit of log bytes it counts the open sessions of the team, among very many that have ended."""
    with fresh_database(postgres) as dsn, connect(dsn) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("""UPDATE team SET limits = '{"log_bytes_per_minute": 1000}'""")
        conn.execute("""
            INSERT INTO agent_session SELECT 1, 's' || n, 'a', 'h', 1, 8, now(), now(), CASE WHEN n > 4 THEN now() END
            FROM generate_series(1, 20000) n
        """)
        conn.execute("ANALYZE")
        moment = {"now": now(), "lease": timedelta(seconds=30)}
        beats = {"sessions": ["s1", "s2"], "log_bytes": [0, 0], **moment}
        plan = plan_of(conn, f"EXPLAIN (ANALYZE, FORMAT JSON) {sessions.RENEW}", beats)
        found = sessions.renew(conn, {"s1": 7, "s2": 0}, now(), timedelta(seconds=30))
    read = [node for node, _ in nodes(plan) if node.get("Relation Name") == "agent_session"]
    scans = [node for node in read if "Index Name" in node]
    assert {node["Index Name"] for node in scans} <= {"agent_session_id", "agent_session_live"}
    assert len(scans) == 2
    assert all(node["Node Type"] == "ModifyTable" for node in read if node not in scans)
    assert max(node["Actual Rows"] for node in scans) <= 4
    assert found == {"s1": 250, "s2": 250}


def test_the_lanes_of_teams_are_found_by_key(postgres: str) -> None:
    """Due timetables, queued runs and new events of two teams, among very many of which nothing is due."""
    with fresh_database(postgres) as dsn, connect(dsn) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
        conn.execute("""
            INSERT INTO dag (team_id, dag_id, version, bundle_version, file, max_active_runs, has_queued,
                next_fire_at, updated_at)
            SELECT 1 + n % 2, 'd' || n, 1, 'b1', 'f', 16, n <= 4, now() + (n - 4) * interval '1 hour', now()
            FROM generate_series(1, 20000) n
        """)
        conn.execute("""
            INSERT INTO asset_event (team_id, asset, at, extra, by, position)
            SELECT 1 + n % 2, 'a', now(), '{}', 'me', CASE WHEN n > 4 THEN n END FROM generate_series(1, 20000) n
        """)
        conn.execute("""
            INSERT INTO airflow_dag (team_id, dag_id, done_until, imported_at, imported_by)
            SELECT 1 + n % 2, 'd' || n, now(), now(), 'me' FROM generate_series(1, 20000) n
        """)
        conn.execute("ANALYZE")
        asked: tuple[tuple[str, dict[str, Any]], ...] = (
            (queue.DUE_DAGS, {"now": now(), "limit": 100}),
            (queue.DAGS_WITH_QUEUED, {"teams": [], "dags": [], "limit": 50}),
            (assets.TAKE, {"limit": 500}),
            (callbacks.ANY, {}),
        )
        for text, values in asked:
            plan = plan_of(conn, f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", values)
            read = [node for node, _ in nodes(plan) if "Index Name" in node]
            seen = [node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in read]
            assert max(seen) <= 10, text
            kinds = {
                node["Node Type"]
                for node, _ in nodes(plan)
                if node.get("Relation Name") in ("dag", "airflow_dag")
            }
            assert "Seq Scan" not in kinds, text


RUN: Final = {"run_id": "r77"}
NOTHING: Final[dict[str, Any]] = dict.fromkeys(
    (
        "state",
        "backfill_id",
        "after",
        "after_id",
        "task_id",
        "map_index",
        "after_task",
        "after_index",
        "after_key",
        "trigger",
        "q",
        "first",
        "last",
        "ran",
        "dag_ids",
        "among_tasks",
        "among_indexes",
    )
) | {"set_aside": False, "skip": 0}
ASKED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "run": (run_views.ONE, RUN),
    "run's images": (run_views.IMAGES, RUN),
    "run's state": (run_views.STATE, RUN),
    "newest runs": (run_views.NEWEST["newest"], {**NOTHING, "limit": 51, "window": 20_000}),
    "newest runs, next page": (
        run_views.NEWEST["newest"],
        {**NOTHING, "limit": 51, "window": 9, "after": "2026-01-01T00:00:00Z", "after_id": "r1"},
    ),
    "runs of a DAG": (
        run_views.OF_DAG["newest"],
        {**NOTHING, "dag_id": "d7", "limit": 51, "window": 20_000},
    ),
    "oldest runs": (run_views.NEWEST["oldest"], {**NOTHING, "limit": 51, "window": 20_000}),
    "run before": (
        run_views.PREVIOUS,
        {"dag_id": "d7", "at": "2026-01-01T00:00:00Z", "run_id": "r1"},
    ),
    "run after": (run_views.NEXT, {"dag_id": "d7", "at": "2026-01-01T00:00:00Z", "run_id": "r1"}),
    "latest run": (run_views.LATEST, {}),
    "runs in Airflow, stored": (airflow_runs.PUT, {"team_id": 1, "dag_id": "d7", "rows": "[]"}),
    "runs in Airflow, forgotten": (
        airflow_runs.FORGET_RUNS,
        {"team_id": 1, "dag_id": "d7", "limit": 100},
    ),
    "runs in Airflow": (airflow_run_views.PAGE, {**NOTHING, "dag_id": "d7", "limit": 51}),
    "runs in Airflow, next page": (
        airflow_run_views.PAGE,
        {"dag_id": "d7", "limit": 51, "after": "2026-01-01T00:00:00Z", "after_id": "r1"},
    ),
    "run in Airflow": (airflow_run_views.ONE, {"dag_id": "d7", "run_id": "a1"}),
    "DAGs in Airflow": (airflow_run_views.DAGS, {"dag_id": None, "after": "d7", "limit": 51}),
    "zone of a DAG": (run_views.ZONE, {"dag_id": "d"}),
    "recent ids": (run_views.RECENT_IDS, {}),
    "prefix": (run_views.BY_PREFIX, {"prefix": "r77"}),
    "page of instances": (instances.PAGE, {**NOTHING, **RUN, "limit": 51}),
    "page of items": (instances.ITEMS, {**NOTHING, **RUN, "tasks": ["t1"], "limit": 51}),
    "instance": (instances.ONE, {**RUN, "task_id": "t1", "map_index": -1}),
    "wait": (instances.WAIT, {**RUN, "task_id": "t1", "map_index": -1}),
    "open questions": (
        question_views.PAGE,
        {
            "dag_id": None,
            "run_id": None,
            "since": None,
            "after_run": None,
            "after_task": None,
            "after_index": None,
            "limit": 51,
        },
    ),
    "open question": (question_views.ONE, {**RUN, "task_id": "t1", "map_index": -1}),
    "answers": (question_views.ANSWERED, {**RUN, "task_id": "t1", "map_index": -1, "limit": 20}),
    "number of open questions": (question_views.COUNT, {"limit": 1001}),
    "indexes": (instances.INDEXES, {**RUN, "task_id": "t1"}),
    "attempts": (instances.ATTEMPTS, {**RUN, "task_id": "t1", "map_index": -1}),
    "spec of a run": (instances.RUN_SPEC, RUN),
    "counted by task": (run_tasks.BY_TASK, RUN),
    "choices of branches": (diagnosis.CHOICES, {**RUN, "tasks": ["t1", "t2"]}),
    "broken indexes": (diagnosis.BROKEN_INDEXES, {**RUN, "tasks": ["t1", "t2"]}),
    "chosen indexes": (diagnosis.CHOSEN_INDEXES, {**RUN, "tasks": ["t1", "t2"], "indexes": [0, 1]}),
    "xcoms": (instances.XCOMS, {**NOTHING, **RUN, "limit": 51}),
    "events of a run": (history.OF_RUN, {**RUN, "after": 0, "limit": 100}),
    "pools": (pool_views.ALL, {}),
    "runs of a minute": (limits.CREATED_SINCE, {"team_id": 1, "since": now(), "limit": 100}),
    "last event": (news.LAST, {}),
    "news of DAGs": (news.DAG_EVENTS, {"after": 10**9}),
}


# Planned each time, so what a plan for an empty table looks like does not matter.
@pytest.mark.parametrize("filled", ["large", "large and analysed"], indirect=True, scope="module")
@pytest.mark.parametrize("name", ASKED)
def test_the_api_finds_what_it_shows_by_key(app: Connection[Any], name: str) -> None:
    text, values = ASKED[name]
    plan = plan_of(app, f"EXPLAIN (FORMAT JSON) {text}", values)
    assert faults(plan) == []


@pytest.mark.parametrize("filled", ["large", "large and analysed"], indirect=True, scope="module")
def test_open_runs_are_counted_among_those_that_are_open(app: Connection[Any]) -> None:
    plan = plan_of(app, f"EXPLAIN (FORMAT JSON) {limits.OPEN_RUNS}", {"team_id": 1, "limit": 100})
    allowed = tuple(f"of all of {index}: " for index in ("run_running", "run_queued"))
    assert [fault for fault in faults(plan) if not any(a in fault for a in allowed)] == []


@pytest.mark.parametrize("filled", ["large", "large and analysed"], indirect=True, scope="module")
def test_the_events_of_an_asset_are_not_looked_for_among_all(app: Connection[Any]) -> None:
    values = {"asset": "a7", "before": None, "limit": 51}
    plan = plan_of(app, f"EXPLAIN (FORMAT JSON) {asset_views.EVENTS}", values)
    assert {"asset_event_by_asset"} == {
        node["Index Name"]
        for node, _ in nodes(plan)
        if node.get("Relation Name") == "asset_event" and "Index Name" in node
    }


def test_a_look_for_news_of_assets_reads_no_consumer_without_any(engine: Connection[Any]) -> None:
    plan = plan_of(engine, f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {PREPARED['assets.ANY_NEWS']}")
    assert {"asset_consumer_news"} == {
        node["Index Name"] for node, _ in nodes(plan) if "Index Name" in node
    }
