"""The canary: a run from its trigger to its success, of which nothing is left, and what keeps it from that."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import Connection, sql

from headway import clock
from headway.core import plan
from headway.core.canary import is_late, told
from headway.engine import canary as engine
from headway.engine.canary import Canary, period_from, proof
from headway.engine.catalog import Catalog
from headway.engine.team_canaries import TeamCanaries
from headway.errors import UsageError
from headway.store import schedulers
from headway.store.transact import ENGINE, Limits, Session, connect, once, transact

IMPATIENT = Limits(lock_timeout_s=0.05)


def rows_of(conn: Connection[Any]) -> dict[str, int]:
    tables = conn.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND has_table_privilege(oid, 'SELECT')"
    ).fetchall()
    found = {}
    for (name,) in tables:
        row = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))
        found[str(name)] = int((row.fetchone() or (0,))[0])
    return found


def of_teams(conn: Session) -> TeamCanaries:
    return TeamCanaries(conn, 60.0, Catalog(conn).graph)


@pytest.fixture
def canary(conn: Session) -> Canary:
    transact(conn, schedulers.open_scheduler, "s1", "here", 7, 60.0)
    return Canary(conn, "s1", 60.0, of_teams(conn))


def proved(canary: Canary) -> str:
    canary.due_at = clock.monotonic()
    canary.turn()
    return canary.why


def test_a_run_gets_to_success_and_nothing_is_left(database: str, conn: Session) -> None:
    with connect(database) as ears:
        before = rows_of(conn)
        for channel in ("headway_scheduler", "headway_run", "headway_dags"):
            ears.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        assert once(conn, proof) == ""
        assert rows_of(conn) == before
        assert list(ears.notifies(timeout=0)) == []


def test_it_costs_few_statements(conn: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *given: Any, **options: Any) -> Any:
        asked.append(query)
        return execute(self, query, *given, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    assert once(conn, proof) == ""
    assert len(asked) <= 60, f"{len(asked)} statements in five minutes"


def test_several_schedulers_prove_it_at_once(dsn: str) -> None:
    def one(_: int) -> str:
        with connect(dsn, role=ENGINE) as conn:
            return once(conn, proof)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(one, range(8))) == [""] * 8


def test_it_waits_for_nobody_and_nobody_for_it(database: str) -> None:
    """Whatever others hold of teams, pools, shares and DAGs, it has its own."""
    with (
        connect(database, role=ENGINE) as busy,
        connect(database, role=ENGINE, limits=IMPATIENT) as conn,
        busy.transaction(),
    ):
        for table in ("team", "pool", "share", "dag", "run"):
            busy.execute(sql.SQL("SELECT FROM {} FOR UPDATE").format(sql.Identifier(table)))
        assert once(conn, proof) == ""


def test_success_is_written_with_its_time(conn: Session, canary: Canary) -> None:
    assert proved(canary) == ""
    row = conn.execute(
        "SELECT canary_s, proved_at > started_at, unproved FROM scheduler"
    ).fetchone()
    assert row == (60.0, True, None)
    assert canary.trouble() == ""
    canary.turn()  # it is not due again
    assert 59 < canary.due_at - clock.monotonic() <= 60


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        ("begin", "a run was triggered, and 0 of its 1 task was granted"),
        ("absorb", "the task of a run succeeded, and the run is running"),
    ],
)
def test_one_that_does_not_schedule_is_noticed(
    conn: Session, canary: Canary, monkeypatch: pytest.MonkeyPatch, planted: str, why: str
) -> None:
    with monkeypatch.context() as bug:
        bug.setattr(plan, planted, lambda *_: None)
        assert proved(canary) == why
        assert canary.trouble() == "", "it has two periods for it"
        canary.good_at -= 121
        assert canary.trouble() == f"no run got to success for 121 s: {why}"
        assert conn.execute("SELECT unproved FROM scheduler").fetchone() == (why,)
    assert proved(canary) == ""
    assert canary.trouble() == ""
    assert conn.execute("SELECT unproved FROM scheduler").fetchone() == (None,)


def test_what_breaks_it_is_told(
    conn: Session, canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("planted")

    monkeypatch.setattr(engine, "advance", broken)
    assert "planted" in proved(canary)
    canary.good_at -= 121
    assert "planted" in canary.trouble()


def test_no_process_is_replaced_for_its_database(database: str, conn: Session) -> None:
    transact(conn, schedulers.open_scheduler, "s1", "here", 7, 60.0)
    with connect(database, role=ENGINE, limits=IMPATIENT) as impatient:
        canary = Canary(impatient, "s1", 60.0, of_teams(impatient))
        with connect(database) as busy, busy.transaction():
            busy.execute("LOCK TABLE run IN ACCESS EXCLUSIVE MODE")
            assert proved(canary) != ""
        canary.good_at -= 1000
        assert canary.trouble() == ""
        assert proved(canary) == ""


def test_when_it_is_late() -> None:
    assert not is_late(None, 1e9)
    assert [is_late(300, s) for s in (0, 600, 601)] == [False, False, True]
    assert told(None, 1e9, "") == ""
    assert told(300, 40, "") == "got a run to success 40 s ago"
    assert told(300, 700, "planted") == "got no run to success for 11 m: planted"


def test_its_period_is_a_setting() -> None:
    assert (period_from({}), period_from({"HEADWAY_CANARY_S": "0"})) == (300.0, 0.0)
    for text in ("-1", "soon", "0.5", "1e9"):
        with pytest.raises(UsageError, match="not a valid number of seconds"):
            period_from({"HEADWAY_CANARY_S": text})
