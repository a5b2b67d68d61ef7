"""The forms of connections, as Airflow reads and writes them, and what is secret in them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.core import connections as core
from headway.core.connections import BadConnection, Connection, parse

TEXTS = st.text(min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("uri", "fields"),
    [
        (
            "postgres://me:p%40ss%2Fw@db.example:5432/ware?sslmode=require",
            ("postgres", "db.example", 5432, "ware", "me", "p@ss/w", {"sslmode": "require"}),
        ),
        ("postgresql://h", ("postgres", "h", None, None, None, None, {})),
        (
            "aws://AK:S%2FK@/?region_name=eu-west-1",
            ("aws", None, None, None, "AK", "S/K", {"region_name": "eu-west-1"}),
        ),
        (
            "google-cloud-platform://?__extra__=%7B%22n%22%3A%201%7D",
            ("google_cloud_platform", None, None, None, None, None, {"n": 1}),
        ),
        ("http://https://Host.com:443/x", ("http", "https://Host.com", 443, "x", None, None, {})),
        ("mysql://u@[::1]:3306/", ("mysql", "::1", 3306, None, "u", None, {})),
    ],
)
def test_a_uri_is_read_as_airflow_reads_it(uri: str, fields: tuple[Any, ...]) -> None:
    c = parse(uri)
    assert (c.conn_type, c.host, c.port, c.schema, c.login, c.password, c.extra) == fields
    assert parse(c.uri) == c


@given(TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3), TEXTS)
def test_a_uri_carries_any_text(
    login: str, password: str, extra: dict[str, str], schema: str
) -> None:
    made = Connection(
        conn_type="x", host="h", port=1, login=login, password=password, schema=schema, extra=extra
    )
    assert parse(made.uri) == made


@pytest.mark.parametrize(
    ("made", "uri"),
    [
        (Connection(conn_type="x"), "x://"),
        (Connection(conn_type="google_cloud_platform", host="h"), "google-cloud-platform://h"),
        (Connection(conn_type="x", host="h", login="a/x"), "x://a%2Fx@h"),
        (Connection(conn_type="x", host="h", password="p"), "x://:p@h"),
        (Connection(conn_type="x", host="h", password=""), "x://:@h"),
        (Connection(conn_type="x", host="::1", port=1), "x://[::1]:1"),
        (Connection(conn_type="x", host="https://h/p"), "x://https://h%2Fp"),
        (Connection(conn_type="x", schema="a/b"), "x:///a%2Fb"),
        (Connection(conn_type="x", schema="s", extra={"a": "b c"}), "x:///s?a=b%20c"),
        (
            Connection(conn_type="x", extra={"a": "b", "n": 1}),
            "x:///?__extra__=%7B%22a%22%3A%20%22b%22%2C%20%22n%22%3A%201%7D",
        ),
    ],
)
def test_a_uri_is_written_as_airflow_writes_it(made: Connection, uri: str) -> None:
    assert made.uri == uri


def test_an_extra_may_be_empty() -> None:
    assert parse("x://h?a=").extra == {"a": ""}


def test_json_is_read_as_airflow_reads_it() -> None:
    text = json.dumps(
        {"conn_type": "http", "host": "h", "port": "80", "extra": '{"a": [1]}', "description": "d"}
    )
    assert parse(text, "x") == Connection(
        conn_id="x", conn_type="http", host="h", port=80, extra={"a": [1]}
    )


def test_json_has_the_fields_that_airflow_exports() -> None:
    fields: dict[str, Any] = {
        "conn_id": "mine",
        "conn_type": "x",
        "description": "hunter2",
        "host": "h",
        "login": "",
        "password": None,
        "schema": "s",
        "port": "",
        "is_encrypted": False,
        "is_extra_encrypted": True,
        "extra": "",
    }
    made = Connection(conn_id="mine", conn_type="x", host="h", schema="s")
    assert core.from_fields(fields) == made
    assert core.from_fields(fields, "given").conn_id == "given"
    assert core.from_fields({"conn_type": "x", "extra": None, "port": None}).conn_id == ""
    of_uri = core.from_fields({"uri": "postgres://u:p@h", "conn_type": "ignored"}, "x")
    assert (of_uri.conn_id, of_uri.conn_type, of_uri.password) == ("x", "postgres", "p")


@pytest.mark.parametrize(("port", "read"), [("1", 1), (65_535, 65_535), ("80", 80)])
def test_a_port_is_a_number(port: object, read: int) -> None:
    assert core.from_fields({"conn_type": "x", "port": port}).port == read


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (["hunter2"], "the JSON text is not an object"),
        ({"hunter": 1}, "a connection has no field 'hunter'; its fields: conn_type, host"),
        ({"x" * 99: 1}, f"no field '{'x' * 40}';"),
        ({"conn_type": "x", "port": 0}, "the port must be a number from 1 to 65535"),
        ({"conn_type": "x", "port": 65_536}, "the port must be a number"),
        ({"conn_type": "x", "port": True}, "the port must be a number"),
        ({"conn_type": "x", "extra": "hunter2"}, "extra is not valid JSON"),
        ({"conn_type": "x", "extra": [1]}, "extra must be a JSON object"),
        ({"conn_type": "x", "host": 1}, "the field host must be a text"),
        ({"conn_type": "A b"}, "needs a conn_type of lower-case letters"),
        ({}, "needs a conn_type of lower-case letters"),
    ],
)
def test_a_mistake_in_json_is_named(fields: object, why: str) -> None:
    with pytest.raises(BadConnection) as caught:
        core.from_json(json.dumps(fields))
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *("hunter2", "", "://hunter2", "{", '{"password": "hunter2"}', '{"hunter": 1}', "[1]"),
        *('{"conn_type": "x", "port": "hunter2"}', '{"conn_type": "x", "extra": "hunter2"}'),
        *("postgres://h:99999/", "postgres://u:hunter2@[::1", '{"conn_type": "x", "login": 1}'),
    ],
)
def test_what_is_no_connection_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadConnection) as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        *[(name, "x", True) for name in ("password", "aws_secret_access_key", "sas_token")],
        *[(name, "x", True) for name in ("api_key", "connection_string", "keyfile_dict", "key")],
        *[(name, "x", False) for name in ("region_name", "sslmode", "monkey", "keyspace", "role")],
        ("anything", {"nested": "x"}, True),
        ("proxy", "http://u:p@proxy", True),
        ("password", True, False),
        ("pin_token", 1234, True),
        ("timeout", 30, False),
    ],
)
def test_what_is_secret(name: str, value: object, secret: bool) -> None:
    assert core.is_sensitive(name, value) is secret


def test_an_address_of_many_colons_is_read_in_one_pass() -> None:
    """Each as the start of the user's name takes hours."""
    assert not core.is_sensitive("note", "://" + ":" * 2_000_000)
    assert core.is_sensitive("note", "://" + ":" * 2_000_000 + "@")


def test_secrets_are_found_inside_of_json() -> None:
    inner = json.dumps({"private_key": "line one\nline two"})
    made = Connection(password="p", extra={"keyfile_dict": inner, "region": "eu"})
    assert set(core.secrets_of(made)) == {"p", inner, "line one\nline two"}
    assert "line one" not in repr(made) + str(made)


def test_secrets_are_found_in_each_part_of_an_extra() -> None:
    nested = {"keys": ["a1", {"pin": 1234, "on": True, "none": None}], "of": ("b2", '["c3"]')}
    found = core.secrets_of(Connection(extra={"auth": nested, "region": "eu"}))
    assert sorted(found) == ["1234", '["c3"]', "a1", "b2", "c3"]
    assert core.secrets_of(Connection(extra={"secret_key": "plain", "n": 1})) == ["plain"]
    assert core.secrets_of(Connection(password="", extra={"password": "{not json"})) == [
        "{not json"
    ]


@pytest.mark.parametrize("name", ["../b/key", "a%2f..%2fb", "a/b", "", ".x", "a b", "é", "x" * 201])
def test_a_name_is_never_a_path(name: str) -> None:
    assert not core.is_name(name)
