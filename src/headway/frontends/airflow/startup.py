"""The first message to a task runner: which task, of which run, from which file. As data, by Airflow's schema."""

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from headway import clock
from headway.authoring.run import Run
from headway.frontends.airflow import deferring, events
from headway.frontends.airflow.dates import interval, logical_date, run_type
from headway.frontends.airflow.ground import BUNDLE


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
            "dag_version_id": str(version(run.dag_id, file)),
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


def version(dag_id: str, file: str) -> Any:
    return uuid5(NAMESPACE_URL, f"{dag_id}/{file}")


def dag_run(dag: Any, run: Run, now: datetime) -> dict[str, Any]:
    """The run. A scheduled one's logical date is the start of its interval where its timetable has intervals."""
    from airflow.sdk.api.datamodels._generated import DagRun

    start, end = interval(dag.timetable, run.logical_date, run.data_interval, run.trigger)
    known = (
        DagRun.model_fields
    )  # 3.2 knows no date of a partition, and takes nothing that it does not know
    found = {
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "logical_date": logical_date(dag, run),
        "data_interval_start": start,
        "data_interval_end": end,
        "run_after": run.logical_date,
        "start_date": now,
        "end_date": None,
        "run_type": run_type(run.trigger),
        "state": "running",
        "conf": dict(run.params),
        "consumed_asset_events": events.consumed(dag, run.trigger),
        "partition_key": run.partition,
        "partition_date": run.partition_date,
    }
    return {name: value for name, value in found.items() if name in known}
