"""The loader's statements stay on their indexes, planned for no values in particular, in any size of database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, LiteralString

import pytest
from psycopg import Connection

from headway.store import bundles, code_changes, dags
from headway.store.transact import ENGINE, Session, connect
from tests.postgres import fresh_database

FILL: LiteralString = """
    INSERT INTO bundle VALUES (1, 'v', 1, 1, now());
    INSERT INTO dag_version SELECT 1, 'dag' || d, n, md5(d || '-' || n), '{}', now()
        FROM generate_series(1, 2000) d, generate_series(1, 20) n;
    INSERT INTO code_change SELECT 1, 'dag' || d, n, n, 'v', '[]', now()
        FROM generate_series(1, 2000) d, generate_series(1, 20) n;
    INSERT INTO dag (team_id, dag_id, version, bundle_version, file, max_active_runs, updated_at)
        SELECT 1, 'dag' || d, 20, 'v', 'f', 16, now() FROM generate_series(1, 2000) d;
"""

HOT: Final = {
    "specs": dags.SPECS,
    "current": dags.CURRENT,
    "add versions": dags.ADD_VERSIONS,
    "put": dags.PUT,
    "record": code_changes.RECORD,
}
VALUES: Final = {
    "team_id": 1,
    "bundle_version": "v",
    "now": datetime(2026, 1, 1, tzinfo=UTC),
    "dag_id": "dag1",
    "dag_ids": ["dag1"],
    "versions": [1],
    "spec_hashes": ["x"],
    "specs": ["{}"],
    "files": ["f"],
    "max_active_runs": [1],
    "scheduled": [True],
    "goes_on": [True],
    "retimed": ["dag1"],
    "run_strategies": ["parallel"],
    "rows": '[{"dag_id": "dag1", "imported": ["f"], "files": [], "is_new": true}]',
}


@pytest.fixture(scope="module", params=["empty", "large"])
def engine(request: pytest.FixtureRequest, postgres: str) -> Iterator[Session]:
    """Filled once for all statements: an EXPLAIN changes nothing."""
    with fresh_database(postgres) as dsn:
        if request.param == "large":
            with connect(dsn) as conn:
                conn.execute(FILL)
                conn.execute("ANALYZE dag, dag_version, bundle, code_change")
        with connect(dsn, role=ENGINE) as conn:
            yield conn


@pytest.mark.parametrize("name", HOT)
def test_versions_are_found_by_their_key(engine: Session, name: str) -> None:
    plan = engine.execute(f"EXPLAIN {HOT[name]}".encode(), VALUES).fetchall()
    text = "\n".join(line for (line,) in plan)
    assert "Seq Scan on dag_version" not in text, text
    assert "Seq Scan on code_change" not in text, text


def test_what_is_active_is_not_looked_for_among_all_runs(conn: Connection[Any]) -> None:
    plan = conn.execute(f"EXPLAIN {bundles.ACTIVE}".encode()).fetchall()
    text = "\n".join(line for (line,) in plan)
    assert "run_queued" in text, text
    assert "run_running" in text, text
