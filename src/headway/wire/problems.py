"""Errors on the wire, and the error tree on both sides of it."""

import re
from http import HTTPStatus
from typing import Final

import msgspec

from headway.errors import HTTP_STATUS, HeadwayError


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """application/problem+json."""

    title: str
    status: int
    code: str
    detail: str
    hint: str | None = None
    where: str | None = None
    type: str = "about:blank"


def code_of(kind: type) -> str:
    """``NotFound`` is ``not_found`` on the wire."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


KINDS: Final[dict[str, type[HeadwayError]]] = {code_of(kind): kind for kind in HTTP_STATUS}

# The first of each: those above others come before them.
BY_STATUS: Final[dict[int, type[HeadwayError]]] = {
    status: kind for kind, status in reversed(list(HTTP_STATUS.items()))
}


def problem_of(error: HeadwayError) -> Problem:
    return Problem(
        title=HTTPStatus(error.http_status).phrase,
        status=error.http_status,
        code=code_of(type(error)),
        detail=error.message,
        hint=error.hint,
        where=error.where,
    )


def error_of(problem: Problem) -> HeadwayError:
    """The same error on the other side of the line; of an unknown code, what has its status."""
    kind = KINDS.get(problem.code) or BY_STATUS.get(problem.status, HeadwayError)
    return kind(problem.detail, hint=problem.hint, where=problem.where)
