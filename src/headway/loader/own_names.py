"""``@team/name`` in the DAGs of that very team: refused, for its own things have no such name. No I/O.

A front end does not know whose file it reads; who loads it does.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from headway.core import schedules
from headway.core.foreign import foreign
from headway.frontends.base import Trouble
from headway.spec.model import Dag

# The argument with the DAG that a task waits for, by operator.
AWAITED: Final = {"wait_for_run": "dag_id", "ExternalTaskSensor": "external_dag_id"}


def refusal(dags: Iterable[Dag], team: str) -> Trouble | None:
    """Return what the author of a file of ``team`` has to change first."""
    for dag in dags:
        for what, name, line in named(dag):
            other = foreign(name)
            if other is not None and other.team == team:
                return Trouble(
                    f'{dag.dag_id}: the {what} "{name}" is of this team itself',
                    line or dag.line or None,
                    f"write {other.name}; names with @ are of other teams",
                )
    return None


def named(dag: Dag) -> Iterator[tuple[str, str, int]]:
    """Return what a DAG names that may be of another team, and the line. Outlets may not: ``spec.assets``."""
    for name in sorted(schedules.of_data(dag.schedule, dag.start_date).assets):
        yield "asset", name, dag.line
    for task in dag.tasks:
        yield "pool", task.pool, task.line
        for name in task.inlets:
            yield "asset", name, task.line
        awaited = (task.arguments or {}).get(AWAITED.get(task.kind, ""))
        for dag_id in awaited if isinstance(awaited, list) else [awaited]:
            if isinstance(dag_id, str):
                yield "DAG", dag_id, task.line
