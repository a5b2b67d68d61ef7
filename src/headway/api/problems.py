"""Turns every error into application/problem+json. The status comes from the table in ``errors``."""

import logging
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from headway import wire
from headway.api import refusals
from headway.api.repeats import Answered
from headway.errors import HeadwayError, NotAuthenticated, NotReachable

logger = logging.getLogger(__name__)

HEADERS: Final = {401: {"WWW-Authenticate": "Bearer"}}


class Challenged(NotAuthenticated):
    """A request without a ticket of Kerberos that is accepted: the answer asks for one."""


AnyRequest = Request[Any, Any, Any]


def from_error(request: AnyRequest, error: HeadwayError) -> Response[bytes]:
    headers = dict(HEADERS.get(error.http_status, {}))
    if isinstance(error, Challenged):
        headers["WWW-Authenticate"] = "Negotiate"
    if isinstance(error, NotReachable) and error.http_status in refusals.LATER:
        headers["Retry-After"] = str(error.retry_after_s)
    return answer(wire.problem_of(error), headers)


def from_http(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """Answer errors that Litestar raises: an unknown path, an invalid body."""
    extra = error.extra if isinstance(error.extra, list) else []
    parts = [f"{each.get('key', '')}: {each['message']}".lstrip(": ") for each in extra]
    detail = "; ".join(parts) or error.detail
    return answer(problem(error.status_code, code_of(error.status_code), detail))


def code_of(status: int) -> str:
    """Return the code of a status: ours if declared, because Python's names vary by version."""
    for code in refusals.EARLY.get(status, ()):
        return code
    return HTTPStatus(status).name.lower()


def from_before(request: AnyRequest, answered: Answered) -> Response[bytes]:
    return Response(
        answered.body,
        status_code=request.route_handler.status_code,
        media_type="application/json",
        headers={"Idempotent-Replayed": "true"},
    )


def from_depth(request: AnyRequest, error: RecursionError) -> Response[bytes]:
    """Answer RecursionError, which only a deeply nested request body can cause."""
    return answer(problem(400, code_of(400), "the body is nested too deeply"))


def from_surprise(request: AnyRequest, error: Exception) -> Response[bytes]:
    logger.exception("%s %s failed", request.method, request.url.path, exc_info=error)
    detail = f"internal error: {type(error).__name__}"
    return answer(problem(500, "internal", detail, "the details are in logs/server/api.log"))


def problem(status: int, code: str, detail: str, hint: str | None = None) -> wire.Problem:
    title = HTTPStatus(status).phrase
    return wire.Problem(title=title, status=status, code=code, detail=detail, hint=hint)


def answer(problem: wire.Problem, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=headers,
    )
