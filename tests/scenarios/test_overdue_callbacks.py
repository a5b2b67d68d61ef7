"""Functions of a DAG that are called when one of its partitions is overdue: there is no run that they are about."""

from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway.core.callbacks import SUFFIX
from headway.engine.partitions import digest
from headway.spec.callbacks import companion
from headway.spec.model import Asset, Dag
from headway.store import partitions_due
from headway.store.transact import Session, transact
from tests.scenarios.test_callbacks import Following
from tests.scenarios.test_partitions import DAILY
from tests.scenarios.test_partitions_due import TWO_HOURS, Clock
from tests.scenarios.test_unreadable import make_unreadable
from tests.scenarios.world import deploy, task, value

DUE = "2026-03-03T02:00"
SCHEDULE = {"partitions": {"on": "clicks", "mapper": DAILY, "due_s": TWO_HOURS}}


def deploy_both(conn: Connection[Any], dag_id: str = "c", functions: int = 2) -> Dag:
    made = deploy(
        conn,
        task("use"),
        dag_id=dag_id,
        schedule=SCHEDULE,
        assets=(Asset(name="clicks"),),
        callbacks={"overdue": functions},
    )
    spec = companion(made)
    deploy(conn, *spec.tasks, dag_id=spec.dag_id, open_params=True)
    return made


def calls(conn: Connection[Any]) -> list[tuple[str, str, int]]:
    return conn.execute(
        "SELECT dag_id, partition, (params #>> '{callback,index}')::integer FROM run"
        " WHERE trigger = 'callback' ORDER BY 1, 2, 3"
    ).fetchall()


def test_each_function_is_called_once_for_a_partition(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy_both(conn)
    clock = Clock(conn, monkeypatch)
    clock.look()
    following = Following(clock.scheduler)
    assert clock.look(DUE) == 1
    following.follow()
    assert calls(conn) == [(f"c{SUFFIX}", "2026-03-02", 0), (f"c{SUFFIX}", "2026-03-02", 1)]
    text = value(conn, "SELECT params::text FROM run WHERE trigger = 'callback' LIMIT 1")
    told = msgspec.json.decode(text)["callback"]
    assert (told["when"], told["run_id"], told["task_id"]) == ("overdue", None, None)
    assert told["reason"].startswith("the partition 2026-03-02 was due at 2026-03-03 02:00:00 UTC")
    assert told["due_at"] == "2026-03-03T02:00:00+00:00"
    span = "SELECT array_agg(DISTINCT interval_start::date::text || interval_end::date) FROM run"
    assert value(conn, span) == ["2026-03-022026-03-03"]
    clock.scheduler.play()
    assert value(conn, "SELECT array_agg(DISTINCT state) FROM run") == ["success"]
    assert clock.look() == 0
    following.follow()
    assert len(calls(conn)) == 2


def test_nothing_is_called_for_what_was_not_committed(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    dag = deploy_both(conn)
    clock = Clock(conn, monkeypatch)
    clock.look()
    following = Following(clock.scheduler)
    day = partitions_due.Overdue("2026-03-02", clock.now)
    due = partitions_due.DueDag(1, dag.dag_id, 1, False, None)
    with conn.transaction(force_rollback=True):
        assert partitions_due.tell(conn, due, digest(dag), [day], clock.now) == 1
    following.follow()
    assert calls(conn) == []
    assert transact(conn, partitions_due.tell, due, digest(dag), [day], clock.now) == 1
    following.follow()
    assert len(calls(conn)) == 2


def test_a_version_that_cannot_be_read_holds_up_no_other(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy_both(conn, "broken", 1)
    deploy_both(conn, "fine", 1)
    clock = Clock(conn, monkeypatch)
    clock.look()
    following = Following(clock.scheduler)
    assert clock.look(DUE) == 2
    make_unreadable(conn, clock.scheduler, "broken")
    following.follow()
    assert calls(conn) == [(f"fine{SUFFIX}", "2026-03-02", 0)]
