"""Signing in, step by step and without a server: what is counted, what is proved, what is told to whom."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

import pytest

from headway.api import signin
from headway.api.principal import SESSION
from headway.api.signin import SignedIn, SignIns, by_address, by_name, by_pair, conclude
from headway.core.roles import BUILT_IN, Role
from headway.errors import NotAuthenticated, NotFound, NotReachable, RateLimited
from headway.identity import accounts
from headway.identity.base import Begins, Given, Proof, nobody
from headway.identity.settings import NONE, SignInSettings
from headway.store import audit, people, roles, sign_in_rates
from headway.store.browser_sessions import BrowserSession, Provided
from headway.store.people import Standing
from tests.api.test_admission import WHO, Door

LATER: Final = datetime(2040, 1, 1, tzinfo=UTC)
REFUSAL: Final = ("not like that", "try another way")


class Way:
    """A way that proves what it is told to, and remembers what it was given."""

    def __init__(
        self, name: str = "test", begins: Begins = "form", proof: Proof | None = None
    ) -> None:
        self.name, self.label, self.begins, self.refusal = name, name, begins, REFUSAL
        self.proof = proof or Proof(nobody)
        self.given: list[Given] = []
        self.left: list[str] = []
        self.gone = False

    async def prove(self, given: Given, ask: Any) -> Proof:
        self.given.append(given)
        return self.proof

    async def start(self, ticket: str, back: str) -> str:
        raise NotImplementedError

    async def renew(self, sealed: bytes, subject: str) -> Any:
        raise NotImplementedError

    async def logout(self, token: str) -> Any:
        raise NotImplementedError

    async def leave(self, back: str) -> str | None:
        self.left.append(back)
        if self.gone:
            raise NotReachable("it is away")
        return f"https://idp/{self.name}"


def of(*ways: Any, settings: SignInSettings = NONE) -> SignIns:
    found = SignIns(1, settings)
    found.ways = ways
    return found


def door(**answers: list[Any]) -> Any:
    works: dict[str, Callable[..., Any]] = {
        "take": sign_in_rates.take,
        "give_back": sign_in_rates.give_back,
        "conclude": conclude,
    }
    return Door({works[name]: found for name, found in answers.items()})


GOOD: Final = SignedIn("the secret", WHO, "a reply")


def enter(signs: SignIns, way: Any, at: Any, given: Given, address: str = "10.0.0.1") -> SignedIn:
    return asyncio.run(signs.enter(way, at, given, address))


# -- ways


def test_a_way_is_found_by_its_name_and_by_how_it_begins() -> None:
    form, link, other = Way("one"), Way("two", "link"), Way("three")
    signs = of(form, link, other)
    assert signs.way("one", "form") is form
    assert signs.way("two", "link") is link
    for name, begins in (("two", "form"), ("one", "link"), ("none", "form")):
        with pytest.raises(NotFound, match=f"no way to sign in named '{name}' here") as caught:
            signs.way(name, begins)  # type: ignore[arg-type]
        expected = "use one of: one, three" if begins == "form" else "use one of: two"
        assert caught.value.hint == expected
    with pytest.raises(NotFound) as caught:
        signs.way("one", "redirect")
    assert caught.value.hint == "see: GET /api/v1/sign-in"


def test_tickets_are_taken_by_the_way_that_begins_with_them() -> None:
    form, tickets = Way("one"), Way("two", "negotiate")
    assert of(form, tickets).negotiating is tickets
    with pytest.raises(NotFound, match="takes no tickets of Kerberos"):
        _ = of(form).negotiating


# -- entering


def test_a_name_is_counted_three_times_before_anything_is_proved() -> None:
    at, way = door(take=[0.0], conclude=[GOOD], give_back=[None]), Way()
    assert enter(of(way), way, at, Given("  ann ", "secret")) is GOOD
    assert way.given == [Given("ann", "secret")]
    buckets = [by_address("10.0.0.1"), by_pair("ann", "10.0.0.1"), by_name("ann")]
    assert at.asked == [
        (sign_in_rates.take, (buckets,)),
        (conclude, (1, way.proof, "test", "ann", "10.0.0.1")),
        (sign_in_rates.give_back, (buckets[1],)),
    ]


def test_without_a_name_the_address_is_counted_and_stays_so() -> None:
    at, way = door(take=[0.0], conclude=[GOOD]), Way()
    enter(of(way), way, at, Given(None, "secret"))
    assert way.given == [Given(None, "secret")]
    assert at.asked == [
        (sign_in_rates.take, ([by_address("10.0.0.1")],)),
        (conclude, (1, way.proof, "test", "", "10.0.0.1")),
    ]


def test_a_long_name_is_cut() -> None:
    at, way = door(take=[0.0], conclude=[None]), Way()
    with pytest.raises(NotAuthenticated):
        enter(of(way), way, at, Given("x" * 200, "secret"))
    assert way.given[0].name == "x" * signin.NAME_CHARS_MAX


def test_who_is_refused_gets_the_words_of_the_way_and_no_try_back() -> None:
    at, way = door(take=[0.0], conclude=[None]), Way()
    with pytest.raises(NotAuthenticated) as caught:
        enter(of(way), way, at, Given("ann", "secret"))
    assert (caught.value.message, caught.value.hint) == REFUSAL
    assert [work for work, _ in at.asked] == [sign_in_rates.take, conclude]


@pytest.mark.parametrize(("wait_s", "told_s"), [(0.1, 1), (1.0, 1), (11.2, 12)])
def test_who_tried_too_often_proves_nothing(wait_s: float, told_s: int) -> None:
    at, way = door(take=[wait_s]), Way()
    with pytest.raises(RateLimited, match="too many requests") as caught:
        enter(of(way), way, at, Given("ann", "secret"))
    assert (caught.value.retry_after_s, way.given) == (told_s, [])


def test_a_program_gets_its_try_back() -> None:
    at = door(give_back=[None])
    asyncio.run(of().give_back(at, "10.0.0.1"))
    assert at.asked == [(sign_in_rates.give_back, (by_address("10.0.0.1"),))]


@pytest.mark.parametrize(
    ("settings", "name", "warned"),
    [
        (SignInSettings(secrets={"a": "b"}), accounts.ADMIN, True),
        (SignInSettings(secrets={"a": "b"}), "ann", False),
        (NONE, accounts.ADMIN, False),
    ],
)
def test_the_local_admin_is_told_of_where_people_sign_in_elsewhere(
    settings: SignInSettings, name: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    signed_in = SignedIn("s", replace(WHO, name=name))
    at, way = door(take=[0.0], conclude=[signed_in], give_back=[None]), Way()
    with caplog.at_level(logging.WARNING):
        enter(of(way, settings=settings), way, at, Given(name, "secret"))
    assert (
        caplog.messages == ["break-glass: the local admin signed in by test from 10.0.0.1"]
    ) == warned
    assert bool(caplog.messages) == warned


# -- leaving


def test_who_leaves_is_sent_to_the_provider_that_signed_them_in() -> None:
    form, one, two = Way("form"), Way("one", "redirect"), Way("two", "redirect")
    signs = of(form, one, two)
    assert asyncio.run(signs.leave("two", "back")) == "https://idp/two"
    assert (one.left, two.left) == ([], ["back"])
    assert asyncio.run(signs.leave(None, "back")) is None
    assert asyncio.run(signs.leave("gone", "back")) is None
    two.gone = True
    assert asyncio.run(signs.leave("two", "back")) is None, "signed out here all the same"
    plain: Any = SimpleNamespace(name="plain")
    assert asyncio.run(of(plain).leave("plain", "back")) is None, "there is nowhere to go"


# -- the transaction


class Store:
    """The store of a transaction: what it is told, and what it wrote."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, standing: list[Standing]) -> None:
        self.done: list[Any] = []
        self.opened: list[tuple[Any, dict[str, Any]]] = []
        monkeypatch.setattr(
            people, "standing", lambda _, person_id: standing if person_id == 7 else []
        )
        monkeypatch.setattr(roles, "verbs_of", lambda _, team_id, role: BUILT_IN[Role(role)])
        monkeypatch.setattr(signin, "enter_team", lambda _, team_id: self.done.append(team_id))
        monkeypatch.setattr(
            audit, "write", lambda _, team_id, entry: self.done.append((team_id, entry))
        )
        monkeypatch.setattr(accounts, "open_session", self.open)

    def open(self, _: Any, *values: Any, **more: Any) -> Any:
        self.done.append("session")
        self.opened.append((values, more))
        return SimpleNamespace(secret="s", session=BrowserSession("s1", 7, LATER))


ANN: Final = [
    Standing("ann", "Ann", 3, 3, "sales", "viewer", False),
    Standing("ann", "Ann", 3, 4, "shop", "admin", False),
]
CONN: Final[Any] = object()


def entry(actor: str, via: str, action: str, subject: str, **detail: str) -> audit.Entry:
    return audit.Entry(
        actor=actor, via=via, action=action, subject=subject, address="10.0.0.1", detail=detail
    )


def proves(person_id: int | None, **more: Any) -> Proof:
    return Proof(lambda conn: person_id if conn is CONN else None, **more)


def test_a_session_is_opened_and_told_in_the_team_that_manages_the_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Store(monkeypatch, ANN)
    proof = proves(7, home=9, reason="not told")
    found = conclude(CONN, 1, proof, "password", "Ann", "10.0.0.1")
    assert found is not None
    who = found.principal
    assert (found.secret, found.reply) == ("s", None)
    assert (who.name, who.team_id, who.home_team_id, who.role) == ("ann", 3, 3, "viewer")
    assert who.verbs == BUILT_IN[Role.VIEWER]
    assert (who.person_id, who.via, who.credential, who.expires_at) == (7, SESSION, "s1", LATER)
    assert store.opened == [
        ((3, 7, "10.0.0.1", accounts.SESSION_S), {"provided": None, "prefix": ""})
    ]
    told = entry("user:ann", "password", "session.sign_in", "ann")
    assert store.done == [3, "session", (3, told)]


def test_a_way_may_bound_the_session_and_prove_us(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(monkeypatch, ANN)
    provided = Provided("company", "p-1")
    proof = proves(7, lifetime_s=60.0, provided=provided, reply="we")
    found = conclude(CONN, 1, proof, "tickets", "", "10.0.0.1")
    assert found is not None
    assert found.reply == "we"
    more = {"provided": provided, "prefix": accounts.SESSION_PREFIX}
    assert store.opened == [((3, 7, "10.0.0.1", 60.0), more)]


@pytest.mark.parametrize("person_id", [None, 8])
@pytest.mark.parametrize(("home", "told_in"), [(None, 1), (9, 9)])
def test_who_is_refused_is_nobody_and_told_to_who_manages_the_name(
    monkeypatch: pytest.MonkeyPatch, person_id: int | None, home: int | None, told_in: int
) -> None:
    store = Store(monkeypatch, ANN)
    proof = proves(person_id, home=home, reason="no role")
    assert conclude(CONN, 1, proof, "company", "Ann", "10.0.0.1") is None
    told = entry("nobody", "company", "session.refused", "Ann", reason="no role")
    assert store.done == [told_in, (told_in, told)]


def test_without_a_reason_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(monkeypatch, ANN)
    assert conclude(CONN, 1, proves(None), "password", "x", "") is None
    assert store.done[-1][1].detail == {}
