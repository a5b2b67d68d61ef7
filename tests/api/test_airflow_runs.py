"""Runs that Airflow did: imported by admins, seen by all of the team, within bounds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from headway import wire
from headway.client import Client
from headway.core import airflow_runs as core
from headway.core.roles import Role
from headway.errors import Conflict, NotFound, UsageError
from headway.store import airflow_runs as store
from headway.store.transact import Session, in_team, transact
from tests.api import people, seed
from tests.api.attacks import Watch
from tests.api.browser import API
from tests.api.conftest import Served

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
ROUTE = f"{API}/dags/orders/airflow-runs"
SPACE = "SELECT runs, size, (SELECT sum(size)::integer FROM airflow_run) FROM airflow_dag"


def task(task_id: str = "load", **facts: Any) -> wire.AirflowTask:
    given = {
        "state": "success",
        "tries": 1,
        "started_at": NOW - 2 * DAY,
        "operator": "BashOperator",
    }
    return wire.AirflowTask(task_id=task_id, **{**given, **facts})


def run(
    run_id: str, days: float = 2, *tasks: wire.AirflowTask, **facts: Any
) -> wire.AirflowRunDetail:
    """A run that ended so many days ago."""
    end = NOW - days * DAY
    given = {
        "run_type": "scheduled",
        "state": "success",
        "logical_date": end - DAY,
        "interval_start": end - DAY,
        "interval_end": end,
        "due_at": end,
        "started_at": end - timedelta(minutes=5),
        "ended_at": end,
        "tasks": len(tasks),
        "instances": list(tasks),
    }
    return wire.AirflowRunDetail(run_id=run_id, **{**given, **facts})


def send(
    client: Client, *runs: wire.AirflowRunDetail, dag_id: str = "orders", **more: Any
) -> wire.AirflowRunsAnswer:
    return client.import_airflow_runs(dag_id, wire.AirflowRunsRequest(runs=list(runs), **more))


def counts(answer: wire.AirflowRunsAnswer) -> tuple[int, int, int, int]:
    return answer.stored, answer.changed, answer.kept, answer.too_old


def test_runs_are_stored_once_and_brought_up_to_date(client: Client, conn: Session) -> None:
    first, second = run("a", 3, task(), task("mapped", map_index=1)), run("b", 2, state="failed")
    assert counts(send(client, first, second)) == (2, 0, 0, 0)
    assert counts(send(client, second, first)) == (0, 0, 2, 0)
    cleared = msgspec.structs.replace(second, state="success", tasks=1, instances=[task(tries=2)])
    assert counts(send(client, first, cleared, run("c", 1))) == (1, 1, 1, 0)
    assert [each.run_id for each in client.airflow_runs("orders", 10)] == ["c", "b", "a"]
    assert client.airflow_run("orders", "a") == first
    assert client.airflow_run("orders", "b") == cleared
    runs, size, of_runs = conn.execute(SPACE).fetchone() or (0, 0, 0)
    assert (runs, size) == (3, of_runs)
    assert conn.execute("SELECT count(*) FROM run").fetchone() == (0,)


def test_a_page_is_followed_by_the_next(client: Client) -> None:
    send(client, *(run(f"r{n}", 9 - n % 3) for n in range(7)))
    found = client.all_pages("/dags/orders/airflow-runs", wire.AirflowRun, {"limit": 2})
    assert [each.run_id for each in found] == ["r5", "r2", "r4", "r1", "r6", "r3", "r0"]


def test_a_dag_tells_how_many_there_are(client: Client, conn: Session) -> None:
    seed.dag(conn, "orders")
    assert client.dag("orders").airflow_runs == 0
    assert client.airflow_runs("orders", 10) == []
    send(client, run("a"), run("b"))
    assert client.dag("orders").airflow_runs == 2
    (dag,) = client.airflow_dags()
    assert (dag.dag_id, dag.runs, dag.done_until) == ("orders", 2, None)


def test_what_is_not_there_is_not_found(client: Client) -> None:
    send(client, run("a"))
    for ask in (
        lambda: client.airflow_runs("other", 10),
        lambda: client.airflow_run("orders", "b"),
        lambda: client.airflow_run("other", "a"),
        lambda: client.forget_airflow_runs("other"),
    ):
        with pytest.raises(NotFound):
            ask()


def test_the_date_only_moves_on_and_is_never_to_come(client: Client) -> None:
    assert send(client, done_until=NOW - DAY).done_until == NOW - DAY
    assert send(client, done_until=NOW - 3 * DAY).done_until == NOW - DAY
    assert send(client, run("a")).done_until == NOW - DAY
    for wrong in (NOW + DAY, datetime(9999, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)):
        with pytest.raises(UsageError, match="done_until must be between 1900 and now"):
            send(client, done_until=wrong)


def test_runs_go_with_the_retention_and_the_date_stays(client: Client, conn: Session) -> None:
    assert counts(send(client, run("a", 91), run("b", 89), done_until=NOW - DAY)) == (1, 0, 0, 1)
    client.set_run_retention(wire.RunRetentionRequest(days=30))
    send(client, run("c", 10))
    transact(conn, in_team, 1, store.prune, NOW - 30 * DAY, 100)
    assert [each.run_id for each in client.airflow_runs("orders", 10)] == ["c"]
    runs, size, of_runs = conn.execute(SPACE).fetchone() or (0, 0, 0)
    assert (runs, size) == (1, of_runs)
    assert client.airflow_dags()[0].done_until == NOW - DAY


def test_what_was_imported_of_a_dag_can_be_removed(client: Client) -> None:
    send(client, run("a"), run("b"), done_until=NOW - DAY)
    send(client, run("a"), dag_id="other")
    client.forget_airflow_runs("orders")
    assert [each.dag_id for each in client.airflow_dags()] == ["other"]
    assert client.audit(1)[0].words == "removed the runs of Airflow of DAG `orders`"


def test_a_batch_is_one_entry_of_the_audit(client: Client) -> None:
    send(client, *(run(f"r{n}", 2, task()) for n in range(50)))
    (entry, *_) = client.audit(5)
    assert entry.words == "imported 50 runs of DAG `orders` from Airflow"
    assert sum(each.action.startswith("airflow_runs.") for each in client.audit(5)) == 1


def test_all_see_them_and_only_admins_import_and_remove(url: str, client: Client) -> None:
    send(client, run("a"))
    for role in people.ROLES:
        people.create(url, f"some-{role}", role)
        browser = people.signed_in(url, f"some-{role}")
        for path in (ROUTE, f"{API}/dags/orders/airflow-run?airflow_run=a", f"{API}/airflow-dags"):
            assert browser.ask("GET", path).status == 200
        expected = 200 if role == Role.ADMIN else 403
        assert browser.ask("POST", ROUTE, {"runs": []}).status == expected
        assert browser.ask("DELETE", ROUTE).status == (204 if role == Role.ADMIN else 403)


def test_another_team_neither_sees_nor_changes_any(
    server: Served, url: str, client: Client, owner_conn: Session
) -> None:
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    send(client, run("a"), done_until=NOW - DAY)
    people.create(url, "eve", "admin")
    owner_conn.execute(
        "UPDATE membership SET team_id = 2 FROM person WHERE name = 'eve'"
        " AND person.person_id = membership.person_id"
    )
    eve = people.signed_in(url, "eve")
    with Watch(server, owner_conn, 2).attack(entries=3):
        assert eve.ask("GET", ROUTE).status == 404
        assert eve.ask("GET", f"{API}/dags/orders/airflow-run?airflow_run=a").status == 404
        assert eve.ask("DELETE", ROUTE).status == 404
    assert eve.ask("GET", f"{API}/airflow-dags").json["items"] == []
    body = msgspec.to_builtins(wire.AirflowRunsRequest(runs=[run("a", state="failed")]))
    assert eve.ask("POST", ROUTE, body).json["stored"] == 1
    assert client.airflow_run("orders", "a").state == "success"
    assert eve.ask("DELETE", ROUTE).status == 204
    assert client.airflow_dags()[0].done_until == NOW - DAY


def facts(**more: Any) -> dict[str, Any]:
    return {**msgspec.to_builtins(run("a", 2, task())), **more}


@pytest.mark.parametrize(
    "wrong",
    [
        {"run_id": ""},
        {"run_id": "x" * 251},
        {"run_id": "a\0b"},
        {"run_type": "x" * 51},
        {"state": "running"},
        {"state": None},
        {"ended_at": None},
        {"ended_at": "2026-01-01T00:00:00"},
        {"ended_at": "9999-12-31T23:59:59Z"},
        {"ended_at": (NOW + 2 * DAY).isoformat()},
        {"started_at": "0001-01-01T00:00:00+14:00"},
        {"logical_date": "2200-01-01T00:00:01Z"},
        {"due_at": "yesterday"},
        {"tasks": -1},
        {"tasks": 2**31},
        {"more": 1},
        {"instances": [{"task_id": "t\0"}]},
        {"instances": [{"task_id": "t", "state": "on fire"}]},
        {"instances": [{"task_id": "t", "map_index": -2}]},
        {"instances": [{"task_id": "t", "tries": "one"}]},
        {"instances": [{"task_id": "t", "operator": "x" * 251}]},
        {"instances": [{"task_id": "t", "ended_at": "1899-12-31T00:00:00Z"}]},
        {"instances": [{"task_id": "t"}] * (core.INSTANCES_MAX + 1)},
    ],
)
def test_a_run_that_no_airflow_has_is_refused(url: str, wrong: dict[str, Any]) -> None:
    answer = people.local(url).ask("POST", ROUTE, {"runs": [facts(run_id="good"), facts(**wrong)]})
    assert answer.status == 400, answer.body
    assert people.local(url).ask("GET", f"{API}/airflow-dags").json["items"] == []


def test_the_number_at_once_is_bounded_and_ids_are_their_own(client: Client) -> None:
    with pytest.raises(UsageError):
        send(client, *(run(f"r{n}") for n in range(core.RUNS_AT_ONCE_MAX + 1)))
    with pytest.raises(UsageError, match="two of the runs have the same id"):
        send(client, run("a"), run("a", 3))
    assert client.airflow_dags() == []


@pytest.mark.parametrize(
    ("limit", "told"),
    [("RUNS_MAX", "2 runs"), ("DAGS_MAX", "2 DAGs"), ("BYTES_MAX", "0 MB of task instances")],
)
def test_a_team_cannot_fill_the_database(
    client: Client, monkeypatch: pytest.MonkeyPatch, limit: str, told: str
) -> None:
    send(client, run("a", 2, task()))
    send(client, run("a", 2, task()), dag_id="other")
    used = 2 * len(msgspec.json.encode([msgspec.structs.astuple(task())]))
    monkeypatch.setattr(core, limit, used if limit == "BYTES_MAX" else 2)
    with pytest.raises(Conflict, match=f"more runs of Airflow than the limit allows: {told}"):
        send(client, run("b", 2, task()), dag_id="third")
    assert [each.dag_id for each in client.airflow_dags()] == ["orders", "other"]
    client.forget_airflow_runs("other")
    assert counts(send(client, run("b", 2, task()), dag_id="third")) == (1, 0, 0, 0)
