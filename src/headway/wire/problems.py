"""Errors as problem documents, converted from and to the error tree."""

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
    """Return the code of an error: ``NotFound`` becomes ``not_found``."""
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
    """Rebuild the error from a problem. An unknown code becomes the error with the same status."""
    kind = KINDS.get(problem.code) or BY_STATUS.get(problem.status, HeadwayError)
    return kind(problem.detail, hint=problem.hint, where=problem.where)
