"""The DAG as plain data, without Python objects.

Front ends produce a ``Dag``; the scheduler, the API and the UI read nothing else. It is
versioned (``spec_version``), content-hashed (``spec_hash``) and its JSON Schema is generated from
these types (``headway.spec.schema``). Durations are seconds, instants are aware and in UTC.
Validation beyond types is in ``headway.spec.validate``.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

SPEC_VERSION: Final = 1
RESULT_KEY: Final = "return_value"


class Param(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A value given at trigger time. ``type`` is a JSON Schema type; ``default`` any JSON value.

    ``schema`` holds the keywords of JSON Schema beyond these fields: bounds, patterns, types with null, what is in it.
    """

    name: str
    type: Literal["string", "integer", "number", "boolean", "array", "object", "any"] = "any"
    format: Literal["", "date", "date-time"] = ""  # of a string: what it must read as, in ISO 8601
    default: Any = None
    required: bool = False
    description: str = ""
    enum: tuple[Any, ...] = ()
    schema: dict[str, Any] = {}
    title: str = ""  # shown in place of its name
    section: str = ""  # under which a form shows it
    examples: tuple[Any, ...] = ()  # suggestions
    values_display: dict[str, str] = {}  # what a form shows in place of values, by their text


class Input(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stored result that the task receives: of one instance, or of all instances of a mapped task."""

    task_id: str
    key: str = RESULT_KEY


class Axis(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One mapped argument: a literal of known ``length``, the result of ``task_id``, or ``parts`` that are combined.

    ``argument`` is empty for ``expand_kwargs``, where each item is a dict of arguments, and for a part. ``zip`` is as
    long as its shortest part, ``zip_longest`` as its longest.
    """

    argument: str
    length: int | None = None
    task_id: str | None = None
    key: str = RESULT_KEY
    combine: Literal["", "zip", "zip_longest", "concat"] = ""
    parts: tuple["Axis", ...] = ()

    def leaves(self) -> Iterator["Axis"]:
        """Yield the literals and results in it, in order."""
        if not self.combine:
            yield self
        for part in self.parts:
            yield from part.leaves()


class Mapping(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The cross product of the axes. The last axis varies fastest.

    ``group``: the path of the group that is mapped as a whole; its tasks have the same axes. Instance i of a task of it
    waits for, and reads, instance i of the others only.
    """

    axes: tuple[Axis, ...]
    group: str = ""


class Watcher(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The code that looks out for events of an asset outside of Headway, for as long as a DAG waits for the asset.

    ``trigger`` names it, as that of a wait; ``shared``: it is one of Headway's own. ``every_s``: the time between two
    looks of a function. ``what``: what it looks out for, for people. ``queue``: agents that serve it run the code.
    """

    name: str
    trigger: str
    what: str = ""
    kwargs: dict[str, Any] = {}
    every_s: float | None = None
    shared: bool = False
    queue: str = "default"


class Asset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Data that tasks update and DAGs wait for. ``uri`` and ``extra`` are for people and for tasks.

    A name with ``@alias:`` before it is that of an alias, to which tasks add assets. ``reference``: another DAG defines
    the asset, so what is said here counts only until one does.
    """

    name: str
    uri: str = ""
    group: str = ""
    extra: dict[str, Any] = {}
    reference: bool = False
    watchers: tuple[Watcher, ...] = ()


class Loop(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group that is repeated until its gate says stop. ``path``: that of the group, whose tasks name it.

    Each task of it runs once for each iteration, and waits for, and reads, tasks of its own iteration only. ``result``:
    the last task before the gate, whose result is that of the iteration. ``until``: the name of the condition that the
    gate looks at; empty: ``max_iterations`` alone ends the loop.
    """

    path: str
    gate: str
    result: str
    max_iterations: int
    until: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The description of a task group. ``path``: its id behind those of the groups around it, with dots."""

    path: str
    tooltip: str


class RetryRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Decides what follows an attempt that ended with one of these. Otherwise the options of the task hold."""

    # Classes by name, with the module that defines them: builtins.ValueError.
    exceptions: tuple[str, ...] = ()
    exit_codes: tuple[int, ...] = ()
    causes: tuple[Literal["timeout", "oom"], ...] = ()
    retries: int | None = None  # 0: the task fails at once
    retry_delay_s: float | None = None
    retry_exponential_backoff: bool | None = None
    max_retry_delay_s: float | None = None
    reason: str = ""  # for people


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    task_id: str
    kind: str = "python"  # the operator: python, bash, …
    upstream: tuple[str, ...] = ()  # direct, sorted
    trigger_rule: str = "all_success"
    retries: int = 0
    retry_delay_s: float = 300.0
    retry_exponential_backoff: bool = False
    max_retry_delay_s: float | None = None
    retry_policy: tuple[RetryRule, ...] = ()  # the first that names the end of an attempt decides
    execution_timeout_s: float | None = None
    pool: str = "default"
    pool_slots: int = 1
    queue: str = "default"  # only agents that serve it run the task
    executor: str = ""  # by name; empty: the default one
    image: str = (
        ""  # of its container, where the executor has such; empty: that of the installation
    )
    # Of its container, as quantities of Kubernetes: cpu, memory, …; or parameters: "{{ params.memory }}".
    resources: dict[str, str] = {}
    memory_after_oom: float = 1.0  # a retry has so many times the memory that was too little
    capacity: str = ""  # of the nodes of its pod: spot, which the cluster may take back; empty: any
    # What its pod is to have besides, in the shape of a manifest, as far as ``core.pod_overlay`` allows.
    pod: dict[str, Any] = {}
    priority_weight: int = 1
    weight_rule: str = "absolute"  # what counts besides its own weight: ``core.weights``
    max_active_tis_per_dagrun: int | None = None
    max_active_tis_per_dag: int | None = None  # over all runs
    depends_on_past: bool = False  # it runs when it has succeeded in the run before
    wait_for_downstream: bool = False  # and so have the tasks directly below it there
    ignore_first_depends_on_past: bool = True  # it runs if no earlier run had it
    memory_limit_mb: int | None = None
    do_xcom_push: bool = True  # its result is stored
    multiple_outputs: bool = (
        False  # its result is a dict, and each item is stored under its key, too
    )
    inputs: tuple[Input, ...] = ()  # what it reads besides the mapped axes
    mapping: Mapping | None = None
    loop: str = ""  # the path of the loop that it is in
    function: str = ""  # whose call gives its result, or its command: only the file has it
    # Of its operator or function, as data (``spec.arguments``). None: nobody says, as in an older spec.
    arguments: dict[str, Any] | None = None
    branch: bool = (
        False  # its result names the direct downstream tasks to follow, the others are skipped
    )
    skips_all_below: bool = (
        False  # of a branch: what it leaves out takes along all that only this leads to
    )
    # Of a mapped branch, or one in a mapped group: an instance leaves out those with its index, and no other task.
    decides_by_index: bool = False
    decides_outcome: bool = True  # a run may fail because of it; False: of an alert, a clean-up
    setup: bool = False  # it prepares what its teardowns, directly below it, clean up
    teardown: bool = (
        False  # it runs if a setup directly above it succeeded, whatever happened since
    )
    # Of a mapped task: what the name of each instance is made from, in place of its index.
    map_index_template: str = ""
    outlets: tuple[str, ...] = ()  # assets that have an event when it succeeds
    inlets: tuple[str, ...] = ()  # assets that it reads
    # The path of its group, where its id does not begin with it. None: the id up to the last dot.
    group: str | None = None
    callbacks: dict[str, int] = {}  # how many functions for success, failure, retry, skipped
    calls_itself: bool = (
        False  # its process calls them for what it raises, as Airflow's task runner does
    )
    owner: str = ""
    doc: str = ""
    line: int = 0  # in the DAG file


class Dag(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    dag_id: str
    file: str  # relative to the bundle's root, with forward slashes
    tasks: tuple[Task, ...]  # in a topological order
    spec_version: int = SPEC_VERSION
    schedule: dict[str, Any] | None = None  # ``headway.core.schedules`` reads it
    timezone: str = "UTC"  # without a schedule, which has its own
    start_date: datetime | None = None
    end_date: datetime | None = None
    dated_by_start: bool = False  # its tasks know a scheduled run by the start of its interval
    catchup: bool = False
    max_active_runs: int = 16
    run_strategy: str = "parallel"  # how its runs stand in line: ``core.strategies``
    max_active_tasks: int | None = None  # of one run; None: only pools limit
    dagrun_timeout_s: float | None = None
    fail_fast: bool = False  # the first failure ends what runs, and the rest is skipped
    params: tuple[Param, ...] = ()
    open_params: bool = False  # a run may have others, too
    assets: tuple[Asset, ...] = ()  # that its schedule and tasks name, by name
    groups: tuple[Group, ...] = ()  # those with a description
    loops: tuple[Loop, ...] = ()
    callbacks: dict[
        str, int
    ] = {}  # how many functions for success and failure of a run, overdue: of a partition
    tags: tuple[str, ...] = ()
    owner: str = ""
    description: str = ""
    doc: str = ""
    reuse_child: int = 1  # attempts one child process may run; 1: a fresh process for each
    line: int = 0

    @property
    def zone(self) -> str:
        """Return the time zone in which dates of the DAG are read."""
        return self.timezone if self.schedule is None else self.schedule.get("timezone", "UTC")


def encode(dag: Dag) -> bytes:
    """Encode as canonical JSON: the same spec gives the same bytes on every machine."""
    return msgspec.json.encode(dag, order="deterministic")


def decode(data: bytes | str) -> Dag:
    return msgspec.json.decode(data, type=Dag)


def spec_hash(dag: Dag) -> str:
    return hashlib.sha256(encode(dag)).hexdigest()
