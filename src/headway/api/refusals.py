"""How the document tells what is refused: a problem for each status, with the codes that it may have."""

from http import HTTPStatus
from typing import Any, Final

from headway.errors import HTTP_STATUS
from headway.wire import code_of

PROBLEM: Final = "application/problem+json"
SCHEMA: Final = {
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
}
# Refused before a route is entered, by the framework or the guard: no part of the tree of errors.
EARLY: Final = {
    400: ("bad_request",),
    404: ("not_found",),
    408: ("request_timeout",),
    413: ("request_entity_too_large",),
    415: ("unsupported_media_type",),
    421: ("unknown_host",),
}
# Its name in the document, the words for it, an example of `detail`, and of `hint`.
REFUSALS: Final[dict[int, tuple[str, str, str, str]]] = {
    400: (
        "BadRequest",
        "What was asked for makes no sense.",
        "'done' is no state of a run",
        "one of: queued, running, success, failed, cancelled",
    ),
    401: (
        "Unauthorized",
        "Nobody is signed in, or no longer.",
        "nobody is signed in, or no longer",
        "sign in, or send 'Authorization: Bearer …' with a token: headway token create",
    ),
    403: (
        "Forbidden",
        "The role does not allow it, or another site asks.",
        "this needs the role operator; you are viewer here",
        "ask an admin of the team",
    ),
    404: (
        "NotFound",
        "It names something that does not exist, or not in this team.",
        "there is no DAG 'daily_delay'",
        'did you mean "daily_delays"?',
    ),
    408: (
        "RequestTimeout",
        "The body did not come in time.",
        "the body did not come in time",
        "send it again",
    ),
    409: (
        "Conflict",
        "It is at odds with what exists already.",
        "the Idempotency-Key 'a7f3' was used for another request",
        "take a new key for each request, and the same only to send it again",
    ),
    413: ("TooLarge", "The body is too large.", "Request Entity Too Large", "send less at once"),
    415: (
        "UnsupportedMediaType",
        "The body is not JSON.",
        "send JSON, with Content-Type: application/json",
        "set the header",
    ),
    421: (
        "Misdirected",
        "The Host header names no host of this server.",
        "the Host header names no host of this server",
        "use localhost, an IP address, or start with --host NAME or --public-url URL",
    ),
    429: (
        "TooManyRequests",
        "Too often: Retry-After says when again.",
        "too many requests",
        "try again in a while",
    ),
    503: (
        "Unavailable",
        "The database does not answer, or its answer to a COMMIT was lost.",
        "the database does not answer",
        "headway doctor looks for the cause",
    ),
    507: (
        "StorageFull",
        "No room left for the data.",
        "the disk is full",
        "make room, then try again",
    ),
}
WITH_BODY: Final = (408, 413, 415)
WHERE_SOMETHING_CHANGES: Final = (409,)
LATER: Final = (429, 503)  # the same may be asked again in a while
RETRY_AFTER: Final = {
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
}


def codes_of(status: int) -> list[str]:
    of_tree = [code_of(kind) for kind, known in HTTP_STATUS.items() if known == status]
    return sorted({*of_tree, *EARLY.get(status, ())})


def components() -> dict[str, Any]:
    return {REFUSALS[status][0]: answer(status) for status in REFUSALS}


def answer(status: int) -> dict[str, Any]:
    _, why, detail, hint = REFUSALS[status]
    codes = codes_of(status)
    narrowed = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
    example = {"title": HTTPStatus(status).phrase, "status": status, "code": codes[-1]}
    found: dict[str, Any] = {
        "description": why,
        "content": {
            PROBLEM: {
                "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]},
                "example": {**example, "detail": detail, "hint": hint},
            }
        },
    }
    return {**found, "headers": RETRY_AFTER} if status in LATER else found


def of_operation(method: str, *, has_body: bool) -> dict[str, Any]:
    """What an operation may be refused with, by status."""
    return {
        str(status): {"$ref": f"#/components/responses/{name}"}
        for status, (name, *_) in REFUSALS.items()
        if (has_body or status not in WITH_BODY)
        and (method != "get" or status not in WHERE_SOMETHING_CHANGES)
    }
