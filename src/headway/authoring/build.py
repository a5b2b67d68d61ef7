"""From the objects of a DAG file to the spec."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from headway.authoring.arguments import Writer
from headway.authoring.params import Declared
from headway.authoring.references import references
from headway.authoring.task import Follows, Task
from headway.core import schedules
from headway.spec import model
from headway.spec.graph import in_order
from headway.spec.validate import validate, zone_named

if TYPE_CHECKING:
    from headway.authoring.dag import DAG


def build(dag: "DAG", file: str) -> model.Dag:
    """The valid spec of ``dag``."""
    writer = Writer(dag.site.file, file)
    tasks = {task.task_id: task_spec(task, writer) for task in dag.tasks.values()}
    options = dict(dag.options)
    zone_name = options.pop("timezone", None) or zone_of(options.get("start_date"))
    zone = zone_named(zone_name, file, dag.site.line)
    schedule = schedules.keep(options.pop("schedule", None), zone_name)
    spec = model.Dag(
        dag_id=dag.dag_id,
        file=file,
        tasks=tuple(in_order(tasks, file)),
        schedule=schedule,
        timezone=zone_name if schedule is None else "UTC",
        start_date=in_utc(options.pop("start_date", None), zone),
        end_date=in_utc(options.pop("end_date", None), zone),
        params=tuple(map(param_spec, dag.params.values())),
        line=dag.site.line,
        **options,
    )
    validate(spec)
    return spec


def task_spec(task: Task, writer: Writer) -> model.Task:
    """A literal that is mapped over may contain results too: they are read like other inputs."""
    arguments = task.arguments
    literals = [value for value in arguments.axes.values() if is_literal(value)]
    read = references([arguments.args, arguments.kwargs, literals])
    inputs = sorted({(reference.task_id, reference.key) for reference in read})
    return model.Task(
        task_id=task.task_id,
        kind=task.operator.word,
        upstream=tuple(sorted(task.upstream)),
        inputs=tuple(model.Input(task_id=task_id, key=key) for task_id, key in inputs),
        mapping=mapping_spec(task),
        function=writer.function(task),
        arguments=writer.arguments(task),
        branch=task.follows is not Follows.ALL,
        line=task.line,
        **task.options,
    )


def mapping_spec(task: Task) -> model.Mapping | None:
    if not task.mapped:
        return None
    return model.Mapping(axes=tuple(axis_spec(n, v) for n, v in task.arguments.axes.items()))


def is_literal(value: object) -> bool:
    return isinstance(value, (list, tuple, dict))


def axis_spec(argument: str, value: object) -> model.Axis:
    if isinstance(value, (list, tuple, dict)):
        return model.Axis(argument=argument, length=len(value))
    (reference,) = references(value)
    return model.Axis(argument=argument, task_id=reference.task_id, key=reference.key)


def param_spec(param: Declared) -> model.Param:
    kind: Any = param.kind
    return model.Param(
        name=param.name,
        type=kind.type,
        format=kind.format,
        default=param.default,
        required=param.required,
        description=param.description,
        enum=kind.enum,
    )


def zone_of(start: datetime | None) -> str:
    """Return the time zone of ``start_date`` for the DAG, as in Airflow. A fixed offset does not count."""
    zone = start.tzinfo if start is not None else None
    return getattr(zone, "key", None) or getattr(zone, "name", None) or "UTC"


def in_utc(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """A naive time is the local one of the DAG's zone."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
