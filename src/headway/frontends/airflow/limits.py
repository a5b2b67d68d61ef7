"""The parts of an Airflow DAG that do not run here, or run otherwise: one sentence each, with the next step.

A *refusal* keeps the DAG out, because its runs would do something else than in Airflow. A *remark* is told and the DAG
runs. What a task asks for at run time and does not get is said by ``answers``.
"""

from collections.abc import Iterator
from typing import Any, Final

from headway.frontends import local_paths
from headway.frontends.airflow import assets, mapping, pods
from headway.frontends.airflow.lines import Lines
from headway.frontends.airflow.params import unchecked
from headway.frontends.airflow.schedules import Read
from headway.frontends.base import Trouble

TRIGGERED: Final = "start its runs with `headway run`, the API or the web interface"
AS_USER: Final = "leave run_as_user out: the tasks of a team run as the user of its agent"
BUG: Final = "Airflow 3.2 and 3.3 run what it does not choose, too (apache/airflow#67265)"
ALSO_THERE: Final = ", as in Airflow 3.2 and 3.3 (apache/airflow#61451)"
BY_NAME: Final = "if it has another one, refer to it with Asset.ref(name=…)"


def refusals(dag: Any, lines: Lines) -> list[Trouble]:
    """Return why no run of the DAG may be started here; nothing if it runs."""
    return [
        Trouble(f"{dag.dag_id} does not run here: {why}", line or None, hint, dag.dag_id)
        for why, line, hint in refused(dag, lines)
    ]


def refused(dag: Any, lines: Lines) -> Iterator[tuple[str, int, str | None]]:
    if not dag.tasks:
        return
    for task in dag.tasks:
        line = lines.of_task(task)
        name = task.task_id
        if why := pods.refused(task):
            yield f"{name} {why}", line, pods.HINT


def remarks(dag: Any, lines: Lines, read: Read) -> list[Trouble]:
    """Return what runs otherwise than in Airflow."""
    return [
        Trouble(f"{dag.dag_id}: {what}", line or None, hint, dag.dag_id)
        for what, line, hint in (*of_dag(dag, lines, read), *of_tasks(dag, lines))
    ]


def of_dag(dag: Any, lines: Lines, read: Read) -> Iterator[tuple[str, int, str | None]]:
    line = lines.of_dag(dag.dag_id)
    if read.unknown:
        yield f"{read.unknown}, so it runs only when it is triggered", line, TRIGGERED
    if read.differs:
        yield read.differs, line, None
    for uri in assets.unknown_uris(dag):
        yield f"the asset with the URI {uri!r} is taken to have this name", line, BY_NAME
    if getattr(dag, "deadline", None):
        yield "its deadlines are not watched", line, None
    for name, param in dag.params.items():
        if why := unchecked(param):
            yield (
                f"the parameter {name} is checked by tasks, not when a run is asked for: {why}",
                line,
                None,
            )
    odd = [name for name in dag.params if not name.isidentifier()]
    if odd:
        yield (
            f"people cannot set the parameter {odd[0]!r}, whose name is not an identifier",
            line,
            None,
        )


def of_tasks(dag: Any, lines: Lines) -> Iterator[tuple[str, int, str | None]]:
    for task in dag.tasks:
        line, name = lines.of_task(task), task.task_id
        given = task.partial_kwargs if task.is_mapped else vars(task)
        if kind := mapping.chooses_in_vain(task):
            yield f"{name} is {kind}, and decides for each index; {BUG}", line, None
        if user := given.get("run_as_user"):
            yield (
                f"{name} runs as {user} only if sudo is allowed where its agent runs",
                line,
                AS_USER,
            )
        for what in pods.ignored(task):
            yield what, line, None
        if pods.wants_pod(task) and (function := given.get("python_callable")):
            yield from local_paths.found(name, function, pods.overlay_of(task), dag.fileloc)
        if "ExternalTaskMarker" in {each.__name__ for each in mapping.operator_class(task).__mro__}:
            yield (
                f"to clear {name} does not clear the task of the other DAG that it names{ALSO_THERE}",
                line,
                "clear it there, too",
            )
