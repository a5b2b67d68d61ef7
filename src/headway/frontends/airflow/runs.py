"""Runs of DAGs as Airflow's tasks ask for them, and start them: of the team, or granted to it by another one.

The server answers in Headway's words (``secrets.runs``). What a date names is Airflow's logical date.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from headway import clock
from headway.authoring import secrets
from headway.authoring.run import Run
from headway.core.states import State
from headway.frontends.airflow import dates

RUNS: Final = "runs"  # the kind of question
RUN_STATES: Final = {"cancelled": "failed", "skipped": "success"}
STATES: Final = {"waiting": None, "ready": "scheduled", "cancelled": "failed"}
AT_ONCE: Final = timedelta(seconds=60)  # of ``run_after``: the clocks of two machines may differ
ENDED: Final = frozenset(state.value for state in State if state.is_final)


class NoSuchRun(Exception):
    """A run or DAG that is not there, or a run that cannot be started as asked: why."""


class Found(msgspec.Struct, frozen=True):
    """A run as the server tells it. ``given_id``: the name that was given to it."""

    run_id: str
    given_id: str | None
    dag_id: str
    logical_date: datetime
    fire: datetime
    interval_start: datetime
    interval_end: datetime
    state: str
    trigger: str
    started_at: datetime | None
    ended_at: datetime | None
    note: str | None
    params: dict[str, Any] | None
    partition: str | None = None

    @property
    def name(self) -> str:
        return self.given_id or self.run_id


class Instance(msgspec.Struct, frozen=True):
    run_id: str
    task_id: str
    map_index: int
    state: str
    attempts: int
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def word(self) -> str | None:
        """The state, as Airflow calls it."""
        return STATES.get(self.state, self.state)

    @property
    def duration_s(self) -> float | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


class Runs:
    """The questions of one task about runs. ``dag``: its own, of Airflow."""

    def __init__(self, run: Run, dag: Any) -> None:
        self.run = run
        self.dag = dag
        self.unknown: set[str] = set()  # DAGs that were asked for and are not there, told once each

    def ask(self, kind: str, dag_id: str, **question: object) -> Any:
        """Return the decoded answer; None: the team may see no such DAG."""
        asked = {"ask": kind, "dag_id": dag_id, **question}
        answer = msgspec.json.decode(
            secrets.ask(RUNS, msgspec.json.encode(asked).decode()) or "null"
        )
        if answer is None and dag_id not in self.unknown:
            self.unknown.add(dag_id)
            print(
                f"there is no DAG {dag_id!r} that this team may see; one of another team is named @TEAM/DAG"
            )
        return answer

    def several(self, body: dict[str, Any]) -> list[Found]:
        """Return the runs with the ids or logical dates of a question; without any, the last ones."""
        chosen: dict[str, object] = {}
        if ids := body.get("run_ids"):
            chosen["run_ids"] = ids
        elif body.get("logical_dates") is not None:
            chosen["dates"] = [dates.moment(date) for date in body["logical_dates"]]
        found = self.runs(body["dag_id"], **chosen)
        if ids and (given := body.get("logical_dates")):
            wanted = set(map(dates.moment, given))
            found = [run for run in found if run.logical_date in wanted]
        return found

    def runs(self, dag_id: str, **chosen: object) -> list[Found]:
        return msgspec.convert(self.ask("runs", dag_id, **chosen) or [], list[Found], strict=False)

    def one(self, dag_id: str, run_id: str, *, whole: bool = False) -> Found:
        """Raises NoSuchRun."""
        found = self.runs(dag_id, run_ids=[run_id], whole=whole)
        if not found:
            raise NoSuchRun(f"the DAG {dag_id!r} has no run {run_id!r}")
        return found[0]

    def id_of(self, dag_id: str, run_id: str) -> str:
        """Return our id of a run. One that nobody knows stays as it is."""
        if run_id == self.run.run_id:
            return run_id
        found = self.runs(dag_id, run_ids=[run_id])
        return found[0].run_id if found else run_id

    def before(self, dag_id: str, date: datetime | None, **chosen: object) -> list[Found]:
        return self.runs(dag_id, before=date, **chosen)

    def instances(self, dag_id: str, runs: Sequence[Found], body: dict[str, Any]) -> list[Instance]:
        if not runs:
            return []
        found = self.ask(
            "instances",
            dag_id,
            run_ids=[run.run_id for run in runs],
            task_ids=body.get("task_ids"),
            group=body.get("task_group_id"),
            map_index=body.get("map_index"),
        )
        return msgspec.convert(found or [], list[Instance], strict=False)

    # -- the messages

    def state(self, body: dict[str, Any]) -> dict[str, Any]:
        state = "running"
        if body["run_id"] != self.run.run_id:
            state = word_of(self.one(body["dag_id"], body["run_id"]))
        return {"type": "DagRunStateResult", "state": state}

    def whole(self, body: dict[str, Any]) -> dict[str, Any]:
        found = self.one(body["dag_id"], body["run_id"], whole=True)
        return {"type": "DagRunResult", **self.shape(found)}

    def count(self, body: dict[str, Any]) -> dict[str, Any]:
        states = body.get("states")
        found = [run for run in self.several(body) if not states or word_of(run) in states]
        return {"type": "DRCount", "count": len(found)}

    def instance_count(self, body: dict[str, Any]) -> dict[str, Any]:
        states = body.get("states")
        found = self.instances(body["dag_id"], self.several(body), body)
        count = sum(1 for each in found if not states or (each.word or "none") in states)
        return {"type": "TICount", "count": count}

    def states(self, body: dict[str, Any]) -> dict[str, Any]:
        runs = self.several(body)
        names = {run.run_id: run.name for run in runs}
        told: dict[str, dict[str, str | None]] = {}
        for each in self.instances(body["dag_id"], runs, body):
            task = each.task_id if each.map_index < 0 else f"{each.task_id}_{each.map_index}"
            told.setdefault(names[each.run_id], {})[task] = each.word
        return {"type": "TaskStatesResult", "task_states": told}

    def previous(self, body: dict[str, Any]) -> dict[str, Any]:
        before = dates.moment(body["logical_date"])
        chosen = {"state": body.get("state"), "limit": 1, "whole": True}
        found = self.before(body["dag_id"], before, **chosen)
        return {
            "type": "PreviousDagRunResult",
            "dag_run": self.shape(found[0]) if found else None,
        }

    def previous_successful(self, body: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {"type": "PrevSuccessfulDagRunResult"}
        own = dates.logical_date(self.dag, self.run)
        for found in self.before(self.run.dag_id, own, state="success", limit=1):
            start, end = self.interval(found)
            told |= {"data_interval_start": start, "data_interval_end": end}
            told |= {"start_date": found.started_at, "end_date": found.ended_at}
        return told

    def previous_instance(self, body: dict[str, Any]) -> dict[str, Any]:
        date = body.get("logical_date")
        before = None if date is None else dates.moment(date)
        runs = self.before(body["dag_id"], before)
        wanted = {"task_ids": [body["task_id"]], "map_index": body.get("map_index", -1)}
        known = {each.run_id: each for each in self.instances(body["dag_id"], runs, wanted)}
        state = getattr(body.get("state"), "value", body.get("state"))
        for run in runs:
            each = known.get(run.run_id)
            if each is not None and (state is None or each.word == state):
                return {"type": "PreviousTIResult", "task_instance": instance_shape(run, each)}
        return {"type": "PreviousTIResult", "task_instance": None}

    def breadcrumbs(self, body: dict[str, Any]) -> dict[str, Any]:
        runs = [self.one(body["dag_id"], body["run_id"])]
        own = self.dag.task_dict if body["dag_id"] == self.run.dag_id else {}
        told = [
            {
                "task_id": each.task_id,
                "map_index": each.map_index,
                "state": each.word,
                "operator": getattr(own.get(each.task_id), "operator_name", None),
                "duration": each.duration_s,
            }
            for each in self.instances(body["dag_id"], runs, {})
            if each.state in ENDED
        ]
        return {"type": "TaskBreadcrumbsResult", "breadcrumbs": told}

    def of_dag(self, body: dict[str, Any]) -> dict[str, Any]:
        found = self.ask("dag", body["dag_id"])
        if found is None:
            raise NoSuchRun(f"there is no DAG {body['dag_id']!r}")
        return {
            "type": "DagResult",
            "dag_id": found["dag_id"],
            "is_paused": found["paused"],
            "bundle_name": None,
            "bundle_version": found["bundle_version"],
            "relative_fileloc": found["file"],
            "owners": found["owner"] or None,
            "tags": found["tags"],
            "next_dagrun": msgspec.convert(found["next_fire_at"], datetime | None, strict=False),
        }

    def trigger(self, body: dict[str, Any]) -> dict[str, Any]:
        """Start a run. Raises NoSuchRun: not as asked."""
        after = body.get("run_after")
        if after is not None and dates.moment(after) > clock.now() + AT_ONCE:
            raise NoSuchRun("a run starts when it is triggered, so run_after cannot be later")
        found = self.ask(
            "start",
            body["dag_id"],
            run_id=body["run_id"],
            params=body.get("conf") or {},
            logical_date=body.get("logical_date"),
            note=body.get("note"),
            again=bool(body.get("reset_dag_run")),
            partition=body.get("partition_key"),
        )
        if found["exists"]:
            what = f"the DAG {body['dag_id']!r} has a run {body['run_id']!r} already"
            print(what)
            detail = {"message": what}
            return {"type": "ErrorResponse", "error": "DAGRUN_ALREADY_EXISTS", "detail": detail}
        print(f"started run {found['run_id']} of {body['dag_id']}")
        return {"type": "OKResponse", "ok": True}

    def shape(self, found: Found) -> dict[str, Any]:
        start, end = self.interval(found)
        return {
            "dag_id": found.dag_id,
            "run_id": found.name,
            "logical_date": found.logical_date,
            "data_interval_start": start,
            "data_interval_end": end,
            "run_after": found.fire,
            "start_date": found.started_at,
            "end_date": found.ended_at,
            "run_type": dates.run_type(found.trigger),
            "state": word_of(found),
            "conf": found.params or {},
            "consumed_asset_events": [],
            "partition_key": found.partition,
            "note": found.note,
        }

    def interval(self, found: Found) -> tuple[datetime, datetime]:
        """Return the data interval of a run: of our own DAG as its timetable has it."""
        stored = found.interval_start, found.interval_end
        if found.dag_id != self.run.dag_id:
            return stored
        return dates.interval(self.dag.timetable, found.fire, stored, found.trigger)


def word_of(run: Found) -> str:
    return RUN_STATES.get(run.state, run.state)


def instance_shape(run: Found, found: Instance) -> dict[str, Any]:
    return {
        "task_id": found.task_id,
        "dag_id": run.dag_id,
        "run_id": run.name,
        "logical_date": run.logical_date,
        "start_date": found.started_at,
        "end_date": found.ended_at,
        "state": found.word,
        "try_number": found.attempts,
        "map_index": found.map_index,
        "duration": found.duration_s,
    }
