"""Validation beyond types. Every rule is linear: 10,000 tasks take well below 1 s.

``validate(dag)`` raises ``BadSpec`` for the first error, with its line and a suggestion.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from headway.core import schedules
from headway.core.foreign import flaw, foreign
from headway.core.schedules import BadSchedule, Continuous
from headway.core.setups import needs
from headway.core.strategies import Strategy
from headway.core.upstream import TriggerRule
from headway.core.weights import WeightRule
from headway.errors import UsageError
from headway.spec import json_schema
from headway.spec.arguments import TASK_BYTES_MAX, tagged
from headway.spec.assets import check_assets
from headway.spec.carried import (
    ID_BYTES_MAX,
    INTEGER_MAX,
    PARAMS_BYTES_MAX,
    SECONDS_MAX,
    flaw_of_date,
    flaw_of_text,
    flaws,
    place,
)
from headway.spec.containers import flaw_of_container
from headway.spec.errors import BadSpec, did_you_mean, listing
from headway.spec.graph import branches_above, in_order, shape_of
from headway.spec.json_schema import Patience
from headway.spec.loops import flaw_of_loops, gate_of
from headway.spec.mapped_groups import flaw_of_groups, has_from_peers
from headway.spec.model import Axis, Dag, Param, Task
from headway.spec.params import REQUEST_S, checked, patience_for, shown, size_of
from headway.spec.params import check_params as check_params
from headway.spec.retries import flaw_of_rules

NAME_SHOWN: Final = 40  # characters of a name that is wrong
ID: Final = re.compile(r"\w[\w.-]*")
PARAM: Final = re.compile(r"[^\W\d]\w*")
TASKS_MAX: Final = 100_000
PRIORITY_MAX: Final = 1000
LISTS_MAX: Final = 100  # that one task is mapped over
REACH_MAX: Final = 1_000_000  # pairs of a task and a short circuit that may skip it
TRIGGER_RULES: Final = tuple(map(str, TriggerRule))
WEIGHT_RULES: Final = tuple(map(str, WeightRule))
# Other rules make sense of failures, after which with fail_fast nothing runs (Airflow's rule).
RULES_OF_FAIL_FAST: Final = (TriggerRule.ALL_SUCCESS, TriggerRule.ALL_DONE_SETUP_SUCCESS)
# What Airflow once called so, where another rule has a more similar name.
FORMER_RULES: Final = {
    "none_failed_or_skipped": 'it is called "none_failed_min_one_success"',
    "dummy": 'it is called "always"',
}


def validate(dag: Dag) -> None:
    check_id("dag_id", dag.dag_id, dag.file, dag.line)
    check_file(dag)
    check_carried(dag)
    check_numbers(dag)
    check_schedule(dag)
    check_assets(dag)
    check_params_declared(dag)
    if len(dag.tasks) > TASKS_MAX:
        raise wrong(dag, f"{len(dag.tasks):,} tasks are more than the limit of {TASKS_MAX:,}")
    tasks = check_unique(dag)
    for task in dag.tasks:
        check_task(dag, task, tasks)
    deciding = any(task.decides_outcome for task in dag.tasks)
    if not deciding and not all(task.teardown for task in dag.tasks):
        raise wrong(
            dag,
            "no task decides the outcome of a run: all have decides_outcome=False",
            dag.tasks[0],
            hint="remove it from the tasks that do the work; a failure alert or a clean-up keeps it",
        )
    if (found := flaw_of_groups(dag.tasks, tasks)) is not None:
        raise wrong(dag, found[1], found[0])
    if (wrong_loop := flaw_of_loops(dag, tasks)) is not None:
        culprit, why, hint = wrong_loop
        raise wrong(dag, why, culprit, hint)
    ordered = in_order(tasks, dag.file)
    check_branches(dag, ordered)
    check_setups(dag, ordered)


def check_branches(dag: Dag, ordered: Sequence[Task]) -> None:
    for task in ordered:
        if task.skips_all_below and not task.branch:
            raise wrong(dag, "skips_all_below is set, but it is not a branch", task)
        if task.decides_by_index and (not task.branch or task.mapping is None):
            raise wrong(dag, "decides_by_index is set, but it is not a mapped branch", task)
    try:
        branches_above(ordered, REACH_MAX)
    except OverflowError:
        raise wrong(
            dag,
            "its short circuits reach too many tasks",
            hint="use @task.short_circuit(ignore_downstream_trigger_rules=False) for those in long chains",
        ) from None


def check_setups(dag: Dag, ordered: Sequence[Task]) -> None:
    if not any(task.setup or task.teardown for task in ordered):
        return
    by_id = {task.task_id: task for task in ordered}
    for task in ordered:
        if task.setup and task.teardown:
            raise wrong(dag, "it is a setup and a teardown", task, "make it one of the two")
        if task.teardown or task.trigger_rule == TriggerRule.ALL_SUCCESS:
            continue
        for name in task.upstream:
            if by_id[name].setup:
                raise wrong(
                    dag,
                    f'it is directly downstream of the setup "{name}", so its trigger rule must be "all_success", '
                    f'not "{task.trigger_rule}"',
                    task,
                    "put a task with the rule all_success between the two",
                )
    try:
        needs(shape_of(ordered), REACH_MAX)
    except OverflowError:
        raise wrong(
            dag,
            "its setups serve too many tasks",
            hint="give each setup a teardown, which ends what the setup serves",
        ) from None


def wrong(dag: Dag, message: str, task: Task | None = None, hint: str | None = None) -> BadSpec:
    line = dag.line if task is None else task.line
    subject = dag.dag_id if task is None else task.task_id
    return BadSpec(f"{subject}: {message}", file=dag.file, line=line, hint=hint)


def is_id(given: str) -> bool:
    """Return whether a DAG, task, pool or queue can have this name."""
    size = len(given.encode("utf-8", "surrogatepass"))
    return size <= ID_BYTES_MAX and ID.fullmatch(given) is not None


def check_id(what: str, given: str, file: str, line: int) -> None:
    if is_id(given):
        return
    size = len(given.encode("utf-8", "surrogatepass"))
    shown = ascii(given if len(given) <= 40 else f"{given[:40]}...")
    if not given:
        message = f"a {what} is empty"
    elif size > ID_BYTES_MAX:
        message = f"the {what} {shown} is {size} bytes long; the limit is {ID_BYTES_MAX}"
    else:
        message = f"the {what} {shown} is not allowed"
    raise BadSpec(
        message,
        file=file,
        line=line,
        hint="use letters, digits, _, - and ., and begin with a letter, a digit or _",
    )


def check_pool(given: str, file: str, line: int) -> None:
    """Check the name of a pool, of this team or of another one."""
    if (trouble := flaw(given)) is not None:
        raise BadSpec(f"the pool {given!a} {trouble}", file=file, line=line)
    other = foreign(given)
    check_id("pool", given if other is None else other.name, file, line)


def check_carried(dag: Dag) -> None:
    """Check that texts and numbers of the DAG fit PostgreSQL's types."""
    for name in ("owner", "tags", "description", "doc"):
        for path, why in flaws(getattr(dag, name)):
            raise wrong(dag, f"{name}{place(path)} {why}")
    for name, date in (("start_date", dag.start_date), ("end_date", dag.end_date)):
        if date is not None and (flaw := flaw_of_date(date)) is not None:
            raise wrong(dag, f"its {name} {date.isoformat()} {flaw}")
    for group in dag.groups:
        if (flaw := flaw_of_text(group.path) or flaw_of_text(group.tooltip)) is not None:
            raise wrong(dag, f"the description of a group {flaw}")
    for loop in dag.loops:
        if (flaw := flaw_of_text(loop.path) or flaw_of_text(loop.until)) is not None:
            raise wrong(dag, f"the name of a loop {flaw}")
    for task in dag.tasks:
        for name in ("owner", "doc", "kind", "function", "group", "loop"):
            if (flaw := flaw_of_text(getattr(task, name) or "")) is not None:
                raise wrong(dag, f"its {name} {flaw}", task)
        check_arguments(dag, task)
    for param in dag.params:
        names = (
            "description",
            "default",
            "enum",
            "schema",
            "title",
            "section",
            "examples",
            "values_display",
        )
        for path, why in flaws([getattr(param, name) for name in names]):
            part = names[int(path[0])]
            raise wrong(dag, f"the {part}{place(path[1:])} of the parameter {param.name} {why}")
    if (size := size_of({p.name: p.default for p in dag.params})) > PARAMS_BYTES_MAX:
        raise wrong(
            dag,
            f"the defaults of its parameters take {size:,} bytes as JSON; the limit is {PARAMS_BYTES_MAX:,}",
            hint="put large data in a file next to the DAG file and read it in a task",
        )


def check_arguments(dag: Dag, task: Task) -> None:
    if not task.arguments:
        return
    for path, why in flaws(task.arguments):
        raise wrong(dag, f"its arguments{place(path)} {why}", task)
    if (size := size_of(task.arguments)) > TASK_BYTES_MAX:
        raise wrong(
            dag,
            f"its arguments take {size:,} bytes as JSON; the limit is {TASK_BYTES_MAX:,}",
            task,
            "put large data into a file beside the DAG file, and read it in the task",
        )
    check_references(dag, task, task.arguments)


def check_references(dag: Dag, task: Task, arguments: dict[str, Any]) -> None:
    """Check that references in arguments exist when the task runs."""
    results = {str(reference.get("task_id")) for reference in tagged(arguments, "result")}
    strange = sorted(results.difference(task.upstream))
    tasks = {each.task_id: each for each in dag.tasks} if strange and dag.loops else {}
    for name in strange:
        if gate_of(dag, task, name, tasks) in task.upstream:
            continue
        told = ascii(name[:NAME_SHOWN])
        raise wrong(dag, f"an argument is the result of {told}, not a task it waits for", task)
    params = {str(reference.get("name")) for reference in tagged(arguments, "param")}
    for name in sorted(params.difference(param.name for param in dag.params)):
        told = ascii(name[:NAME_SHOWN])
        raise wrong(dag, f"an argument is the parameter {told}, which the DAG does not have", task)


def check_file(dag: Dag) -> None:
    parts = dag.file.split("/")
    if not dag.file or "\0" in dag.file or dag.file.startswith("/") or ".." in parts:
        raise wrong(dag, f"the file {dag.file!a} is not a path inside the bundle")


def check_unique(dag: Dag) -> dict[str, Task]:
    tasks: dict[str, Task] = {}
    for task in dag.tasks:
        earlier = tasks.setdefault(task.task_id, task)
        if earlier is not task:
            raise BadSpec(
                f'two tasks are called "{task.task_id}", at lines {earlier.line} and {task.line}',
                file=dag.file,
                line=task.line,
                hint="give one of them another task_id",
            )
    return tasks


def check_numbers(dag: Dag) -> None:
    at_least(dag, None, "max_active_runs", dag.max_active_runs, 1)
    check_strategy(dag)
    at_least(dag, None, "max_active_tasks", dag.max_active_tasks, 1)
    at_least(dag, None, "reuse_child", dag.reuse_child, 1)
    positive(dag, None, "dagrun_timeout", dag.dagrun_timeout_s)
    if dag.start_date and dag.end_date and dag.end_date < dag.start_date:
        raise wrong(dag, "end_date is before start_date")


def check_strategy(dag: Dag) -> None:
    if dag.run_strategy not in tuple(Strategy):
        raise wrong(
            dag,
            f'unknown run_strategy "{dag.run_strategy}"',
            hint=did_you_mean(dag.run_strategy, Strategy) or f"choose one of {listing(Strategy)}",
        )
    if dag.run_strategy != Strategy.PARALLEL and dag.max_active_runs != 1:
        raise wrong(
            dag,
            f'max_active_runs is {dag.max_active_runs}, but run_strategy="{dag.run_strategy}" allows one active run',
            hint="remove max_active_runs, or choose another run_strategy",
        )


def check_schedule(dag: Dag) -> None:
    try:
        schedule = schedules.read(dag.schedule, dag.start_date)
    except BadSchedule as error:
        raise wrong(dag, str(error)) from None
    if isinstance(schedule, Continuous) and dag.max_active_runs != 1:
        raise wrong(
            dag,
            f"max_active_runs is {dag.max_active_runs}, but runs of @continuous follow each other",
            hint="remove max_active_runs, or choose another schedule",
        )


def zone_named(name: str, file: str, line: int) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        hint = did_you_mean(name, available_timezones()) or 'for instance "Europe/Paris"'
        raise BadSpec(f'unknown time zone "{name}"', file=file, line=line, hint=hint) from None


def check_params_declared(dag: Dag) -> None:
    seen: set[str] = set()
    within = patience_for(dag.params, REQUEST_S)
    for param in dag.params:
        if not PARAM.fullmatch(param.name):
            raise wrong(dag, f"the parameter {param.name!a} must be a valid variable name")
        if param.name == "__proto__":
            raise wrong(
                dag, "a parameter cannot be called __proto__, because browsers reserve that name"
            )
        if param.name in seen:
            raise wrong(dag, f'two parameters are called "{param.name}"')
        seen.add(param.name)
        check_schema(dag, param)
        if param.required and dag.schedule is not None:
            raise wrong(
                dag,
                f"scheduled runs have no value for the parameter {param.name}, which has no default",
                hint=f"give {param.name} a default, or remove the schedule",
            )
        if not param.required:  # a default obeys its own type
            check_default(dag, param, within)


def check_default(dag: Dag, param: Param, within: Patience, line: int = 0) -> None:
    try:
        checked(dag.dag_id, param, {param.name: param.default}, within)
    except UsageError as error:
        raise BadSpec(
            f"{error.message} (its default)", file=dag.file, line=line or dag.line
        ) from None


def check_schema(dag: Dag, param: Param, line: int = 0) -> None:
    if not param.schema:
        return
    try:
        json_schema.check_schema(param.schema)
    except json_schema.BadSchema as error:
        told = f"{dag.dag_id}: the parameter {param.name} cannot be checked: {error}"
        raise BadSpec(told, file=dag.file, line=line or dag.line, hint=error.hint) from None


def check_task(dag: Dag, task: Task, tasks: dict[str, Task]) -> None:
    check_id("task_id", task.task_id, dag.file, task.line)
    if task.trigger_rule not in TRIGGER_RULES:
        raise wrong(
            dag,
            f'unknown trigger rule "{task.trigger_rule}"',
            task,
            FORMER_RULES.get(task.trigger_rule)
            or did_you_mean(task.trigger_rule, TRIGGER_RULES)
            or f"it is one of {', '.join(TRIGGER_RULES)}",
        )
    if dag.fail_fast and task.trigger_rule not in RULES_OF_FAIL_FAST:
        raise wrong(
            dag,
            f'its trigger rule is "{task.trigger_rule}", but with fail_fast nothing runs after a failure',
            task,
            "use all_success, or remove fail_fast from the DAG; what must run at the end is a teardown",
        )
    if task.weight_rule not in WEIGHT_RULES:
        raise wrong(
            dag,
            f'unknown weight rule "{task.weight_rule[:NAME_SHOWN]}"',
            task,
            did_you_mean(task.weight_rule, WEIGHT_RULES)
            or f"it is one of {', '.join(WEIGHT_RULES)}",
        )
    at_least(dag, task, "retries", task.retries, 0)
    at_least(dag, task, "retry_delay", task.retry_delay_s, 0)
    at_least(dag, task, "max_retry_delay", task.max_retry_delay_s, 0)
    if (found := flaw_of_rules(task)) is not None:
        raise wrong(dag, found[0], task, found[1])
    positive(dag, task, "execution_timeout", task.execution_timeout_s)
    at_least(dag, task, "pool_slots", task.pool_slots, 1)
    at_least(dag, task, "max_active_tis_per_dagrun", task.max_active_tis_per_dagrun, 1)
    at_least(dag, task, "max_active_tis_per_dag", task.max_active_tis_per_dag, 1)
    at_least(dag, task, "memory_limit", task.memory_limit_mb, 1)
    check_pool(task.pool, dag.file, task.line)
    check_id("queue", task.queue, dag.file, task.line)
    if task.executor:
        check_id("executor", task.executor, dag.file, task.line)
    if (found := flaw_of_container(dag, task)) is not None:
        raise wrong(dag, found[0], task, found[1])
    if not -PRIORITY_MAX <= task.priority_weight <= PRIORITY_MAX:
        raise wrong(
            dag,
            f"priority_weight is {task.priority_weight}, "
            f"it must be between -{PRIORITY_MAX} and {PRIORITY_MAX}",
            task,
        )
    check_inputs(dag, task, tasks)


def check_inputs(dag: Dag, task: Task, tasks: dict[str, Task]) -> None:
    """Check that a task reads results only of its direct upstream tasks."""
    upstream = set(task.upstream)
    if task.mapping is not None and not task.mapping.axes:
        raise wrong(dag, "it is mapped, but over no argument", task)
    axes = task.mapping.axes if task.mapping else ()
    for axis in axes:
        check_axis(dag, task, axis)
    lists = [leaf for axis in axes for leaf in axis.leaves()]
    for leaf in lists:
        if leaf.task_id and gate_of(dag, task, leaf.task_id, tasks) is not None:
            raise wrong(
                dag,
                f'it is mapped over "{leaf.task_id}", which has a result for each iteration of its loop',
                task,
                "let a task behind the loop make the list",
            )
    if len(lists) > LISTS_MAX:
        raise wrong(dag, f"it is mapped over {len(lists)} lists; the limit is {LISTS_MAX}", task)
    read: Iterable[str | None] = (*(i.task_id for i in task.inputs), *(a.task_id for a in lists))
    for task_id in read:
        if task_id is None:
            continue
        if task_id in upstream and not tasks[task_id].do_xcom_push:
            raise wrong(
                dag,
                f'it reads the result of "{task_id}", which is not stored (do_xcom_push=False)',
                task,
                f'remove do_xcom_push=False from "{task_id}", or use >> if only the order matters',
            )
        if task_id in upstream or has_from_peers(task, task_id, tasks):
            continue
        if (gate := gate_of(dag, task, task_id, tasks)) is not None and gate in upstream:
            continue
        if task_id in tasks:
            raise wrong(dag, f'it reads the result of "{task_id}" but does not wait for it', task)
        raise wrong(
            dag,
            f'it reads the result of "{task_id}", which is not a task of this DAG',
            task,
            did_you_mean(task_id, tasks) or f"the tasks are {listing(tasks)}",
        )


def check_axis(dag: Dag, task: Task, axis: Axis) -> None:
    """Check that it is a literal, a result or a combination of them."""
    kinds = (axis.length is not None, axis.task_id is not None, bool(axis.combine and axis.parts))
    if sum(kinds) != 1 or bool(axis.parts) != bool(axis.combine):
        told = f'the axis "{axis.argument}" must be one of a literal, a result and a combination'
        raise wrong(dag, told, task)
    for part in axis.parts:
        check_axis(dag, task, part)


def at_least(dag: Dag, task: Task | None, name: str, value: float | None, least: int) -> None:
    if isinstance(value, int) and abs(value) > INTEGER_MAX:
        raise wrong(dag, f"{name} is {shown(value)}, it must be at most {INTEGER_MAX:,}", task)
    if value is not None and not (value >= least and math.isfinite(value)):
        raise wrong(dag, f"{name} is {value:g}, it must be at least {least}", task)


def positive(dag: Dag, task: Task | None, name: str, seconds: float | None) -> None:
    if seconds is not None and not (seconds > 0 and math.isfinite(seconds)):
        raise wrong(dag, f"{name} is {seconds:g} seconds, it must be longer than 0", task)
    if seconds is not None and seconds > SECONDS_MAX:
        raise wrong(dag, f"{name} is {seconds:g} seconds, it must be less than 100 years", task)
