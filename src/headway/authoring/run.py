"""The run as tasks see it, and the exceptions Skip and Fail."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, NoReturn

from headway.core.triggers import Trigger


class Skip(Exception):
    """Raised by a task: it has nothing to do. The task instance ends as skipped."""


class Fail(Exception):
    """Raised by a task: another attempt would be of no use. It fails without a retry."""


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
        "logical_date",
        "map_index",
        "max_tries",
        "params",
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

    def with_params(self, params: dict[str, Any]) -> "Run":
        """The same run with other parameters."""
        if params is self.params:
            return self
        made = object.__new__(Run)
        for name in Run.__slots__:
            object.__setattr__(made, name, getattr(self, name))
        object.__setattr__(made, "params", Params(params))
        return made

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
    "logical_date",
    "map_index",
    "params",
    "run_id",
    "task_id",
    "try_number",
    "ts",
    "ts_nodash",
)


def context_of(run: Run) -> dict[str, object]:
    return {"run": run, **{name: getattr(run, name) for name in CONTEXT_NAMES}}
