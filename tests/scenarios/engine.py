"""A scheduler's ticks by hand: one connection, one session, no processes."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from headway.core.admission import Session
from headway.core.reports import Ended, Outcome, Report
from headway.core.triggers import Trigger
from headway.engine.catalog import Catalog
from headway.engine.tick import Ticker, Turn, advance
from headway.executors.base import LEASE, Envelope, Grant
from headway.spec.model import Dag, Task, encode, spec_hash
from headway.store import dags, pools, runs, sessions
from headway.store.runs import NewRun
from headway.store.transact import once, transact

TEAM = 1


class Engine:
    def __init__(self, conn: Connection[Any]) -> None:
        self.conn = conn
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.tokens = itertools.count()
        self.catalog = Catalog(conn)
        self.restart()
        conn.execute(
            "INSERT INTO bundle VALUES (1, 'v', 1, 1, %s) ON CONFLICT DO NOTHING", [self.now]
        )
        self.session("s1")

    def restart(self) -> None:
        """Nothing is in memory any more."""
        self.ticker = Ticker(self.catalog, never, lambda: f"t{next(self.tokens)}", lambda: 0.5)

    def session(self, name: str) -> None:
        transact(self.conn, sessions.open_session, TEAM, name, name, "host", 1, 9, self.now, LEASE)

    def deploy(self, dag_id: str, *tasks: Task, **options: Any) -> None:
        dag = Dag(dag_id=dag_id, file=f"{dag_id}.py", tasks=tasks, **options)
        version = dags.Version(
            dag_id=dag_id,
            file=dag.file,
            spec_hash=spec_hash(dag),
            spec=encode(dag).decode(),
            max_active_runs=dag.max_active_runs,
            run_strategy=dag.run_strategy,
            scheduled=False,
            retimed=False,
        )
        transact(self.conn, dags.put, TEAM, [version], "v", self.now)

    def trigger(self, dag_id: str, run_id: str) -> None:
        new = NewRun(
            team_id=TEAM,
            run_id=run_id,
            dag_id=dag_id,
            run_key=f"manual:{run_id}",
            trigger=Trigger.MANUAL,
            logical_date=self.now,
            interval_start=self.now,
            interval_end=self.now,
            created_by="user:ann",
        )
        transact(self.conn, runs.create, [new], self.now)

    def pool(self, name: str, slots: int) -> None:
        transact(self.conn, pools.resize, TEAM, name, slots, "user:ann", self.now)

    def tick(
        self,
        *ended: Grant,
        outcome: Outcome = Outcome.SUCCESS,
        places: int = 9,
        session: str = "s1",
    ) -> Turn:
        """One tick, with the ends of these attempts."""
        envelopes = [
            Envelope(TEAM, grant.run.run_id, end_of(grant, outcome), b"") for grant in ended
        ]
        mine = {TEAM: [Session(session, session, places)]}
        turn, models = once(
            self.conn, advance, self.ticker, envelopes, mine, starts=True, now=self.now
        )
        self.ticker.settle(models)
        return turn

    def granted(self, turn: Turn) -> list[str]:
        return [f"{grant.run.run_id}/{grant.instance}" for grant in turn.grants]

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def states(self, run_id: str) -> dict[str, str]:
        rows = self.conn.execute(
            "SELECT task_id || CASE WHEN map_index < 0 THEN '' ELSE '[' || map_index || ']' END,"
            " state FROM task_instance WHERE run_id = %s",
            [run_id],
        )
        return dict(rows.fetchall())

    def run_state(self, run_id: str) -> str:
        row = self.conn.execute("SELECT state FROM run WHERE run_id = %s", [run_id]).fetchone()
        assert row is not None
        return str(row[0])


def end_of(grant: Grant, outcome: Outcome) -> Report:
    assert grant.attempt.token is not None
    return Ended(
        task_id=grant.instance.node.task_id,
        map_index=grant.instance.map_index,
        number=grant.attempt.number,
        token=grant.attempt.token,
        outcome=outcome,
        length=3,
        item=False,
    )


def never(body: bytes) -> Report:
    raise AssertionError("nothing comes by the inbox")
