"""Names of Airflow that templates and tasks may use beside those of the run. Each is made when it is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from headway.authoring import secrets
from headway.authoring.run import Fail, Run

RUNS: Final = "runs"  # the kind of question (``headway.secrets.runs``)


@dataclass(frozen=True, slots=True)
class DagRun:
    """``dag_run`` of a template. ``conf``: the parameters of the run."""

    dag_id: str
    run_id: str
    logical_date: datetime
    data_interval_start: datetime
    data_interval_end: datetime
    run_type: str
    conf: Mapping[str, object]
    partition_key: str | None


@dataclass(frozen=True, slots=True)
class TaskInstance:
    """``task_instance`` and ``ti`` of a template."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    max_tries: int

    def xcom_pull(self, *_: object, **__: object) -> object:
        """Raise Fail: a result that no argument names would be no dependency."""
        raise Fail(
            "templates of Headway have no xcom_pull; pass the result of the other task as an argument, "
            "to a command in env={…}"
        )


class Earlier(msgspec.Struct, frozen=True):
    """The last run that succeeded before this one, by logical date."""

    run_id: str
    logical_date: datetime
    interval_start: datetime
    interval_end: datetime
    started_at: datetime | None
    ended_at: datetime | None


known: dict[str, Earlier | None] = {}  # by the id of the run that asked


def dag_run(run: Run) -> DagRun:
    return DagRun(
        run.dag_id,
        run.run_id,
        run.logical_date,
        *run.data_interval,
        run.trigger,
        run.params,
        run.partition,
    )


def task_instance(run: Run) -> TaskInstance:
    return TaskInstance(
        run.dag_id, run.run_id, run.task_id, run.map_index, run.try_number, run.max_tries
    )


def earlier(run: Run) -> Earlier | None:
    """Return the last run of the DAG that succeeded before this one, or None. In a unit test there is none."""
    if secrets.ask is secrets.ask_environment:
        return None
    if run.run_id not in known:
        asked = {"ask": "runs", "dag_id": run.dag_id, "state": "success", "limit": 1}
        asked["before"] = run.logical_date.isoformat()
        answer = secrets.ask(RUNS, msgspec.json.encode(asked).decode())
        found = msgspec.json.decode(answer or "[]", type=list[Earlier])
        known[run.run_id] = found[0] if found else None
    return known[run.run_id]


def of_earlier(name: str) -> Callable[[Run], Any]:
    return lambda run: None if (found := earlier(run)) is None else getattr(found, name)


def macros(_: Run) -> object:
    from headway.authoring.macros import MACROS  # few templates need any

    return MACROS


NAMES: Final[Mapping[str, Callable[[Run], object]]] = {
    "dag_run": dag_run,
    "macros": macros,
    "prev_data_interval_end_success": of_earlier("interval_end"),
    "prev_data_interval_start_success": of_earlier("interval_start"),
    "prev_end_date_success": of_earlier("ended_at"),
    "prev_start_date_success": of_earlier("started_at"),
    "task_instance": task_instance,
    "ti": task_instance,
}
