"""Hashes of passwords: what is compared, with which costs, and that a name which nobody has costs as much."""

import asyncio
import base64
from typing import Any

import pytest

from headway.errors import UsageError
from headway.identity import accounts, passwords
from headway.identity.base import Given
from headway.identity.link import Link
from headway.identity.password import Password
from headway.identity.passwords import CHARS_MAX, CHARS_MIN, Hashing, hash_of, hash_with
from headway.store import browser_sessions, people

GOOD = "correct horse"
COSTS = "$argon2id$v=19$m=19456,t=2,p=1$"


def parameters_of(stored: str) -> str:
    return stored.rpartition("$")[0] + "$"


@pytest.fixture(scope="module")
def stored() -> str:
    return hash_of(GOOD)


def test_a_hash_has_the_costs_of_today_and_a_salt_of_its_own(stored: str) -> None:
    assert stored.startswith(COSTS)
    salt, digest = stored.removeprefix(COSTS).split("$")
    assert len(base64.b64decode(salt + "==")) == 16
    assert len(base64.b64decode(digest + "=")) == 32
    assert hash_of(GOOD) != stored


def test_the_same_password_gives_the_same_hash_and_no_other_one_does(stored: str) -> None:
    known = parameters_of(stored)
    assert hash_with(GOOD, known) == stored
    for other in (GOOD + " ", GOOD.upper(), "", GOOD[:-1]):
        assert hash_with(other, known) != stored


def test_other_costs_of_an_older_hash_are_kept() -> None:
    old = passwords.computed(GOOD, b"salt-of-the-test", 64, 3, 2)
    assert "$m=64,t=3,p=2$" in old
    assert hash_with(GOOD, parameters_of(old)) == old


@pytest.mark.parametrize("bytes_", [8, 10, 15, 16, 17])
def test_salts_of_any_length_are_read(bytes_: int) -> None:
    old = passwords.computed(GOOD, bytes(range(bytes_)), 64, 1, 1)
    assert hash_with(GOOD, parameters_of(old)) == old


@pytest.mark.parametrize(
    "known", [None, "", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$", "m=64", "$argon2id$v=19$m=64,t=1,p=1$c2F$x"]
)  # fmt: skip
def test_who_is_not_known_is_hashed_at_full_cost_and_matches_nothing(known: str | None) -> None:
    found = hash_with(GOOD, known)
    assert found.startswith(f"no hash:{COSTS}")
    assert hash_with(GOOD, known) != found, "with a salt of its own each time"


def test_a_password_that_is_too_long_is_cut_and_matches_nothing(stored: str) -> None:
    long = "x" * (CHARS_MAX + 1)
    assert hash_with(long, parameters_of(stored)).startswith(f"no hash:{COSTS}")
    limit = "x" * CHARS_MAX
    kept = passwords.computed(limit, b"salt-of-the-test", 64, 1, 1)
    assert hash_with(limit, parameters_of(kept)) == kept


def test_what_is_hashed_of_a_long_one_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []

    def computed(password: str, *_: Any) -> str:
        lengths.append(len(password))
        return ""

    monkeypatch.setattr(passwords, "computed", computed)
    hash_with("x" * 1_000_000, None)
    assert lengths == [CHARS_MAX]


@pytest.mark.parametrize("length", [0, CHARS_MIN - 1, CHARS_MAX + 1])
def test_a_new_password_has_a_length(length: int) -> None:
    with pytest.raises(UsageError, match=f"must have {CHARS_MIN} to 1,000 characters"):
        hash_of("x" * length)


@pytest.mark.parametrize("length", [CHARS_MIN, CHARS_MAX])
def test_a_new_password_may_have_each_length_between(length: int) -> None:
    assert hash_of("x" * length).startswith(COSTS)


def test_a_letter_with_an_accent_is_the_same_however_it_is_typed() -> None:
    composed, apart = "caf\u00e9 au lait", "cafe\u0301 au lait"
    assert hash_with(apart, parameters_of(kept := hash_of(composed))) == kept


def test_half_a_letter_is_no_error() -> None:
    assert hash_with("\ud800", None).startswith("no hash:")


def test_one_password_at_a_time_off_the_loop(stored: str) -> None:
    async def several() -> list[str]:
        hashing = Hashing()
        known = parameters_of(stored)
        found = await asyncio.gather(
            hashing.hash_with(GOOD, known), hashing.hash_with("another one", known)
        )
        return [*found, await hashing.hash_of(GOOD)]

    right, wrong, new = asyncio.run(several())
    assert (right == stored, wrong == stored, new.startswith(COSTS)) == (True, False, True)


# -- the ways


def proof(way: Any, given: Given, answer: Any = None) -> tuple[Any, list[Any]]:
    asked: list[Any] = []

    async def ask(*of: Any) -> Any:
        asked.append(of)
        return answer

    return asyncio.run(way.prove(given, ask)), asked


@pytest.mark.parametrize("home", [1, None])
def test_a_password_is_compared_by_the_database_which_tells_the_costs_only(
    home: int | None, stored: str
) -> None:
    answer = None if home is None else (home, parameters_of(stored))
    found, asked = proof(Password(Hashing()), Given("ann", GOOD), answer)
    assert asked == [(people.password_parameters, "ann")]
    assert found.home == home
    assert found.find.func is people.with_password
    assert found.find.keywords["name"] == "ann"
    assert (found.find.keywords["computed"] == stored) == (home is not None)


def test_nobody_has_no_name() -> None:
    found, asked = proof(Password(Hashing()), Given(None, GOOD))
    assert asked == [(people.password_parameters, "")]
    assert found.find.keywords["name"] == ""


def test_a_link_is_found_by_the_hash_of_its_secret() -> None:
    found, asked = proof(Link(), Given(None, "the secret"))
    assert asked == []
    assert found.find.func is browser_sessions.use_link
    assert found.find.keywords == {"hashed": accounts.fingerprint("the secret")}
