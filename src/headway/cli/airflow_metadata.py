"""Airflow's metadata database, which is only read: connections, variables, pools, and who has which role.

The tables and their encryption are those of Airflow 2 and 3 (``airflow.models.connection``, ``variable``, ``pool``),
and users are those of the FAB auth manager (``ab_user``, ``ab_role``).
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from configparser import ConfigParser, Error, InterpolationError
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import psycopg
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import UndefinedTable

from headway import wire
from headway.cli.airflow_exports import Found, Named
from headway.errors import UsageError
from headway.spec.errors import listing

CONNECTIONS: Final = """
    SELECT conn_id, conn_type, description, host, schema, login, port, password, is_encrypted, extra, is_extra_encrypted
    FROM connection ORDER BY conn_id
"""
# One without a value is none to Airflow's tasks, either.
VARIABLES: Final = (
    "SELECT key, val, is_encrypted, description FROM variable WHERE val IS NOT NULL ORDER BY key"
)
POOLS: Final = "SELECT pool, slots FROM slot_pool ORDER BY pool"
USERS: Final = """
    SELECT u.username, u.first_name, u.last_name, r.name FROM ab_user AS u
    JOIN ab_user_role AS b ON b.user_id = u.id JOIN ab_role AS r ON r.id = b.role_id
    WHERE u.active ORDER BY u.username, r.name
"""
URL: Final = ("database", "sql_alchemy_conn")
KEY: Final = ("core", "fernet_key")
SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
POSTGRES: Final = ("postgresql", "postgres")
VARIABLE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)
EXPORT: Final = (
    "export them instead: airflow connections export FILE, variables export, pools export"
)

Rows = list[tuple[Any, ...]]
Ask = Callable[..., Rows]  # a query, in which %s stands for each value that follows


class Source(NamedTuple):
    """``keys``: of Fernet, the newest first, by which Airflow encrypts."""

    url: str
    keys: tuple[str, ...]
    where: str


class Metadata(msgspec.Struct, frozen=True):
    """``members``: by user name, their full name and their roles in Airflow."""

    connections: Named
    variables: Named
    pools: Named
    members: dict[str, tuple[str, list[str]]]

    def roles(self) -> dict[str, int]:
        """Return how many users have each role."""
        found: dict[str, int] = {}
        for _, roles in self.members.values():
            for role in roles:
                found[role] = found.get(role, 0) + 1
        return found

    def taken_over(self, roles: Mapping[str, str]) -> Found:
        """Return all of it. ``roles``: what a role of Airflow is in the team; who has none of these is left out.

        Of several, the one counts that is named first. Raises UsageError for a role that nobody has.
        """
        if unknown := [role for role in roles if role not in self.roles()]:
            known = f"they have: {listing(self.roles())}" if self.members else "there are no users"
            raise UsageError(f"nobody has the role {unknown[0]!r} in Airflow", hint=known)
        users = []
        for name, (full, held) in self.members.items():
            role = next((ours for theirs, ours in roles.items() if theirs in held), None)
            if role is not None:
                users.append(user(name, full, role))
        return Found(self.connections, self.variables, self.pools, users)


def user(name: str, full: str, role: str) -> wire.UserRequest:
    given = {"name": name.lower(), "role": role, "display_name": full or None}
    try:
        return msgspec.convert(given, wire.UserRequest)
    except msgspec.ValidationError as error:
        hint = "give them another one in Airflow, or create them: headway user create NAME"
        raise UsageError(
            f"the user {name!r} cannot have this name or role: {error}", hint=hint
        ) from None


def source_of(file: Path, environment: Mapping[str, str]) -> Source:
    """Return where the database is, by ``airflow.cfg`` and the variables that go before it. Raises UsageError."""
    parser = ConfigParser()
    try:
        parser.read_string(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"cannot read {file}: {error}", hint="name Airflow's airflow.cfg"
        ) from None
    except Error:
        raise UsageError("the file is not an airflow.cfg", where=str(file)) from None

    def said(section: str, key: str) -> str:
        named = environment.get(f"AIRFLOW__{section.upper()}__{key.upper()}")
        return expanded(named or written(parser, section, key), environment)

    url = said(*URL) or said("core", "sql_alchemy_conn")  # where it was before Airflow 2.3
    if not url:
        raise UsageError(
            "it does not say where the metadata database is",
            where=str(file),
            hint="set sql_alchemy_conn in [database], or AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        )
    keys = (each.strip() for each in said(*KEY).split(","))
    return Source(url, tuple(filter(None, keys)), str(file))


def written(parser: ConfigParser, section: str, key: str) -> str:
    """Return what the file says. As in Airflow, ``%%`` stands for ``%`` there; one that stands alone is itself."""
    try:
        return parser.get(section, key, fallback="")
    except InterpolationError:
        return parser.get(section, key, raw=True)


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """Return a value with what ``$NAME`` and ``${NAME}`` stand for, as in Airflow. One that is not set stays."""
    return VARIABLE.sub(lambda found: environment.get(found[1] or found[2], found[0]), text)


def read(source: Source) -> Metadata:
    """Raises UsageError: the database cannot be read, or the key is another one."""
    decrypt = Decrypt(source)
    with opened(source) as ask:
        connections = {
            conn_id: connection(conn_id, rest, decrypt) for conn_id, *rest in ask(CONNECTIONS)
        }
        variables = {
            key: {
                "value": decrypt(value, encrypted, f"the variable {key!r}"),
                "description": description,
            }
            for key, value, encrypted, description in ask(VARIABLES)
        }
        pools = {name: {"slots": slots} for name, slots in ask(POOLS)}
        members = dict(grouped(ask(USERS)))
    place = f"the metadata database of {source.where}"
    return Metadata(
        Named(connections, place), Named(variables, place), Named(pools, place), members
    )


def connection(conn_id: str, row: Sequence[Any], decrypt: "Decrypt") -> dict[str, Any]:
    conn_type, description, host, schema, login, port, password, is_secret, extra, extra_secret = (
        row
    )
    what = f"the connection {conn_id!r}"
    return {
        "conn_type": conn_type,
        "description": description,
        "host": host,
        "schema": schema,
        "login": login,
        "port": port,
        "password": decrypt(password, is_secret, what),
        "extra": decrypt(extra, extra_secret, what),
    }


class Decrypt:
    """Opens what Airflow has encrypted."""

    def __init__(self, source: Source) -> None:
        self.where = source.where
        try:
            self.keys = [Fernet(key) for key in source.keys]
        except ValueError:
            raise UsageError("the fernet_key of [core] is not valid", where=source.where) from None

    def __call__(self, value: object, is_encrypted: bool | None, what: str) -> str | None:
        if value is not None and not isinstance(value, str):
            raise UsageError(f"{what} is not a text", where=self.where)
        if not value or not is_encrypted:
            return value
        hint = "give the fernet_key of the Airflow that uses this database, in airflow.cfg or AIRFLOW__CORE__FERNET_KEY"
        if not self.keys:
            raise UsageError(
                f"{what} is encrypted and there is no key", where=self.where, hint=hint
            )
        try:
            return MultiFernet(self.keys).decrypt(value.encode()).decode()
        except InvalidToken:
            raise UsageError(
                f"{what} was encrypted with another key", where=self.where, hint=hint
            ) from None
        except UnicodeDecodeError:
            raise UsageError(f"{what} is not a text", where=self.where) from None


def grouped(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, tuple[str, list[str]]]]:
    found: dict[str, tuple[str, list[str]]] = {}
    for name, first, last, role in rows:
        full = " ".join(filter(None, (first, last)))
        found.setdefault(name, (full, []))[1].append(role)
    yield from found.items()


@contextmanager
def opened(source: Source) -> Iterator[Ask]:
    """Give what asks the database, read-only. What it has no table for, such as users, has no rows."""
    dialect, _, rest = source.url.partition("://")
    if not rest:
        raise bad_address(source)
    kind = dialect.partition("+")[0]
    if kind == "sqlite":
        with closing(sqlite(rest, source.where)) as database:
            yield partial(rows_of_sqlite, database)
        return
    if kind not in POSTGRES:
        raise UsageError(
            f"it is a database of {kind}, which is not read", where=source.where, hint=EXPORT
        )
    try:
        with psycopg.connect(
            checked(f"postgresql://{rest}", source),
            autocommit=True,
            connect_timeout=10,
            options="-c default_transaction_read_only=on",
        ) as connected:
            yield partial(rows_of_postgres, connected)
    except psycopg.Error as error:
        told = str(error).partition("\n")[0]
        raise UsageError(
            f"the metadata database cannot be read: {told}", where=source.where
        ) from None


def checked(url: str, source: Source) -> str:
    """Return the address of a PostgreSQL. Raises UsageError, which repeats no part that could be the password."""
    try:
        found = conninfo_to_dict(url)
    except psycopg.Error:
        raise bad_address(source) from None
    places = (str(found.get(word, "")) for word in ("host", "hostaddr", "port", "dbname"))
    if any("@" in place for place in places) or found.get("sslmode", "prefer") not in SSL_MODES:
        raise bad_address(source)
    return url


def bad_address(source: Source) -> UsageError:
    return UsageError(
        "sql_alchemy_conn: its address is not valid",
        where=source.where,
        hint="write it as postgresql://NAME:PASSWORD@HOST/DATABASE; in a name or password %, @, / and : are %25, %40, "
        "%2F and %3A",
    )


def sqlite(place: str, where: str) -> sqlite3.Connection:
    """``place``: what follows the two slashes, such as ``//root/airflow/airflow.db``."""
    file = Path(place.removeprefix("/").partition("?")[0])
    try:
        database = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise UsageError(f"cannot open {file}: {error}", where=where) from None
    database.text_factory = bytes.decode  # its own error repeats the text
    return database


def rows_of_sqlite(database: sqlite3.Connection, query: str, *values: object) -> Rows:
    try:
        return database.execute(query.replace("%s", "?"), values).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) and "ab_" in str(error):
            return []
        raise UsageError(f"it is not a metadata database of Airflow: {error}") from None
    except UnicodeDecodeError:
        raise UsageError(
            "the metadata database cannot be read: a text in it is not UTF-8"
        ) from None
    except sqlite3.DatabaseError as error:
        raise UsageError(f"the metadata database cannot be read: {error}") from None


def rows_of_postgres(connected: psycopg.Connection[Any], query: str, *values: object) -> Rows:
    try:
        return connected.execute(query.encode(), values or None).fetchall()
    except UndefinedTable as error:
        if "ab_" in str(error):
            return []
        raise UsageError("it is not a metadata database of Airflow: a table is missing") from None
