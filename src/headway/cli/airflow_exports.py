"""Connections, variables and pools as Airflow exports them: read, compared, and set. No secret is shown."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from headway import wire
from headway.cli.conn import entries, requests_of, text_of
from headway.core.connections import is_sensitive, parse, secrets_of
from headway.errors import UsageError

CREATE: Final = "create"
CHANGE: Final = "change"
AGAIN: Final = "set again"  # its secrets, which nobody can compare
KEEP: Final = "keep"
POOLS: Final = {"default_pool": "default"}
DESCRIBED: Final = frozenset({"value", "description"})
YAML: Final = (".yaml", ".yml")
SHOWN: Final = ("conn_type", "host", "port", "schema", "login")


class Change(msgspec.Struct, frozen=True):
    """The fate of one thing of an export. ``fields``: the names of those that differ."""

    kind: str
    name: str
    action: str
    fields: list[str] = []


class Step(msgspec.Struct, frozen=True):
    change: Change
    apply: Callable[[], object]


class Exports(msgspec.Struct, frozen=True):
    connections: Path | None = None
    variables: Path | None = None
    pools: Path | None = None

    def __bool__(self) -> bool:
        return any((self.connections, self.variables, self.pools))


def planned(client: Any, exports: Exports) -> list[Step]:
    """Read all files before anything is asked of the server. Raises UsageError."""
    connections = connections_of(exports.connections) if exports.connections else {}
    variables = variables_of(exports.variables) if exports.variables else {}
    pools = pools_of(exports.pools) if exports.pools else {}
    return [
        *(connection_steps(client, connections) if connections else ()),
        *(variable_steps(client, variables) if variables else ()),
        *(pool_steps(client, pools) if pools else ()),
    ]


def content_of(file: Path) -> dict[str, Any]:
    """Return what a file of JSON, YAML or ``.env`` lines says by name. Errors show none of it."""
    text = text_of(file)
    if file.suffix not in YAML:
        return entries(text, str(file))
    try:
        return msgspec.yaml.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        hint = "a line for each, with its name before a colon"
        raise UsageError("the file is not valid YAML", where=str(file), hint=hint) from None


def connections_of(file: Path) -> dict[str, wire.ConnectionRequest]:
    return requests_of(content_of(file), str(file))


def variables_of(file: Path) -> dict[str, wire.VariableRequest]:
    found = {}
    for key, given in content_of(file).items():
        described = isinstance(given, dict) and {"value"} <= given.keys() <= DESCRIBED
        value = given.get("value") if described else given
        if value is None:
            raise UsageError(f"the variable {key!r} has no value", where=str(file))
        found[key] = wire.VariableRequest(
            value=value if isinstance(value, str) else json.dumps(value),
            description=str(given.get("description") or "") if described else "",
        )
    return found


def pools_of(file: Path) -> dict[str, int]:
    found = {}
    for name, given in content_of(file).items():
        slots = given.get("slots") if isinstance(given, dict) else given
        text = str(slots)
        if not text.isdecimal():
            hint = "0 or more; Airflow's -1, for any number, is a large one here"
            raise UsageError(
                f"the pool {name!r} has no number of slots", where=str(file), hint=hint
            )
        found[POOLS.get(name, name)] = int(text)
    return found


def connection_steps(client: Any, wanted: dict[str, wire.ConnectionRequest]) -> Iterator[Step]:
    known = {each.conn_id: each for each in client.connections()}
    for conn_id, request in wanted.items():
        change = Change("connection", conn_id, *of_connection(known.get(conn_id), request))
        dags = known[conn_id].dags if conn_id in known else None
        kept = msgspec.structs.replace(request, dags=dags)
        yield Step(change, partial(client.set_connection, conn_id, kept))


def of_connection(
    known: wire.Connection | None, request: wire.ConnectionRequest
) -> tuple[str, list[str]]:
    if known is None:
        return CREATE, []
    given = parse(str(request.uri))
    differ = [name for name in SHOWN if (getattr(given, name) or None) != getattr(known, name)]
    if given.extra.keys() != known.extra.keys() or any(
        value != known.extra[name]
        for name, value in given.extra.items()
        if not is_sensitive(name, value)
    ):
        differ.append("extra")
    if request.description != known.description:
        differ.append("description")
    if bool(given.password) != known.has_password:
        differ.append("password")
    if differ:
        return CHANGE, differ
    return (AGAIN, []) if secrets_of(given) else (KEEP, [])


def variable_steps(client: Any, wanted: dict[str, wire.VariableRequest]) -> Iterator[Step]:
    known = {each.key: each for each in client.variables()}
    for key, request in wanted.items():
        change = Change("variable", key, *of_variable(known.get(key), request))
        if key in known:
            before = known[key]
            request = msgspec.structs.replace(request, is_secret=before.is_secret, dags=before.dags)
        yield Step(change, partial(client.set_variable, key, request))


def of_variable(
    known: wire.Variable | None, request: wire.VariableRequest
) -> tuple[str, list[str]]:
    if known is None:
        return CREATE, []
    differ = [] if known.is_secret or known.value == request.value else ["value"]
    if request.description != known.description:
        differ.append("description")
    if differ:
        return CHANGE, differ
    return (AGAIN, []) if known.is_secret else (KEEP, [])


def pool_steps(client: Any, wanted: dict[str, int]) -> Iterator[Step]:
    known = {each.name: each.slots for each in client.pools()}
    for name, slots in wanted.items():
        action = CREATE if name not in known else KEEP if known[name] == slots else CHANGE
        fields = ["slots"] if action == CHANGE else []
        change = Change("pool", name, action, fields)
        yield Step(change, partial(client.set_pool, name, slots))


def apply(steps: list[Step]) -> None:
    for step in steps:
        if step.change.action != KEEP:
            step.apply()
