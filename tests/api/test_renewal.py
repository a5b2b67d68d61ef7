"""Sessions that go on as long as their provider agrees, step by step and without a server."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

import pytest

from headway.api import renewal
from headway.api.renewal import HOLD_S, Renewal, end, end_named, go_on
from headway.errors import NotReachable
from headway.identity import external
from headway.identity.base import Renewed
from headway.identity.id_token import Refused
from headway.identity.logout_token import Logout
from headway.store import audit, browser_sessions, provider_sessions
from headway.store.provider_sessions import Claimed, Ended
from tests.api.test_admission import Door

CLAIMED: Final = Claimed(3, "s1", "ann", "company", "sub-1", b"sealed")
LATER: Final = datetime(2040, 1, 1, tzinfo=UTC)
LOGOUT: Final = Logout("sid", "sub-1", b"f", LATER)
TOLD: Final = external.Told("company", "sub-1", "ann", ("a",), "Ann")
RENEWED: Final = Renewed(TOLD, (), b"next", 300.0)
CONN: Final[Any] = object()


class Way:
    """A provider that answers what it is told to."""

    begins, label, refusal = "redirect", "Company", ("", "")

    def __init__(self, name: str, answer: Any) -> None:
        self.name = name
        self.answer = answer
        self.asked: list[Any] = []

    def say(self, *asked: Any) -> Any:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def renew(self, sealed: bytes, subject: str) -> Any:
        return self.say(sealed, subject)

    async def logout(self, token: str) -> Any:
        return self.say(token)

    async def prove(self, given: Any, ask: Any) -> Any: ...

    async def start(self, ticket: str, back: str) -> Any: ...

    async def leave(self, back: str) -> Any: ...


def plain(name: str) -> Any:
    """A way that is no provider."""
    return SimpleNamespace(name=name)


def door(**answers: list[Any]) -> Any:
    works: dict[str, Callable[..., Any]] = {
        "claim": provider_sessions.claim,
        "go_on": go_on,
        "end": end,
        "end_named": end_named,
    }
    return Door({works[name]: found for name, found in answers.items()})


def renew(ways: list[Any], at: Any) -> None:
    asyncio.run(Renewal(ways).renew(at, b"hash"))


def test_a_session_goes_on_with_what_its_provider_says() -> None:
    at = door(claim=[CLAIMED], go_on=[None])
    other, company = Way("other", Refused("not mine")), Way("company", RENEWED)
    renew([plain("company"), other, company], at)
    assert at.asked == [
        (provider_sessions.claim, (b"hash", HOLD_S)),
        (go_on, (b"hash", RENEWED)),
    ]
    assert (other.asked, company.asked) == ([], [(b"sealed", "sub-1")])


def test_of_requests_at_once_one_asks() -> None:
    at, company = door(claim=[None]), Way("company", RENEWED)
    renew([company], at)
    assert (len(at.asked), company.asked) == (1, [])


def test_who_is_refused_is_out_and_who_gets_no_answer_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    at = door(claim=[CLAIMED], end=[None])
    renew([Way("company", Refused("it is over"))], at)
    assert at.asked[1:] == [(end, (CLAIMED, "it is over"))]
    at = door(claim=[CLAIMED])
    with caplog.at_level(logging.WARNING):
        renew([Way("company", NotReachable("it is away"))], at)
    assert len(at.asked) == 1
    assert caplog.messages == ["the session of ann was not refreshed: it is away"]


def test_a_session_of_a_way_that_is_gone_ends() -> None:
    for ways in ([], [Way("other", RENEWED)], [plain("company")]):
        at = door(claim=[CLAIMED], end=[None])
        renew(ways, at)
        assert at.asked[1:] == [
            (end, (CLAIMED, "this way to sign in is not in the settings any more"))
        ]


# -- signed out at the provider


def log_out(ways: list[Any], at: Any) -> None:
    asyncio.run(Renewal(ways).log_out(at, "token"))


def test_the_first_provider_that_made_the_token_ends_its_own_sessions_only() -> None:
    at = door(end_named=[None])
    stranger, company, third = (
        Way("stranger", Refused("no")),
        Way("company", LOGOUT),
        Way("third", LOGOUT),
    )
    log_out([plain("plain"), stranger, company, third], at)
    assert at.asked == [(end_named, ("company", LOGOUT))]
    assert (stranger.asked, third.asked) == ([("token",)], [])


def test_a_token_of_no_provider_ends_nothing() -> None:
    for ways, reason in (
        ([], "no provider has made this token"),
        ([plain("plain")], "no provider has made this token"),
        ([Way("a", Refused("stale"))], "stale"),
        ([Way("a", Refused("stale")), Way("b", Refused("odd"))], "no provider has made this token"),
    ):
        at = door()
        with pytest.raises(Refused, match=f"^{reason}$"):
            log_out(ways, at)
        assert at.asked == []


# -- the transactions


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    done: list[Any] = []
    note = done.append
    monkeypatch.setattr(renewal, "enter_team", lambda _, team_id: note(("enter", team_id)))
    monkeypatch.setattr(audit, "write", lambda _, team_id, entry: note((team_id, entry)))
    monkeypatch.setattr(browser_sessions, "close", lambda _, *of: note(("close", *of)))
    monkeypatch.setattr(external, "admit", lambda _, *of: note(("admit", *of)))
    monkeypatch.setattr(provider_sessions, "keep", lambda _, *of: note(("keep", *of)))
    return done


def entry(reason: str, person: str = "ann") -> audit.Entry:
    return audit.Entry(
        actor="identity provider",
        via="company",
        action="session.ended",
        subject=person,
        address="",
        detail={"reason": reason},
    )


def test_who_goes_on_has_the_groups_of_now(done: list[Any]) -> None:
    go_on(CONN, b"hash", RENEWED)
    assert done == [("admit", TOLD, ()), ("keep", b"hash", b"next", 300.0)]


def test_a_session_that_ends_is_closed_and_told_in_its_team(done: list[Any]) -> None:
    end(CONN, CLAIMED, "it is over")
    assert done == [("enter", 3), ("close", 3, "s1"), (3, entry("it is over"))]


def test_each_session_that_is_ended_is_told_in_its_own_team(
    done: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def ends(_: Any, *of: Any) -> list[Ended]:
        asked.append(of)
        return [Ended(3, "ann"), Ended(4, "bob")]

    monkeypatch.setattr(provider_sessions, "end", ends)
    end_named(CONN, "company", LOGOUT)
    assert asked == [("company", "sid", "sub-1", b"f", LATER)]
    said = "signed out at the provider"
    assert done == [("enter", 3), (3, entry(said)), ("enter", 4), (4, entry(said, "bob"))]


@pytest.mark.parametrize(("found", "again"), [(None, True), ([], False)])
def test_a_token_counts_once_also_where_it_ends_nothing(
    done: list[Any], monkeypatch: pytest.MonkeyPatch, found: Any, again: bool
) -> None:
    monkeypatch.setattr(provider_sessions, "end", lambda *_: found)
    if again:
        with pytest.raises(Refused, match="was used before"):
            end_named(CONN, "company", LOGOUT)
    else:
        end_named(CONN, "company", LOGOUT)
    assert done == []
