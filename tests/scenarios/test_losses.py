"""Connections that are ended and schedulers that know nothing, again and again: the run does not notice."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg import Connection

from headway.agent import protocol
from headway.agent.protocol import AttemptKey
from headway.errors import HeadwayError
from headway.executors.agents import translate
from headway.executors.base import Envelope
from headway.store import sessions
from headway.store.transact import Session, connect
from tests.scenarios.world import Scheduler, deploy, run_state, task, trigger, value

TURNS_MAX = 30


class Guillotine:
    """Ends the backend of ``victim`` before its statement number ``at``, counted from 1."""

    def __init__(self, observer: Session) -> None:
        self.observer = observer
        self.victim: Connection[Any] | None = None
        self.at = self.seen = 0

    def before_a_statement(self, conn: Connection[Any]) -> None:
        if conn is self.victim:
            self.seen += 1
            if self.seen == self.at:
                self.observer.execute(
                    "SELECT pg_terminate_backend(%s, 5000)", [conn.info.backend_pid]
                )


@pytest.fixture
def guillotine(owner_conn: Session, monkeypatch: pytest.MonkeyPatch) -> Guillotine:
    made = Guillotine(owner_conn)
    execute = psycopg.Cursor.execute

    def execute_after_all(self: psycopg.Cursor[Any], *args: Any, **kwargs: Any) -> Any:
        made.before_a_statement(self.connection)
        return execute(self, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", execute_after_all)
    return made


def reports(conn: Connection[Any], session: str) -> list[Envelope]:
    """An agent's word on all that is bound to its session: each has succeeded."""
    found = []
    for bound in sessions.bound(conn, 1, session):
        key = AttemptKey(bound.run_id, bound.task_id, bound.map_index, bound.number)
        ended = protocol.Ended(1, key, bound.token, "success", "")
        body = msgspec.msgpack.encode(ended)
        found.append(Envelope(1, bound.run_id, translate.report(ended), body))
    return found


@contextmanager
def reborn(dsn: str, session: str) -> Iterator[Scheduler]:
    """A scheduler that has just started, whose agent has reconnected."""
    with connect(dsn) as conn:
        scheduler = Scheduler(conn)
        scheduler.session = session
        yield scheduler


@pytest.mark.long
def test_the_connection_is_ended_before_each_statement_of_each_tick(
    conn: Connection[Any], dsn: str, guillotine: Guillotine
) -> None:
    session = Scheduler(conn).session
    at = ended = 0
    while ended == at:
        at += 1
        ended += play_with_one_end(conn, dsn, guillotine, session, at)
    assert at > 20, "too few statements to be the ticks of a run"


def play_with_one_end(
    conn: Connection[Any], dsn: str, guillotine: Guillotine, session: str, at: int
) -> bool:
    """One run of two tasks. False: it had fewer statements than ``at``."""
    dag_id = f"d{at}"
    deploy(conn, task("a"), task("b", "a"), dag_id=dag_id)
    (run_id,) = trigger(conn, dag_id)
    guillotine.at, guillotine.seen = at, 0
    failures = 0
    while run_state(conn, run_id) != "success":
        assert failures <= 1
        with reborn(dsn, session) as scheduler:
            guillotine.victim = scheduler.conn
            failures += fails(conn, scheduler, run_id)
            guillotine.victim = None
    assert value(conn, "SELECT count(*) FROM attempt WHERE run_id = %s", run_id) == 2
    return failures == 1


def fails(conn: Connection[Any], scheduler: Scheduler, run_id: str) -> bool:
    """Ticks until the run has ended, or the connection was."""
    for _ in range(TURNS_MAX):
        if run_state(conn, run_id) == "success":
            return False
        try:
            scheduler.tick(*reports(conn, scheduler.session))
        except (HeadwayError, psycopg.Error):
            return True
    raise AssertionError("it does not come to an end")


def test_a_scheduler_that_starts_anew_for_each_tick_makes_progress(
    conn: Connection[Any], dsn: str
) -> None:
    deploy(conn, task("a"), task("b", "a"), task("c", "b"))
    session = Scheduler(conn).session
    (run_id,) = trigger(conn)
    for _ in range(TURNS_MAX):
        if run_state(conn, run_id) == "success":
            break
        with reborn(dsn, session) as scheduler:
            scheduler.tick(*reports(conn, session))
    assert run_state(conn, run_id) == "success"
    assert value(conn, "SELECT count(*) FROM attempt") == 3, "none was lost"
