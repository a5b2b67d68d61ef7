"""The run as tasks see it, and the exceptions Skip and Fail."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from headway.core.triggers import Trigger

if TYPE_CHECKING:
    from headway.authoring.asset_events import Events, InletEvents, OutletEvents, Triggering
    from headway.authoring.iterations import Loop


ANSWER: Final = "answer"  # the kind of a wait for a person
ASSET: Final = "asset"  # and of one for an event of an asset


class Skip(Exception):
    """Raised by a task: it has nothing to do. The task instance ends as skipped."""


class Fail(Exception):
    """Raised by a task: another attempt would be of no use. It fails without a retry."""


class Deferred(BaseException):
    """Raised by ``defer``: the process ends, and the attempt goes on in another one when ``deferral`` is over.

    No ``except Exception`` of a task catches it.
    """

    def __init__(self, deferral: "Deferral") -> None:
        super().__init__("the task is deferred")
        self.deferral = deferral


class Deferral(NamedTuple):
    """A wait, as it travels: ``facts`` of its kind and ``kwargs`` in JSON types and as JSON."""

    kind: str
    facts: dict[str, Any]
    until: datetime | None = None
    delay_s: float | None = None
    timeout_s: float | None = None
    overdue: str = "fail"  # or skip, resume
    method: str | None = None
    kwargs: bytes | None = None
    reschedules: bool = False
    finishes: bool = False


class Resumption(NamedTuple):
    """The news for the process in which a deferred attempt goes on."""

    method: str | None  # to call instead of the task
    kwargs: Mapping[str, Any]
    found: Any  # what it waited for brought
    timed_out: bool
    elapsed_s: float  # since the attempt began


class DataInterval(NamedTuple):
    start: datetime
    end: datetime


class Params(dict[str, Any]):
    """The run's parameters, as ``params["x"]`` or ``params.x``."""

    def __missing__(self, name: str) -> NoReturn:
        raise KeyError(f"{name!r}: the DAG has no such parameter, it has {sorted(self)}")

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(f"the DAG has no parameter {name!r}, it has {sorted(self)}")


class Run:
    """The run, the task instance and the attempt that a task runs in. Frozen."""

    __slots__ = (
        "dag_id",
        "data_interval",
        "events",
        "logical_date",
        "loop",
        "map_index",
        "max_tries",
        "params",
        "partition",
        "resumed",
        "run_id",
        "task_id",
        "trigger",
        "try_number",
    )
    run_id: str
    dag_id: str
    task_id: str
    map_index: int  # -1: not mapped
    try_number: int  # from 1
    max_tries: int
    logical_date: datetime
    data_interval: DataInterval
    trigger: str
    params: Params
    loop: "Loop | None"  # None: the task is in no loop
    partition: str | None  # of the data that it is about; None: of no partition
    resumed: Resumption | None  # None: it is the first process of its attempt
    events: "Events | None"  # of assets; None: not asked for yet

    def __init__(
        self,
        *,
        run_id: str,
        dag_id: str,
        task_id: str,
        logical_date: datetime,
        data_interval: tuple[datetime, datetime],
        map_index: int = -1,
        try_number: int = 1,
        max_tries: int = 1,
        trigger: str = Trigger.MANUAL,
        params: Mapping[str, object] | None = None,
        partition: str | None = None,
        resumed: Resumption | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "run_id", run_id)
        put(self, "dag_id", dag_id)
        put(self, "task_id", task_id)
        put(self, "map_index", map_index)
        put(self, "try_number", try_number)
        put(self, "max_tries", max_tries)
        put(self, "logical_date", logical_date)
        put(self, "data_interval", DataInterval(*data_interval))
        put(self, "trigger", trigger)
        put(self, "params", Params(params or {}))
        put(self, "partition", partition)
        put(self, "resumed", resumed)
        put(self, "events", None)
        put(self, "loop", None)

    def with_params(self, params: dict[str, Any]) -> "Run":
        """The same run with other parameters."""
        return self if params is self.params else self.but("params", Params(params))

    def going_on(self, resumed: Resumption) -> "Run":
        """The same run, going on with other news."""
        return self.but("resumed", resumed)

    def but(self, changed: str, value: object) -> "Run":
        made = object.__new__(Run)
        for name in Run.__slots__:
            object.__setattr__(made, name, value if name == changed else getattr(self, name))
        return made

    @staticmethod
    def current() -> "Run":
        """Return the run of the task that this process executes. Raises RuntimeError outside of a task."""
        if running is None:
            raise RuntimeError(
                "no task is running here; call this inside of a task, not while the DAG file is read"
            )
        return running

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Run cannot be changed (setting {name!r})")

    def __repr__(self) -> str:
        return f"<Run {self.run_id} of {self.dag_id}, task {self.task_id}, {self.ts}>"

    @property
    def data_interval_start(self) -> datetime:
        return self.data_interval.start

    @property
    def data_interval_end(self) -> datetime:
        return self.data_interval.end

    @property
    def found(self) -> Any:
        """The thing that the wait of this attempt brought; None before it, or if it brought nothing."""
        return None if self.resumed is None else self.resumed.found

    @property
    def outlet_events(self) -> "OutletEvents":
        """The events that the task's outlets will have when it succeeds: ``run.outlet_events[asset].extra``."""
        return self.asset_events.outlets

    @property
    def inlet_events(self) -> "InletEvents":
        """The latest events of an asset, the newest last: ``run.inlet_events[asset]``."""
        return self.asset_events.inlets

    @property
    def triggering_asset_events(self) -> "Triggering":
        """The events that brought this run, by the name of their asset. Empty if something else did."""
        return self.asset_events.triggering

    @property
    def asset_events(self) -> "Events":
        if self.events is None:
            from headway.authoring.asset_events import Events  # few tasks need any

            object.__setattr__(self, "events", Events())
        assert self.events is not None
        return self.events

    @property
    def partition_key(self) -> str | None:
        """The partition, by Airflow's name."""
        return self.partition

    @property
    def partition_date(self) -> datetime | None:
        """The time at which the partition's data begins; None: the run has no partition."""
        return None if self.partition is None else self.data_interval.start

    @property
    def ds(self) -> str:
        """The logical date as ``2013-01-31``."""
        return self.logical_date.date().isoformat()

    @property
    def ds_nodash(self) -> str:
        return self.ds.replace("-", "")

    @property
    def ts(self) -> str:
        """The logical date as ``2013-01-31T05:00:00+00:00``."""
        return self.logical_date.isoformat()

    @property
    def ts_nodash(self) -> str:
        return f"{self.ds_nodash}T{self.logical_date:%H%M%S}"


# Arguments that a task's function may ask for by name alone, and variables of templates.
CONTEXT_NAMES: Final = (
    "dag_id",
    "data_interval_end",
    "data_interval_start",
    "ds",
    "ds_nodash",
    "inlet_events",
    "logical_date",
    "loop",
    "map_index",
    "outlet_events",
    "params",
    "partition",
    "partition_date",
    "partition_key",
    "run_id",
    "task_id",
    "triggering_asset_events",
    "try_number",
    "ts",
    "ts_nodash",
)


# The same of Airflow's, made when they are asked for (``airflow_names``).
AIRFLOW_NAMES: Final = (
    "dag_run",
    "macros",
    "prev_data_interval_end_success",
    "prev_data_interval_start_success",
    "prev_end_date_success",
    "prev_start_date_success",
    "task_instance",
    "ti",
)

running: Run | None = None  # in a task's process, and in ``run_dag``
asked: dict[str, object] | None = None  # its context, once somebody asks: a task may add variables


class entered:
    """Lets ``Run.current`` return ``run`` in this process until the block ends.

    Not by ``contextlib``, which writes to the traceback of what a task raises: a task may raise what forbids it.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def __enter__(self) -> None:
        global running, asked
        self.before = running, asked
        running, asked = self.run, None

    def __exit__(self, *_: object) -> None:
        global running, asked
        running, asked = self.before


def get_current_context() -> dict[str, object]:
    """Return what a task may ask for by name, anywhere inside of it, as in Airflow. Raises RuntimeError elsewhere.

    It is one dict for the whole attempt: what is added to it can be used in the task's ``map_index_template``.
    """
    global asked
    if asked is None:
        asked = context_of(Run.current())
    return asked


def added() -> dict[str, object]:
    """Return the context with what the task has added to it; nothing if nobody asked for it."""
    return asked or {}


class Context(dict[str, object]):
    """The names of a run, and those of Airflow, which are made when somebody asks for them."""

    def __init__(self, run: Run) -> None:
        super().__init__(run=run, **{name: getattr(run, name) for name in CONTEXT_NAMES})
        self.of = run

    def __missing__(self, name: str) -> object:
        from headway.authoring.airflow_names import NAMES  # few tasks ask for any

        if name not in NAMES:
            raise KeyError(name)
        self[name] = NAMES[name](self.of)
        return self[name]


def context_of(run: Run) -> dict[str, object]:
    return Context(run)
