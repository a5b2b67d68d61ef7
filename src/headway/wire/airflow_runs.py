"""Runs that Airflow did before its DAGs moved here."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from headway.core.airflow_runs import INSTANCES_MAX, RUN_STATES, RUNS_AT_ONCE_MAX, TASK_STATES
from headway.wire.bounds import INT32_MAX, Index, said

NO_NUL = r"^[^\u0000]*$"
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=250, pattern=NO_NUL)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Number = Annotated[int, msgspec.Meta(ge=0, le=INT32_MAX)]
RunEnd = Literal["success", "failed"]
TaskState = Annotated[str, said(enum=TASK_STATES)]


class AirflowTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task instance. ``state`` is None if Airflow never came to it; ``map_index`` is -1 unless it is mapped."""

    task_id: Name
    map_index: Index = -1
    state: TaskState | None = None
    tries: Number = 0
    started_at: Moment | None = None
    ended_at: Moment | None = None
    operator: Annotated[str, msgspec.Meta(max_length=250, pattern=NO_NUL)] = ""

    def __post_init__(self) -> None:
        if self.state is not None and self.state not in TASK_STATES:
            raise ValueError(f"{self.state!a:.40} is not a state of a task in Airflow")


class AirflowRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run that ended in Airflow. ``logical_date`` is Airflow's: as a rule the start of its data interval; ``due_at``
    is when Airflow was to start it; ``tasks``: how many task instances it had.
    """

    run_id: Name
    run_type: Annotated[str, msgspec.Meta(min_length=1, max_length=50, pattern=NO_NUL)]
    state: RunEnd
    logical_date: Moment | None = None
    interval_start: Moment | None = None
    interval_end: Moment | None = None
    due_at: Moment
    started_at: Moment | None = None
    ended_at: Moment
    tasks: Number


class AirflowRunDetail(AirflowRun, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``instances``: its first 10,000 task instances, by task and map index."""

    instances: Annotated[list[AirflowTask], msgspec.Meta(max_length=INSTANCES_MAX)]


class AirflowRunsRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Runs of a DAG. ``done_until``: when the last scheduled run that ended in Airflow was due; the schedule of the DAG
    goes on after it.
    """

    runs: Annotated[list[AirflowRunDetail], msgspec.Meta(max_length=RUNS_AT_ONCE_MAX)] = []
    done_until: Moment | None = None


class AirflowRunsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of runs: new ones, those that differ from what was stored, those that were stored already, and those that
    ended before the retention of the team, which are not kept.
    """

    stored: int
    changed: int
    kept: int
    too_old: int
    done_until: datetime | None


class AirflowDag(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG of which Airflow's runs were imported. Its schedule goes on after ``done_until``."""

    dag_id: str
    runs: int
    done_until: datetime | None
    imported_at: datetime
    imported_by: str


assert RunEnd.__args__ == RUN_STATES  # type: ignore[attr-defined]
