"""What people and the loader do, through the same functions as the API: always by name, sometimes
twice at once, and again when the answer was lost.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import Connection

from headway.actions import backfills, commands
from headway.actions.commands import RunRequest
from headway.core.commands import Selection
from headway.core.states import Event
from headway.errors import UsageError
from headway.spec.model import encode, spec_hash
from headway.store import dags
from headway.store.transact import Session, transact
from tests.simulation.dags import POOLS, random_dag
from tests.simulation.process import Crash

if TYPE_CHECKING:
    from tests.simulation.world import World

TEAM = 1


class People:
    def __init__(self, world: "World") -> None:
        self.world = world
        self.chance = world.chance
        self.promised: dict[tuple[str, str], str] = {}  # DAG and key: the run that was answered
        self.touched: set[str] = set()  # runs whose outcome a person may have changed

    def act(self) -> None:
        """One command, on a connection that nobody uses."""
        conn = self.world.free_connection()
        if conn is None:
            return
        deeds = [self.trigger] * 4 + [self.clear] * 3 + [self.mark, self.cancel, self.switch] * 2
        deeds += [self.resize, self.resize, self.delete_pool, self.deploy, self.backfill]
        self.attempt(conn, self.chance.choice(deeds))

    def attempt(self, conn: Session, deed: Callable[[Session], object]) -> None:
        self.world.lent.add(id(conn))
        try:
            deed(conn)
        except (UsageError, psycopg.errors.LockNotAvailable, Crash):
            pass  # told what is wrong; or somebody holds the row: another time
        finally:
            self.world.lent.discard(id(conn))

    def do(self, conn: Session, command: Callable[..., Any], *args: Any) -> Any:
        self.world.point("a command begins")
        result = transact(conn, self.between, command, args)
        self.world.point("a command is committed")
        return result

    def between(self, conn: Connection[Any], command: Callable[..., Any], args: Any) -> Any:
        result = command(conn, TEAM, *args)
        self.world.point("a command is about to commit")
        return result

    # -- runs

    def trigger(self, conn: Session) -> None:
        dag_id = self.chance.choice(self.world.dag_ids)
        key = f"k{self.chance.randrange(6)}"
        (run_id,) = self.do(
            conn, commands.trigger, dag_id, [RunRequest(params={}, key=key)], "user:ann"
        )
        known = self.promised.setdefault((dag_id, key), run_id)
        assert known == run_id, f"G1 key {key} made two runs of {dag_id}: {known} and {run_id}"

    def some_run(self) -> str | None:
        rows = self.world.observer.execute("SELECT run_id FROM run ORDER BY run_id").fetchall()
        return str(self.chance.choice(rows)[0]) if rows else None

    def some_tasks(self, run_id: str) -> frozenset[str]:
        rows = self.world.observer.execute(
            "SELECT DISTINCT task_id FROM task_instance WHERE run_id = %s ORDER BY task_id",
            [run_id],
        ).fetchall()
        if not rows or self.chance.random() < 0.3:
            return frozenset()
        return frozenset(self.chance.choice(rows))

    def clear(self, conn: Session) -> None:
        if (run_id := self.some_run()) is None:
            return
        self.touched.add(run_id)
        chosen = Selection(
            tasks=self.some_tasks(run_id),
            failed_only=self.chance.random() < 0.3,
            downstream=self.chance.random() < 0.6,
            upstream=self.chance.random() < 0.1,
        )
        self.do(conn, commands.clear, run_id, chosen, self.world.graphs(conn), "user:ann")

    def mark(self, conn: Session) -> None:
        if (run_id := self.some_run()) is None:
            return
        self.touched.add(run_id)
        tasks = self.some_tasks(run_id)
        event = self.chance.choice([Event.MARK_SUCCESS, Event.MARK_FAILED])
        graphs = self.world.graphs(conn)
        if tasks:
            chosen = Selection(tasks=tasks)
            self.do(conn, commands.mark, run_id, chosen, event, graphs, "user:bob")
        else:
            self.do(conn, commands.mark_run, run_id, event, graphs, "user:bob")

    def cancel(self, conn: Session) -> None:
        if (run_id := self.some_run()) is None:
            return
        self.touched.add(run_id)
        self.do(conn, commands.cancel, run_id, self.world.graphs(conn), "user:ann")

    def backfill(self, conn: Session) -> None:
        dag_id = self.chance.choice(self.world.dag_ids)
        spec = dags.spec(conn, TEAM, dag_id)
        first = self.world.now - timedelta(seconds=120)
        dates = commands.backfill_dates(spec, first.isoformat(), self.world.now.isoformat())[:4]
        graphs = self.world.graphs(conn)
        self.do(conn, fill, dag_id, dates, graphs)

    # -- DAGs and pools

    def switch(self, conn: Session) -> None:
        dag_id = self.chance.choice(self.world.dag_ids)
        command = self.chance.choice([commands.pause, commands.resume])
        self.do(conn, command, dag_id, "user:bob")

    def resize(self, conn: Session) -> None:
        name = self.chance.choice(POOLS)
        self.do(conn, commands.resize_pool, name, self.chance.randrange(5), "user:bob")

    def delete_pool(self, conn: Session) -> None:
        self.do(conn, commands.delete_pool, self.chance.choice(POOLS), "user:bob")

    def deploy(self, conn: Session) -> None:
        """A new version of a DAG, or the one before it again."""
        dag_id = self.chance.choice(self.world.dag_ids)
        self.world.retimed.add(dag_id)
        self.do(conn, put, random_dag(self.chance, dag_id, self.world.now), self.world)

    # -- when all is to end well

    def settle(self, conn: Session) -> None:
        """Again when a crash came in between, as many times as there are crashes."""
        settled = False
        while not settled:
            with suppress(Crash):
                self.calm_down(conn)
                settled = True

    def calm_down(self, conn: Session) -> None:
        for dag_id in self.world.dag_ids:
            self.do(conn, commands.resume, dag_id, "user:bob")
        for name in POOLS:
            self.do(conn, commands.resize_pool, name, 3, "user:bob")
        transact(conn, dags.miss, TEAM, self.world.dag_ids, self.world.now)


def fill(
    conn: Connection[Any], team_id: int, dag_id: str, dates: list[datetime], graphs: Any
) -> None:
    planned = backfills.plan(conn, team_id, dag_id, dates, backfills.Again.MISSING)
    backfills.create(conn, team_id, dag_id, planned, {}, 1, graphs, "user:bob")


def put(conn: Connection[Any], team_id: int, dag: Any, world: "World") -> None:
    dags.lock(conn, team_id)
    version = dags.Version(
        dag_id=dag.dag_id,
        file=dag.file,
        spec_hash=spec_hash(dag),
        spec=encode(dag).decode(),
        max_active_runs=dag.max_active_runs,
        run_strategy=dag.run_strategy,
        scheduled=dag.schedule is not None,
        retimed=dag.schedule is not None,
    )
    dags.put(conn, team_id, [version], "v", world.now)
