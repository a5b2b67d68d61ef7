"""Connections and variables: their fields, the forms in which Airflow writes them, and which values are secret."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

MASK: Final = "***"
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
TYPE: Final = re.compile(r"[a-z][a-z0-9_]{0,99}")
EXTRA: Final = "__extra__"  # Airflow's query parameter for extras that are not all strings
PORT_MAX: Final = 65_535
# As in Airflow, and more: a value that nobody can classify is better hidden than shown.
SENSITIVE: Final = re.compile(
    r"access_?key|api_?key|auth|cert|conn(ection)?_?str|cred|jwt|key_?(data|file|json|content|path)|keyfile|"
    r"pass|pem|private|pwd|sas|secret|service_?account|signature|token|(^|_)key$",
    re.I,
)
USER_INFO: Final = re.compile(r"://[^/@:\s]*:[^/@\s]*@")


class BadConnection(ValueError):
    """Text that does not describe a connection. The message never repeats the text, which may hold a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The address and credentials of a system. ``extra`` holds what the other fields do not, by name."""

    conn_id: str = ""
    conn_type: str = ""
    host: str | None = None
    port: int | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Leave out whatever may be secret."""
        return f"<Connection {self.conn_id} of type {self.conn_type or 'unknown'}>"

    __str__ = __repr__

    @property
    def uri(self) -> str:
        """The connection as one URI, as Airflow writes it."""
        return uri_of(self)


def is_name(text: str) -> bool:
    """Return whether ``text`` can be the id of a connection or the key of a variable: never a path."""
    return NAME.fullmatch(text) is not None


def is_sensitive(name: str, value: object) -> bool:
    """Return whether an extra or a variable is a secret, by its name or what it looks like."""
    if value is None or isinstance(value, bool):
        return False
    if SENSITIVE.search(name) is not None or not isinstance(value, str | int | float):
        return True
    return isinstance(value, str) and USER_INFO.search(value) is not None


def secrets_of(connection: Connection) -> list[str]:
    """Return the texts that must not be shown."""
    found = [connection.password] if connection.password else []
    for name, value in connection.extra.items():
        if is_sensitive(name, value):
            found += leaves(value)
    return found


def leaves(value: object) -> Iterator[str]:
    """Yield the texts and numbers inside a value."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):  # JSON inside of JSON
            yield from inner(value)


def inner(text: str) -> Iterator[str]:
    try:
        yield from leaves(json.loads(text))
    except (ValueError, RecursionError):
        return


def parse(text: str, conn_id: str = "") -> Connection:
    """Read a connection from a URI or JSON. Raises BadConnection."""
    return from_json(text, conn_id) if text.lstrip().startswith("{") else from_uri(text, conn_id)


def from_json(text: str, conn_id: str = "") -> Connection:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise BadConnection("the JSON text is not valid") from None
    if not isinstance(fields, dict):
        raise BadConnection("the JSON text is not an object")
    return from_fields(fields, conn_id)


def from_fields(fields: Mapping[str, Any], conn_id: str = "") -> Connection:
    """Read a connection from the fields of Airflow's JSON form."""
    known = ("conn_id", "conn_type", "host", "port", "schema", "login", "password", "extra")
    odd = sorted(set(fields) - {*known, "description", "uri", "is_encrypted", "is_extra_encrypted"})
    if odd:
        raise BadConnection(
            f"a connection has no field {odd[0][:40]!r}; its fields: {', '.join(known[1:])}"
        )
    if fields.get("uri"):
        return from_uri(str(fields["uri"]), conn_id)
    values = {
        name: text_of(name, fields.get(name)) for name in known[2:] if name not in ("port", "extra")
    }
    return Connection(
        conn_id=conn_id or str(fields.get("conn_id") or ""),
        conn_type=type_of(str(fields.get("conn_type") or "")),
        port=port_of(fields.get("port")),
        extra=extra_of(fields.get("extra")),
        **values,
    )


def text_of(name: str, value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    raise BadConnection(f"the field {name} must be a text")


def port_of(value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not str(value).isdecimal() or not 0 < int(str(value)) <= PORT_MAX:
        raise BadConnection(f"the port must be a number from 1 to {PORT_MAX}")
    return int(str(value))


def extra_of(value: object) -> dict[str, Any]:
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise BadConnection("extra is not valid JSON") from None
    if not isinstance(value, dict):
        raise BadConnection("extra must be a JSON object")
    return value


def type_of(text: str) -> str:
    """Return a connection type as Airflow stores it."""
    name = {"postgresql": "postgres"}.get(text.lower(), text.lower()).replace("-", "_")
    if TYPE.fullmatch(name) is None:
        raise BadConnection(
            "a connection needs a conn_type of lower-case letters, for instance postgres"
        )
    return name


def from_uri(uri: str, conn_id: str = "") -> Connection:
    """Read Airflow's URI form: ``type://login:password@host:port/schema?extra=value``, percent-encoded."""
    kind, separator, rest = uri.strip().partition("://")
    if not separator:
        raise BadConnection("a connection's URI begins with its type, for instance postgres://")
    protocol, inside, behind = rest.partition("://")
    with_protocol = bool(inside) and re.fullmatch(r"[A-Za-z][\w+.-]*", protocol) is not None
    try:
        parts = urlsplit(f"//{behind if with_protocol else rest}")
        host, port = unquote(host_of(parts.netloc)), parts.port
    except ValueError:
        raise BadConnection("the URI is not valid; percent-encode its parts") from None
    if with_protocol:
        host = f"{protocol}://{host}"
    extra: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    if EXTRA in extra:
        extra = extra_of(extra[EXTRA])
    return Connection(
        conn_id=conn_id,
        conn_type=type_of(kind),
        host=host or None,
        port=port,
        schema=unquote(parts.path[1:]) or None,
        login=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        extra=extra,
    )


def host_of(netloc: str) -> str:
    """Return the host as it is written: ``urlsplit`` makes it lower-case."""
    place = netloc.rpartition("@")[2]
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return place.partition(":")[0]


def uri_of(connection: Connection) -> str:
    kind = connection.conn_type.replace("_", "-")
    login = quote(connection.login or "", safe="")
    password = "" if connection.password is None else f":{quote(connection.password, safe='')}"
    user = f"{login}{password}@" if login or password else ""
    host = connection.host or ""
    protocol, inside, behind = host.partition("://")
    host = f"{protocol}://{user}{quote(behind, safe='')}" if inside else user + quoted_host(host)
    port = "" if connection.port is None else f":{connection.port}"
    schema = f"/{quote(connection.schema, safe='')}" if connection.schema else ""
    query = ""
    if connection.extra:
        plain = all(isinstance(value, str) for value in connection.extra.values())
        shown = connection.extra if plain else {EXTRA: json.dumps(connection.extra)}
        query = f"{'' if schema else '/'}?{urlencode(shown, quote_via=quote)}"
    return f"{kind}://{host}{port}{schema}{query}"


def quoted_host(host: str) -> str:
    return f"[{host}]" if ":" in host else quote(host, safe="")
