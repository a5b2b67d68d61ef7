"""The real scheduler brings drawn DAGs (``bench/airflow/drawn``) to the same ends as ``run_dag``, which
``tests/authoring/test_drawn_beside_airflow.py`` compares with Airflow.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from bench.airflow import drawn
from psycopg import Connection

from headway.agent.protocol import XComValue
from headway.authoring.loading import load_file
from headway.authoring.run import Skip
from headway.core.reports import Ended, Outcome
from headway.executors.base import Envelope, Grant
from headway.spec.errors import BadSpec
from headway.spec.model import RESULT_KEY
from headway.testing import Bench, run_dag
from tests.scenarios.world import START_DATE, Scheduler, deploy, key_of, run_state, states, trigger

PART: Final = 20


class Doing(Scheduler):
    """Its agent executes the tasks in this process, as ``run_dag`` does."""

    bench: Bench

    def work(self, behaviour: object = None) -> list[Envelope]:
        return [self.done(grant) for grant in list(self.held.values())]

    def done(self, grant: Grant) -> Envelope:
        self.held.pop(key_of(grant))
        assert grant.attempt.token is not None
        report = Ended(
            task_id=grant.instance.node.task_id,
            map_index=grant.instance.map_index,
            number=grant.attempt.number,
            token=grant.attempt.token,
            outcome=Outcome.SUCCESS,
        )
        try:
            told = self.bench.execute(grant.run, grant.instance)
            report = replace(report, **told, xcoms=tuple(self.results(grant, told["length"])))
        except Skip:
            report = replace(report, outcome=Outcome.SKIPPED)
        except Exception as error:
            report = replace(report, outcome=Outcome.FAILED, cause="exception", detail=str(error))
        return Envelope(self.team_id, grant.run.run_id, report, b"")

    def results(self, grant: Grant, length: int | None) -> Iterator[XComValue]:
        by_index = self.bench.stored.get((grant.instance.node.task_id, RESULT_KEY), {})
        text = by_index.get(grant.instance.map_index)
        if text is not None:
            yield XComValue(RESULT_KEY, text, None, len(text), length)


@pytest.mark.long
@pytest.mark.parametrize(
    "first",
    [
        *range(0, drawn.RECORDED, PART),
        *(
            pytest.param(first, marks=pytest.mark.stress)
            for first in range(drawn.RECORDED, drawn.ALL, PART)
        ),
    ],
)
def test_the_scheduler_and_run_dag_agree(conn: Connection[Any], first: int, tmp_path: Path) -> None:
    scheduler, differing = Doing(conn), {}
    for number in range(first, first + PART):
        file = tmp_path / f"drawn_{number}.py"
        file.write_text(drawn.text(number, airflow=False))
        (dag,) = load_file(file, tmp_path)
        try:
            spec = dag.spec(file.name)
        except BadSpec:  # some have a task below a setup with another rule, which is refused
            continue
        wanted = run_dag(dag)
        deploy(conn, *spec.tasks, dag_id=spec.dag_id)
        (run_id,) = trigger(conn, spec.dag_id)
        scheduler.bench = Bench(dag, spec, START_DATE, (START_DATE, START_DATE), None, {})
        scheduler.play(seconds_a_turn=1.0)
        found = (run_state(conn, run_id), states(conn, run_id))
        expected = {
            task.task_id if each.map_index < 0 else f"{task.task_id}[{each.map_index}]": each.state
            for task in wanted.tasks.values()
            for each in task.instances
        }
        if found != (wanted.state, expected):
            differing[number] = found, (wanted.state, expected)
    assert not differing
