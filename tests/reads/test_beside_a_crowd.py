"""What a page of a quiet team reads does not grow with what another team has: hundreds of DAGs, thousands of runs."""

import re
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import psycopg
import pytest
from bench.interface import dags, past
from bench.interface.__main__ import UP_TO_DATE, beside, register
from bench.interface.measure import ask

from headway.api import team_rates
from headway.store.views import events, runs
from tests.api import people
from tests.lending import Lender
from tests.reads.costs import Cost, counted
from tests.reads.test_reads import (
    DAGS,
    ITEMS,
    SPAN,
    WINDOW,
    Costs,
    asked,
    named,
    served_over,
    told,
)

pytestmark = pytest.mark.long

CROWD: Final = 60  # times as many DAGs and runs as the quiet team has
RUNS: Final = 6  # of each DAG
TABLES: Final = ("bundle", "dag_version", "dag", "run", "task_instance", "attempt", "event")
NAMES: Final = ("dag_id", "run_id")
COLUMNS: Final = """
    SELECT quote_ident(attname) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""


def crowd(conn: psycopg.Connection[tuple[str]]) -> None:
    """Give another team each thing of the quiet one many times over, under other names."""
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'loud')")
    conn.execute("SET session_replication_role = replica")
    for table in TABLES:
        columns = [name for (name,) in conn.execute(COLUMNS, [table])]
        changed = {"team_id": "2", "seq": f"nextval(pg_get_serial_sequence('{table}', 'seq'))"}
        changed |= {name: f"substr(md5({name} || n), 1, 12)" for name in NAMES}
        values = ", ".join(changed.get(name, name) for name in columns)
        times = CROWD if {*NAMES} & {*columns} else 1
        conn.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE SELECT {values} "
            f"FROM {table} CROSS JOIN generate_series(1, {times}) AS n WHERE team_id = 1".encode()
        )
    conn.execute("RESET session_replication_role")


def has_grown(small: Cost, large: Cost) -> bool:
    """An index may be a level deeper."""
    return (
        large.rows > 1.1 * small.rows + 50
        or large.buffers > 1.3 * max(small.buffers, small.rows) + 50
        or large.statements != small.statements
    )


def worst(cost: Cost) -> str:
    return max(cost.of, key=lambda statement: cost.of[statement].rows)


def counts(connection: HTTPConnection, token: str, paths: list[str]) -> Costs:
    """By request of somebody of the team alone, each asked for the second time."""
    found: Costs = {}
    for path in paths:
        ask(connection, token, path)
        with counted() as cost:
            ask(connection, token, path)
        found[re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "…", path)] = cost
    return found


def test_what_a_page_reads_does_not_grow_with_another_team(
    lender: Lender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (runs, events):
        monkeypatch.setattr(module, "WINDOW", WINDOW)
    monkeypatch.setattr(team_rates, "READ_S", 0.0)  # by each request, and not once in a while
    data = tmp_path / "data"
    data.mkdir()
    with lender.lend() as lent:
        database = lent.dsn
        dags.write(beside(data), 50, ITEMS, DAGS)
        register(database, data)
        with psycopg.connect(database, autocommit=True) as conn:
            for dag_id, mapped in named():
                past.write(
                    conn,
                    dag_id,
                    runs=RUNS,
                    every="1 hour",
                    lasts="14 min",
                    mapped=mapped,
                    items=ITEMS,
                )
            conn.execute(UP_TO_DATE)
            conn.execute("VACUUM ANALYZE")
            with served_over(database, data) as connection:
                paths = asked(connection, SPAN)
                url = f"http://127.0.0.1:{connection.port}"
                people.create(url, "ann", "admin")
                token = people.token(url, "ann", "admin", "of ann")
                alone = counts(connection, token, paths)
            crowd(conn)
            conn.execute("VACUUM ANALYZE")
            with served_over(database, data) as connection:
                crowded = counts(connection, token, paths)
            (rows,) = conn.execute("SELECT count(*) FROM run WHERE team_id = 2").fetchall()[0]
    assert rows == CROWD * RUNS * DAGS
    grown = [
        f"{path}: {told(small)}, then {told(crowded[path])}; most by {worst(crowded[path])}"
        for path, small in alone.items()
        if has_grown(small, crowded[path])
    ]
    assert grown == [], "\n".join(grown)
