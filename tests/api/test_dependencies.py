"""What DAGs are to each other: who waits for whom, and what a failure blocks elsewhere."""

from headway import wire
from headway.client import Client
from headway.spec.model import Asset
from headway.store.transact import Session
from headway.wire import BlockedDag, DagLink
from tests.api.test_explaining_runs import failing
from tests.scenarios.test_assets import consumer, producer
from tests.scenarios.test_deferrals import for_run
from tests.scenarios.world import Scheduler, deploy, states, task, trigger


def test_dags_tell_whom_they_wait_for_and_who_is_affected(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    consumer(conn, {"all": ["orders", "rates"]}, "orders", "rates")
    waits = {"dag_id": "c"}
    deploy(conn, task("await", kind="wait_for_run", arguments=waits), dag_id="report", owner="ann")
    computed = {"dag_id": "{{ params.dag }}"}
    deploy(conn, task("await", kind="wait_for_run", arguments=computed), dag_id="alone")
    found = {each.dag_id: each for each in client.dependencies()}
    assert sorted(found) == ["c", "d", "report"]
    assert found["c"].upstream == [
        DagLink(dag_id=None, kind="asset", name="rates"),
        DagLink(dag_id="d", kind="asset", name="orders"),
    ]
    report = DagLink(dag_id="report", kind="run", name="await", owner="ann")
    assert found["c"].downstream == [report]
    assert (found["d"].affected, found["d"].affected_owners) == (["c", "report"], ["ann"])
    assert (found["report"].owner, found["report"].affected) == ("ann", [])
    pages = [client.get("/dependencies", wire.Page[wire.DagLinks], {"limit": 2})]
    pages.append(
        client.get(
            "/dependencies",
            wire.Page[wire.DagLinks],
            {"limit": 2, "cursor": pages[0].next_cursor},
        )
    )
    assert [[each.dag_id for each in page.items] for page in pages] == [["c", "d"], ["report"]]
    assert pages[1].next_cursor is None
    for q, dags in (("ANN", ["report"]), ("rates", ["c"]), ("repo", ["report"]), ("none", [])):
        assert [each.dag_id for each in client.dependencies(q=q)] == dags
    assert [each.dag_id for each in client.dependencies(dag_id="c")] == ["c"]


def test_an_asset_that_a_task_waits_for_is_awaited_and_not_read(
    client: Client, conn: Session
) -> None:
    producer(conn, "orders")
    known = (Asset(name="orders"), Asset(name="rates"))
    waits = task(
        *("await",),
        kind="wait_for_asset",
        arguments={"asset": "orders"},
        inlets=("orders", "rates"),
    )
    deploy(conn, waits, dag_id="report", owner="ann", assets=known)
    (found,) = client.dependencies(dag_id="report")
    assert found.upstream == [DagLink(dag_id="d", kind="asset", name="orders")]
    (above,) = client.dependencies(dag_id="d")
    assert (above.affected, above.affected_owners) == (["report"], ["ann"])
    use = wire.AssetTask(dag_id="report", task_id="await", owner="ann")
    orders, rates = client.assets()
    assert (orders.awaiters, orders.readers) == ([use], [])
    assert (rates.awaiters, rates.readers) == ([], [use])
    assert client.asset("orders").affected == ["report"]
    assert client.asset("rates").affected == []
    of_dag = client.dag_assets("report")
    assert of_dag.awaited == [wire.AssetUse(asset="orders", task_id="await")]
    assert of_dag.inlets == [wire.AssetUse(asset="rates", task_id="await")]


def test_who_updates_an_alias_updates_its_assets_and_the_other_way_round(
    client: Client, conn: Session
) -> None:
    producer(conn, "@alias:files", dag_id="adds")
    producer(conn, "eu", dag_id="makes")
    consumer(conn, "@alias:files", "@alias:files")
    consumer(conn, "eu", "eu", dag_id="of_eu")

    def above(dag_id: str) -> list[str | None]:
        (found,) = client.dependencies(dag_id=dag_id)
        return [link.dag_id for link in found.upstream]

    assert (above("c"), above("of_eu")) == (["adds"], ["makes"])
    conn.execute("INSERT INTO asset_alias VALUES (1, 'files', 'eu', 1, now())")
    assert (above("c"), above("of_eu")) == (["adds", "makes"], ["adds", "makes"])
    (found,) = client.dependencies(dag_id="c")
    assert {link.name for link in found.upstream} == {"@alias:files"}


def test_a_task_that_started_the_last_run_of_a_dag_is_a_dependency(
    client: Client, conn: Session
) -> None:
    deploy(conn, task("start"), dag_id="upper", owner="ann")
    deploy(conn, task("work"), dag_id="lower", owner="bob")
    (above,), (below,) = trigger(conn, "upper"), trigger(conn, "lower")
    started = "UPDATE run SET created_by = %s WHERE run_id = %s"
    conn.execute(started, [f"task:upper/{above}/start[3]", below])
    (lower, upper) = client.dependencies()
    assert lower.upstream == [DagLink(dag_id="upper", kind="trigger", name="start", owner="ann")]
    assert (upper.affected, upper.affected_owners) == (["lower"], ["bob"])
    conn.execute(started, ["task:upper/run-of-another-team/start", below])
    assert client.dependencies() == []


def test_of_many_affected_dags_the_nearest_are_named(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    for number in range(105):
        consumer(conn, {"all": ["orders"]}, "orders", dag_id=f"c{number:03}")
    (found,) = client.dependencies(dag_id="d")
    assert (len(found.affected), found.affected_total) == (100, 105)


def test_a_failure_names_what_it_blocks_in_other_dags(client: Client, conn: Session) -> None:
    producer(conn, "orders", "rates")
    consumer(conn, {"all": ["orders"]}, "orders")
    waits = {"dag_id": "c"}
    deploy(conn, task("await", kind="wait_for_run", arguments=waits), dag_id="report", owner="ann")
    consumer(conn, {"all": ["rates"]}, "rates", dag_id="happy")
    deploy(conn, task("look"), dag_id="waits", owner="bob")
    (failed,), (waiting,) = trigger(conn, "d"), trigger(conn, "waits")
    conn.execute(
        "UPDATE run SET logical_date = (SELECT logical_date FROM run WHERE run_id = %s) WHERE run_id = %s",
        [waiting, failed],
    )
    wait = {"outcome": "deferred", "deferral": for_run(conn, waiting, "d")}
    ends = failing(make_orders="no orders")
    Scheduler(conn).play(lambda grant: wait if grant.run.run_id == waiting else ends(grant))
    assert states(conn, waiting) == {"look": "deferred"}
    assert client.diagnosis(failed).blocked_dags == [
        BlockedDag(dag_id="c", owner="", kind="asset", name="orders", source="make_orders"),
        BlockedDag(dag_id="waits", owner="bob", kind="run", name="look", run_id=waiting),
        BlockedDag(dag_id="report", owner="ann", kind="run", name="await", through="c"),
    ]
    (good,) = trigger(conn, "d")
    Scheduler(conn).play()
    assert client.diagnosis(good).blocked_dags == []
