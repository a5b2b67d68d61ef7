"""Connections and variables for tasks, and secrets that a task tells Headway about, so that they are masked in its log.

In a run, the server answers, through the agent, while the attempt lives. Without a server, as in a unit test, they come
from the environment: ``HEADWAY_CONN_…`` or ``AIRFLOW_CONN_…``, ``HEADWAY_VAR_…`` or ``AIRFLOW_VAR_…``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from headway.core.connections import Connection

CONNECTION: Final = "connection"
VARIABLE: Final = "variable"
PREFIXES: Final = {
    CONNECTION: ("HEADWAY_CONN_", "AIRFLOW_CONN_"),
    VARIABLE: ("HEADWAY_VAR_", "AIRFLOW_VAR_"),
}
REQUIRED: Final = object()


class SecretNotFound(LookupError):
    """The team has no such connection or variable, or this DAG may not use it."""


class SecretRefused(RuntimeError):
    """The place where secrets are kept did not answer, or refused to."""


def nobody_listens(values: list[str]) -> None:
    """Outside of a running attempt there is no log to mask."""


def ask_environment(kind: str, name: str) -> str | None:
    """Return the text of a connection or variable; None if nothing has it."""
    import os

    for prefix in PREFIXES[kind]:
        if (text := os.environ.get(f"{prefix}{name.upper()}")) is not None:
            return text
    return None


# Set by the process that runs an attempt.
announce: Callable[[list[str]], None] = nobody_listens
ask: Callable[[str, str], str | None] = ask_environment


def mask_secret(value: str) -> None:
    """Show ``***`` for ``value`` in the log from now on: also as base64, hex, URL-encoded, JSON-escaped."""
    announce([value])


def connection(conn_id: str) -> "Connection":
    """Return a connection of the team. Call it in a task, not while the DAG file is read.

    Raises:
        SecretNotFound: there is none with this id, or this DAG may not use it.
        SecretRefused: the server or a secret backend refused, or did not answer in time.
    """
    from headway.core.connections import BadConnection, is_name, parse

    text = ask(CONNECTION, conn_id) if is_name(conn_id) else None
    if text is None:
        raise SecretNotFound(
            f"there is no connection {conn_id!r} for this DAG; to create it: "
            f"headway conn set {conn_id} --uri URI, or set HEADWAY_CONN_{conn_id.upper()} where no server runs"
        )
    try:
        return parse(text, conn_id)
    except BadConnection as error:
        raise SecretRefused(f"the connection {conn_id!r} is not valid: {error}") from None


def variable(key: str, default: Any = REQUIRED) -> Any:
    """Return the text of a variable of the team, or ``default`` if there is none.

    Raises:
        SecretNotFound: there is none, and no default. SecretRefused: as for ``connection``.
    """
    from headway.core.connections import is_name

    text = ask(VARIABLE, key) if is_name(key) else None
    if text is not None:
        return text
    if default is REQUIRED:
        raise SecretNotFound(
            f"there is no variable {key!r} for this DAG; to create it: headway var set {key}, "
            f"or set AIRFLOW_VAR_{key.upper()} where no server runs"
        )
    return default


class Connections:
    """``conn.warehouse.host`` in a template."""

    def __getattr__(self, conn_id: str) -> Any:
        if conn_id.startswith("__"):
            raise AttributeError(conn_id)
        return connection(conn_id)

    def __getitem__(self, conn_id: str) -> Any:
        return connection(conn_id)


class Variables:
    """``var.bucket`` in a template; ``var.value.bucket`` and ``var.json.settings`` as in Airflow."""

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return variable(key)

    def __getitem__(self, key: str) -> Any:
        return variable(key)

    @property
    def value(self) -> "Variables":
        return Variables()

    @property
    def json(self) -> "JsonVariables":
        return JsonVariables()


class JsonVariables:
    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return self[key]

    def __getitem__(self, key: str) -> Any:
        import json

        return json.loads(variable(key))
