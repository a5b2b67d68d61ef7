"""Connections, variables, pools and users of Airflow: compared with what is here, and set. No secret is shown."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from headway import wire
from headway.cli.conn import entries, requests_of, text_of
from headway.core.connections import is_name, is_sensitive, parse, secrets_of
from headway.errors import Conflict, UsageError
from headway.wire.bounds import INT32_MAX

CREATE: Final = "create"
CHANGE: Final = "change"
AGAIN: Final = "set again"  # its secrets, which nobody can compare
KEEP: Final = "keep"
LEAVE: Final = "leave out"  # it cannot be kept here
POOLS: Final = {"default_pool": "default"}
UNLIMITED: Final = -1  # slots of a pool, in Airflow
DESCRIBED: Final = frozenset({"value", "description"})
YAML: Final = (".yaml", ".yml")
FIELD: Final = re.compile(r"`\$\.(\w+)")  # that a ValidationError names
SHOWN: Final = ("conn_type", "host", "port", "schema", "login")


class Change(msgspec.Struct, frozen=True):
    """The fate of one thing of Airflow. ``fields``: the names of those that differ."""

    kind: str
    name: str
    action: str
    fields: list[str] = []


class Step(msgspec.Struct, frozen=True):
    change: Change
    apply: Callable[[], object]


class Named(msgspec.Struct, frozen=True):
    """Things of one kind by their names, as an export has them; ``where``: the file or database they come from."""

    content: dict[str, Any]
    where: str

    def only(self, patterns: Sequence[str]) -> "Named":
        """Return those whose names match a pattern of the shell; without patterns, all."""
        kept = {
            name: each
            for name, each in self.content.items()
            if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
        }
        return Named(kept, self.where)


class Found(msgspec.Struct, frozen=True):
    """All that is to be taken over. ``users``: what they are to be in the team."""

    connections: Named | None = None
    variables: Named | None = None
    pools: Named | None = None
    users: Sequence[wire.UserRequest] = ()


def planned(client: Any, found: Found, patterns: Sequence[str] = ()) -> list[Step]:
    """Read everything before anything is asked of the server. Raises UsageError."""
    connections = connections_of(found.connections.only(patterns)) if found.connections else {}
    variables = variables_of(found.variables.only(patterns)) if found.variables else {}
    pools = pools_of(found.pools.only(patterns)) if found.pools else {}
    return [
        *(connection_steps(client, connections) if connections else ()),
        *(variable_steps(client, variables) if variables else ()),
        *(pool_steps(client, pools) if pools else ()),
        *(user_steps(client, found.users) if found.users else ()),
    ]


def exported(file: Path | None) -> Named | None:
    """Return what a file of JSON, YAML or ``.env`` lines says by name. Errors show none of it."""
    if file is None:
        return None
    text = text_of(file)
    if file.suffix not in YAML:
        return Named(entries(text, str(file)), str(file))
    try:
        return Named(msgspec.yaml.decode(text, type=dict[str, Any]), str(file))
    except msgspec.DecodeError:
        hint = "a line for each, with its name before a colon"
        raise UsageError("the file is not valid YAML", where=str(file), hint=hint) from None


def connections_of(given: Named) -> dict[str, wire.ConnectionRequest]:
    return requests_of(given.content, given.where)


def variables_of(named: Named) -> dict[str, wire.VariableRequest]:
    found = {}
    for key, given in named.content.items():
        described = isinstance(given, dict) and {"value"} <= given.keys() <= DESCRIBED
        value = given.get("value") if described else given
        if value is None:
            raise UsageError(f"the variable {key!r} has no value", where=named.where)
        found[key] = wire.VariableRequest(
            value=value if isinstance(value, str) else json.dumps(value),
            description=str(given.get("description") or "") if described else "",
        )
    return found


def pools_of(named: Named) -> dict[str, int]:
    found = {}
    for name, given in named.content.items():
        slots = given.get("slots") if isinstance(given, dict) else given
        text = str(INT32_MAX if slots == UNLIMITED else slots)
        if not text.isdecimal():
            hint = "0 or more; -1 stands for any number, as in Airflow"
            raise UsageError(
                f"the pool {name!r} has no number of slots", where=named.where, hint=hint
            )
        found[POOLS.get(name, name)] = int(text)
    return found


def connection_steps(client: Any, wanted: dict[str, wire.ConnectionRequest]) -> Iterator[Step]:
    known = {each.conn_id: each for each in client.connections()}
    for conn_id, request in wanted.items():
        if flaws := unfit(conn_id, request):
            yield Step(Change("connection", conn_id, LEAVE, flaws), nothing)
            continue
        change = Change("connection", conn_id, *of_connection(known.get(conn_id), request))
        dags = known[conn_id].dags if conn_id in known else None
        kept = msgspec.structs.replace(request, dags=dags)
        yield Step(change, partial(client.set_connection, conn_id, kept))


def unfit(name: str, request: wire.ConnectionRequest | wire.VariableRequest) -> list[str]:
    """Return what of a thing the server would refuse: its name, or a field that is too long."""
    found = [] if is_name(name) else ["name"]
    try:
        msgspec.convert(msgspec.to_builtins(request), type(request))
    except msgspec.ValidationError as error:
        found += FIELD.findall(str(error))
    return found


def nothing() -> None:
    """Do nothing, about what is left out."""


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
        if flaws := unfit(key, request):
            yield Step(Change("variable", key, LEAVE, flaws), nothing)
            continue
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


def user_steps(client: Any, wanted: Sequence[wire.UserRequest]) -> Iterator[Step]:
    known = {each.name: each for each in client.users()}
    for request in wanted:
        before = known.get(request.name)
        if before is None:
            yield Step(Change("user", request.name, CREATE), partial(enter, client, request))
            continue
        action, fields = (KEEP, []) if before.role == request.role else (CHANGE, ["role"])
        change = Change("user", request.name, action, fields)
        role = wire.UserChange(role=request.role)
        yield Step(change, partial(client.change_user, request.name, role))


def enter(client: Any, request: wire.UserRequest) -> None:
    """Create the user or, if another team has them, add them to this one."""
    try:
        client.create_user(request)
    except Conflict:
        client.add_member(wire.MemberRequest(name=request.name, role=request.role))


def apply(steps: list[Step]) -> None:
    for step in steps:
        if step.change.action not in (KEEP, LEAVE):
            step.apply()
