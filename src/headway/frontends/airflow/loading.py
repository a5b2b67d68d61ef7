"""Reading one DAG file of Airflow: run once as a module, its DAGs turned into specs, or into what runs their tasks."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from headway.authoring.loading import compiled, explained, guarded, new_module
from headway.frontends.airflow import (
    assets,
    callbacks,
    ground,
    idioms,
    imports_airflow,
    installed,
    limits,
    parsed,
    runner,
    schedules,
    specs,
    zips,
)
from headway.frontends.airflow.lines import Lines
from headway.frontends.airflow.running import Workflow
from headway.frontends.base import Loaded, few
from headway.spec.callbacks import with_companions
from headway.spec.errors import BadSpec
from headway.spec.validate import validate


def load(root: Path, file: str) -> Loaded:
    """The DAGs of ``file`` that can run here. Raises BadSpec if it defines some and none of them can."""
    found: list[Any] = dags_of(root, file)
    path, lines = root / file, lines_of(root, file)
    found.sort(key=lambda dag: lines(dag).of_dag(dag.dag_id))
    dags, warnings, refused = [], [], []
    most = schedules.share(found)
    for dag in found:
        line = lines(dag).of_dag(dag.dag_id)
        if reasons := limits.refusals(dag, lines(dag)):
            refused.append(reasons[0])
            continue
        try:
            read = schedules.read(dag, file, line, assets.uris_of(dag), most)
            spec = specs.spec_of(dag, file, line, lines(dag), read)
            validate(spec)
        except (BadSpec, MemoryError):
            raise
        except BaseException as error:  # raised by an object of the file's own
            raise explained(error, path, file) from None
        dags.append(spec)
        warnings += limits.remarks(dag, lines(dag), read)
    if refused and not dags:
        first = refused[0]
        raise BadSpec(first.message, file=file, line=first.line or 0, hint=first.hint)
    if dags and not file.endswith(zips.SUFFIX):
        warnings += idioms.remarks(path.read_bytes())
    return Loaded(with_companions(dags), few([*refused, *warnings]))


def lines_of(root: Path, file: str) -> Callable[[Any], Lines]:
    """Return what finds the lines of a DAG: those of its file in an archive."""
    path = root / file
    if not file.endswith(zips.SUFFIX):
        only = Lines(str(path), path.read_bytes())
        return lambda dag: only
    inner = {f"{path}/{name}": text for name, text in zips.texts_of(path.read_bytes()).items()}
    each = {name: Lines(name, text) for name, text in inner.items()}
    none = Lines(str(path), b"")
    return lambda dag: each.get(str(dag.fileloc), none)


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
    if installed.found() is None and not needs_airflow(path):
        return []  # it only mentions Airflow
    installed.require(file)
    guarded(ground.prepare, path, file)
    ground.enter(root)
    from airflow.sdk.definitions._internal.contextmanager import DagContext

    if str(root) not in sys.path:
        sys.path.append(str(root))
    DagContext.autoregistered_dags.clear()
    try:
        modules = unpacked(path, file) if file.endswith(zips.SUFFIX) else [executed(path, file)]
    except BadSpec as error:
        raise helped(error, path) from None
    finally:
        DagContext.current_autoregister_module_name = None
    found = collected(modules, DagContext.autoregistered_dags)
    for dag in found.values():
        guarded(lambda dag=dag: settled(dag), path, file)  # type: ignore[misc]
    return list(found.values())


def needs_airflow(path: Path) -> bool:
    return path.suffix == zips.SUFFIX or imports_airflow(path.read_bytes())


def executed(path: Path, file: str) -> ModuleType:
    """Run the file as a module. Raises BadSpec."""
    from airflow.sdk.definitions._internal.contextmanager import DagContext

    code = compiled(path, file)
    module = new_module(path, file)
    DagContext.current_autoregister_module_name = module.__name__
    guarded(lambda: exec(code, module.__dict__), path, file)
    return module


def unpacked(path: Path, file: str) -> list[ModuleType]:
    """Import the DAG files of an archive, as Airflow does: by their names, from the archive. Raises BadSpec."""
    from airflow.sdk.definitions._internal.contextmanager import DagContext

    found = []
    for name, text in sorted(zips.sources(path, file).items()):
        compiled(path / name, f"{file}/{name}", text)  # a mistake has its line
        module = name.removesuffix(".py")
        sys.modules.pop(module, None)
        DagContext.current_autoregister_module_name = module
        sys.path.insert(0, str(path))
        try:
            guarded(lambda module=module: import_module(module), path / name, f"{file}/{name}")  # type: ignore[misc]
        finally:
            sys.path.remove(str(path))
        found.append(sys.modules[module])
    return found


def helped(error: BadSpec, path: Path) -> BadSpec:
    """Return the error with the next step, where its text tells what is behind it."""
    told = error.hint or idioms.hint(error.message, path.read_bytes())
    return BadSpec(error.message, file=error.file, line=error.line, hint=told)


def collected(modules: list[ModuleType], registered: set[tuple[Any, Any]]) -> dict[str, Any]:
    """Those at the top of the files, then those that only exist as they were made, as Airflow finds them."""
    from airflow.sdk import DAG

    top = [each for module in modules for each in vars(module).values() if isinstance(each, DAG)]
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
