"""What the audit keeps of a request: who, what and where, and nothing secret."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import pytest

from headway.api.principal import SESSION, Guest, Principal
from headway.api.record import BODY_BYTES_MAX, entry, masked, told
from headway.store.audit import Entry

NAMES = ("password", "passwd", "passphrase", "client_secret", "Token", "credentials", "API_KEY")


@pytest.mark.parametrize("name", [*NAMES, "apikey", "current"])
def test_a_value_is_hidden_by_its_name_wherever_it_is(name: str) -> None:
    deep: dict[str, Any] = {"a": [{"b": {name: "hunter2"}}], name: {"value": "hunter2"}}
    assert masked(deep) == {"a": [{"b": {name: "***"}}], name: "***"}


def test_what_is_no_secret_stays() -> None:
    plain = {"name": "x", "currently": 1, "keys": [1, None, True], "password": None}
    assert masked(plain) == plain
    assert masked("password") == "password"


def test_a_body_is_told_while_it_is_small() -> None:
    assert told(b'{"slots": 3, "token": "hunter2"}') == {"slots": 3, "token": "***"}
    assert told(b"") is None
    assert told(b"{hunter2") is None
    whole = msgspec.json.encode("x" * (BODY_BYTES_MAX - 2))
    assert told(whole) == "x" * (BODY_BYTES_MAX - 2)
    assert told(whole + b" ") == {"bytes": BODY_BYTES_MAX + 1}


WHO: Final = Principal(
    name="ann", person_id=1, home_team_id=7, team_id=7, team="sales", role="viewer",
    verbs=frozenset(), via=SESSION,
)  # fmt: skip


def pools_set() -> None:
    """Stand for the function of a route."""


def written(who: Principal = WHO, body: bytes = b"", secret: bool = False, **more: Any) -> Entry:
    async def whole() -> bytes:
        return body

    handler = SimpleNamespace(fn=pools_set, opt={"secret": True} if secret else {})
    given: dict[str, Any] = {"query_params": {}, "path_params": {}, "client": None} | more
    request: Any = SimpleNamespace(route_handler=handler, body=whole, **given)
    return asyncio.run(entry(request, who))


def test_an_entry_says_who_did_what_to_what_from_where() -> None:
    found = written(
        body=b'{"slots": 3}',
        query_params={"api_key": "hunter2", "n": "1"},
        path_params={"pool": "etl", "n": 2},
        client=SimpleNamespace(host="10.0.0.1"),
    )
    assert (found.actor, found.via, found.address) == ("user:ann", "session", "10.0.0.1")
    assert (found.action, found.subject) == ("test_record.pools_set", "etl/2")
    assert found.detail == {"query": {"api_key": "***", "n": "1"}, "body": {"slots": 3}}


def test_what_is_not_there_is_not_told() -> None:
    bare = written()
    assert (bare.address, bare.subject, bare.detail) == ("", "", {})


def test_of_a_body_of_secrets_only_the_names_of_its_fields_are_told() -> None:
    found = written(body=b'{"value": "hunter2", "login": "ann"}', secret=True)
    assert found.detail == {"body": {"fields": ["login", "value"]}}
    assert written(body=b"[1]", secret=True).detail == {"body": [1]}


def test_a_guest_is_told_with_both_teams() -> None:
    found = written(replace(WHO, team="ops", guest=Guest(8, "sales", {})))
    assert found.detail == {"guest": {"of": "sales", "team": "ops"}}
