"""Logout tokens that are forged, stale, or of another kind."""

from datetime import timedelta
from typing import Any, Final

import pytest

from headway import clock
from headway.identity.id_token import LEEWAY_S, Refused, UnknownKey, key_set
from headway.identity.logout_token import (
    EVENT,
    LIFE_S_MAX,
    TEXT_CHARS_MAX,
    Logout,
    logout_of,
)
from tests.identity.test_id_token import CLIENT, ISSUER, KEYS, NONCE, check, signed

GOOD: Final[dict[str, Any]] = {"events": {EVENT: {}}, "jti": "one", "sid": "s", "nonce": None}


def ends(token: str, keys: Any = KEYS) -> Logout:
    return logout_of(token, keys, algorithm="RS256", issuer=ISSUER, client_id=CLIENT)


def test_a_good_token_tells_what_it_ends() -> None:
    found = ends(signed(header={"typ": "logout+jwt"}, **GOOD))
    assert (found.sid, found.subject) == ("s", "ann")
    assert 290 < (found.until - clock.now()).total_seconds() < 320
    assert ends(signed(**GOOD | {"sub": None})).subject is None
    assert ends(signed(**GOOD | {"sid": None})).sid is None
    assert ends(signed(**GOOD | {"jti": "two"})).fingerprint != found.fingerprint


@pytest.mark.parametrize(
    "more",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"exp": 1e12},
        {"iat": None},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"nonce": NONCE},
        {"events": None},
        {"events": {}},
        {"events": {EVENT: True}},
        {"events": [EVENT]},
        {"sid": None, "sub": None},
        {"sid": 7},
        {"sid": ""},
        {"sid": "s" * (TEXT_CHARS_MAX + 1)},
        {"sid": "a\0b"},
        {"sub": ["ann"]},
    ],
    ids=str,
)
def test_what_is_not_one_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        ends(signed(**GOOD | more))


def test_a_day_and_a_long_name_are_not_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now().replace(microsecond=0)
    monkeypatch.setattr(clock, "now", lambda: now)
    until = int(now.timestamp()) + LIFE_S_MAX
    found = ends(signed(**GOOD | {"exp": until, "sid": "s" * TEXT_CHARS_MAX}))
    assert found.sid == "s" * TEXT_CHARS_MAX
    assert found.until == now + timedelta(seconds=LIFE_S_MAX + LEEWAY_S)
    with pytest.raises(Refused):
        ends(signed(**GOOD | {"exp": until + 1}))


def test_another_kind_of_token_is_refused() -> None:
    for kind in ("at+jwt", "dpop+jwt"):
        with pytest.raises(Refused):
            ends(signed(header={"typ": kind}, **GOOD))
    with pytest.raises(Refused):
        ends(signed())  # an ID token ends nothing
    with pytest.raises(Refused):
        check(signed(**GOOD))  # and a logout token signs nobody in


def test_keys_come_from_the_set_of_the_provider_only() -> None:
    with pytest.raises(UnknownKey):
        ends(signed(header={"kid": "two"}, **GOOD))
    with pytest.raises(Refused):
        ends(signed(**GOOD), key_set({"keys": []}))
