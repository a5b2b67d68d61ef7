"""What lists of runs tell of how they came to be: the partition, and the assets that started them."""

from typing import Any

from headway.store.transact import Session, transact
from headway.store.views import briefs, runs
from headway.store.views.runs import Filter
from tests.scenarios.test_assets import Follower, consumer, emit
from tests.scenarios.test_partitions import DAILY, hours, partitioned, put
from tests.scenarios.world import Scheduler, deploy, task, trigger


def only(conn: Session, dag_id: str) -> Any:
    (run,) = transact(conn, runs.page, Filter(dag_id=dag_id), 10, None).items
    return run


def test_a_run_names_the_assets_whose_events_started_it(conn: Session) -> None:
    consumer(conn, {"any": ["costs", "orders", "rates"]}, "costs", "orders", "rates")
    follower = Follower(Scheduler(conn))
    emit(conn, "orders")
    emit(conn, "costs")
    assert follower.follow() == 1
    run = only(conn, "c")
    assert (run.trigger, run.assets, run.partition) == ("asset", ["costs", "orders"], None)
    assert transact(conn, runs.one, run.run_id).assets == ["costs", "orders"]


def test_a_run_of_a_partition_names_both(conn: Session) -> None:
    partitioned(conn, DAILY, "clicks")
    follower = Follower(Scheduler(conn))
    put(conn, "clicks", *hours("2026-03-02"))
    assert follower.follow() == 1
    run = only(conn, "c")
    assert (run.assets, run.partition) == (["clicks"], "2026-03-02")
    (brief,) = transact(conn, briefs.recent, ["c"])["c"]
    assert brief.partition == "2026-03-02"


def test_a_run_that_a_person_started_names_none(conn: Session) -> None:
    deploy(conn, task("a"))
    trigger(conn)
    run = only(conn, "d")
    assert (run.trigger, run.assets, run.partition) == ("manual", [], None)
