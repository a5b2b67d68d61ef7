"""Whether a task may run after what has become of earlier runs is as Airflow decides it, whose answers are recorded
(``bench/airflow``).
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from bench.airflow.past_cases import Case, cases
from psycopg import Connection

from headway.core.gates import Gate
from headway.engine import gates
from headway.store import runs, snapshots
from headway.store.clock import clock
from headway.store.transact import transact
from tests.scenarios.world import START_DATE, Scheduler, deploy, graphs, task, trigger

RECORDS: Final = Path(__file__).parents[2] / "bench" / "airflow" / "past.json"
OURS: Final = {"running": "ready", "none": "waiting"}
ENDED: Final = ("success", "skipped", "failed", "upstream_failed")
ADD: Final = """
    INSERT INTO task_instance (team_id, run_id, task_id, map_index, state, attempts, pool, ready_at, ended_at)
    VALUES (1, %s, %s, -1, %s, 0, 'default', CASE %s WHEN 'ready' THEN now() END, CASE WHEN %s THEN now() END)
"""


def test_answers_are_those_of_airflow(conn: Connection[Any]) -> None:
    recorded = json.loads(RECORDS.read_text())["may_run"]
    scheduler = Scheduler(conn)
    found = [may_run(conn, scheduler, f"d{n}", case) for n, case in enumerate(cases())]
    differing = [
        n for n, (ours, theirs) in enumerate(zip(found, recorded, strict=True)) if ours != theirs
    ]
    assert not differing, f"not as in Airflow: {[(n, cases()[n]) for n in differing[:3]]}"
    assert 30 < sum(found) < len(found) - 30


def may_run(conn: Connection[Any], scheduler: Scheduler, dag_id: str, case: Case) -> bool:
    one = task(
        "a",
        depends_on_past=True,
        wait_for_downstream=case.wait_for_downstream,
        ignore_first_depends_on_past=case.ignore_first,
    )
    start = START_DATE - timedelta(days=100)
    dag: dict[str, Any] = {"dag_id": dag_id, "catchup": case.catchup, "start_date": start}
    deploy(conn, one, task("b", "a"), task("c", "b"), **dag)
    for before in case.before:
        run_id = made(conn, dag_id, before.kind, before.days)
        for name, state in before.states.items():
            ours = OURS.get(state, state)
            conn.execute(ADD, [run_id, name, ours, ours, state in ENDED])
    asking = made(conn, dag_id, case.kind, 0)
    gate = transact(conn, asked, asking, graphs(scheduler))
    assert gate is not None
    return gate.closed is None


def asked(conn: Connection[Any], run_id: str, graphs: Any) -> Gate | None:
    row = runs.read(conn, 1, run_id)
    assert row is not None
    run = snapshots.look(conn, row, graphs, clock(conn))
    node = run.graph.nodes[0]
    return gates.gate_of(conn, row, run, node, *gates.look_back(conn, [(row, run, [node])]))


def made(conn: Connection[Any], dag_id: str, kind: str, days: int) -> str:
    (run_id,) = trigger(conn, dag_id)
    values = [
        "schedule" if kind == "scheduled" else "manual",
        START_DATE - timedelta(days=days),
        run_id,
    ]
    conn.execute(
        "UPDATE run SET state = 'running', trigger = %s, logical_date = %s WHERE run_id = %s",
        values,
    )
    return run_id
