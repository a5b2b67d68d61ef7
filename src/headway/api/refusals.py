"""The errors in the OpenAPI document: a problem for each status, with its possible codes."""

from http import HTTPStatus
from typing import Any, Final

from headway.errors import HTTP_STATUS
from headway.wire import code_of

PROBLEM: Final = "application/problem+json"
SCHEMA: Final = {
    "type": "object",
    "title": "Problem",
    "description": "An error (RFC 9457). `code` is stable, `hint` is the next step.",
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
        "The request is invalid.",
        "'done' is not a valid run state",
        "one of: queued, running, success, failed, cancelled",
    ),
    401: (
        "Unauthorized",
        "Not signed in, or the session has expired.",
        "you are not signed in, or your session has expired",
        "sign in, or send 'Authorization: Bearer …' with a token from: headway token create",
    ),
    403: (
        "Forbidden",
        "The role does not allow this, or the request comes from another site.",
        "this needs the role operator; your role in this team is viewer",
        "ask an admin of the team for it",
    ),
    404: (
        "NotFound",
        "Something in the request does not exist in this team.",
        "there is no DAG 'daily_delay'",
        'did you mean "daily_delays"?',
    ),
    408: (
        "RequestTimeout",
        "The request body did not arrive in time.",
        "the request body did not arrive in time",
        "send it again",
    ),
    409: (
        "Conflict",
        "The request conflicts with the current state.",
        "the Idempotency-Key 'a7f3' was already used for a different request",
        "use a new key for each request; reuse a key only to repeat the same request",
    ),
    413: (
        "TooLarge",
        "The body is too large.",
        "Request Entity Too Large",
        "send less data in one request",
    ),
    415: (
        "UnsupportedMediaType",
        "The body is not JSON.",
        "send JSON, with Content-Type: application/json",
        "set the header",
    ),
    421: (
        "Misdirected",
        "The Host header does not name this server.",
        "the Host header does not name this server",
        "use localhost, an IP address, or start with --host NAME or --public-url URL",
    ),
    429: (
        "TooManyRequests",
        "Too many requests. Retry-After says when to try again.",
        "too many requests",
        "try again later",
    ),
    503: (
        "Unavailable",
        "The database does not answer, or the answer to a COMMIT was lost.",
        "the database does not answer",
        "to find the cause, run: headway doctor",
    ),
    507: (
        "StorageFull",
        "The disk is full.",
        "the disk is full",
        "free disk space, then try again",
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
    """Return the errors of an operation by status."""
    return {
        str(status): {"$ref": f"#/components/responses/{name}"}
        for status, (name, *_) in REFUSALS.items()
        if (has_body or status not in WITH_BODY)
        and (method != "get" or status not in WHERE_SOMETHING_CHANGES)
    }
