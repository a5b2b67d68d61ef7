"""The seeded installation: real DAGs, and a past that the reads can tell."""

from pathlib import Path

import psycopg
from bench.interface.__main__ import seed

from headway.config import Layout
from headway.spec import model
from headway.store.transact import APP, Session, connect, enter_team, transact
from headway.store.views import diagnosis, grid
from headway.store.views.memory import Memory
from headway.wire import Diagnosis, Grid


def test_a_small_one_has_everything_that_the_large_one_has(database: str, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data")
    layout.prepare()
    seed(database, layout.data, tasks=100, runs=12, instances=6_000, count=8)
    with psycopg.connect(database) as conn:
        (spec,) = conn.execute(
            "SELECT spec::text FROM dag_version WHERE dag_id = 'warehouse'"
        ).fetchone() or ("",)
        (failed,) = conn.execute(
            "SELECT run_id FROM run WHERE dag_id = 'warehouse' AND state = 'failed' LIMIT 1"
        ).fetchone() or ("",)
        (errors,) = conn.execute("SELECT count(*) FROM import_error").fetchone() or (0,)
    assert len(model.decode(spec).tasks) == 100
    assert errors == 1
    assert list((layout.logs / failed).rglob("*.log"))
    with connect(database, role=APP) as conn:
        shown = transact(conn, grid_of, "warehouse")
        found = transact(conn, diagnosis_of, failed)
    assert len(shown.runs) == 12
    assert {len(run.cells) for run in shown.runs} == {100}
    assert {letter for run in shown.runs for letter in run.cells} == set("sfu")
    assert found.headline.startswith("Failed after ")


def grid_of(conn: Session, dag_id: str) -> Grid:
    enter_team(conn, 1)
    return grid.page(conn, Memory(), dag_id, 50, None)


def diagnosis_of(conn: Session, run_id: str) -> Diagnosis:
    enter_team(conn, 1)
    return diagnosis.of_run(conn, Memory(), run_id)
