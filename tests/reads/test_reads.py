"""What a page reads does not grow with the history: the same requests after 120 runs of each DAG and after 480.

The server counts, and nothing is timed: so the machine may be slow.
"""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import msgspec
import psycopg
import pytest
from bench.interface import dags, past
from bench.interface.__main__ import UP_TO_DATE, beside, register
from bench.interface.measure import TIMEOUT_S, ask

from headway import clock
from headway.store.views import events, runs
from tests.api import seed
from tests.api.conftest import TOKEN, served
from tests.lending import Lender
from tests.reads.costs import Cost, counted
from tests.reads.pages import requests

pytestmark = pytest.mark.long

FEW, MANY = 120, 480  # runs of each DAG: about 11,000 and 46,000 task instances
ITEMS: Final = 20
DAGS: Final = 8
SPAN: Final = timedelta(days=4)  # shorter than either history
WINDOW: Final = 500  # rows looked through for one page: fewer than either history has
STATEMENTS_MAX: Final = 16
SENT_MAX: Final = 110_000
# A list of versions says how many runs each had: entries of one index, and no task instances.
COUNTING: Final = re.compile(r"/versions\?")

Costs = dict[str, Cost]


@contextmanager
def served_over(database: str, data: Path) -> Iterator[HTTPConnection]:
    with served(database, data, rate=10_000) as server:
        port = server.listener.getsockname()[1]
        with closing(HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as connection:
            yield connection


def asked(connection: HTTPConnection, longest: timedelta) -> list[str]:
    return requests(
        lambda path: msgspec.json.decode(ask(connection, TOKEN, path)[0]), clock.now(), longest
    )


def costs(database: str, data: Path, each: int) -> Costs:
    """By request. Each is asked for the second time: what the server keeps in memory is there."""
    data.mkdir()
    dags.write(beside(data), 50, ITEMS, DAGS)
    register(database, data)
    with psycopg.connect(database, autocommit=True) as conn:
        for dag_id, mapped in named():
            past.write(
                conn, dag_id, runs=each, every="1 hour", lasts="14 min", mapped=mapped, items=ITEMS
            )
        conn.execute(UP_TO_DATE)
        conn.execute("VACUUM ANALYZE")
    found: Costs = {}
    with served_over(database, data) as connection:
        for path in asked(connection, SPAN):
            ask(connection, TOKEN, path)
            with counted() as cost:
                ask(connection, TOKEN, path)
            found[re.sub(r"\b[0-9a-f]{12}\b|\d{4}-\d\d-\d\dT[\d:]+Z", "…", path)] = cost
    return found


def named() -> Iterator[tuple[str, str]]:
    """The DAGs, and which task of each is mapped."""
    yield "warehouse", ""
    yield "carriers", "summarise"
    for dag_id, *_ in dags.smalls(DAGS - dags.LARGE):
        yield dag_id, ""


def test_what_a_page_reads_does_not_grow_with_the_history(
    lender: Lender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (runs, events):
        monkeypatch.setattr(module, "WINDOW", WINDOW)
    with lender.lend() as few, lender.lend() as many:
        before, after = (
            costs(few.dsn, tmp_path / "few", FEW),
            costs(many.dsn, tmp_path / "many", MANY),
        )
    assert before.keys() == after.keys()
    grown = [
        f"{path}: {told(small)}, then {told(after[path])}"
        for path, small in before.items()
        if has_grown(small, after[path]) and not COUNTING.search(path)
    ]
    assert grown == [], "\n".join(grown)


def has_grown(small: Cost, large: Cost) -> bool:
    """A row lies in a page of its own at worst, and an index may be a level deeper."""
    return (
        large.rows > 1.1 * small.rows + 50
        or large.buffers > 1.3 * max(small.buffers, small.rows) + 50
        or large.statements != small.statements
        or large.statements > STATEMENTS_MAX
    )


def told(cost: Cost) -> str:
    return f"{cost.statements} statements, {cost.rows:,} rows, {cost.buffers:,} buffers"


def test_answers_about_300_dags_and_2000_tasks_are_small(database: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    dags.write(beside(tmp_path / "data"), 2_000, 1_500, DAGS)
    register(database, tmp_path / "data")
    with psycopg.connect(database, autocommit=True) as conn:
        for n in range(300 - DAGS):
            seed.dag(conn, f"shop_table_{n:03}")
        for dag_id, mapped in named():
            past.write(
                conn, dag_id, runs=3, every="1 hour", lasts="14 min", mapped=mapped, items=1_500
            )
        conn.execute(UP_TO_DATE)
    with served_over(database, tmp_path / "data") as connection:
        sent = {path: ask(connection, TOKEN, path)[1] for path in asked(connection, SPAN)}
    assert {path: size for path, size in sent.items() if size > SENT_MAX} == {}
