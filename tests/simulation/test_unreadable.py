"""A downgrade in the middle of a story: from then on no process can read one of the DAGs. The others go
on; its runs stand still until a person cancels them, and then they end like any other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest

from headway.actions import commands
from headway.core.states import RunState
from headway.errors import Conflict
from headway.spec.model import Dag
from headway.store import dags
from tests.simulation.process import Crash
from tests.simulation.world import Connections, World

SEEDS = range(6)
STEPS = 40


@pytest.fixture(scope="module")
def connections(postgres: str) -> Iterator[Connections]:
    with Connections.of_a_fresh_database(postgres) as connections:
        yield connections


class Downgrade(World):
    odd = ""  # the DAG that nobody can read

    @contextmanager
    def patched(self) -> Iterator[None]:
        read = dags.readable

        def readable(text: str, dag_id: str) -> Dag:
            if dag_id == self.odd:
                raise Conflict(f"a stored version of DAG {dag_id} cannot be read")
            return read(text, dag_id)

        with super().patched(), mock.patch.object(dags, "readable", readable):
            yield

    def trouble_comes(self) -> None:
        super().trouble_comes()
        self.odd = self.dag_ids[0]
        for process in self.processes:
            process.die()
        super().trouble_comes()

    def all_ends_well(self) -> None:
        self.trouble = False
        for run_id in self.odd_ones():
            self.cancel(run_id)
        super().all_ends_well()
        left = self.observer.execute(
            "SELECT state FROM run WHERE run_id = ANY(%s)", [self.cancelled]
        ).fetchall()
        assert set(left) <= {(RunState.CANCELLED,)}, left

    def odd_ones(self) -> list[str]:
        rows = self.observer.execute(
            "SELECT run_id FROM run WHERE dag_id = %s AND ended_at IS NULL ORDER BY run_id",
            [self.odd],
        )
        self.cancelled = [str(row[0]) for row in rows]
        return self.cancelled

    def cancel(self, run_id: str) -> None:
        conn = self.connections.people[0]
        self.people.touched.add(run_id)
        for _ in range(2):  # a crash between the commit and the answer: asked again
            try:
                self.people.do(conn, commands.cancel, run_id, self.graphs(conn), "user:ann")
                return
            except Crash:
                conn.rollback()


@pytest.mark.parametrize("seed", SEEDS)
def test_what_nobody_can_read_can_be_ended(seed: int, connections: Connections) -> None:
    Downgrade(seed, connections, steps=STEPS).run()
