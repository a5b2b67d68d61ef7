"""What the framework's OpenAPI document lacks: refusals as they are sent, headers, words, examples, short names.

``completed`` is pure: a document goes in and one comes out. What it says of parameters' bounds comes from the
routes themselves, where the bounds are enforced.
"""

import re
from functools import lru_cache
from typing import Any, Final

from litestar import Litestar
from litestar.types import Method

from headway.api import refusals, samples
from headway.api.parameters import INT32_MAX
from headway.core.triggers import Trigger

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
    "tail": (
        "Only so many bytes at the end (a megabyte at most), from the beginning of a line on.",
        65536,
    ),
    "from": ("From here on.", None),
    "to": ("Up to here.", None),
    "count": ("So many.", 100),
    "q": ("What to look for.", "error"),
    "regex": ("Whether `q` is a regular expression.", False),
    "ignore_case": ("Whether `Error` is found by `error`.", True),
    "topics": ("Which of run, task_instance, dag, pool, log; separated by commas.", "run,dag"),
    "last_event_id": ("The position to go on from, for who cannot send the header.", None),
    "Last-Event-ID": ("The position to go on from.", None),
    "actor": ("Only what this person or part did.", "user:admin"),
    "action": ("Only this action.", "dags.trigger"),
    "since": ("Only from this time on.", "2026-01-31T00:00:00Z"),
    "until": ("Only up to this time.", "2026-01-31T00:00:00Z"),
    "subject": ("Only of this kind of thing.", "run"),
    "owner": ("Only of this owner.", "data-platform"),
    "tag": ("Only with this tag.", "flights"),
    "paused": ("Only those that are paused, or that are not.", False),
    "with": ("The other run: its id, the beginning of it, `@latest` or `@failed`.", "@failed"),
    "trigger": ("Only runs that were started this way.", Trigger.MANUAL),
    "days": ("Of so many days.", 30),
    "timezone": ("In this time zone.", "Europe/Paris"),
    "version": ("Its number, from 1.", 1),
    "file": (
        "Another file of the same bundle, by its path. Default: that of the DAG.",
        "lib/dates.py",
    ),
}
# Headers that many routes have, each described once.
KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Names the request: sent again with it, it is not done again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
    "example": "a7f3",
}
KNOWN: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of an answer that you have: if it is still so, 304 says just that.",
    "schema": {"type": "string"},
    "example": 'W/"c0ffee"',
}
TEAM: Final = {
    "name": "Headway-Team",
    "in": "header",
    "required": False,
    "description": "In which of your teams. Default: the first.",
    "schema": {"type": "string"},
    "example": "default",
}
HEADERS: Final[dict[str, dict[str, Any]]] = {"Key": KEY, "Known": KNOWN, "Team": TEAM}
ETAG: Final = {
    "ETag": {"description": "What the answer is known by.", "schema": {"type": "string"}}
}
REPLAYED: Final = {
    "Idempotent-Replayed": {
        "description": "`true`: it was done before, and this was the answer.",
        "schema": {"const": "true"},
    }
}
OF_LOGS: Final = {
    f"X-Headway-{name}": {"description": words, "schema": {"type": "string"}}
    for name, words in (
        ("Attempt", "The number of the attempt; 0: there has been none."),
        ("Offset", "Where the piece begins, in bytes."),
        ("Next-Offset", "Where the next one does."),
        ("Size", "Of the whole log, in bytes."),
        ("Complete", "`true`: nothing will follow."),
    )
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
    document = plain(renamed(document))
    components = document["components"]
    components["schemas"]["Problem"] = refusals.SCHEMA
    components["responses"] = refusals.components()
    components["parameters"] = {name: dict(header) for name, header in HEADERS.items()}
    document["info"]["description"] = (
        "Everything that the command line and the web interface do. Pages follow each other by "
        "`next_cursor`; refusals are problems; a GET answers 304 to the ETag it gave; what creates "
        "something may be sent again with the same Idempotency-Key."
    )
    for operations in document["paths"].values():
        for method, operation in operations.items():
            complete(operation, method, operation["operationId"] in repeatable)
            exemplify(operation, components["schemas"])
    return document


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
        answers["304"] = {"description": "It is as you know it.", "headers": ETAG}
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
    """An example for each body and each answer that has one."""
    holders = [answer for status, answer in operation["responses"].items() if int(status) < 300]
    for holder in [*holders, operation.get("requestBody", {})]:
        for kind, media in holder.get("content", {}).items():
            text = samples.TEXTS.get(kind)
            media["example"] = samples.sample(media["schema"], schemas) if text is None else text


def plain(node: Any) -> Any:
    """Whole numbers are whole, integers have a size, and what may be anything may be null too."""
    if isinstance(node, list):
        return [plain(each) for each in node]
    if not isinstance(node, dict):
        return int(node) if isinstance(node, float) and node.is_integer() else node
    found = {key: plain(value) for key, value in node.items()}
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
