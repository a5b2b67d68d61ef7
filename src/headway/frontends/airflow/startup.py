"""The first message to a task runner: which task, of which run, from which file. As data, by Airflow's schema."""

from datetime import datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from headway import clock
from headway.authoring.run import Run
from headway.core.triggers import Trigger
from headway.frontends.airflow import deferring
from headway.frontends.airflow.ground import BUNDLE
from headway.frontends.airflow.schedules import has_data_interval

RUN_TYPES: Final = {Trigger.BACKFILL: "backfill", Trigger.SCHEDULE: "scheduled"}


def details(dag: Any, run: Run, file: str) -> dict[str, Any]:
    now = clock.now()
    return {
        "type": "StartupDetails",
        "ti": {
            "id": str(identity(run)),
            "task_id": run.task_id,
            "dag_id": run.dag_id,
            "run_id": run.run_id,
            "try_number": run.try_number,
            "map_index": run.map_index,
            "dag_version_id": str(uuid5(NAMESPACE_URL, f"{run.dag_id}/{file}")),
        },
        "dag_rel_path": file,
        "bundle_info": {"name": BUNDLE, "version": None},
        "start_date": deferring.started(run, now),
        "sentry_integration": "",
        "ti_context": {
            "dag_run": dag_run(dag, run, now),
            "max_tries": run.max_tries - 1,
            "should_retry": run.try_number < run.max_tries,
            **deferring.resumption(run),
        },
    }


def identity(run: Run) -> Any:
    """The id of the attempt, which Airflow's tasks know as that of their task instance."""
    parts = (run.run_id, run.task_id, run.map_index, run.try_number)
    return uuid5(NAMESPACE_URL, "/".join(map(str, parts)))


def dag_run(dag: Any, run: Run, now: datetime) -> dict[str, Any]:
    """The run. A scheduled one's logical date is the start of its interval where its timetable has intervals."""
    start, end = interval_of(dag, run)
    logical = start if has_data_interval(dag.timetable) and is_scheduled(run) else run.logical_date
    return {
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "logical_date": logical,
        "data_interval_start": start,
        "data_interval_end": end,
        "run_after": run.logical_date,
        "start_date": now,
        "end_date": None,
        "run_type": RUN_TYPES.get(Trigger(run.trigger), "manual"),
        "state": "running",
        "conf": dict(run.params),
        "consumed_asset_events": [],
        "partition_key": None,
    }


def is_scheduled(run: Run) -> bool:
    return run.trigger in (Trigger.SCHEDULE, Trigger.BACKFILL)


def interval_of(dag: Any, run: Run) -> tuple[datetime, datetime]:
    """Return the data interval as Airflow has it: without width for timetables that only name moments."""
    if has_data_interval(dag.timetable):
        return run.data_interval
    width = getattr(dag.timetable, "interval", None)
    return (run.logical_date - width if width else run.logical_date), run.logical_date
