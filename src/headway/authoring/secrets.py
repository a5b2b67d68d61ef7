"""Connections and variables for tasks, and secrets that a task tells Headway about, so that they are masked in its log.

In a run, the server answers, through the agent, while the attempt lives. Without a server, as in a unit test, they come
from the environment: ``HEADWAY_CONN_…`` or ``AIRFLOW_CONN_…``, ``HEADWAY_VAR_…`` or ``AIRFLOW_VAR_…``.
"""

from collections.abc import Awaitable, Callable
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
    """Return the text of a connection or variable; None if nothing has it, as of all else that only a server has."""
    import os

    for prefix in PREFIXES.get(kind, ()):
        if (text := os.environ.get(f"{prefix}{name.upper()}")) is not None:
            return text
    return None


async def ask_in_a_thread(kind: str, name: str) -> str | None:
    import asyncio

    return await asyncio.to_thread(lambda: ask(kind, name))


# Set by the process that runs an attempt or a triggerer.
announce: Callable[[list[str]], None] = nobody_listens
ask: Callable[[str, str], str | None] = ask_environment
ask_later: Callable[[str, str], Awaitable[str | None]] = ask_in_a_thread


def mask_secret(value: str) -> None:
    """Show ``***`` for ``value`` in the log from now on: also as base64, hex, URL-encoded, JSON-escaped."""
    announce([value])


def connection(conn_id: str) -> "Connection":
    """Return a connection of the team. Call it in a task, trigger or watcher, not while the DAG file is read.

    Raises:
        SecretNotFound: there is none with this id, or this DAG may not use it.
        SecretRefused: the server or a secret backend refused, or did not answer in time.
    """
    return connection_of(conn_id, ask(CONNECTION, conn_id) if usable(conn_id) else None)


async def aconnection(conn_id: str) -> "Connection":
    """Return a connection of the team, as ``connection`` does, without holding up the event loop."""
    return connection_of(conn_id, await ask_later(CONNECTION, conn_id) if usable(conn_id) else None)


def connection_of(conn_id: str, text: str | None) -> "Connection":
    from headway.core.connections import BadConnection, parse

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
    return variable_of(key, ask(VARIABLE, key) if usable(key) else None, default)


async def avariable(key: str, default: Any = REQUIRED) -> Any:
    """Return the text of a variable, as ``variable`` does, without holding up the event loop."""
    return variable_of(key, await ask_later(VARIABLE, key) if usable(key) else None, default)


def variable_of(key: str, text: str | None, default: Any) -> Any:
    if text is not None:
        return text
    if default is REQUIRED:
        raise SecretNotFound(
            f"there is no variable {key!r} for this DAG; to create it: headway var set {key}, "
            f"or set AIRFLOW_VAR_{key.upper()} where no server runs"
        )
    return default


def usable(name: str) -> bool:
    from headway.core.connections import is_name

    return is_name(name)


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
