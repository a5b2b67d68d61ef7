"""ID tokens that are forged, stale, or meant for somebody else."""

import base64
import hmac
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from headway import clock
from headway.identity.id_token import LEEWAY_S, Refused, UnknownKey, key_set, verified

ISSUER, CLIENT, NONCE = "https://idp.example", "headway", "n" * 43
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
KEYS = key_set({"keys": [KEY.as_dict(private=False)]})


def claims(**more: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    given = {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": "ann",
        "nonce": NONCE,
        "iat": now,
        "exp": now + 300,
    }
    return {name: value for name, value in (given | more).items() if value is not None}


def signed(key: Any = KEY, algorithm: str = "RS256", header: Any = None, **more: Any) -> str:
    return jwt.encode(
        {"alg": algorithm, "kid": "one"} | (header or {}), claims(**more), key, [algorithm]
    )


def check(token: str, keys: KeySet = KEYS, algorithm: str = "RS256") -> Any:
    given = {"issuer": ISSUER, "client_id": CLIENT, "nonce": NONCE}
    return verified(token, keys, algorithm=algorithm, **given)


def plain(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def test_a_good_token_tells_who_it_is() -> None:
    assert check(signed())["sub"] == "ann"
    assert check(signed(aud=[CLIENT, "other"], azp=CLIENT))["sub"] == "ann"
    assert check(signed(aud=[CLIENT]))["sub"] == "ann"
    assert check(signed(exp=claims()["iat"] - 5))["sub"] == "ann"  # clocks differ a little


@pytest.mark.parametrize(
    "more",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": None},
        {"aud": [CLIENT, "other"]},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"azp": "other"},
        {"nonce": "x" * 43},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": "now"},
    ],
    ids=str,
)
def test_a_token_for_somebody_else_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        check(signed(**more))


@pytest.mark.parametrize(("name", "by_s"), [("exp", -11), ("iat", 11), ("nbf", 11), ("exp", -600)])
def test_clocks_may_differ_by_ten_seconds(name: str, by_s: int) -> None:
    slack_s = -1 if by_s < 0 else 2  # as time goes on meanwhile
    more: dict[str, Any] = {name: int(clock.now().timestamp()) + by_s + slack_s}
    with pytest.raises(Refused):
        check(signed(**more))


def test_a_token_of_the_future_is_good_for_as_much_as_clocks_may_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    second = int(now.timestamp())
    assert check(signed(iat=second + LEEWAY_S))["sub"] == "ann"
    with pytest.raises(Refused):
        check(signed(iat=second + LEEWAY_S + 1))


def test_a_token_of_a_refresh_has_no_nonce() -> None:
    given = {"algorithm": "RS256", "issuer": ISSUER, "client_id": CLIENT}
    assert verified(signed(nonce=None), KEYS, **given, nonce=None)["sub"] == "ann"


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ECKey.generate_key("P-256", {"kid": "one"}), "ES256"),
        (OKPKey.generate_key("Ed25519", {"kid": "one"}), "Ed25519"),
    ],
)
def test_keys_may_be_of_other_kinds(key: Any, algorithm: str) -> None:
    """None of them says what it is for, which means signatures, too."""
    keys = key_set({"keys": [key.as_dict(private=False)]})
    assert check(signed(key, algorithm), keys, algorithm)["sub"] == "ann"
    with pytest.raises(Refused):
        check(signed(), keys, algorithm)


def test_the_algorithm_is_ours_whatever_the_token_says() -> None:
    body = plain(claims())
    unsigned = f"{plain({'alg': 'none', 'kid': 'one'})}.{body}."
    head = f"{plain({'alg': 'HS256', 'kid': 'one'})}.{body}"
    mac = hmac.new(KEY.as_pem(private=False), head.encode(), "sha256").digest()
    by_public_key = f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    other = signed(KEY, "RS512")
    curve = ECKey.generate_key("P-256", {"kid": "one"})
    for token in (unsigned, by_public_key, other, signed(curve, "ES256")):
        with pytest.raises(Refused):
            check(token)


def test_keys_come_from_the_set_of_the_provider_only() -> None:
    evil = RSAKey.generate_key(2048, {"kid": "evil"})
    for header in (
        {"kid": "evil", "jku": "https://evil.example/keys", "alg": "RS256"},
        {"kid": "../../dev/null"},
        {"kid": "evil", "x5u": "https://evil.example/cert"},
    ):
        with pytest.raises(UnknownKey):
            check(signed(evil, header=header))
    with pytest.raises(Refused):
        check(signed(evil))  # says that it is ours


def test_what_is_no_token_is_refused() -> None:
    head, body, signature = signed().split(".")
    changed = f"{head}.{plain(claims(sub='admin'))}.{signature}"
    for text in (
        "",
        "a",
        "a.b.c",
        "..",
        "é.é.é",
        f"{head}.{body}",
        changed,
        f"{head}.{body}.{signature[:-4]}",
    ):
        with pytest.raises(Refused):
            check(text)


def test_keys_that_are_unknown_or_for_something_else_are_left_out() -> None:
    strange = [{"kty": "LWE"}, {"kty": "EC", "crv": "P-999"}, 7, {"kty": "oct", "k": "c2VjcmV0"}]
    encrypting = KEY.as_dict(private=False) | {"use": "enc"}
    found = key_set({"keys": [*strange, encrypting, KEY.as_dict(private=False)]})
    assert [key.kid for key in found.keys] == ["one"]
    odds: list[Any] = [[], {}, {"keys": "x"}, "text"]
    for odd in odds:
        assert not key_set(odd).keys
