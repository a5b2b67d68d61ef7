"""Reading one DAG file of Airflow: run once as a module, its DAGs turned into specs, or into what runs their tasks."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.authoring.loading import compiled, explained, guarded, new_module
from headway.frontends.airflow import (
    callbacks,
    ground,
    idioms,
    installed,
    limits,
    parsed,
    runner,
    specs,
    zips,
)
from headway.frontends.airflow.lines import Lines
from headway.frontends.airflow.running import Workflow
from headway.frontends.base import WARNINGS_MAX, Loaded
from headway.spec.callbacks import with_companions
from headway.spec.errors import BadSpec
from headway.spec.validate import validate


def load(root: Path, file: str) -> Loaded:
    """The DAGs of ``file`` that can run here. Raises BadSpec if it defines some and none of them can."""
    found: list[Any] = dags_of(root, file)
    path, lines = root / file, Lines(root / file)
    found.sort(key=lambda dag: lines.of_dag(dag.dag_id))
    dags, warnings, refused = [], [], []
    for dag in found:
        line = lines.of_dag(dag.dag_id)
        if reasons := limits.refusals(dag, lines):
            refused.append(reasons[0])
            continue
        try:
            spec = specs.spec_of(dag, file, line, lines)
            validate(spec)
        except (BadSpec, MemoryError):
            raise
        except BaseException as error:  # raised by an object of the file's own
            raise explained(error, path, file) from None
        dags.append(spec)
        warnings += limits.remarks(dag, lines)
    if refused and not dags:
        first = refused[0]
        raise BadSpec(first.message, file=file, line=first.line or 0, hint=first.hint)
    return Loaded(with_companions(dags), [*refused, *warnings][:WARNINGS_MAX])


def runnable(root: Path, file: str) -> Mapping[str, Workflow]:
    """Return what runs the tasks of the file's DAGs, by their ids. Each task runs in a process forked from this one."""
    dags = {dag.dag_id: dag for dag in dags_of(root, file)}
    found: dict[str, Workflow] = {
        made.dag_id: callbacks.Calls(made, root, file)
        for made in map(callbacks.companion, filter(callbacks.has_some, dags.values()))
    }
    tasks = [task for dag in dags.values() for task in dag.tasks]
    ground.allow_executors({str(task.executor) for task in tasks if task.executor})
    runner.prepare(root)
    parsed.keep(root, file)
    return found | {dag_id: Workflow(dag, root, file) for dag_id, dag in dags.items()}


def dags_of(root: Path, file: str) -> list[Any]:
    """Run the file and return its DAGs in a steady order. Raises BadSpec."""
    path = root / file
    if file.endswith(zips.SUFFIX):
        raise zips.refusal(file, path.read_bytes())
    installed.require(file)
    guarded(ground.prepare, path, file)
    ground.enter(root)
    from airflow.sdk.definitions._internal.contextmanager import DagContext

    code = compiled(path, file)
    if str(root) not in sys.path:
        sys.path.append(str(root))
    module = new_module(path, file)
    DagContext.autoregistered_dags.clear()
    DagContext.current_autoregister_module_name = module.__name__
    try:
        guarded(lambda: exec(code, module.__dict__), path, file)
    except BadSpec as error:
        raise helped(error) from None
    finally:
        DagContext.current_autoregister_module_name = None
    found = collected(module, DagContext.autoregistered_dags)
    for dag in found.values():
        guarded(lambda dag=dag: settled(dag), path, file)  # type: ignore[misc]
    return list(found.values())


def helped(error: BadSpec) -> BadSpec:
    """Return the error with the next step, where its text tells what is behind it."""
    told = error.hint or idioms.hint(error.message)
    return BadSpec(error.message, file=error.file, line=error.line, hint=told)


def collected(module: Any, registered: set[tuple[Any, Any]]) -> dict[str, Any]:
    """Those at the top of the file, then those that only exist as they were made, as Airflow finds them."""
    from airflow.sdk import DAG

    top = [value for value in vars(module).values() if isinstance(value, DAG)]
    others = sorted((dag for dag, _ in registered), key=lambda dag: str(dag.dag_id))
    found: dict[str, Any] = {}
    for dag in (*top, *others):
        found.setdefault(dag.dag_id, dag)
    return found


def settled(dag: Any) -> None:
    """Apply the policies of the installation and Airflow's own checks, as its processor of DAG files does."""
    from airflow import settings

    hooks = settings.get_policy_plugin_manager().hook
    dag.validate()
    dag.check_cycle()
    dag.timetable.validate()
    hooks.dag_policy(dag=dag)
    for task in dag.tasks:
        hooks.task_policy(task=task)
