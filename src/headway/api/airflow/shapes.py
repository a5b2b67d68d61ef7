"""Answers of our API in the words of Airflow's REST API v2. Fields that Airflow has and we do not are null."""

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

RUN_STATES: Final = {"cancelled": "failed"}
RUN_TYPES: Final = {"schedule": "scheduled", "backfill": "backfill", "asset": "asset_triggered"}
STATES: Final = {"waiting": None, "ready": "scheduled", "cancelled": "failed"}
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


def run(found: Json) -> dict[str, Any]:
    return {
        "dag_run_id": found["run_id"],
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
        "partition_key": None,
        "partition_date": None,
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
        "dag_run_id": of["run_id"],
        "map_index": found["map_index"],
        "logical_date": of["logical_date"],
        "run_after": of["logical_date"],
        "start_date": found["started_at"],
        "end_date": found["ended_at"],
        "duration": None,
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
