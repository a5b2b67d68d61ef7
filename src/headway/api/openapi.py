"""What the framework's OpenAPI document lacks: refusals as they are sent, words, examples, short names.

``completed`` is pure: a document goes in and one comes out. What it says of parameters' bounds comes from the
routes themselves, where the bounds are enforced.
"""

import re
from functools import lru_cache
from typing import Any, Final

from litestar import Litestar
from litestar.types import Method

PROBLEM: Final = "application/problem+json"
PROBLEM_SCHEMA: Final = {
    "type": "object",
    "title": "Problem",
    "description": "Why it was refused (RFC 9457). `code` is stable, `hint` is the next step.",
    "required": ["title", "status", "code", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "where": {"type": "string"},
        "type": {"type": "string"},
    },
    "examples": [
        {
            "title": "Not Found",
            "status": 404,
            "code": "not_found",
            "detail": "there is no DAG 'daily_delay'",
            "hint": 'did you mean "daily_delays"?',
        }
    ],
}
REFUSALS: Final = {
    "400": "What was asked for makes no sense.",
    "401": "Nobody is signed in, or no longer.",
    "403": "The role does not allow it, or another site asks.",
    "404": "It names something that does not exist, or not in this team.",
    "409": "It is at odds with what exists already.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "421": "The Host header names no host of this server.",
    "429": "Too often: Retry-After says when again.",
    "503": "The database does not answer.",
    "507": "No room left for the data.",
}
WITH_BODY: Final = ("413", "415")
PARAMETERS: Final = {
    "run_id": ("Its id, the beginning of it, `@latest` or `@failed`.", "@latest"),
    "dag_id": ("Its id.", "daily_delays"),
    "task_id": ("Its id.", "extract"),
    "name": ("Its name.", "etl"),
    "token_id": ("Its id.", None),
    "map_index": ("Which instance of a mapped task; -1 of one that is not mapped.", 0),
    "attempt": ("Its number, from 1. Default: the latest.", 1),
    "limit": ("At most so many.", 50),
    "cursor": ("`next_cursor` of the page before, unchanged.", None),
    "before": ("The cursor of what follows.", None),
    "state": ("Only of this state.", "failed"),
    "backfill_id": ("Only of this backfill.", None),
    "set_aside": ("Only those that no scheduler takes at the moment.", True),
    "wait_s": ("Answer when there is something to say, or after so many seconds.", 10.0),
    "after": ("Only what came after this number.", 0),
    "offset": ("From this byte on.", 0),
    "tail": ("Only so many bytes at the end, from the beginning of a line on.", 65536),
    "from": ("From here on.", None),
    "to": ("Up to here.", None),
    "count": ("So many.", 100),
    "q": ("What to look for.", "error"),
    "regex": ("Whether `q` is a regular expression.", False),
    "ignore_case": ("Whether `Error` is found by `error`.", True),
    "topics": ("Which of run, task_instance, dag, pool, log; separated by commas.", "run,dag"),
    "last_event_id": ("The position to go on from, for who cannot send the header.", None),
    "Last-Event-ID": ("The position to go on from.", None),
    "Idempotency-Key": ("Names the request: sent again with it, it is not done again.", "a7f3"),
    "actor": ("Only what this person or part did.", "user:admin"),
    "action": ("Only this action.", "dags.trigger"),
    "since": ("Only from this time on.", "2026-01-31T00:00:00Z"),
    "until": ("Only up to this time.", "2026-01-31T00:00:00Z"),
    "subject": ("Only of this kind of thing.", "run"),
    "owner": ("Only of this owner.", "data-platform"),
    "tag": ("Only with this tag.", "flights"),
    "paused": ("Only those that are paused, or that are not.", False),
    "trigger": ("Only what was started so: schedule, manual or backfill.", "manual"),
    "days": ("Of so many days.", 30),
    "timezone": ("In this time zone.", "Europe/Paris"),
    "version": ("Its number, from 1.", 1),
    "file": (
        "Another file of the same bundle, by its path. Default: that of the DAG.",
        "lib/dates.py",
    ),
}
BODIES: Final[dict[str, Any]] = {
    "TriggerRequest": {"logical_date": "2026-01-31T05:00:00Z", "params": {"size": 3}},
    "BulkRequest": {"count": 10},
    "BackfillRequest": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-31T00:00:00Z"},
    "ClearRequest": {"tasks": ["extract"], "downstream": True, "dry_run": True},
    "MarkRequest": {"task_id": "extract", "state": "success"},
    "PoolRequest": {"slots": 16},
    "SessionRequest": {"name": "ada", "password": "correct horse battery staple"},
}
KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
}


def operation_id(handler: Any, method: Method, path: Any) -> str:
    """The name of the function: unique, and what a client's method is called."""
    return str(handler.fn.__name__)


@lru_cache(1)
def document(app: Litestar) -> dict[str, Any]:
    handlers = [handler for route in app.routes for handler in getattr(route, "route_handlers", ())]
    repeatable = frozenset(each.fn.__name__ for each in handlers if each.opt.get("idempotent"))
    return completed(app.openapi_schema.to_schema(), repeatable)


def completed(document: dict[str, Any], repeatable: frozenset[str]) -> dict[str, Any]:
    """``repeatable``: the operations that take an Idempotency-Key."""
    document = renamed(document)
    schemas = document["components"]["schemas"]
    schemas["Problem"] = PROBLEM_SCHEMA
    for name, example in BODIES.items():
        if name in schemas:
            schemas[name] = {**schemas[name], "examples": [example]}
    document["info"]["description"] = (
        "Everything that the command line and the web interface do. Pages follow each other by "
        "`next_cursor`; refusals are problems; a GET answers 304 to the ETag it gave."
    )
    for operations in document["paths"].values():
        for method, operation in operations.items():
            complete(operation, method, repeatable)
    return document


def complete(operation: dict[str, Any], method: str, repeatable: frozenset[str]) -> None:
    words = operation.get("description", "").strip()
    operation["summary"] = " ".join(spelled(word) for word in operation["operationId"].split("_"))
    operation["summary"] = operation["summary"][0].upper() + operation["summary"][1:]
    operation["description"] = " ".join(words.split()) or operation["summary"]
    parameters = operation.setdefault("parameters", [])
    if operation["operationId"] in repeatable:
        parameters.append(dict(KEY))
    for parameter in parameters:
        describe(parameter)
    responses = {
        status: answer for status, answer in operation["responses"].items() if int(status) < 400
    }
    has_json = any("application/json" in each.get("content", {}) for each in responses.values())
    if method == "get" and has_json:
        responses["304"] = {"description": "It is as you know it: If-None-Match named its ETag."}
    for status, why in REFUSALS.items():
        if status not in WITH_BODY or "requestBody" in operation:
            content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            responses[status] = {"description": why, "content": content}
    operation["responses"] = responses


def spelled(word: str) -> str:
    return {"dag": "DAG", "dags": "DAGs", "xcoms": "XComs"}.get(word, word)


def describe(parameter: dict[str, Any]) -> None:
    words, example = PARAMETERS.get(parameter["name"], (None, None))
    if words is not None:
        parameter.setdefault("description", words)
    if example is not None:
        parameter.setdefault("example", example)
    schema = parameter["schema"]
    # An absent parameter is left out; nobody can send null in a query.
    kinds = [kind for kind in schema.get("oneOf", []) if kind != {"type": "null"}]
    if parameter["in"] != "path" and len(kinds) == 1:
        rest = {key: value for key, value in schema.items() if key != "oneOf"}
        parameter["schema"] = {**rest, **kinds[0]}


def renamed(document: dict[str, Any]) -> dict[str, Any]:
    """``Page_headway.wire.runs.Run_`` is ``PageOfRun`` to everybody else."""
    names = {
        name: re.sub(r"_(?:\w+\.)*(\w+)_$", r"Of\1", name)
        for name in document["components"]["schemas"]
    }

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(each) for each in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str):
            place, _, name = reference.rpartition("/")
            return {**node, "$ref": f"{place}/{names.get(name, name)}"}
        return {key: walk(value) for key, value in node.items()}

    found: dict[str, Any] = walk(document)
    schemas = found["components"]["schemas"]
    found["components"]["schemas"] = {names[name]: schema for name, schema in schemas.items()}
    return found
