"""Examples of request bodies and answers, generated from schemas and field names.

A new field gets its example by its name or type. A sample that does not match the field's schema is
skipped.
"""

from typing import Any, Final

from headway.core.triggers import Trigger

SAMPLES: Final[dict[str, tuple[Any, ...]]] = {
    "dag_id": ("daily_delays",),
    "run_id": ("01jk5v9s8t0q",),
    "task_id": ("extract",),
    "task_ids": (["extract"],),
    "backfill_id": ("01jk5w2d4r6t", None),
    "id": ("01jk5x7a9c1e",),
    "map_index": (-1,),
    "name": ("ada",),
    "display_name": ("Ada",),
    "user": ("ada",),
    "team": ("default",),
    "role": ("operator",),
    "file": ("daily_delays.py",),
    "version": (3, "0.1.0"),
    "bundle_version": ("9f2c4e1b7a60",),
    "spec_hash": ("b7a1c0de",),
    "schedule": ({"cron": "0 5 * * *", "timezone": "UTC"},),
    "schedule_words": ("daily at 05:00 UTC",),
    "cron": ("0 5 * * *",),
    "timezone": ("UTC", "Europe/Paris"),
    "tags": (["flights"],),
    "owner": ("data-platform",),
    "description": ("Delays of the day before",),
    "doc": ("What it does.",),
    "state": ("success",),
    "last_run_state": ("success",),
    "trigger": (Trigger.SCHEDULE,),
    "trigger_rule": ("all_success",),
    "kind": ("python",),
    "parts": ([],),  # an axis of a mapping may have axes in it
    "pool": ("default",),
    "params": ({"size": 3}, []),
    "counts": ({"success": 3},),
    "mapped": (False, {}),
    "reason": (None, "pool etl is full"),
    "blocked_reason": (None,),
    "set_aside": (None,),
    "import_error": (None,),
    "paused_at": (None,),
    "paused_by": (None,),
    "missing_since": (None,),
    "disabled_at": (None,),
    "revoked_at": (None,),
    "cancelled_by": (None,),
    "wake_at": (None,),
    "next_cursor": (None, "WyIyMDI2LTAxLTMxIl0"),
    "note": ("Repaired by hand: the source was late.",),
    "actor": ("user:ada",),
    "created_by": ("user:ada",),
    "via": ("session",),
    "action": ("pools.set_pool",),
    "address": ("127.0.0.1",),
    "subject": ("run",),
    "cause": ("exception", None),
    "detail": ({"body": {"slots": 16}}, "ValueError: no flights"),
    "headline": ("extract failed: ValueError: no flights",),
    "fingerprint": ("valueerror-no-flights",),
    "message": ("SyntaxError: '(' was never closed",),
    "host": ("worker-1",),
    "agent": ("local",),
    "log": ("logs/01jk5v9s8t0q/extract/-1/1.log",),
    "line": (11,),
    "lines": (["2026-01-31T05:00:01Z three flights"],),
    "text": ("2026-01-31T05:00:01Z three flights", "import headway\n"),
    "data": ("/srv/headway",),
    "dags": ("/srv/dags",),
    "url": ("http://127.0.0.1:8080/login#q7e2m4b6c8t0",),
    "token": ("hwt_q7e2m4b6c8t0",),
    "local": ("2026-01-31T06:00:00+01:00",),
    "cells": ("sss",),
    "upstream": ([0], []),
    "key": ("return_value",),
    "value": ("'2026-01-31'", [1, 2, 3]),
    "label": ("extract",),
    "spec": ({"dag_id": "daily_delays", "file": "daily_delays.py", "tasks": []},),
    "what": ("schedule",),
    "path": ("schedule.cron",),
    "before": ("0 5 * * *",),
    "after": ("0 6 * * *",),
    "source_diff": ("-schedule='0 5 * * *'\n+schedule='0 6 * * *'\n",),
}
# Where the names of the fields alone would say too little, or too much.
WHOLE: Final[dict[str, Any]] = {
    "TriggerRequest": {"logical_date": "2026-01-31T05:00:00Z", "params": {"size": 3}},
    "BulkRequest": {"count": 10},
    "BackfillRequest": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-31T00:00:00Z"},
    "ClearRequest": {"tasks": ["extract"], "downstream": True, "dry_run": True},
    "MarkRequest": {"task_id": "extract", "state": "success"},
    "PoolRequest": {"slots": 16},
    "ConnectionRequest": {"conn_type": "postgres", "host": "db", "login": "etl", "schema": "sales"},
    "VariableRequest": {"value": "flights"},
    "LogRetention": {
        "days": 60,
        "default_days": None,
        "effective_days": 60,
        "local_days": None,
        "default_local_days": 7,
        "effective_local_days": 7,
        "run_days": 90,
    },
    "LogRetentionRequest": {"days": 60, "local_days": 7},
    "RunRetention": {"days": 60, "default_days": 90, "effective_days": 60, "removes": 12},
    "RunRetentionRequest": {"days": 60, "dry_run": True},
    "Pool": {
        "name": "etl",
        "slots": 16,
        "used": 3,
        "waiting": 0,
        "allotted": 10,
        "lent_to": [{"team": "marketing", "used": 2, "allotted": 6, "revoked": False}],
    },
    "WebhookRequest": {"name": "orders", "asset": "orders", "fields": {"rows": "order.rows"}},
    "OutboundWebhookRequest": {
        "name": "scheduler",
        "url": "https://scheduler.example.com/events",
        "dags": ["sales_*"],
    },
    "OutboundWebhookChange": {"states": ["failed"]},
    "SessionRequest": {"name": "ada", "password": "correct horse battery staple"},
    "HeaderRequest": {"way": "company"},
    "RedirectRequest": {"way": "company"},
    "CodeRequest": {"way": "company", "code": "c4f7", "state": "q7e2m4b6c8t0"},
    "LinkRequest": {"token": "q7e2m4b6c8t0"},
    "LoginLinkRequest": {"user": "ada"},
    "LogoutRequest": {"logout_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6ImxvZ291dCtqd3QifQ.e30.c2ln"},
    "UserRequest": {"name": "ada", "role": "operator", "display_name": "Ada"},
    "MemberRequest": {"name": "ada", "role": "operator"},
    "UserChange": {"role": "author"},
    "GiveGrant": {"grantee": "marketing", "name": "daily_delays", "kind": "see_runs"},
    "AskForGrant": {"owner": "finance", "name": "ledger", "kind": "start", "note": "Each month"},
    "GrantChange": {"state": "revoked"},
    "PasswordRequest": {"password": "correct horse battery staple"},
    "TokenRequest": {"name": "nightly", "role": "operator", "expires_in_days": 30},
    "PoolFull": {"kind": "pool_full", "pool": "etl", "used": 4, "slots": 4},
    "Component": {
        "name": "scheduler",
        "healthy": True,
        "detail": "process 7 on worker-1",
        "last_seen_at": "2026-01-31T05:00:00Z",
    },
    "ClusterChange": {"cpu": "64", "memory": "256Gi", "egress": ["10.0.0.0/8:5432"]},
    "QuotaUse": {"name": "requests.cpu", "used": "12", "hard": "64"},
    "TeamRole": {"name": "default", "role": "operator"},
    "RenderedField": {"name": "command", "value": "echo ***"},
}
TEXTS: Final = {
    "text/plain": "2026-01-31T05:00:01Z three flights\n",
    "text/event-stream": "id: 5.731:731:\nevent: ready\ndata: {}\n\n",
}
BY_FORMAT: Final = {"date-time": "2026-01-31T05:00:00Z", "date": "2026-01-31"}
BY_TYPE: Final[dict[str, Any]] = {
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": False,
    "null": None,
}
TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}

Schema = dict[str, Any]


def sample(schema: Schema, schemas: dict[str, Schema], name: str = "") -> Any:
    """Return an example for ``schema`` and a field name. ``schemas`` are the document's components."""
    if "$ref" in schema:
        title = schema["$ref"].rpartition("/")[2]
        return WHOLE[title] if title in WHOLE else sample(schemas[title], schemas, name)
    for known in SAMPLES.get(name, ()):
        if fits(known, schema, schemas):
            return known
    kinds = schema.get("oneOf", [])
    if kinds:
        return sample(kinds[0], schemas, name)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        fields = schema.get("properties", {})
        return {field: sample(of_field, schemas, field) for field, of_field in fields.items()}
    if kind == "array":
        return [sample(schema["items"], schemas, name.removesuffix("s"))]
    return BY_FORMAT.get(schema.get("format", ""), BY_TYPE.get(str(kind), {}))


def fits(value: Any, schema: Schema, schemas: dict[str, Schema]) -> bool:
    """Check a sample against a schema, as far as samples need: type, enum and items."""
    if "$ref" in schema:
        title = schema["$ref"].rpartition("/")[2]
        return title not in WHOLE and fits(value, schemas[title], schemas)
    if kinds := schema.get("oneOf"):
        return any(fits(value, kind, schemas) for kind in kinds)
    if "properties" in schema or schema.get("format") in BY_FORMAT:
        return False  # what has fields of its own is made of them
    if value not in schema.get("enum", [value]):
        return False
    kind = schema.get("type")
    if kind is None:
        return True
    if isinstance(value, bool) and kind != "boolean":
        return False
    if kind == "array":
        return isinstance(value, list) and all(fits(e, schema["items"], schemas) for e in value)
    return isinstance(value, TYPES[kind])
