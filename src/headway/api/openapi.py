"""Adds what the framework's OpenAPI document lacks: errors, headers, descriptions, examples, short names.

``completed`` is pure: it takes a document and returns one. Bounds of parameters come from the
routes, which enforce them.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, get_args

import msgspec
from litestar import Litestar
from litestar.types import Method

from headway import wire
from headway.api import refusals, samples
from headway.api.parameters import INT32_MAX
from headway.core.reasons import Reason
from headway.core.triggers import Trigger

PARAMETERS: Final = {
    "run_id": (
        "The run's id, a unique prefix of it, `@latest` or `@failed`; of one DAG: `nightly@latest`.",
        "@latest",
    ),
    "dag_id": ("The object's id.", "daily_delays"),
    "task_id": ("The object's id.", "extract"),
    "asset": ("The asset's name.", "orders"),
    "partition": ("The key of a partition.", "2026-01-31"),
    "airflow_run": ("The id of a run in Airflow.", "scheduled__2026-11-30T05:00:00+00:00"),
    "name": ("The object's name.", "etl"),
    "conn_id": ("The object's id.", "warehouse"),
    "key": ("The variable's key.", "bucket"),
    "force": ("Do it although something is in use.", False),
    "link_id": ("The id of the link.", None),
    "grant_id": ("The id of the grant.", None),
    "token_id": ("The object's id.", None),
    "map_index": ("Map index of the task instance; -1 if the task is not mapped.", 0),
    "attempt": ("Attempt number, from 1. Default: the latest.", 1),
    "number": ("Number of the change or the delivery, from 1.", 1),
    "slug": ("The last part of the address of a webhook.", None),
    "limit": ("Maximum number of results.", 50),
    "cursor": ("`next_cursor` of the previous page, unchanged.", None),
    "before": ("`next_cursor` of the previous answer.", None),
    "state": ("Only with this state.", "failed"),
    "backfill_id": ("Only of this backfill.", None),
    "given_id": ("The id that its caller gave the run; `dag_id` names the DAG.", "orders-17"),
    "set_aside": ("Only runs that are set aside: no scheduler works on them at the moment.", True),
    "wait_s": ("Wait for news up to this many seconds before answering.", 10.0),
    "after": ("Only events after this number.", 0),
    "offset": ("From this byte on.", 0),
    "tail": (
        "Only this many bytes at the end (at most 1 MB), starting at the beginning of a line.",
        65536,
    ),
    "from": ("From here on.", None),
    "to": ("End of the range.", None),
    "count": ("Number of items.", 100),
    "with_tasks": ("Return the tasks of the spec, too.", False),
    "mapped_group": (
        "Only instances of tasks in this mapped task group, or in this loop.",
        "each_shop",
    ),
    "q": ("Text to search for.", "error"),
    "regex": ("Whether `q` is a regular expression.", False),
    "ignore_case": ("Ignore case: `error` also finds `Error`.", True),
    "topics": ("Comma-separated topics: run, task_instance, dag, pool, log.", "run,dag"),
    "last_event_id": (
        "The position to continue from, for clients that cannot send the header.",
        None,
    ),
    "Last-Event-ID": ("The position to continue from.", None),
    "actor": ("Only by this user or component.", "user:admin"),
    "action": ("Only this action.", "dags.trigger"),
    "since": ("Only from this time on.", "2026-01-31T00:00:00Z"),
    "format": ("The format of the export: a JSON object for each line, or CSV.", "csv"),
    "until": ("Only up to this time.", "2026-01-31T00:00:00Z"),
    "subject": ("Only about this kind of object.", "run"),
    "notable": ("Leave out the steps of tasks and runs that tell nothing.", True),
    "owner": ("Only with this owner.", "data-platform"),
    "tag": ("Only with this tag.", "flights"),
    "sort": ("The order of the list. Of DAGs, `-` before the name reverses it.", None),
    "error": ("Only instances with this error, as the diagnosis of the run groups them.", None),
    "ran": ("`true`: only DAGs that ran at least once; `false`: only DAGs that never ran.", False),
    "paused": ("`true`: only paused DAGs; `false`: only DAGs that are not paused.", False),
    "with": ("The other run: its id, a unique prefix, `@latest` or `@failed`.", "@failed"),
    "trigger": ("Only runs that were started this way.", Trigger.MANUAL),
    "hours": ("The hours before now, at most 31 days.", 24),
    "days": ("Number of days.", 30),
    "timezone": ("In this time zone.", "Europe/Paris"),
    "version": ("Version number, from 1.", 1),
    "file": (
        "Path of another file in the same bundle. Default: the DAG's file.",
        "lib/dates.py",
    ),
}
# Headers that many routes have, each described once.
KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Identifies the request. A repeated request with the same key is not executed again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
    "example": "a7f3",
}
KNOWN: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETag of the answer that you have. If it is still current, the answer is 304 without a body.",
    "schema": {"type": "string"},
    "example": 'W/"c0ffee"',
}
TEAM: Final = {
    "name": "Headway-Team",
    "in": "header",
    "required": False,
    "description": "Name of one of your teams. Default: the first.",
    "schema": {"type": "string"},
    "example": "default",
}
HEADERS: Final[dict[str, dict[str, Any]]] = {"Key": KEY, "Known": KNOWN, "Team": TEAM}
ETAG: Final = {
    "ETag": {"description": "Identifies this version of the answer.", "schema": {"type": "string"}}
}
REPLAYED: Final = {
    "Idempotent-Replayed": {
        "description": "`true`: the request was executed before, and this was the answer.",
        "schema": {"const": "true"},
    }
}
OF_LOGS: Final = {
    f"X-Headway-{name}": {"description": words, "schema": {"type": "string"}}
    for name, words in (
        ("Attempt", "The attempt number; 0 if there was no attempt."),
        ("Offset", "Where the piece begins, in bytes."),
        ("Next-Offset", "Where the next one does."),
        ("Size", "Size of the whole log in bytes."),
        ("Complete", "`true`: the log is complete."),
    )
}


def answers() -> Iterator[str]:
    """The structs that only the server sends: all their fields, also those with defaults."""
    for kind in (*vars(wire).values(), *get_args(Reason)):
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            config = kind.__struct_config__
            if not config.forbid_unknown_fields and not config.omit_defaults:
                yield kind.__name__


ANSWERS: Final = frozenset(answers())


def operation_id(handler: Any, method: Method, path: Any) -> str:
    """Return the operation id: the name of the route's function, which generated clients use."""
    return str(handler.fn.__name__)


@lru_cache(1)
def document(app: Litestar) -> dict[str, Any]:
    handlers = [handler for route in app.routes for handler in getattr(route, "route_handlers", ())]
    repeatable = frozenset(each.fn.__name__ for each in handlers if each.opt.get("idempotent"))
    return completed(app.openapi_schema.to_schema(), repeatable)


def completed(document: dict[str, Any], repeatable: frozenset[str]) -> dict[str, Any]:
    """Complete the document. ``repeatable`` lists the operations that accept an Idempotency-Key."""
    document = plain(renamed(document))
    components = document["components"]
    components["schemas"] |= plain(told()) | {"Problem": refusals.SCHEMA}
    for name, schema in components["schemas"].items():
        if re.sub(r"Of\w+$", "", name) in ANSWERS:
            schema["required"] = sorted(schema["properties"])
    components["responses"] = refusals.components()
    components["parameters"] = {name: dict(header) for name, header in HEADERS.items()}
    document["info"]["description"] = (
        "Everything that the command line and the web interface can do. Lists are paged with "
        "`next_cursor`. Errors are problem documents (RFC 9457). A GET with the current ETag "
        "answers 304. Requests that create something can be repeated safely with the same Idempotency-Key."
    )
    for operations in document["paths"].values():
        for method, operation in operations.items():
            complete(operation, method, operation["operationId"] in repeatable)
            exemplify(operation, components["schemas"])
    return document


def told() -> dict[str, Any]:
    """Return the schemas of the stream's events, each under its name in ``StreamEvents``."""
    place = "#/components/schemas/{name}"
    _, found = msgspec.json.schema_components([wire.StreamEvents], ref_template=place)
    return found


def complete(operation: dict[str, Any], method: str, is_repeatable: bool) -> None:
    words = operation.get("description", "").strip()
    operation["summary"] = " ".join(spelled(word) for word in operation["operationId"].split("_"))
    operation["summary"] = operation["summary"][0].upper() + operation["summary"][1:]
    operation["description"] = " ".join(words.split()) or operation["summary"]
    for parameter in operation.setdefault("parameters", []):
        describe(parameter)
    answers = {
        status: answer for status, answer in operation["responses"].items() if int(status) < 400
    }
    has_json = any("application/json" in each.get("content", {}) for each in answers.values())
    headers = ["Team"] if operation.get("security") != [{}] else []
    if method == "get" and has_json:
        headers.append("Known")
        answers["200"]["headers"] = ETAG
        answers["304"] = {
            "description": "Not modified: you have the current answer.",
            "headers": ETAG,
        }
    if is_repeatable:
        headers.append("Key")
        for answer in answers.values():
            answer["headers"] = REPLAYED
    if operation["operationId"] == "read_log":
        answers["200"]["headers"] = OF_LOGS
    operation["parameters"] += [{"$ref": f"#/components/parameters/{each}"} for each in headers]
    has_body = "requestBody" in operation
    operation["responses"] = answers | refusals.of_operation(method, has_body=has_body)


def exemplify(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Add an example to each body and answer."""
    holders = [answer for status, answer in operation["responses"].items() if int(status) < 300]
    for holder in [*holders, operation.get("requestBody", {})]:
        for kind, media in holder.get("content", {}).items():
            text = samples.TEXTS.get(kind)
            media["example"] = samples.sample(media["schema"], schemas) if text is None else text


def plain(node: Any) -> Any:
    """Correct schemas: integers are whole and have a format, and a value of any type may be null."""
    if isinstance(node, list):
        return [plain(each) for each in node]
    if not isinstance(node, dict):
        return int(node) if isinstance(node, float) and node.is_integer() else node
    found = {key: plain(value) for key, value in node.items()}
    if isinstance(found.get("type"), str):
        found |= found.pop("extra", {})  # what the framework would have unpacked
    if "oneOf" in found and "enum" in found:
        words = found.pop("enum")  # those of the text: null is none of them
        found["oneOf"] = [
            {**kind, "enum": words} if kind == {"type": "string"} else kind
            for kind in found["oneOf"]
        ]
    if {} in found.get("oneOf", []):
        del found["oneOf"]
    if found.get("type") == "integer":
        found.setdefault("format", "int64")
    return found


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
        schema = parameter["schema"] = {**kinds[0], **rest}
    if schema.get("maximum", INT32_MAX + 1) <= INT32_MAX and schema["type"] == "integer":
        schema["format"] = "int32"


def renamed(document: dict[str, Any]) -> dict[str, Any]:
    """Shorten type names: ``Page_headway.wire.runs.Run_`` becomes ``PageOfRun``."""
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
