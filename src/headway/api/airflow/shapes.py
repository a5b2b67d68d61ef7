"""Answers of our API in the words of Airflow's REST API v2. Fields that Airflow has and we do not are null."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec

from headway import ids
from headway.core import aliases
from headway.spec.model import Param
from headway.spec.params import schema_of

RUN_STATES: Final = {"cancelled": "failed", "skipped": "success"}
RUN_TYPES: Final = {"schedule": "scheduled", "backfill": "backfill", "asset": "asset_triggered"}
STATES: Final = {"waiting": None, "ready": "scheduled", "cancelled": "failed"}
ATTEMPT_STATES: Final = {"lost": "failed", "cancelled": "failed"}
NOT_OF_TRIES: Final = frozenset(
    {"id", "note", "rendered_map_index", "rendered_fields", "trigger", "triggerer_job"}
    | {"logical_date", "run_after"}
)
DIGITS_MAX: Final = 20  # of a number in a path
DEFAULT_POOL: Final = {"default": "default_pool"}

Json = Mapping[str, Any]


def dag(found: Json) -> dict[str, Any]:
    dag_id = found["dag_id"]
    return {
        "dag_id": dag_id,
        "dag_display_name": dag_id,
        "description": found["description"] or None,
        "fileloc": found["file"],
        "relative_fileloc": found["file"],
        "file_token": found["file"],
        "bundle_name": None,
        "bundle_version": found["bundle_version"],
        "has_import_errors": found["import_error"] is not None,
        "has_task_concurrency_limits": False,
        "is_backfillable": found["schedule"] is not None,
        "is_paused": found["paused_at"] is not None,
        "is_stale": found["missing_since"] is not None,
        "last_parsed_time": found["updated_at"],
        "last_expired": None,
        "last_parse_duration": None,
        "max_active_runs": (found.get("spec") or {}).get("max_active_runs"),
        "max_active_tasks": (found.get("spec") or {}).get("max_active_tasks") or 0,
        "max_consecutive_failed_dag_runs": 0,
        "next_dagrun_data_interval_start": None,
        "next_dagrun_data_interval_end": None,
        "next_dagrun_logical_date": found["next_run_at"],
        "next_dagrun_run_after": found["next_run_at"],
        "owners": [found["owner"]] if found["owner"] else [],
        "tags": [
            {"name": tag, "dag_id": dag_id, "dag_display_name": dag_id} for tag in found["tags"]
        ],
        "timetable_description": found["schedule_words"],
        "timetable_summary": found["schedule_words"],
        "timetable_partitioned": False,
        "timetable_periodic": found["schedule"] is not None,
        "allowed_run_types": None,
    }


def details(found: Json) -> dict[str, Any]:
    """A DAG with what its spec says."""
    spec = found["spec"]
    base = dag(found)
    return {
        **base,
        "asset_expression": None,
        "catchup": spec.get("catchup", False),
        "concurrency": base["max_active_tasks"],
        "dag_run_timeout": span_of(spec.get("dagrun_timeout_s")),
        "default_args": None,
        "doc_md": spec.get("doc") or None,
        "start_date": spec.get("start_date"),
        "end_date": spec.get("end_date"),
        "is_paused_upon_creation": None,
        "is_favorite": False,
        "last_parsed": found["updated_at"],
        "latest_dag_version": version(
            {**found, "created_at": found["versions"][0]["created_at"]}
            if found["versions"]
            else {**found, "created_at": found["updated_at"]}
        ),
        "owner_links": {},
        "params": {each["name"]: param(each) for each in spec.get("params", ())},
        "render_template_as_native_obj": False,
        "rerun_with_latest_version": None,
        "template_search_path": None,
        "timezone": (spec.get("schedule") or {}).get("timezone") or spec.get("timezone", "UTC"),
        "active_runs_count": found["running"] + found["queued"],
    }


def param(declared: Json) -> dict[str, Any]:
    """Return a parameter as Airflow dumps it: what only a form needs is in its schema, too."""
    schema = schema_of(msgspec.convert(declared, Param))
    told = ("title", "section", "examples", "values_display")
    return {
        "value": declared.get("default"),
        "schema": {**schema, **{word: declared[word] for word in told if declared.get(word)}},
        "description": declared.get("description") or None,
        "source": "dag",
    }


def span_of(seconds: float | None) -> str | None:
    """Return a duration in ISO 8601."""
    return None if seconds is None else f"PT{seconds:g}S"


def parts_of(seconds: float | None) -> dict[str, Any] | None:
    """Return a duration as Airflow's ``TimeDelta``."""
    if seconds is None:
        return None
    span = timedelta(seconds=seconds)
    parts = {"days": span.days, "seconds": span.seconds, "microseconds": span.microseconds}
    return {"__type": "TimeDelta", **parts}


def task(found: Json, spec: Json) -> dict[str, Any]:
    task_id, pool = found["task_id"], found.get("pool", "default")
    below = [each["task_id"] for each in spec["tasks"] if task_id in each.get("upstream", ())]
    return {
        "task_id": task_id,
        "task_display_name": task_id,
        "owner": found.get("owner") or spec.get("owner") or None,
        "start_date": spec.get("start_date"),
        "end_date": spec.get("end_date"),
        "trigger_rule": found.get("trigger_rule", "all_success"),
        "depends_on_past": bool(found.get("depends_on_past")),
        "wait_for_downstream": bool(found.get("wait_for_downstream")),
        "retries": found.get("retries", 0),
        "queue": found.get("queue", "default"),
        "pool": DEFAULT_POOL.get(pool, pool),
        "pool_slots": found.get("pool_slots", 1),
        "execution_timeout": parts_of(found.get("execution_timeout_s")),
        "retry_delay": parts_of(found.get("retry_delay_s", 300.0)),
        "retry_exponential_backoff": float(found.get("retry_exponential_backoff", False)),
        "priority_weight": found.get("priority_weight", 1),
        "weight_rule": found.get("weight_rule", "absolute"),
        "ui_color": None,
        "ui_fgcolor": None,
        "template_fields": [],
        "downstream_task_ids": below,
        "doc_md": found.get("doc") or None,
        "operator_name": found.get("kind", "python"),
        "params": {},
        "class_ref": {},
        "is_mapped": found.get("mapping") is not None,
        "extra_links": [],
    }


def import_error(found: Json) -> dict[str, Any]:
    line = "" if found["line"] is None else f"{found['file']}:{found['line']}: "
    return {
        "import_error_id": number_of(found["file"]),
        "timestamp": found["at"],
        "filename": found["file"],
        "bundle_name": None,
        "stack_trace": f"{line}{found['message']}",
    }


def name_of(run: Json) -> str:
    """Return the id that the caller of a run gave it, or ours. One with a slash could not be part of a path."""
    given: str | None = run["given_id"]
    return given if given and "/" not in given else str(run["run_id"])


def run(found: Json) -> dict[str, Any]:
    return {
        "dag_run_id": name_of(found),
        "dag_id": found["dag_id"],
        "dag_display_name": found["dag_id"],
        "logical_date": found["logical_date"],
        "run_after": found["logical_date"],
        "data_interval_start": found["interval_start"],
        "data_interval_end": found["interval_end"],
        "queued_at": found["created_at"],
        "start_date": found["started_at"],
        "end_date": found["ended_at"],
        "duration": found["duration_s"],
        "last_scheduling_decision": None,
        "run_type": RUN_TYPES.get(found["trigger"], "manual"),
        "state": RUN_STATES.get(found["state"], found["state"]),
        "triggered_by": None,
        "triggering_user_name": (found["created_by"] or "").removeprefix("user:") or None,
        "conf": found["params"],
        "note": found["note"],
        "dag_versions": [version(found)],
        "bundle_version": found["bundle_version"],
        "partition_key": found["partition"],
        "partition_date": None if found["partition"] is None else found["interval_start"],
    }


def version(found: Json) -> dict[str, Any]:
    name = f"{found['dag_id']}/{found['version']}"
    return {
        "id": str(uuid5(NAMESPACE_URL, name)),
        "version_number": found["version"],
        "dag_id": found["dag_id"],
        "dag_display_name": found["dag_id"],
        "bundle_name": None,
        "bundle_version": found["bundle_version"],
        "bundle_url": None,
        "created_at": found["created_at"],
    }


def instance(found: Json, of: Json, task: Json) -> dict[str, Any]:
    """``of``: its run. ``task``: its task in the spec of the DAG, or nothing."""
    pool = task.get("pool") or "default"
    parts = (of["run_id"], found["task_id"], found["map_index"], max(found["attempts"], 1))
    return {
        "id": str(uuid5(NAMESPACE_URL, "/".join(map(str, parts)))),
        "task_id": found["task_id"],
        "task_display_name": found["task_id"],
        "dag_id": of["dag_id"],
        "dag_display_name": of["dag_id"],
        "dag_run_id": name_of(of),
        "map_index": found["map_index"],
        "logical_date": of["logical_date"],
        "run_after": of["logical_date"],
        "start_date": found["started_at"],
        "end_date": found["ended_at"],
        "duration": duration_s(found),
        "state": STATES.get(found["state"], found["state"]),
        "try_number": found["attempts"],
        "max_tries": task.get("retries") or 0,
        "hostname": None,
        "unixname": None,
        "pool": DEFAULT_POOL.get(pool, pool),
        "pool_slots": task.get("pool_slots") or 1,
        "queue": task.get("queue"),
        "priority_weight": None,
        "operator": task.get("kind"),
        "operator_name": task.get("kind"),
        "queued_when": found["queued_at"],
        "scheduled_when": found.get("ready_at"),
        "pid": None,
        "executor": None,
        "executor_config": "{}",
        "note": None,
        "rendered_map_index": found.get("rendered_map_index"),
        "rendered_fields": {},
        "trigger": None,
        "triggerer_job": None,
        "dag_version": version(of),
    }


def attempt(found: Json, of: Json, run: Json, task: Json) -> dict[str, Any]:
    """An attempt as a try. ``of``: its task instance."""
    known = instance(of, run, task)
    shape = {name: value for name, value in known.items() if name not in NOT_OF_TRIES}
    return {
        **shape,
        "start_date": found["started_at"],
        "end_date": found["ended_at"],
        "duration": duration_s(found),
        "state": ATTEMPT_STATES.get(found["state"], found["state"]),
        "try_number": found["number"],
        "queued_when": found["queued_at"],
        "hostname": found["agent"],
        "pid": found["pid"],
    }


def duration_s(found: Json) -> float | None:
    if found["started_at"] is None or found["ended_at"] is None:
        return None
    ended, started = map(datetime.fromisoformat, (found["ended_at"], found["started_at"]))
    return (ended - started).total_seconds()


def xcom(found: Json, run: Json, ended_at: str | None) -> dict[str, Any]:
    """``value`` and ``file`` beside what a list has of an entry."""
    return {
        "key": found["key"],
        "timestamp": ended_at or run["created_at"],
        "logical_date": run["logical_date"],
        "run_after": run["logical_date"],
        "map_index": found["map_index"],
        "task_id": found["task_id"],
        "task_display_name": found["task_id"],
        "dag_id": run["dag_id"],
        "dag_display_name": run["dag_id"],
        "run_id": name_of(run),
        "value": found["value"],
        "file": found["file"],
    }


def text_of(value: Any) -> str | None:
    return value if isinstance(value, str) or value is None else json.dumps(value)


def backfill(found: Json) -> dict[str, Any]:
    number = 0
    for letter in found["backfill_id"]:
        number = number * len(ids.ALPHABET) + max(0, ids.ALPHABET.find(letter))
    return {
        "id": number,
        "dag_id": found["dag_id"],
        "dag_display_name": found["dag_id"],
        "from_date": found["first"],
        "to_date": found["last"],
        "dag_run_conf": None,
        "is_paused": found.get("paused_at") is not None,
        "reprocess_behavior": "none",
        "max_active_runs": found["max_active_runs"],
        "created_at": found["created_at"],
        "completed_at": found["ended_at"],
        "updated_at": found["ended_at"] or found["created_at"],
    }


def asset(found: Json) -> dict[str, Any]:
    at = {"created_at": found["created_at"], "updated_at": found["created_at"]}
    last = found["last_event_at"]
    return {
        "id": number_of(found["name"]),
        "name": found["name"],
        "uri": found["uri"],
        "group": found["group"],
        "extra": found["extra"],
        **at,
        "scheduled_dags": [{"dag_id": each["dag_id"], **at} for each in found["consumers"]],
        "producing_tasks": [task_of_asset(each) | at for each in found["producers"]],
        "consuming_tasks": [
            task_of_asset(each) | at for each in (*found["readers"], *found["awaiters"])
        ],
        "aliases": [alias(each) for each in found["aliases"]],
        "watchers": [],
        "last_asset_event": None if last is None else {"id": None, "timestamp": last},
    }


def alias(name: str, group: str = "") -> dict[str, Any]:
    return {"id": number_of(aliases.key(name)), "name": name, "group": group}


def task_of_asset(found: Json) -> dict[str, Any]:
    return {"dag_id": found["dag_id"], "task_id": found["task_id"]}


def asset_event(found: Json, of: Json | None) -> dict[str, Any]:
    """``of``: the asset; None: no DAG names it any more."""
    return {
        "id": found["event_id"],
        "asset_id": number_of(found["asset"]),
        "name": found["asset"],
        "uri": None if of is None else of["uri"],
        "group": None if of is None else of["group"],
        "extra": found["extra"],
        "source_dag_id": found["dag_id"],
        "source_task_id": found["task_id"],
        "source_run_id": found["run_id"],
        "source_map_index": -1 if found["map_index"] is None else found["map_index"],
        "created_dagruns": [],
        "timestamp": found["at"],
        "partition_key": found["partition"],
    }


def number_of(word: str) -> int:
    """Return the number that stands for a name where Airflow has numbers: the same one each time, of 48 bits."""
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:6], "big")


def variable(found: Json) -> dict[str, Any]:
    secret = found["is_secret"]
    return {
        "key": found["key"],
        "value": "***" if secret else found["value"],
        "description": found["description"] or None,
        "is_encrypted": True,
        "team_name": None,
    }


def connection(found: Json) -> dict[str, Any]:
    return {
        "connection_id": found["conn_id"],
        "conn_type": found["conn_type"],
        "description": found["description"] or None,
        "host": found["host"],
        "login": found["login"],
        "schema": found["schema"],
        "port": found["port"],
        "password": "***" if found["has_password"] else None,
        "extra": json.dumps(found["extra"]) if found["extra"] else None,
        "team_name": None,
    }


def pool(found: Json) -> dict[str, Any]:
    return {
        "name": DEFAULT_POOL.get(found["name"], found["name"]),
        "slots": found["slots"],
        "description": None,
        "include_deferred": False,
        "occupied_slots": found["used"],
        "running_slots": found["used"],
        "queued_slots": 0,
        "scheduled_slots": found["waiting"],
        "open_slots": max(0, found["slots"] - found["used"]),
        "deferred_slots": 0,
        "team_name": None,
    }
