"""The step from the objects of a DAG file to the spec."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from headway.authoring.arguments import Writer
from headway.authoring.assets import assets_in
from headway.authoring.options import CALLBACKS, ON_EXECUTE, TEMPLATED
from headway.authoring.params import Declared, Param, carried
from headway.authoring.pods import folded
from headway.authoring.references import GroupItem, Listed, references
from headway.authoring.signatures import signature_of
from headway.authoring.task import Follows, Task
from headway.core import schedules
from headway.core.schedules import Continuous
from headway.core.strategies import Strategy
from headway.spec import model
from headway.spec.errors import BadSpec
from headway.spec.graph import in_order
from headway.spec.json_schema import patience
from headway.spec.outline import parent_of
from headway.spec.params import RUN_S
from headway.spec.validate import check_default, check_schema, validate, zone_named

if TYPE_CHECKING:
    from headway.authoring.dag import DAG
    from headway.authoring.groups import Repetition


def build(dag: "DAG", file: str) -> model.Dag:
    """The valid spec of ``dag``."""
    writer = Writer(dag.site.file, file)
    if any(group.expansion is not None for group in dag.all_groups):
        for each in dag.tasks.values():
            check_items(each, file)
    for each in dag.tasks.values():
        check_context(each, file)
    tasks = {task.task_id: task_spec(task, writer) for task in dag.tasks.values()}
    options = dict(dag.options)
    if options.get("run_strategy", Strategy.PARALLEL) != Strategy.PARALLEL:
        options.setdefault("max_active_runs", 1)
    if Continuous.keep(options.get("schedule")):
        options.setdefault("max_active_runs", 1)
    zone_name = options.pop("timezone", None) or zone_of(options.get("start_date"))
    zone = zone_named(zone_name, file, dag.site.line)
    given = options.pop("schedule", None)
    schedule = schedules.keep(given, zone_name)
    spec = model.Dag(
        dag_id=dag.dag_id,
        file=file,
        tasks=tuple(in_order(tasks, file)),
        schedule=schedule,
        timezone=zone_name if schedule is None else "UTC",
        start_date=in_utc(options.pop("start_date", None), zone),
        end_date=in_utc(options.pop("end_date", None), zone),
        params=tuple(map(param_spec, dag.params.values())),
        assets=assets_of(dag, given),
        groups=tuple(
            model.Group(path=group.path, tooltip=group.tooltip)
            for group in dag.all_groups
            if group.tooltip
        ),
        loops=tuple(loop_spec(group.loop) for group in dag.all_groups if group.loop is not None),
        callbacks=counted(options),
        line=dag.site.line,
        **without_functions(options),
    )
    for param in dag.params.values():
        check_param(spec, param)
    validate(spec)
    return spec


def check_items(task: Task, file: str) -> None:
    """Raise BadSpec if it receives an argument of a mapped group that it is not in."""
    for item in group_items([task.arguments.args, task.arguments.kwargs, task.arguments.axes]):
        if task.expansion is None or task.expansion is not item.group.expansion:
            raise BadSpec(
                f"{task.task_id} receives {item.described()}, and is outside of that group",
                file=file,
                line=task.line,
                hint="call it inside of the group's function",
            )


def group_items(value: object) -> Iterator[GroupItem]:
    if isinstance(value, GroupItem):
        yield value
    elif isinstance(value, (dict, list, tuple, set, frozenset)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from group_items(item)


def task_spec(task: Task, writer: Writer) -> model.Task:
    """A literal that is mapped over may contain results too: they are read like other inputs."""
    arguments = task.arguments
    literals = [value for value in task.axes.values() if is_literal(value)]
    read = references([arguments.args, arguments.kwargs, literals])
    inputs = sorted({(reference.task_id, reference.key) for reference in read})
    return model.Task(
        task_id=task.task_id,
        kind=task.operator.word,
        upstream=tuple(sorted(set(upstream_of(task)))),
        inputs=tuple(model.Input(task_id=task_id, key=key) for task_id, key in inputs),
        mapping=mapping_spec(task),
        function=writer.function(task),
        arguments=writer.arguments(task),
        loop="" if task.loop is None else task.loop.path,
        branch=task.follows not in (Follows.ALL, Follows.AGAIN),
        skips_all_below=task.follows is Follows.IF_TRUE,
        group=group_spec(task),
        line=task.line,
        callbacks=counted(task.options),
        **{
            **folded(without_functions(task.options)),
            **named_assets(task),
            "retry_policy": tuple(rule.spec for rule in task.options.get("retry_policy", ())),
        },
    )


def upstream_of(task: Task) -> Iterator[str]:
    """Yield what it waits for: in place of a task of a loop that it is not in, the gate of that."""
    for above in task.upstream.values():
        outside = above.loop is not None and above.loop is not task.loop
        yield above.loop.gate.task_id if outside and above.loop else above.task_id


def loop_spec(loop: "Repetition") -> model.Loop:
    return model.Loop(
        path=loop.path,
        gate=loop.gate.task_id,
        result=loop.result.task_id,
        max_iterations=loop.max_iterations,
        until=loop.until,
    )


def check_context(task: Task, file: str) -> None:
    """Raise BadSpec if it asks for the iteration of a loop and is in none."""
    if task.loop is not None or task.function is None:
        return
    parameters = signature_of(task.function).parameters
    wanted = parameters.get("loop")
    if wanted is None or not wanted.required:
        return
    places = [name for name, each in parameters.items() if each.positional]
    given = {*places[: len(task.arguments.args)], *task.arguments.kwargs, *task.arguments.axes}
    if "loop" not in given:
        raise BadSpec(
            f"{task.task_id} takes loop, which tells a task of a loop its iteration, and is in no loop",
            file=file,
            line=task.line,
            hint="call it in a group that is repeated with .loop(), or give it the argument",
        )


def counted(options: Mapping[str, Any]) -> dict[str, int]:
    """Return how many callbacks there are for each occasion."""
    return {
        occasion: len(options[word]) for word, occasion in CALLBACKS.items() if options.get(word)
    }


def without_functions(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        word: value
        for word, value in options.items()
        if word not in CALLBACKS and word not in (ON_EXECUTE, TEMPLATED)
    }


def group_spec(task: Task) -> str | None:
    """Return the path of its group, unless its id says it."""
    path = None if task.group is None else task.group.path
    return None if path == parent_of(task.task_id) else path


def named_assets(task: Task) -> dict[str, tuple[str, ...]]:
    """Return the assets of a task by name; the DAG's spec defines them."""
    return {
        word: tuple(dict.fromkeys(asset.name for asset in task.options[word]))
        for word in ("outlets", "inlets")
        if word in task.options
    }


def assets_of(dag: "DAG", schedule: object) -> tuple[model.Asset, ...]:
    """Return what the schedule and the tasks of the DAG name. Raises BadSpec if one name means two assets."""
    named = [(asset, dag.site.line) for asset in assets_in(schedule)]
    for task in dag.tasks.values():
        for word in ("outlets", "inlets"):
            named += [(asset, task.line) for asset in task.options.get(word, ())]
    found: dict[str, model.Asset] = {}
    for asset, line in named:
        spec = model.Asset(
            name=asset.name,
            uri=asset.uri,
            group=asset.group,
            extra=asset.extra,
            watchers=tuple(watcher.spec for watcher in asset.watchers),
        )
        if found.setdefault(asset.name, spec) != spec:
            raise BadSpec(
                f'{dag.dag_id}: two assets are called "{asset.name}", with another uri, group, extra or watchers',
                file=dag.site.file,
                line=line,
                hint="define the asset once, and use it in both places",
            )
    return tuple(found[name] for name in sorted(found))


def mapping_spec(task: Task) -> model.Mapping | None:
    if not task.mapped:
        return None
    axes = tuple(axis_spec(name, value) for name, value in task.axes.items())
    return model.Mapping(axes=axes, group="" if task.expansion is None else task.expansion.path)


def is_literal(value: object) -> bool:
    return isinstance(value, (list, tuple, dict))


def axis_spec(argument: str, value: object) -> model.Axis:
    if isinstance(value, (list, tuple, dict)):
        return model.Axis(argument=argument, length=len(value))
    if isinstance(value, Listed) and value.parts:
        return combined(argument, value)
    (reference,) = references(value)
    return model.Axis(argument=argument, task_id=reference.task_id, key=reference.key)


def combined(argument: str, value: Listed) -> model.Axis:
    from headway.authoring.lists import NOTHING, Mapped, Zipped

    if isinstance(value, Mapped):  # changes no length
        return axis_spec(argument, value.source)
    parts = tuple(axis_spec("", part) for part in value.parts)
    if not isinstance(value, Zipped):
        return model.Axis(argument=argument, combine="concat", parts=parts)
    combine: Literal["zip", "zip_longest"] = "zip" if value.fill is NOTHING else "zip_longest"
    return model.Axis(argument=argument, combine=combine, parts=parts)


def param_spec(param: Declared) -> model.Param:
    kind: Any = param.kind
    told = param.told or Param()
    return model.Param(
        name=param.name,
        type=kind.type,
        format=kind.format,
        default=param.default,
        required=param.required,
        description=told.description,
        enum=kind.enum,
        schema=dict(param.schema),
        title=told.title,
        section=told.section,
        examples=tuple(carried(param.name, each, told.site) for each in told.examples),
        values_display=told.values_display,
    )


def check_param(spec: model.Dag, param: Declared) -> None:
    """Raise BadSpec at the line of the parameter, where it has one of its own."""
    if param.told is not None:
        check_schema(spec, param_spec(param), param.line)
        if not param.required:
            check_default(spec, param_spec(param), patience(RUN_S), param.line)


def zone_of(start: datetime | None) -> str:
    """Return the time zone of ``start_date`` for the DAG, as in Airflow. A fixed offset does not count."""
    zone = start.tzinfo if start is not None else None
    return getattr(zone, "key", None) or getattr(zone, "name", None) or "UTC"


def in_utc(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """A naive time is the local one of the DAG's zone."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
