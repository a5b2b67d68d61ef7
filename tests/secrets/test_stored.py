"""Connections and variables in Headway's own store: what is hidden, what stays, and what is never shown again."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from msgspec import UNSET

from headway import wire
from headway.core.connections import MASK
from headway.errors import Conflict, HeadwayError, NotFound, UsageError
from headway.secrets import stored
from headway.secrets.envelope import open_envelope, place_of
from headway.secrets.keys import LocalKeys
from headway.secrets.stored import EXTRA_BYTES_MAX
from headway.store import connections, envelopes, variables
from tests.secrets.test_keys import CODE, OTHER_CODE

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
KEYS: Final = LocalKeys(None, f"a {CODE}")
CONN: Final[Any] = object()
URI: Final = "postgres://me:pw@db:5432/sales?sslmode=require&api_key=k"
STAYS: Final = {"api_key": MASK, "auth_url": MASK, "sslmode": "require"}


class Rows:
    """The tables of a database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connections: dict[tuple[int, str], Any] = {}
        self.variables: dict[tuple[int, str], Any] = {}
        self.by: list[Any] = []
        monkeypatch.setattr(stored, "clock", lambda _: NOW)
        for table, rows, name in (
            (connections, self.connections, "conn_id"),
            (variables, self.variables, "key"),
        ):
            self.serve(monkeypatch, table, rows, name)

    def serve(self, monkeypatch: pytest.MonkeyPatch, table: Any, rows: Any, name: str) -> None:
        def put(_: Any, team_id: int, row: Any, actor: str, now: datetime) -> None:
            self.by.append((team_id, actor, now))
            rows[team_id, getattr(row, name)] = replace(row, changed_at=now, changed_by=actor)

        monkeypatch.setattr(table, "put", put)
        for verb in ("find", "lock"):
            monkeypatch.setattr(table, verb, lambda _, team_id, key: rows.get((team_id, key)))
        monkeypatch.setattr(
            table,
            "every",
            lambda _, team_id: [row for (team, _), row in rows.items() if team == team_id],
        )
        monkeypatch.setattr(table, "delete", lambda _, team_id, key: rows.pop((team_id, key)))


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Rows:
    return Rows(monkeypatch)


def put(conn_id: str = "w", team_id: int = 1, **wanted: Any) -> wire.Connection:
    request = wire.ConnectionRequest(**wanted)
    return stored.set_connection(CONN, KEYS, team_id, conn_id, request, "user:ann")


def secret(rows: Rows, conn_id: str = "w") -> dict[str, Any]:
    row = rows.connections[1, conn_id]
    return open_envelope(KEYS, place_of(1, "connection", conn_id), row.envelope)


# -- connections


def test_what_is_secret_is_in_the_envelope_only(rows: Rows) -> None:
    made = put(uri=URI, description="d", dags=["a"])
    assert (made.has_password, made.extra) == (True, {"sslmode": "require", "api_key": MASK})
    assert (made.conn_type, made.host, made.port, made.schema, made.login) == (
        "postgres",
        "db",
        5432,
        "sales",
        "me",
    )
    assert (made.description, made.dags) == ("d", ["a"])
    assert (made.changed_at, made.changed_by) == (NOW, "user:ann")
    assert rows.by == [(1, "user:ann", NOW)]
    row = rows.connections[1, "w"]
    assert (row.hidden, row.extra) == (["password", "extra.api_key"], {"sslmode": "require"})
    assert secret(rows) == {"password": "pw", "extra": {"api_key": "k"}}
    opened = stored.open_connection(KEYS, 1, row)
    assert (opened.conn_id, opened.password, opened.extra) == (
        "w",
        "pw",
        {"sslmode": "require", "api_key": "k"},
    )
    with pytest.raises(HeadwayError, match="cannot decrypt"):
        stored.open_connection(KEYS, 2, row)


def test_a_password_stays_where_a_change_does_not_name_it(rows: Rows) -> None:
    put(uri=URI)
    same: dict[str, Any] = {"conn_type": "postgres", "host": "db", "port": 5432, "schema": "sales"}
    made = put(**same, login="you", extra={"api_key": MASK, "sslmode": "require"})
    assert (made.login, made.has_password, made.extra) == (
        "you",
        True,
        {"api_key": MASK, "sslmode": "require"},
    )
    assert secret(rows) == {"password": "pw", "extra": {"api_key": "k"}}
    for gone in (None, ""):
        put(uri=URI)
        assert put(conn_type="postgres", password=gone).has_password is False
        assert secret(rows) == {"password": None, "extra": {}}
    assert put(conn_type="postgres", password="new").has_password
    assert secret(rows)["password"] == "new"
    put(uri="postgres://me@db")
    assert secret(rows)["password"] is None, "a URI says all"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"host": "attacker"}, "host"),
        ({"host": None}, "host"),
        ({"port": 1}, "port"),
        ({"conn_type": "http"}, "conn_type"),
        ({"extra": {**STAYS, "sslmode": "disable"}}, "extra sslmode"),
        ({"extra": {"api_key": MASK, "auth_url": MASK}}, "extra sslmode"),
        ({"extra": {**STAYS, "proxy": "p"}}, "extra proxy"),
        ({"host": "attacker", "password": "guess"}, "host"),
        # The hook for HTTP writes the schema before the host.
        ({"schema": "https://attacker/?"}, "schema"),
        # Hidden, for their names or because they are objects.
        ({"extra": {**STAYS, "token_url": "https://attacker"}}, "extra token_url"),
        ({"extra": {**STAYS, "proxies": {"https": "http://attacker"}}}, "extra proxies"),
        ({"extra": {**STAYS, "auth_url": "https://attacker"}}, "extra auth_url"),
        ({"extra": {"api_key": MASK, "sslmode": "require"}}, "extra auth_url"),
    ],
)
def test_a_secret_that_stays_is_sent_nowhere_else(
    rows: Rows, change: dict[str, Any], told: str
) -> None:
    put(uri=f"{URI}&auth_url=a")
    same: dict[str, Any] = {
        "conn_type": "postgres",
        "host": "db",
        "port": 5432,
        "schema": "sales",
        "extra": STAYS,
    }
    with pytest.raises(UsageError, match=f"to another place: {told} changed") as caught:
        put(**{**same, **change})
    assert ("password" in str(caught.value.hint)) is ("password" not in change)
    assert "extra api_key" in str(caught.value.hint)
    assert rows.connections[1, "w"].host == "db"
    again: dict[str, Any] = {"password": "pw", "extra": {"api_key": "k", "auth_url": "a"}}
    assert put(**{**same, **again, "host": "db2"}).host == "db2"


def test_another_secret_that_is_no_address_is_no_other_place(rows: Rows) -> None:
    put(uri=URI)
    same: dict[str, Any] = {"conn_type": "postgres", "host": "db", "port": 5432, "schema": "sales"}
    put(**same, extra={"sslmode": "require", "api_key": "new", "token": "a:b/c.d@1=="})
    known = {"api_key": "new", "token": "a:b/c.d@1=="}
    assert secret(rows) == {"password": "pw", "extra": known}


def test_a_mask_stands_for_what_is_stored_under_its_own_name(rows: Rows) -> None:
    put(uri=URI)
    for name, conn_id in (("token", "w"), ("api_key", "other")):
        with pytest.raises(UsageError, match=f"the value of the extra '{name}' is") as caught:
            put(conn_id, conn_type="x", extra={name: MASK})
        assert caught.value.hint == "give its value"
    with pytest.raises(UsageError):
        put(team_id=2, conn_type="x", extra={"api_key": MASK})
    assert "other" not in {key for _, key in rows.connections}


def test_an_empty_field_is_none(rows: Rows) -> None:
    made = put(conn_type="http", host="", schema="", login="")
    assert (made.host, made.schema, made.login, made.has_password) == (None, None, None, False)
    assert rows.connections[1, "w"].hidden == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"uri": "hunter2"},
        {"uri": "postgres://u:hunter2@[::1"},
        {"conn_type": "a b", "password": "hunter2"},
        {"conn_type": "x", "port": 70_000},
    ],
)
def test_bad_input_is_told_without_its_values(rows: Rows, wanted: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="the connection 'w' is not valid") as caught:
        put(**wanted)
    assert "hunter2" not in str(caught.value)
    assert rows.connections == {}


def test_extras_have_a_length(rows: Rows) -> None:
    room = EXTRA_BYTES_MAX - len('{"x":""}')
    put(conn_type="x", extra={"x": "y" * room})
    with pytest.raises(UsageError, match="longer than 256,000 bytes"):
        put(conn_type="x", extra={"x": "y" * (room + 1)})


@pytest.mark.parametrize("name", ["", "a b", "../x", ".x", "-x", "x" * 201, "a/b", "a\n"])
def test_names_are_never_paths(rows: Rows, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a connection"):
        put(name, conn_type="x")
    with pytest.raises(UsageError, match="cannot be the name of a variable"):
        var(name, value="x")


def test_a_restriction_names_dags(rows: Rows) -> None:
    for call in (lambda: put(conn_type="x", dags=[]), lambda: var(value="x", dags=[])):
        with pytest.raises(UsageError, match="the list of DAGs is empty"):
            call()
    assert put(conn_type="x", dags=None).dags is None


def test_connections_are_listed_and_deleted_by_team(rows: Rows) -> None:
    put("a", conn_type="x")
    put("b", conn_type="x", team_id=2)
    assert [each.conn_id for each in stored.list_connections(CONN, 1)] == ["a"]
    for call in (stored.show_connection, stored.delete_connection):
        with pytest.raises(NotFound, match="there is no connection 'b'"):
            call(CONN, 1, "b")
    with pytest.raises(NotFound) as near:
        stored.show_connection(CONN, 1, "aa")
    assert near.value.hint == 'did you mean "a"?' or "headway conn ls" in str(near.value.hint)
    with pytest.raises(NotFound) as far:
        stored.show_connection(CONN, 1, "something")
    assert far.value.hint == "to list them: headway conn ls"
    stored.delete_connection(CONN, 1, "a")
    assert list(rows.connections) == [(2, "b")]


# -- variables


def var(key: str = "v", team_id: int = 1, **wanted: Any) -> wire.Variable:
    request = wire.VariableRequest(**wanted)
    return stored.set_variable(CONN, KEYS, team_id, key, request, "user:ann")


def value(rows: Rows, key: str = "v") -> str:
    return stored.open_variable(KEYS, 1, rows.variables[1, key])


def test_a_variable_is_shown_unless_it_is_secret(rows: Rows) -> None:
    made = var(value="text", description="d", dags=["a"])
    assert (made.value, made.is_secret, made.description, made.dags) == ("text", False, "d", ["a"])
    assert (made.changed_at, made.changed_by, rows.by) == (NOW, "user:ann", [(1, "user:ann", NOW)])
    assert rows.variables[1, "v"].envelope is None
    for key, more in (
        ("v", {"is_secret": True}),
        ("smtp_password", {}),
        ("url", {"value": "x://u:p@h"}),
    ):
        given: dict[str, Any] = {"value": "text", **more}
        made = var(key, **given)
        assert (made.value, made.is_secret) == (None, True)
        assert rows.variables[1, key].value is None
        assert value(rows, key) == more.get("value", "text")
    assert var("smtp_password", value="text", is_secret=False).value == "text"


def test_a_secret_stays_secret_until_somebody_says_otherwise(rows: Rows) -> None:
    var(value="text", is_secret=True)
    assert var(value="new").is_secret
    assert value(rows) == "new"
    assert var(description="d").is_secret
    assert value(rows) == "new"
    with pytest.raises(Conflict, match="its stored value cannot be made visible"):
        var(is_secret=False)
    assert var(value="plain", is_secret=False).value == "plain"
    assert var(is_secret=False, description="e").value == "plain"
    assert var(is_secret=True).is_secret
    assert value(rows) == "plain"


def test_a_new_variable_needs_a_value(rows: Rows) -> None:
    with pytest.raises(UsageError, match="the variable 'v' needs a value"):
        var()
    assert var(value="").value == ""
    assert value(rows) == ""
    assert wire.VariableRequest().value is UNSET


def test_variables_are_listed_and_deleted_by_team(rows: Rows) -> None:
    var("a", value="x")
    var("b", value="x", team_id=2)
    assert [each.key for each in stored.list_variables(CONN, 1)] == ["a"]
    for call in (stored.show_variable, stored.delete_variable):
        with pytest.raises(NotFound, match="there is no variable 'b'"):
            call(CONN, 1, "b")
    with pytest.raises(NotFound) as far:
        stored.show_variable(CONN, 1, "something")
    assert far.value.hint == "to list them: headway var ls"
    stored.delete_variable(CONN, 1, "a")
    assert list(rows.variables) == [(2, "b")]


# -- both


def test_envelopes_of_all_kinds_are_wrapped_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from headway.secrets.envelope import close

    both = LocalKeys(None, f"b {OTHER_CODE}\na {CODE}")
    kinds = ("connection", "variable", "webhook", "outbound_webhook")
    old = {kind: close(KEYS, place_of(1, kind, "n"), {"x": kind}) for kind in kinds}
    kept: dict[str, Any] = {}

    def of_other_keys(_: Any, team_id: int, kind: str, current: str) -> Any:
        assert (team_id, current) == (1, "b")
        return [] if kind in kept else [("n", old[kind])]

    def replace_key(_: Any, team_id: int, kind: str, name: str, new: Any) -> None:
        assert (team_id, name) == (1, "n")
        kept[kind] = new

    monkeypatch.setattr(envelopes, "of_other_keys", of_other_keys)
    monkeypatch.setattr(envelopes, "replace_key", replace_key)
    assert stored.rewrap(CONN, both, 1) == 4
    assert stored.rewrap(CONN, both, 1) == 0
    for kind in kinds:
        assert kept[kind].key_id == "b"
        assert open_envelope(both, place_of(1, kind, "n"), kept[kind]) == {"x": kind}
