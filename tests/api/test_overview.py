"""The way in: the list of DAGs, the first page, the search, the history of everything."""

from datetime import datetime, timedelta

import pytest

from headway import wire
from headway.agent.protocol import XComValue
from headway.client import Client
from headway.core.reasons import PoolFull
from headway.errors import UsageError
from headway.store.transact import Session
from tests.api import seed
from tests.reasons import as_stored
from tests.scenarios.world import Scheduler, deploy, task, trigger


def now(conn: Session) -> datetime:
    row = conn.execute("SELECT now()").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def end(conn: Session, run_id: str, hours_ago: float) -> None:
    conn.execute(
        "UPDATE run SET created_at = now() - %(ago)s, started_at = now() - %(ago)s,"
        " ended_at = now() - %(ago)s + interval '14 m', logical_date = now() - %(ago)s"
        " WHERE run_id = %(run)s",
        {"ago": timedelta(hours=hours_ago), "run": run_id},
    )


def test_a_dag_of_the_list_carries_its_recent_runs(client: Client, conn: Session) -> None:
    seed.dag(conn, "d", tasks=4)
    for number in range(15):
        seed.run(conn, "d", f"r{number:02}", minute=number, state="success")
    seed.run(conn, "d", "r15", minute=15, state="running")
    seed.run(conn, "d", "r16", minute=16, state="queued")
    (dag,) = client.dags()
    assert [run.run_id for run in dag.recent] == [f"r{number:02}" for number in range(5, 17)]
    assert (dag.tasks, dag.running, dag.queued) == (4, 1, 1)
    assert client.dag("d").recent == dag.recent


def test_a_broken_file_is_shown_with_its_dags(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    conn.execute(
        "INSERT INTO import_error VALUES (1, 'd.py', 3, 'invalid syntax', 'b1', %s)", [seed.NOON]
    )
    (dag,) = client.dags()
    assert dag.import_error is not None
    assert (dag.import_error.line, dag.import_error.message) == (3, "invalid syntax")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"q": "ALPH"}, ["alpha"]),
        ({"q": "100%"}, []),
        ({"tag": "demo"}, ["alpha", "beta"]),
        ({"tag": "other"}, []),
        ({"owner": "nobody"}, []),
        ({"paused": True}, ["beta"]),
        ({"paused": False}, ["alpha"]),
        ({"state": "failed"}, ["alpha"]),
        ({"state": "failed", "paused": True}, []),
    ],
)
def test_dags_are_filtered(
    client: Client, conn: Session, wanted: dict[str, object], found: list[str]
) -> None:
    seed.dag(conn, "alpha")
    seed.dag(conn, "beta")
    conn.execute("UPDATE dag SET paused_at = now(), paused_by = 'user:ada' WHERE dag_id = 'beta'")
    seed.run(conn, "alpha", "r1", minute=0, state="success")
    seed.run(conn, "alpha", "r2", minute=1, state="failed")
    assert [dag.dag_id for dag in client.dags(**wanted)] == found


def test_a_state_that_is_none_is_refused(client: Client) -> None:
    with pytest.raises(UsageError, match="not a valid run state"):
        client.dags(state="done")


def test_home_of_an_empty_installation(client: Client) -> None:
    home = client.overview()
    assert home.dags == wire.DagCounts(total=0, paused=0, broken=0)
    assert [home.failed, home.waiting, home.late, home.next] == [[], [], [], []]
    assert len(home.activity) == 24
    assert home.activity[-1].hour <= home.now < home.activity[-1].hour + timedelta(hours=1)
    assert [pool.name for pool in home.slots] == ["default"]
    assert {component.name for component in home.components} == {"database", "scheduler", "agent"}


def test_home_counts_the_last_day(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    for run_id, hours_ago, state in (
        *(("r1", 2, "success"), ("r2", 3, "failed"), ("r3", 4, "cancelled"), ("r4", 30, "failed")),
        ("r7", 5, "skipped"),
    ):
        seed.run(conn, "d", run_id, state=state)
        end(conn, run_id, hours_ago)
    seed.run(conn, "d", "r5", state="running")
    seed.run(conn, "d", "r6", state="queued")
    home = client.overview()
    assert home.runs == wire.RunCounts(running=1, queued=1, failed_24h=1, success_24h=1)
    assert sum(hour.success + hour.failed + hour.cancelled for hour in home.activity) == 3
    assert sum(hour.skipped for hour in home.activity) == 1


def test_home_names_what_failed_and_has_not_succeeded_since(client: Client, conn: Session) -> None:
    for dag_id in ("mended", "broken"):
        seed.dag(conn, dag_id)
        for number, hours_ago in ((1, 3), (2, 2)):
            run_id = f"{dag_id}{number}"
            seed.run(conn, dag_id, run_id, state="failed")
            end(conn, run_id, hours_ago)
    seed.run(conn, "mended", "mended3", state="success")
    end(conn, "mended3", 1)
    for index in range(1500):
        seed.instance(conn, "broken2", "t1", "failed" if index < 37 else "success", index)
    seed.instance(conn, "broken2", "t2", "upstream_failed")
    (failed,) = client.overview().failed
    assert (failed.dag_id, failed.run_id, failed.count) == ("broken", "broken2", 2)
    assert failed.headline == "Failed after 14 m: 37 of 1,500 `t1` failed; 1 task blocked."
    assert client.overview().failed == [failed]


def test_home_names_who_waits_longest_and_why(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    for number in range(3):
        seed.instance(conn, "r1", f"t{number}", "ready")
        conn.execute(
            "UPDATE task_instance SET rank = %(n)s, blocked_reason = %(why)s::jsonb,"
            " ready_at = now() - make_interval(mins => 10 - %(n)s) WHERE task_id = %(task)s",
            {"n": number, "task": f"t{number}", "why": as_stored(PoolFull("default", 4, 4))},
        )
    conn.execute("UPDATE pool SET slots = 4, used = 4 WHERE name = 'default'")
    waiting = client.overview().waiting
    assert [(each.dag_id, each.task_id) for each in waiting] == [("d", f"t{n}") for n in range(3)]
    assert waiting[0].why == PoolFull("default", 4, 4)
    assert waiting[0].reason == "pool `default` is full: 4 of 4 slots in use"


def test_what_waits_and_what_happened_have_the_names_of_their_instances(
    client: Client, conn: Session
) -> None:
    """An instance that ran once has a name by its ``map_index_template``."""
    deploy(conn, task("list"), task("book", over="list", retries=1, retry_delay_s=0, pool="attic"))
    conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (1, 'attic', 8)")
    (run_id,) = trigger(conn, "d", "k1")
    scheduler = Scheduler(conn)
    scheduler.tick()
    one = [XComValue("return_value", b"[1]", None, 3, 1)]
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "success", "xcoms": one}))
    scheduler.tick()
    conn.execute("UPDATE pool SET slots = 0 WHERE name = 'attic'")
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "failed", "name": "INV-7"}))
    scheduler.later(1)
    scheduler.tick()
    conn.execute(
        "UPDATE task_instance SET ready_at = now() - interval '1 h' WHERE task_id = 'book'"
    )
    home = client.overview()
    assert [each.rendered_map_index for each in home.waiting] == ["INV-7"]
    assert [each.rendered_map_index for each in home.stuck] == ["INV-7"]
    named = {each.rendered_map_index for each in client.events(run_id) if each.task_id == "book"}
    assert named == {"INV-7"}
    listed = client.history(run_id=run_id, name="retry").items
    assert [each.rendered_map_index for each in listed] == ["INV-7"]


def test_home_names_what_is_late_and_what_comes_next(client: Client, conn: Session) -> None:
    for dag_id in ("overdue", "held", "coming", "off"):
        seed.dag(conn, dag_id)
    conn.execute("UPDATE dag SET next_fire_at = now() - interval '1 h' WHERE dag_id = 'overdue'")
    conn.execute("UPDATE dag SET next_fire_at = now() + interval '1 h' WHERE dag_id = 'coming'")
    conn.execute(
        "UPDATE dag SET next_fire_at = now() - interval '1 h', paused_at = now(),"
        " paused_by = 'user:ada' WHERE dag_id = 'off'"
    )
    seed.run(conn, "held", "r1", state="queued")
    conn.execute("UPDATE run SET trigger = 'schedule', created_at = now() - interval '5 m'")
    conn.execute(
        "UPDATE dag SET has_queued = true, paused_at = now(), paused_by = 'user:ada'"
        " WHERE dag_id = 'held'"
    )
    home = client.overview()
    assert [(each.dag_id, each.reason) for each in home.late] == [
        ("overdue", "no scheduler is running"),
        ("held", "DAG paused by ada"),
    ]
    assert [each.dag_id for each in home.next] == ["coming"]
    assert (home.dags.total, home.dags.paused) == (4, 2)


def test_search_finds_dags_tasks_and_runs(client: Client, conn: Session) -> None:
    for dag_id in ("load_orders", "orders", "reorders", "other"):
        seed.dag(conn, dag_id, tasks=12)
    seed.run(conn, "orders", "ordr12345678")
    found = client.search("ORDERS")
    assert [dag.dag_id for dag in found.dags] == ["orders", "load_orders", "reorders"]
    assert [run.run_id for run in client.search("ordr").runs] == ["ordr12345678"]
    tasks = client.search("t1").tasks
    assert len(tasks) == 8
    assert tasks[0] == wire.FoundTask(dag_id="load_orders", task_id="t1")
    assert client.search("%").tasks == []
    both = client.search("t1 orders").tasks
    assert both[0] == wire.FoundTask(dag_id="load_orders", task_id="t1")
    assert {task.dag_id for task in both} == {"load_orders", "orders", "reorders"}
    assert client.search("t1 nowhere") == wire.Found(dags=[], runs=[], tasks=[])
    assert client.search("  ") == wire.Found(dags=[], runs=[], tasks=[])


def write_event(conn: Session, subject: str, name: str, **more: object) -> None:
    values = {
        "dag_id": None,
        "run_id": None,
        "task_id": None,
        "actor": "scheduler",
        "at": None,
        **more,
    }
    conn.execute(
        "INSERT INTO event (team_id, at, subject, name, dag_id, run_id, task_id, actor) VALUES"
        " (1, coalesce(%(at)s, now()), %(subject)s, %(name)s, %(dag_id)s, %(run_id)s, %(task_id)s, %(actor)s)",
        {"subject": subject, "name": name, **values},
    )


def test_history_is_newest_first_and_filtered(client: Client, conn: Session) -> None:
    write_event(conn, "dag", "pause", dag_id="d", actor="user:ada")
    write_event(conn, "run", "start", dag_id="d", run_id="r1")
    write_event(conn, "task_instance", "release", dag_id="d", run_id="r1", task_id="t1")
    write_event(conn, "task_instance", "cancel", run_id="r2", task_id="t1", actor="user:bob")

    def names(**filters: object) -> list[str]:
        return [event.name for event in client.history(**filters).items]

    assert names() == ["cancel", "release", "start", "pause"]
    assert names(run_id="r1") == ["release", "start"]
    assert names(run_id="r1", task_id="t1") == ["release"]
    assert names(actor="user") == ["cancel", "pause"]
    assert names(actor="user:ada") == ["pause"]
    assert names(subject="dag") == ["pause"]
    assert names(subject="run", dag_id="d") == ["start"]
    assert names(dag_id="d") == ["release", "start", "pause"]
    assert names(name="start") == ["start"]
    first = client.history().items[1]
    assert (first.dag_id, first.run_id, first.task_id) == ("d", "r1", "t1")
    with pytest.raises(UsageError, match="not a valid subject"):
        client.history(subject="tasks")


def test_history_leaves_out_the_steps_that_tell_nothing(client: Client, conn: Session) -> None:
    told = [
        *(("task_instance", name) for name in ("fail", "refuse", "retry", "cancel")),
        *(("run", name) for name in ("succeed", "fail", "cancel", "set_aside", "note")),
        *(("dag", "load"), ("dag", "miss"), ("pool", "resize"), ("backfill", "create")),
        ("agent_session", "lost"),
    ]
    steps = [
        *(
            ("task_instance", name)
            for name in ("release", "grant", "start", "succeed", "skip", "block")
        ),
        *(("run", "create"), ("run", "start"), ("bundle", "load"), ("retention", "prune")),
    ]
    for subject, name in [*told, *steps]:
        key = {"run_id": "r1"} if subject in ("run", "task_instance") else {}
        key |= {"task_id": "t1"} if subject == "task_instance" else {}
        write_event(conn, subject, name, dag_id="d", **key)
    write_event(conn, "run", "create", dag_id="d", run_id="r2", actor="user:ann")

    def seen(**filters: object) -> list[tuple[str, str]]:
        found = client.history(notable=True, **filters).items
        return [(event.subject, event.name) for event in reversed(found)]

    assert seen() == seen(dag_id="d") == [*told, ("run", "create")]
    assert seen(run_id="r2") == [("run", "create")]
    assert seen(actor="user") == [("run", "create")]
    assert len(client.history().items) == len(told) + len(steps) + 1


def test_history_is_of_a_time(
    client: Client, conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And ends there: no page looks for more beyond."""
    monkeypatch.setattr("headway.store.views.events.WINDOW", 3)
    for minute in range(9):
        write_event(
            conn, "run", "start", run_id=f"r{minute}", at=seed.NOON + timedelta(minutes=minute)
        )
    since = (seed.NOON + timedelta(minutes=4)).isoformat()
    first = client.history(since=since)
    second = client.history(since=since, before=first.next_cursor)
    assert [event.run_id for event in first.items] == ["r8", "r7", "r6"]
    assert [event.run_id for event in second.items] == ["r5", "r4"]
    assert (first.next_cursor is None, second.next_cursor is None) == (False, True)


def test_history_ends_at_a_time(
    client: Client, conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found without looking through all that is newer."""
    monkeypatch.setattr("headway.store.views.events.WINDOW", 12)
    for minute in range(0, 200, 2):
        write_event(
            conn, "run", "start", run_id=f"r{minute}", at=seed.NOON + timedelta(minutes=minute)
        )
    until = (seed.NOON + timedelta(minutes=40)).isoformat()
    since = (seed.NOON + timedelta(minutes=30)).isoformat()
    page = client.history(since=since, until=until)
    assert [event.run_id for event in page.items] == ["r38", "r36", "r34", "r32", "r30"]
    assert page.next_cursor is None
    before_all = client.history(until=(seed.NOON - timedelta(days=1)).isoformat())
    assert (before_all.items, before_all.next_cursor) == ([], None)
    everything = client.history(until=(seed.NOON + timedelta(days=1)).isoformat(), limit=3)
    assert [event.run_id for event in everything.items] == ["r198", "r196", "r194"]


def test_pages_of_history_neither_repeat_nor_omit(
    client: Client, conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the wanted ones are further apart than one page looks."""
    monkeypatch.setattr("headway.store.views.events.WINDOW", 5)
    for number in range(23):
        write_event(conn, "run", "start" if number % 7 == 0 else "other", run_id=f"r{number}")
    seen = []
    before: str | None = None
    for _ in range(23):
        page = client.history(name="start", limit=2, before=before)
        seen += [event.run_id for event in page.items]
        before = page.next_cursor
        if before is None:
            break
    assert seen == ["r21", "r14", "r7", "r0"]


def test_a_success_with_failures_inside_is_told(client: Client, conn: Session) -> None:
    for dag_id in ("d", "mended", "worse"):
        seed.dag(conn, dag_id)
        run_id = f"{dag_id}0"
        seed.run(conn, dag_id, run_id, state="success")
        seed.instance(conn, run_id, "t0", "failed")
        conn.execute("UPDATE run SET failed_instances = 1 WHERE run_id = %s", [run_id])
        end(conn, run_id, 3)
    seed.run(conn, "mended", "mended1", minute=1, state="success")
    seed.run(conn, "worse", "worse1", minute=1, state="failed")
    end(conn, "mended1", 2)
    end(conn, "worse1", 2)
    home = client.overview()
    (flawed,) = home.flawed
    assert (flawed.dag_id, flawed.failed_instances) == ("d", 1)
    assert "although `t0` failed" in flawed.headline
    assert [run.dag_id for run in home.failed] == ["worse"]
    assert (sum(hour.flawed for hour in home.activity), home.runs.success_24h) == (3, 4)
    (dag,) = client.dags(q="d", state="success")[:1]
    assert dag.recent[-1].failed_instances == 1
