"""The interface of secret backends: places where connections and variables are kept.

A backend that does not have a name answers None, and the next one is asked. One that refuses (401, 403) or does not
answer raises: the task gets nothing from anywhere else, because another place may hold an older secret.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

from headway.core.connections import BadConnection, Connection, parse, secrets_of
from headway.errors import NotAllowed, NotReachable, UsageError

CONNECTION: Final = "connection"
VARIABLE: Final = "variable"
FOLDERS: Final = {CONNECTION: "connections", VARIABLE: "variables"}
TIMEOUT_S: Final = 5.0  # of one request to a backend


@dataclass(frozen=True, slots=True)
class Question:
    """The name that is asked for. Neither ``name`` (``core.connections.is_name``) nor ``team`` is a path.

    ``dags``: it is enough if one of them may have it. None: a test of the connection, which is of no DAG.
    """

    team_id: int
    team: str
    dags: frozenset[str] | None
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """``text``: a connection as JSON, or the text of a variable; ``secrets``: what must be masked."""

    text: str
    secrets: list[str] = field(default_factory=list)


class Backend(Protocol):
    def get(self, question: Question) -> Found | None:
        """Raises NotAllowed when the backend refuses, NotReachable when it does not answer."""
        ...


Read = Callable[..., Any]
"""Do some work with a connection to the database, as the engine."""


def found(question: Question, text: str) -> Found:
    """Return what a backend outside of Headway holds. All of a variable counts as secret."""
    if question.kind == VARIABLE:
        return Found(text, [text])
    try:
        connection = parse(text, question.name)
    except BadConnection as error:
        raise UsageError(f"the secret backend's {said(question)} is not valid: {error}") from None
    return of_connection(connection)


def of_connection(connection: Connection) -> Found:
    fields = msgspec.to_builtins(connection)
    del fields["conn_id"]
    return Found(msgspec.json.encode(fields).decode(), secrets_of(connection))


def said(question: Question) -> str:
    return f"{question.kind} {question.name!r}"


def refused(backend: str, question: Question, why: str) -> NotAllowed:
    return NotAllowed(
        f"the secret backend {backend} refused to give the {said(question)}: {why}",
        hint="check what the server's own credentials may read there",
    )


def silent(backend: str, question: Question, why: str) -> NotReachable:
    return NotReachable(f"the secret backend {backend} cannot give the {said(question)}: {why}")
