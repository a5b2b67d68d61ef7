"""The options of tasks and DAGs: the words users write and what each becomes in the spec."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypedDict

from headway.authoring import pods
from headway.authoring.frames import Site
from headway.authoring.references import ParamRef
from headway.core.pod_words import CAPACITIES
from headway.spec.carried import DATES, flaw_of_date, shown
from headway.spec.errors import BadSpec, did_you_mean, listing

if TYPE_CHECKING:
    from headway.authoring.assets import Asset, AssetAlias, BaseAsset
    from headway.authoring.partitions import PartitionedAssets, PartitionedCron
    from headway.authoring.retry_rules import RetryRule
    from headway.authoring.times import AssetsOrTimes, Dates

MEGABYTES: Final = {"": 1.0, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0 * 1024}


Callbacks: TypeAlias = "Callable[..., object] | Sequence[Callable[..., object]] | None"


class TaskOptions(TypedDict, total=False):
    """The options of a task, for editors and type checkers; ``TASK_OPTIONS`` decides."""

    task_id: str
    retries: int
    retry_delay: timedelta | float
    retry_exponential_backoff: bool
    max_retry_delay: timedelta | float | None
    retry_policy: "RetryRule | Sequence[RetryRule] | None"
    execution_timeout: timedelta | float | None
    pool: str
    pool_slots: int
    queue: str
    executor: str | None
    image: str | None
    resources: Mapping[str, str | int | float] | None
    memory_after_oom: float
    capacity: Literal["spot"] | None
    node_selector: Mapping[str, str] | None
    tolerations: Sequence[Mapping[str, Any]] | None
    volumes: Mapping[str, Mapping[str, Any]] | None
    secrets: Mapping[str, str] | None
    labels: Mapping[str, str] | None
    annotations: Mapping[str, str] | None
    priority_class: str | None
    pod_override: object
    priority_weight: int
    weight_rule: str
    trigger_rule: str
    max_active_tis_per_dagrun: int | None
    max_active_tis_per_dag: int | None
    depends_on_past: bool
    wait_for_downstream: bool
    ignore_first_depends_on_past: bool
    memory_limit: int | str | None
    do_xcom_push: bool
    multiple_outputs: bool
    decides_outcome: bool
    map_index_template: str
    templated: "Iterable[str]"  # of @task: the arguments whose texts are templates
    ignore_downstream_trigger_rules: bool  # of @task.short_circuit
    on_success_callback: "Callbacks"
    on_failure_callback: "Callbacks"
    on_retry_callback: "Callbacks"
    on_skipped_callback: "Callbacks"
    on_execute_callback: "Callbacks"
    outlets: "Asset | AssetAlias | Iterable[Asset | AssetAlias] | None"
    inlets: "Asset | AssetAlias | Iterable[Asset | AssetAlias] | None"
    owner: str
    doc_md: str


class DagOptions(TypedDict, total=False):
    on_success_callback: "Callbacks"
    on_failure_callback: "Callbacks"
    on_overdue_callback: "Callbacks"
    schedule: (
        "str | timedelta | BaseAsset | Sequence[BaseAsset] | AssetsOrTimes | Dates | PartitionedAssets | "
        "PartitionedCron | None"
    )
    timezone: str | tzinfo
    start_date: datetime | None
    end_date: datetime | None
    catchup: bool
    max_active_runs: int
    run_strategy: str
    max_active_tasks: int | None
    dagrun_timeout: timedelta | float | None
    fail_fast: bool
    default_args: Mapping[str, Any]
    params: Mapping[str, Any]
    tags: Iterable[str]
    description: str
    doc_md: str
    owner: str
    reuse_child: int
    template_searchpath: "str | Iterable[str]"


class GroupOptions(TypedDict, total=False):
    prefix_group_id: bool
    default_args: Mapping[str, Any]
    tooltip: str


class Wrong(Exception):
    """The description of an expected value, for the error message."""


def seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    raise Wrong("a timedelta or a number of seconds")


def whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Wrong("a whole number")


def optional_whole(value: object) -> int | None:
    return None if value is None else whole(value)


def flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise Wrong("True or False")


def text(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    raise Wrong("a string")


def optional_text(value: object) -> str:
    return "" if value is None else text(value)


def template(value: object) -> str:
    """A text that Jinja can read. What its names stand for is known when it is rendered."""
    found = optional_text(value)
    if found:
        from headway.authoring.operators.templates import flaw_of_syntax  # few tasks have one

        if (flaw := flaw_of_syntax(found)) is not None:
            raise Wrong(f"a Jinja template ({flaw})")
    return found


def prose(value: object) -> str:
    return shown(optional_text(value))


def megabytes(value: object) -> int | None:
    """A number of MB, or "512MB", "2G"."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str):
        found = re.fullmatch(r"\s*([0-9.]+)\s*([KMGT]?)(i?B)?\s*", value, re.IGNORECASE)
        if found and found[1].count(".") < 2 and found[1] != ".":
            return max(1, round(float(found[1]) * MEGABYTES[found[2].upper()]))
    raise Wrong('a number of MB or a size like "512MB" or "2G"')


def quantities(value: object) -> dict[str, str]:
    """Amounts of resources by name, as Kubernetes writes them: {"cpu": 2, "memory": "4Gi"}, or parameters."""
    if value is None:
        return {}
    if isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(amount, (str, int, float, ParamRef))
        for name, amount in value.items()
    ):
        return {str(name): str(amount) for name, amount in value.items()}
    raise Wrong('a dict of amounts, such as {"cpu": "500m", "memory": "2Gi"}')


def factor(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise Wrong("a number, such as 2: a retry has twice the memory that was too little")


def capacity(value: object) -> str:
    if value is None or value in CAPACITIES:
        return str(value or "")
    raise Wrong(" or ".join(f'"{word}"' for word in CAPACITIES))


def of_pod(read: Callable[[object], object]) -> Callable[[object], object]:
    def part(value: object) -> object:
        try:
            return read(value)
        except pods.WrongPod as expected:
            raise Wrong(str(expected)) from None

    return part


def assets(value: object) -> "tuple[Asset | AssetAlias, ...]":
    from headway.authoring.assets import Asset, AssetAlias  # few tasks have any

    kinds = (Asset, AssetAlias)
    given = (value,) if isinstance(value, kinds) else () if value is None else value
    if isinstance(given, (list, tuple)) and all(isinstance(one, kinds) for one in given):
        return tuple(given)
    raise Wrong('an Asset or a list of them, such as [Asset("orders")]')


def retry_policy(value: object) -> "tuple[RetryRule, ...]":
    from headway.authoring.retry_rules import rules  # few tasks have any

    return rules(value)


def functions(value: object) -> tuple[Callable[..., object], ...]:
    """Return the callbacks of one occasion."""
    given = value if isinstance(value, (list, tuple)) else () if value is None else (value,)
    if not all(callable(one) for one in given):
        raise Wrong("a function or a list of functions")
    return tuple(given)


def names(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(x, str) for x in value):
        found = (str(x) for x in value)
        return tuple(found) if isinstance(value, (list, tuple)) else tuple(sorted(found))
    raise Wrong("a list of strings")


def folders(value: object) -> tuple[str, ...]:
    """A folder or a list of them, relative to the DAG folder."""
    return (str(value),) if isinstance(value, str | PurePath) else names(value)


TASK_CALLBACKS: Final[Mapping[str, str]] = {
    "on_success_callback": "success",
    "on_failure_callback": "failure",
    "on_retry_callback": "retry",
    "on_skipped_callback": "skipped",
}
CALLBACKS: Final[Mapping[str, str]] = {**TASK_CALLBACKS, "on_overdue_callback": "overdue"}
ON_EXECUTE: Final = "on_execute_callback"  # called in the process of the attempt

TEMPLATED: Final = "templated"  # what only the process of the attempt heeds

# The word: its field in the spec and its reader.
TASK_OPTIONS: Final[Mapping[str, tuple[str, Callable[[object], object]]]] = {
    "retries": ("retries", whole),
    "retry_delay": ("retry_delay_s", seconds),
    "retry_exponential_backoff": ("retry_exponential_backoff", flag),
    "max_retry_delay": ("max_retry_delay_s", seconds),
    "retry_policy": ("retry_policy", retry_policy),
    "execution_timeout": ("execution_timeout_s", seconds),
    "pool": ("pool", text),
    "pool_slots": ("pool_slots", whole),
    "queue": ("queue", text),
    "executor": ("executor", optional_text),
    "image": ("image", optional_text),
    "resources": ("resources", quantities),
    "memory_after_oom": ("memory_after_oom", factor),
    "capacity": ("capacity", capacity),
    **{word: (word, of_pod(read)) for word, read in pods.PARTS.items()},
    "priority_weight": ("priority_weight", whole),
    "weight_rule": ("weight_rule", text),
    "trigger_rule": ("trigger_rule", text),
    "max_active_tis_per_dagrun": ("max_active_tis_per_dagrun", optional_whole),
    "max_active_tis_per_dag": ("max_active_tis_per_dag", optional_whole),
    "depends_on_past": ("depends_on_past", flag),
    "wait_for_downstream": ("wait_for_downstream", flag),
    "ignore_first_depends_on_past": ("ignore_first_depends_on_past", flag),
    "memory_limit": ("memory_limit_mb", megabytes),
    "do_xcom_push": ("do_xcom_push", flag),
    "multiple_outputs": ("multiple_outputs", flag),
    "decides_outcome": ("decides_outcome", flag),
    "map_index_template": ("map_index_template", template),
    TEMPLATED: (TEMPLATED, names),
    "outlets": ("outlets", assets),
    "inlets": ("inlets", assets),
    "owner": ("owner", optional_text),
    "doc_md": ("doc", prose),
    **{word: (word, functions) for word in (*TASK_CALLBACKS, ON_EXECUTE)},
}


def schedule(value: object) -> object:
    """Read a schedule option. The spec is validated as a whole later."""
    # What only a DAG with a schedule needs, not each file that imports Headway.
    from headway.core import schedules

    given = value.strip() if isinstance(value, str) else value
    try:
        schedules.keep(given, "UTC")
    except schedules.BadSchedule:
        raise Wrong(schedules.forms()) from None
    if given == "":
        raise Wrong(schedules.forms())
    return given


def zone_name(value: object) -> str:
    name = getattr(value, "key", None) or getattr(value, "name", None) or value
    if isinstance(name, str):
        return str(name)
    if isinstance(value, tzinfo) and str(value) == "UTC":
        return "UTC"
    raise Wrong('the name of a time zone, such as "Europe/Paris"')


def moment(value: object) -> datetime | None:
    """Still naive if it was: the zone of the DAG says what it means."""
    if value is None:
        return None
    if not isinstance(value, date):
        raise Wrong("a datetime")
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if flaw_of_date(value if value.tzinfo else value.replace(tzinfo=UTC)) is not None:
        raise Wrong(DATES)
    return value


def named_values(value: object) -> dict[str, object]:
    if value is None:
        return {}
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return dict(value)
    raise Wrong("a dict with strings as keys")


DAG_OPTIONS: Final[Mapping[str, tuple[str, Callable[[object], object]]]] = {
    "schedule": ("schedule", schedule),
    "timezone": ("timezone", zone_name),
    "start_date": ("start_date", moment),
    "end_date": ("end_date", moment),
    "catchup": ("catchup", flag),
    "max_active_runs": ("max_active_runs", whole),
    "run_strategy": ("run_strategy", text),
    "max_active_tasks": ("max_active_tasks", optional_whole),
    "dagrun_timeout": ("dagrun_timeout_s", seconds),
    "fail_fast": ("fail_fast", flag),
    "default_args": ("default_args", named_values),
    "params": ("params", named_values),
    "tags": ("tags", names),
    "description": ("description", prose),
    "doc_md": ("doc", prose),
    "owner": ("owner", optional_text),
    "reuse_child": ("reuse_child", whole),
    "template_searchpath": ("template_searchpath", folders),
    "on_success_callback": ("on_success_callback", functions),
    "on_failure_callback": ("on_failure_callback", functions),
    "on_overdue_callback": ("on_overdue_callback", functions),
}

GROUP_OPTIONS: Final[Mapping[str, tuple[str, Callable[[object], object]]]] = {
    "prefix_group_id": ("prefix_group_id", flag),
    "default_args": ("default_args", named_values),
    "tooltip": ("tooltip", prose),
}

# Airflow's words that change what happens: taking them in silence would be a lie.
NOT_HERE: Final[Mapping[str, str]] = {
    "ignore_downstream_trigger_rules": "only @task.short_circuit has it",
    "team": "remove it; the team of a DAG is that of the folder it comes from",
    "email": "no mail is sent by itself; use on_failure_callback, or a task email(…)",
    "email_on_failure": "no mail is sent by itself; use on_failure_callback, or a task email(…)",
    "email_on_retry": "no mail is sent by itself; use on_retry_callback",
    "sla": "use execution_timeout or dagrun_timeout",
    "sla_miss_callback": "use on_overdue_callback, for partitions with due in PartitionedAssets",
    "deadline": "use dagrun_timeout, or on_overdue_callback with due in PartitionedAssets",
    "provide_context": "remove it, and name the parameters run, ds, params, … in the function",
    "schedule_interval": "use schedule instead",
    "concurrency": "use max_active_tasks instead",
    "max_consecutive_failed_dag_runs": "failures do not pause a DAG; to pause it: headway pause DAG",
    "parent_group": "remove it, and open the group inside the other one: `with outer: with TaskGroup(…)`",
    "add_suffix_on_collision": "write the group as a @task_group function; each call has an id of its own",
    "ui_color": "remove it; the web interface colors a group by its state",
    "ui_fgcolor": "remove it; the web interface colors a group by its state",
}

# Airflow's words with the one value that says what Headway does anyway: default_args of many files have them.
WITHOUT_EFFECT: Final[Mapping[str, object]] = {
    "email_on_failure": False,
    "email_on_retry": False,
}


def read_options(
    given: Mapping[str, object],
    table: Mapping[str, tuple[str, Callable[[object], object]]],
    site: Site,
    word: str,
    more: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Options in the spec's words and units.

    ``more``: other names that were possible, for the hint.
    """
    found = {}
    for name, value in given.items():
        if name in WITHOUT_EFFECT and value == WITHOUT_EFFECT[name]:
            continue
        if name not in table:
            raise unknown_word(name, site, word, [*table, *more])
        field, read = table[name]
        try:
            found[field] = read(value)
        except Wrong as expected:
            raise BadSpec(
                f"{word}: {name} must be {expected}, not {value!r}", file=site.file, line=site.line
            ) from None
    return found


def unknown_word(name: str, site: Site, word: str, known: list[str]) -> BadSpec:
    hint = NOT_HERE.get(name) or did_you_mean(name, known)
    if word == "@dag" and name in TASK_OPTIONS and name not in NOT_HERE:
        hint = f"it is an option of tasks: default_args={{{name!r}: …}} gives it to all of them"
    return BadSpec(
        f'{word} has no option "{name}"',
        file=site.file,
        line=site.line,
        hint=hint or f"it has {listing(sorted(known), 30)}",
    )
