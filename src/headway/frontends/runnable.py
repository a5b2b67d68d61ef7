"""The step from specs to tasks that an agent runs, for front ends whose files are data and leave nothing else.

What a task does is its operator's; what it is called with is in the spec (``spec.arguments``).
"""

from collections.abc import Iterable
from typing import Any

from headway.authoring.dag import DAG
from headway.authoring.frames import Site
from headway.authoring.operators import OPERATORS, operator
from headway.authoring.references import ParamRef, XComArg
from headway.authoring.task import Arguments, Follows, Task
from headway.authoring.values import restore
from headway.errors import explained
from headway.spec import model
from headway.spec.arguments import is_whole
from headway.spec.carried import TAG
from headway.spec.errors import BadSpec, did_you_mean, listing


def runnable(specs: Iterable[model.Dag]) -> dict[str, DAG]:
    """The DAGs by their ids. Raises BadSpec for a task that cannot be run from its spec alone."""
    return {spec.dag_id: dag_of(spec) for spec in specs}


def dag_of(spec: model.Dag) -> DAG:
    dag = DAG.__new__(DAG)
    dag.define(spec.dag_id, {}, Site(spec.file, spec.line, ""))
    for task in spec.tasks:
        add(dag, spec, task)
    return dag


def add(dag: DAG, spec: model.Dag, task: model.Task) -> None:
    """Add a task. Its upstream tasks exist already, because tasks come in topological order."""
    refuse_incomplete(spec, task)
    try:
        given = {name: value_of(value, dag) for name, value in (task.arguments or {}).items()}
    except Exception as error:  # whatever stands under a tag: a person may have written it
        wrong = f"{task.task_id}: its arguments cannot be read: {explained(error)}"
        raise BadSpec(wrong, file=spec.file, line=task.line) from error
    mapped = [axis.argument for axis in task.mapping.axes] if task.mapping else []
    made = Task(
        dag=dag,
        task_id=task.task_id,
        operator=operator(task.kind),
        arguments=Arguments(
            kwargs={name: value for name, value in given.items() if name not in mapped},
            axes={name: given[name] for name in mapped},
        ),
        options={
            "do_xcom_push": task.do_xcom_push,
            "multiple_outputs": task.multiple_outputs,
            "map_index_template": task.map_index_template,
        },
        line=task.line,
        follows=Follows.NAMED if task.branch else Follows.ALL,
    )
    for name in task.upstream:
        made.add_upstream(dag.tasks[name])


def refuse_incomplete(spec: model.Dag, task: model.Task) -> None:
    wrong, hint = "", None
    names = set(task.arguments or ())
    if task.kind not in OPERATORS:
        wrong, hint = f'there is no operator "{task.kind}"', f"there are {listing(OPERATORS)}"
    elif not is_whole(task):
        wrong = "not all its arguments are data"
    elif "" not in names and (missing := sorted(set(operator(task.kind).required) - names)):
        wrong = f"{task.kind} needs {listing(missing)}"
    elif unknown := sorted(names - {"", *operator(task.kind).parameters}):
        wrong = f'{task.kind} has no argument "{unknown[0]}"'
        hint = did_you_mean(unknown[0], operator(task.kind).parameters)
    if wrong:
        raise BadSpec(f"{task.task_id}: {wrong}", file=spec.file, line=task.line, hint=hint)


def value_of(data: Any, dag: DAG) -> object:
    """An argument again: references to the tasks of ``dag`` and to the parameters of a run, other tags their values."""
    if isinstance(data, list):
        return [value_of(item, dag) for item in data]
    if not isinstance(data, dict):
        return data
    kind = data.get(TAG)
    if kind == "result":
        return XComArg(dag.tasks[data["task_id"]], data["key"])
    if kind == "param":
        return ParamRef(data["name"])
    if kind == "tuple":
        return tuple(value_of(item, dag) for item in data["value"])
    if kind is not None:
        return restore(data)
    return {name: value_of(item, dag) for name, item in data.items()}
