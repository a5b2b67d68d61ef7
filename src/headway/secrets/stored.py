"""Connections and variables of a team in Headway's own store: set, shown without secrets, opened for a task.

Every function is a step of the caller's transaction.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET
from psycopg import Connection as Database

from headway import wire
from headway.core import connections as core
from headway.core.connections import MASK, BadConnection, Connection, is_name, is_sensitive
from headway.errors import Conflict, NotFound, UsageError
from headway.secrets.envelope import close, open_envelope, place_of, wrap_again
from headway.secrets.keys import Keys
from headway.spec.errors import did_you_mean
from headway.store import connections, envelopes, variables
from headway.store.clock import clock

CONNECTION: Final = "connection"
VARIABLE: Final = "variable"
WEBHOOK: Final = "webhook"
OUTBOUND: Final = "outbound_webhook"
EXTRA_BYTES_MAX: Final = 256_000
# A URL, a host with dots, or a host with a port.
ADDRESS: Final = re.compile(r"//|^[\w-]+(\.[\w-]+)+(:\d+)?(/|$)|^[\w.-]+:\d+(/|$)|^\[")
PLACE: Final = re.compile(r"ur[il]|host|endpoint|prox|server|domain|addr|site|account|region", re.I)


# -- connections


def set_connection(
    conn: Database[Any],
    keys: Keys,
    team_id: int,
    conn_id: str,
    wanted: wire.ConnectionRequest,
    actor: str,
) -> wire.Connection:
    """Create or replace a connection. Raises UsageError, also where secrets that stay would be sent elsewhere."""
    check_name(conn_id, "connection")
    check_dags(wanted.dags)
    before = connections.lock(conn, team_id, conn_id)
    stays = {} if before is None else opened(keys, team_id, before)
    described = read_request(wanted, conn_id)
    password = described.password
    if wanted.uri is None and wanted.password is UNSET:
        password = stays.get("password")
    extra = {name: kept(name, value, stays) for name, value in described.extra.items()}
    hidden = {name: value for name, value in extra.items() if is_sensitive(name, value)}
    staying = [f"extra {name}" for name, value in described.extra.items() if value == MASK]
    if password and wanted.password is UNSET and wanted.uri is None:
        staying.insert(0, "password")
    if before is not None and staying:
        known = {**before.extra, **(stays.get("extra") or {})}
        check_place(before, described, (known, extra), staying)
    place = place_of(team_id, CONNECTION, conn_id)
    envelope = close(keys, place, {"password": password, "extra": hidden})
    names = [*(["password"] if password else []), *(f"extra.{name}" for name in hidden)]
    stored = connections.Stored(
        conn_id=conn_id,
        conn_type=described.conn_type,
        host=described.host,
        port=described.port,
        schema=described.schema,
        login=described.login,
        extra={name: value for name, value in extra.items() if name not in hidden},
        hidden=names,
        description=wanted.description,
        dags=wanted.dags,
        envelope=envelope,
    )
    connections.put(conn, team_id, stored, actor, clock(conn))
    return show_connection(conn, team_id, conn_id)


def check_place(
    before: connections.Stored,
    described: Connection,
    extras: tuple[Mapping[str, object], Mapping[str, object]],
    staying: list[str],
) -> None:
    """Let nobody have a secret sent to a place of their own who does not know it. ``extras``: before, and from now on.

    Extras count, too: some name the address, a proxy, or whether to encrypt. So do hidden ones that may be a place,
    such as ``token_url``, and the schema, which is ``http`` or ``https`` for some types.
    """
    changed = [
        name
        for name in ("conn_type", "host", "port", "schema")
        if getattr(before, name) != getattr(described, name)
    ]
    was, becomes = extras
    names = sorted(was.keys() | becomes.keys())
    changed += [
        f"extra {name}"
        for name in names
        if (before_it := was.get(name)) != (given := becomes.get(name))
        and (says_where(name, before_it) or says_where(name, given))
    ]
    if changed:
        secrets, fields = " and ".join(staying), ", ".join(changed)
        raise UsageError(
            f"the connection {before.conn_id!r} would send its stored {secrets} to another place: {fields} changed",
            hint=f"give the {secrets} again",
        )


def says_where(name: str, value: object) -> bool:
    """Return whether an extra may say where to send something: all do, but for a secret that looks like no address."""
    if value is None or not is_sensitive(name, value):
        return value is not None
    plain = isinstance(value, str | int | float) and not ADDRESS.search(str(value))
    return not plain or PLACE.search(name) is not None


def read_request(wanted: wire.ConnectionRequest, conn_id: str) -> Connection:
    """Raises UsageError, which never repeats a value."""
    if len(msgspec.json.encode(wanted.extra)) > EXTRA_BYTES_MAX:
        raise UsageError(f"the extras are longer than {EXTRA_BYTES_MAX:,} bytes")
    password = None if wanted.password is UNSET else wanted.password
    try:
        if wanted.uri is not None:
            return core.parse(wanted.uri, conn_id)
        return Connection(
            conn_id=conn_id,
            conn_type=core.type_of(wanted.conn_type),
            host=wanted.host or None,
            port=core.port_of(wanted.port),
            schema=wanted.schema or None,
            login=wanted.login or None,
            password=password or None,
            extra=dict(wanted.extra),
        )
    except BadConnection as error:
        raise UsageError(f"the connection {conn_id!r} is not valid: {error}") from None


def kept(name: str, value: object, stays: dict[str, Any]) -> object:
    """The stored secret, where the request repeats its mask."""
    if value != MASK:
        return value
    known: dict[str, Any] = stays.get("extra", {})
    if name not in known:
        raise UsageError(
            f"the value of the extra {name!r} is {MASK}, but no secret is stored under this name",
            hint="give its value",
        )
    return known[name]


def opened(keys: Keys, team_id: int, stored: connections.Stored) -> dict[str, Any]:
    return open_envelope(keys, place_of(team_id, CONNECTION, stored.conn_id), stored.envelope)


def open_connection(keys: Keys, team_id: int, stored: connections.Stored) -> Connection:
    """Return the connection with its secrets, for a task."""
    secret = opened(keys, team_id, stored)
    return Connection(
        conn_id=stored.conn_id,
        conn_type=stored.conn_type,
        host=stored.host,
        port=stored.port,
        schema=stored.schema,
        login=stored.login,
        password=secret.get("password"),
        extra={**stored.extra, **secret.get("extra", {})},
    )


def list_connections(conn: Database[Any], team_id: int) -> list[wire.Connection]:
    return [shown(stored) for stored in connections.every(conn, team_id)]


def show_connection(conn: Database[Any], team_id: int, conn_id: str) -> wire.Connection:
    """Raises NotFound."""
    stored = connections.find(conn, team_id, conn_id)
    if stored is None:
        known = [each.conn_id for each in connections.every(conn, team_id)]
        raise missing("connection", conn_id, known, "conn")
    return shown(stored)


def delete_connection(conn: Database[Any], team_id: int, conn_id: str) -> None:
    show_connection(conn, team_id, conn_id)
    connections.delete(conn, team_id, conn_id)


def shown(stored: connections.Stored) -> wire.Connection:
    hidden = {name.removeprefix("extra."): MASK for name in stored.hidden if name != "password"}
    return wire.Connection(
        conn_id=stored.conn_id,
        conn_type=stored.conn_type,
        host=stored.host,
        port=stored.port,
        schema=stored.schema,
        login=stored.login,
        has_password="password" in stored.hidden,
        extra={**stored.extra, **hidden},
        description=stored.description,
        dags=stored.dags,
        changed_at=stored.changed_at,
        changed_by=stored.changed_by,
    )


# -- variables


def set_variable(
    conn: Database[Any],
    keys: Keys,
    team_id: int,
    key: str,
    wanted: wire.VariableRequest,
    actor: str,
) -> wire.Variable:
    """Create or replace a variable. Raises UsageError."""
    check_name(key, "variable")
    check_dags(wanted.dags)
    before = variables.lock(conn, team_id, key)
    value = wanted.value
    if value is UNSET:
        if before is None:
            raise UsageError(f"the variable {key!r} needs a value")
        value = open_variable(keys, team_id, before)
    is_secret = wanted.is_secret
    if is_secret is None:
        was_secret = before is not None and before.envelope is not None
        is_secret = was_secret or is_sensitive(key, value)
    if (
        before is not None
        and before.envelope is not None
        and not is_secret
        and wanted.value is UNSET
    ):
        raise Conflict(
            f"the variable {key!r} is a secret; its stored value cannot be made visible",
            hint="give its value again, or delete the variable first",
        )
    stored = variables.Stored(
        key=key,
        value=None if is_secret else str(value),
        envelope=close(keys, place_of(team_id, VARIABLE, key), {"value": value})
        if is_secret
        else None,
        description=wanted.description,
        dags=wanted.dags,
    )
    variables.put(conn, team_id, stored, actor, clock(conn))
    return show_variable(conn, team_id, key)


def open_variable(keys: Keys, team_id: int, stored: variables.Stored) -> str:
    if stored.envelope is None:
        return stored.value or ""
    place = place_of(team_id, VARIABLE, stored.key)
    return str(open_envelope(keys, place, stored.envelope)["value"])


def list_variables(conn: Database[Any], team_id: int) -> list[wire.Variable]:
    return [shown_variable(stored) for stored in variables.every(conn, team_id)]


def show_variable(conn: Database[Any], team_id: int, key: str) -> wire.Variable:
    """Raises NotFound."""
    stored = variables.find(conn, team_id, key)
    if stored is None:
        known = [each.key for each in variables.every(conn, team_id)]
        raise missing("variable", key, known, "var")
    return shown_variable(stored)


def delete_variable(conn: Database[Any], team_id: int, key: str) -> None:
    show_variable(conn, team_id, key)
    variables.delete(conn, team_id, key)


def shown_variable(stored: variables.Stored) -> wire.Variable:
    return wire.Variable(
        key=stored.key,
        value=stored.value,
        is_secret=stored.envelope is not None,
        description=stored.description,
        dags=stored.dags,
        changed_at=stored.changed_at,
        changed_by=stored.changed_by,
    )


# -- both


def rewrap(conn: Database[Any], keys: Keys, team_id: int) -> int:
    """Wrap the next envelopes of a team with the current master key. Returns how many: 0 when none is left."""
    count, current = 0, keys.current
    for kind in (CONNECTION, VARIABLE, WEBHOOK, OUTBOUND):
        for name, envelope in envelopes.of_other_keys(conn, team_id, kind, current):
            new = wrap_again(keys, place_of(team_id, kind, name), envelope)
            envelopes.replace_key(conn, team_id, kind, name, new)
            count += 1
    return count


def check_name(name: str, what: str) -> None:
    if not is_name(name):
        raise UsageError(
            f"{name[:40]!r} cannot be the name of a {what}",
            hint="use letters, digits, _, - and ., at most 200, beginning with a letter, a digit or _",
        )


def check_dags(dags: list[str] | None) -> None:
    if dags is not None and not dags:
        raise UsageError(
            "the list of DAGs is empty, so that nothing could use it",
            hint="name the DAGs that may use it, or give no list: then all DAGs of the team may",
        )


def missing(what: str, name: str, known: list[str], verb: str) -> NotFound:
    advice = did_you_mean(name, known) or f"to list them: headway {verb} ls"
    return NotFound(f"there is no {what} {name[:200]!r}", hint=advice)
