"""The step from a DAG of Airflow to the spec."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from headway.frontends.airflow import assets, callbacks, pods, schedules
from headway.frontends.airflow.lines import Lines
from headway.frontends.airflow.mapping import is_branch, mapping_of, path_of
from headway.frontends.airflow.params import params_of
from headway.frontends.airflow.schedules import Read
from headway.spec import model
from headway.spec.arguments import TASK_BYTES_MAX, absent
from headway.spec.carried import flaws, shown
from headway.spec.graph import in_order
from headway.spec.outline import parent_of
from headway.spec.params import size_of
from headway.spec.validate import PRIORITY_MAX, WEIGHT_RULES

DEFAULT_POOL: Final = "default_pool"
POLICY_S: Final = 30.0  # for a retry policy to decide after Airflow's own time-out, before the agent ends the process


def spec_of(dag: Any, file: str, line: int, lines: Lines, read: Read) -> model.Dag:
    """Return the spec of a DAG, whose schedule was read."""
    uris = assets.uris_of(dag)
    tasks = {task.task_id: task_spec(task, lines, uris) for task in dag.tasks}
    return model.Dag(
        dag_id=dag.dag_id,
        file=file,
        tasks=tuple(in_order(tasks, file)),
        schedule=read.schedule,
        timezone=schedules.zone_of(dag.timezone) if read.schedule is None else "UTC",
        start_date=schedules.in_utc(schedules.start_of(dag)),
        end_date=schedules.in_utc(dag.end_date),
        dated_by_start=schedules.has_data_interval(dag.timetable),
        catchup=bool(dag.catchup),
        max_active_runs=dag.max_active_runs or 16,
        max_active_tasks=dag.max_active_tasks or None,
        dagrun_timeout_s=seconds(dag.dagrun_timeout),
        fail_fast=bool(dag.fail_fast),
        callbacks=callbacks.of_dag(dag),
        params=tuple(params_of(dag, scheduled=read.schedule is not None)),
        groups=tuple(groups_of(dag)),
        open_params=True,
        assets=assets.specs(dag),
        tags=tuple(sorted(map(str, dag.tags))),
        owner=owner_of(dag),
        description=shown(dag.description or ""),
        doc=shown((dag.doc_md or "").strip()),
        line=line,
    )


def owner_of(dag: Any) -> str:
    owners = dict.fromkeys(task.owner for task in dag.tasks if task.owner != "airflow")
    return ", ".join(owners)


def execution_timeout_of(task: Any) -> float | None:
    """Return when the agent ends the process. Airflow's time-out raises there before, and asks its policy."""
    limit = seconds(task.execution_timeout)
    return (
        limit if limit is None or getattr(task, "retry_policy", None) is None else limit + POLICY_S
    )


def task_spec(task: Any, lines: Lines, uris: Mapping[str, str]) -> model.Task:
    skips, mapping = is_branch(task), mapping_of(task)
    return model.Task(
        task_id=task.task_id,
        kind=str(task.operator_name),
        upstream=tuple(sorted(task.upstream_task_ids)),
        trigger_rule=str(getattr(task.trigger_rule, "value", task.trigger_rule)),
        retries=task.retries or 0,
        retry_delay_s=seconds(task.retry_delay) or 0.0,
        retry_exponential_backoff=bool(task.retry_exponential_backoff),
        max_retry_delay_s=seconds(task.max_retry_delay),
        execution_timeout_s=execution_timeout_of(task),
        pool="default" if task.pool in (None, DEFAULT_POOL) else task.pool,
        pool_slots=task.pool_slots,
        queue=task.queue or "default",
        priority_weight=max(-PRIORITY_MAX, min(PRIORITY_MAX, int(task.priority_weight))),
        weight_rule=weight_rule_of(task),
        max_active_tis_per_dagrun=task.max_active_tis_per_dagrun,
        max_active_tis_per_dag=task.max_active_tis_per_dag,
        depends_on_past=bool(task.depends_on_past),
        wait_for_downstream=bool(task.wait_for_downstream),
        ignore_first_depends_on_past=bool(task.ignore_first_depends_on_past),
        outlets=assets.names(task.outlets, uris),
        inlets=assets.names(task.inlets, uris),
        do_xcom_push=task.is_mapped or bool(task.do_xcom_push),
        mapping=mapping,
        map_index_template=task.map_index_template or "",
        function=function_of(task),
        arguments=arguments_of(task),
        branch=skips,
        setup=bool(task.is_setup),
        teardown=bool(task.is_teardown),
        decides_outcome=not task.is_teardown or bool(task.on_failure_fail_dagrun),
        skips_all_below=skips and not task.is_mapped and ignores_rules(task),
        decides_by_index=skips and mapping is not None,
        group=group_of(task),
        owner=task.owner if task.owner != "airflow" else "",
        doc=shown((task.doc_md or task.doc or "").strip()),
        callbacks=callbacks.of_task(task),
        calls_itself=bool(callbacks.of_task(task)),
        **pods.options_of(task),
        line=lines.of_task(task),
    )


def ignores_rules(task: Any) -> bool:
    """Return whether it skips all below, whatever trigger rules say. A mapped one skips only what is directly below."""
    return bool(getattr(task, "ignore_downstream_trigger_rules", False))


def group_of(task: Any) -> str | None:
    """Return the path of its group, unless its id says it."""
    path = path_of(task.task_group)
    return None if path in ("", parent_of(task.task_id)) else path


def groups_of(dag: Any) -> Iterator[model.Group]:
    for group in dag.task_group.get_task_group_dict().values():
        if group.tooltip and not group.is_root:
            yield model.Group(path=path_of(group), tooltip=shown(group.tooltip.strip()))


def weight_rule_of(task: Any) -> str:
    """Return the rule of the task; one of its own making counts as its weight alone."""
    rule = str(getattr(task.weight_rule, "value", task.weight_rule))
    return rule if rule in WEIGHT_RULES else "absolute"


def function_of(task: Any) -> str:
    given = task.partial_kwargs.get("python_callable") if task.is_mapped else None
    function = given or getattr(task, "python_callable", None)
    return str(getattr(function, "__name__", "") or "")


def arguments_of(task: Any) -> dict[str, Any]:
    """The template fields of the task: those that are JSON, and the mark of the others."""
    given = task.partial_kwargs if task.is_mapped else vars(task)
    found = {name: plain(given.get(name)) for name in task.template_fields if name in given}
    return found if size_of(found) <= TASK_BYTES_MAX else {}


def plain(value: Any) -> Any:
    if is_json(value) and next(flaws(value), None) is None:
        return value
    return absent("object")


def is_json(value: Any) -> bool:
    if value is None or type(value) in (str, int, float, bool):
        return True
    if type(value) is list:
        return all(map(is_json, value))
    return type(value) is dict and all(
        type(name) is str and not name.startswith("__headway") and is_json(item)
        for name, item in value.items()
    )


def seconds(span: timedelta | float | None) -> float | None:
    return span.total_seconds() if isinstance(span, timedelta) else span
