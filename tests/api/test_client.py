"""The typed client: a method for every route, and the stream as typed values."""

import inspect
import re
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import Any

import msgspec
import pytest

from headway import wire
from headway.client import Client
from headway.client.connection import Connection
from headway.store.transact import Session
from tests.api import seed
from tests.api.described import document
from tests.api.test_stream import happen

# What only a browser does, and one that holds its own connection.
EXCEPTIONS = {
    "post /session",
    "post /session/header",
    "post /session/redirect",
    "post /session/code",
    "post /session/link",
    "post /session/negotiate",  # headway.client.kerberos
    "post /backchannel-logout",  # an identity provider
    "delete /session",
    "get /sign-in",  # the login page asks, before there is a client
    "get /stream",  # Client.watch
    "post /hooks/{slug}",  # systems that sign what they send
    "post /linked-answer",
    "post /linked-question",
    "post /linked-run",  # a page, for who has a link and no account
}
# Shown whole in the list of them.
COVERED_BY_LIST = {"get /users/{name}"}

Nothing = msgspec.defstruct("Nothing", [("dry_run", bool, False)])


class Asked(Exception):
    pass


class Recorder(Client):
    """Asks nobody: says what it would have asked."""

    def ask(
        self, method: str, path: str, body: bytes | None, query: Mapping[str, object]
    ) -> tuple[bytes, Message]:
        raise Asked(f"{method.lower()} {path}")

    def parts(self, path: str, query: Mapping[str, object]) -> Iterator[bytes]:
        raise Asked(f"get {path}")


def asked(name: str) -> Iterator[str]:
    """With what it needs, and with all that it takes: some go elsewhere then."""
    method = getattr(Recorder("http://localhost:1", ""), name)
    parameters = [
        parameter
        for parameter in inspect.signature(method).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
    for chosen in (
        [parameter for parameter in parameters if parameter.default is parameter.empty],
        parameters,
    ):
        with pytest.raises(Asked) as caught:
            list(method(**{parameter.name: value_of(parameter) for parameter in chosen}))
        yield str(caught.value)


def value_of(parameter: inspect.Parameter) -> Any:
    kind = str(parameter.annotation)
    if "datetime" in kind:
        return seed.NOON
    if "int" in kind or "float" in kind:
        return 7
    return "X" if "str" in kind else Nothing()


def methods() -> list[str]:
    return [
        name
        for name, _ in inspect.getmembers(Client, inspect.isfunction)
        if not name.startswith("_") and name != "watch" and name not in dir(Connection)
    ]


def test_every_route_has_a_method() -> None:
    made = {re.sub(r"\b[X7]\b", "*", each) for name in methods() for each in asked(name)}
    routes = {
        f"{method} {path.removeprefix('/api/v1')}"
        for path, operations in document()["paths"].items()
        for method in operations
    }
    missing = {route for route in routes if re.sub(r"{\w+}", "*", route) not in made}
    assert missing - COVERED_BY_LIST == EXCEPTIONS


def test_changes_as_typed_values(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    seed.instance(conn, "r1", "t0", "ready")
    watching = client.watch(run_id="r1")
    assert next(watching).event == "ready"
    happen(conn, "r1", "t0")
    run = next(watching).delta
    assert isinstance(run, wire.RunDelta)
    assert run.counts == {"ready": 1}
    instances = next(watching).delta
    assert isinstance(instances, wire.InstancesDelta)
    assert instances.changes[0].task_id == "t0"
    watching.close()  # type: ignore[attr-defined] # a generator
