"""A text in the logs of many runs: the newest first, and going on where the last page stopped."""

from collections.abc import Callable

import pytest

from headway.api.logs import search
from headway.client import Client
from headway.config import Layout
from headway.errors import UsageError
from headway.paths import log_path
from headway.store.transact import Session
from headway.store.views import logs as views
from tests.api import seed

Write = Callable[..., None]


@pytest.fixture
def write(conn: Session, layout: Layout) -> Write:
    for dag_id in ("d", "other"):
        seed.dag(conn, dag_id)

    def write(dag_id: str, run_id: str, minute: int, **logs: str) -> None:
        seed.run(conn, dag_id, run_id, minute, state="failed")
        for task_id, text in logs.items():
            seed.instance(conn, run_id, task_id, "failed")
            seed.attempt(conn, run_id, task_id)
            path = layout.data / log_path(run_id, task_id, -1, 1)
            path.parent.mkdir(parents=True)
            path.write_text(text)

    return write


def places(client: Client, text: str, **filters: object) -> list[str]:
    found = client.search_logs(text, **filters)  # type: ignore[arg-type]
    return [f"{each.run_id} {each.task_id}:{each.line}" for each in found]


def test_all_runs_are_searched_the_newest_first(client: Client, write: Write) -> None:
    write("d", "r1", 1, t0="one\ntimed out\n", t1="fine\n")
    write("other", "r2", 2, t0="timed out\nand TIMED out\n")
    write("d", "r3", 3, t1="x\ny\ntimed out\n")
    everywhere = ["r3 t1:3", "r2 t0:1", "r2 t0:2", "r1 t0:2"]
    assert places(client, "timed out") == everywhere
    assert places(client, r"timed\s+out$", regex=True, ignore_case=False) == [
        *("r3 t1:3", "r2 t0:1", "r1 t0:2")
    ]
    assert places(client, "timed out", limit=1) == everywhere
    assert places(client, "timed out", dag_id="d") == ["r3 t1:3", "r1 t0:2"]
    assert places(client, "timed out", task_id="t0") == ["r2 t0:1", "r2 t0:2", "r1 t0:2"]
    assert places(client, "timed out", to="2026-01-01T12:02:00Z") == ["r1 t0:2"]
    assert places(client, "timed out", **{"from": "2026-01-01T12:03:00Z"}) == ["r3 t1:3"]
    assert places(client, "never written") == []
    found = next(client.search_logs("timed out", dag_id="other"))
    run = client.run("r2")
    assert (found.dag_id, found.logical_date) == (run.dag_id, run.logical_date)


def test_pages_lead_on_through_runs_and_logs(
    client: Client, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        write("d", f"r{number}", number, t0="needle\n", t1="needle\n", t2="hay\n")
    whole = places(client, "needle")
    assert len(whole) == 10
    monkeypatch.setattr(views, "RUNS_MAX", 2)
    assert places(client, "needle") == whole
    monkeypatch.setattr(views, "LOGS_MAX", 2)
    assert places(client, "needle") == whole
    assert places(client, "needle", limit=1) == whole


def test_a_strange_question_is_refused(client: Client) -> None:
    with pytest.raises(UsageError, match="regular expression"):
        places(client, "(", regex=True)
    with pytest.raises(UsageError, match="cursor"):
        places(client, "x", cursor="bm9uZQ")
    with pytest.raises(UsageError, match="'done'"):
        places(client, "x", state="done")


def test_an_expression_is_compiled_where_it_holds_up_nobody(
    client: Client, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To compile one may take a second: neither the event loop does it nor any thread beside it."""

    def fail(query: search.Query) -> None:
        raise AssertionError(f"{query.text} was compiled in the process that serves everybody")

    monkeypatch.setattr(search, "pattern_of", fail)
    write("d", "r1", 1, t0="one\ntimed out\n")
    assert places(client, "timed.out", regex=True) == ["r1 t0:2"]
    with pytest.raises(UsageError, match="not a valid regular expression"):
        places(client, "[", regex=True)
