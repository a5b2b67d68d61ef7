"""Signatures of webhooks, and values at paths of a body."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headway.core.webhooks import (
    MISSING,
    WINDOW,
    Proof,
    Refused,
    at_path,
    picked,
    sign,
    verify,
    word_at,
)

NOW = datetime(2026, 1, 31, 5, 0, tzinfo=UTC)
BODY = b'{"rows": 7}'
SECRET = "hws_a"


def own(secret: str = SECRET, at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    return {"x-headway-signature": sign(secret, at, body)}


def github(secret: str = SECRET, body: bytes = BODY) -> dict[str, str]:
    found = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={found}"}


def test_a_signature_is_that_of_the_documents() -> None:
    signed = hmac.new(b"hws_a", b'1769835600.{"rows": 7}', hashlib.sha256).hexdigest()
    assert sign(SECRET, NOW, BODY) == f"t=1769835600,v1={signed}"


@pytest.mark.parametrize("headers", [own(), github(), {**own(), "x-headway-delivery": "d1"}])
def test_what_was_signed_is_proven(headers: dict[str, str]) -> None:
    found = verify([SECRET], headers, BODY, NOW)
    assert isinstance(found, Proof)
    assert found.delivery == headers.get("x-headway-delivery")
    assert found.is_timed == ("x-headway-signature" in headers)
    assert verify(["hws_b", SECRET], headers, BODY, NOW) == found


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        ({}, BODY, Refused.UNSIGNED),
        ({"x-headway-signature": "t=,v1="}, BODY, Refused.UNSIGNED),
        ({"x-headway-signature": "v1=ab"}, BODY, Refused.UNSIGNED),
        ({"x-headway-signature": "t=1769835600"}, BODY, Refused.UNSIGNED),
        ({"x-headway-signature": "t=9999999999999,v1=ab"}, BODY, Refused.UNSIGNED),
        ({"x-headway-signature": "t=999999999999,v1=ab"}, BODY, Refused.WRONG),
        ({"x-headway-signature": "t=1769835600,v1=\udcff"}, BODY, Refused.WRONG),
        ({"x-headway-signature": "t=9999999999999999,v1=ab"}, BODY, Refused.UNSIGNED),
        ({"x-headway-signature": "t=²,v1=ab"}, BODY, Refused.UNSIGNED),
        ({"x-hub-signature-256": "sha1=ab"}, BODY, Refused.UNSIGNED),
        (own("hws_b"), BODY, Refused.WRONG),
        (github("hws_b"), BODY, Refused.WRONG),
        (own(), b'{"rows": 8}', Refused.WRONG),
        (github(), b'{"rows": 8}', Refused.WRONG),
        ({"x-headway-signature": "t=1769835600,v1=ä"}, BODY, Refused.WRONG),
        (own(at=NOW - WINDOW - timedelta(seconds=1)), BODY, Refused.LATE),
        (own(at=NOW + WINDOW + timedelta(seconds=1)), BODY, Refused.LATE),
        # A signature of another shape does not help one that is wrong.
        ({**own("hws_b"), **github()}, BODY, Refused.WRONG),
    ],
)
def test_what_was_not_signed_is_refused(headers: dict[str, str], body: bytes, why: Refused) -> None:
    assert verify([SECRET], headers, body, NOW) is why


def test_the_window_is_closed_at_both_ends_only() -> None:
    for at in (NOW - WINDOW, NOW, NOW + WINDOW):
        assert isinstance(verify([SECRET], own(at=at), BODY, NOW), Proof)


def test_the_same_time_and_body_have_the_same_digest_and_others_another() -> None:
    def digest(headers: dict[str, str], body: bytes = BODY) -> bytes:
        found = verify([SECRET], headers, body, NOW)
        assert isinstance(found, Proof)
        return found.digest

    assert digest(own()) == digest({**own(), "x-headway-delivery": "another"})
    assert digest(own()) != digest(own(at=NOW + timedelta(seconds=1)))
    assert digest(github()) == digest({**github(), "x-github-delivery": "another"})
    assert digest(github()) != digest(github(body=b"{}"), b"{}")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".", {"a": {"b": [1, {"c": "x"}]}, "": 0}),
        ("a.b.1.c", "x"),
        ("a.b.0", 1),
        ("a.b.2", MISSING),
        ("a.b.-1", MISSING),
        ("a.b.x", MISSING),
        ("a.z", MISSING),
        ("a.b.0.c", MISSING),
        ("", 0),
    ],
)
def test_a_path_leads_to_a_value(path: str, found: object) -> None:
    assert at_path({"a": {"b": [1, {"c": "x"}]}, "": 0}, path) == found


def test_fields_are_picked_and_absent_ones_named() -> None:
    body: dict[str, Any] = {"n": 1, "t": "x", "yes": True, "none": None}
    assert picked({"a": "n", "b": "none"}, body) == ({"a": 1, "b": None}, [])
    assert picked({"a": "n", "b": "z.y"}, body) == ({"a": 1}, ["z.y"])
    assert [word_at(body, path) for path in ("n", "t", "yes", "none", "z")] == [
        "1",
        "x",
        None,
        None,
        None,
    ]


def test_a_place_in_a_list_has_at_most_six_digits() -> None:
    long = [7] * 1_000_001
    assert at_path(long, "999999") == 7
    assert at_path(long, "1000000") is MISSING
