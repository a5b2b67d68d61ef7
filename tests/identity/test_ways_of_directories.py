"""Signing in by a directory, with a password or a ticket: who it is, for how long, and what only the audit is told."""

import asyncio
import base64
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from headway.core.role_map import Rule
from headway.core.roles import Role
from headway.errors import NotReachable
from headway.identity import external, kerberos
from headway.identity.base import Given, nobody
from headway.identity.directory import Entry
from headway.identity.id_token import Refused
from headway.identity.kerberos import KERBEROS, SECRET_BYTES_MAX, Kerberos, decoded, said
from headway.identity.ldap import Ldap
from headway.identity.sections import Kerberos as Section

RULES = (Rule(number=1, team="*", role=Role.VIEWER, group="analysts"),)
ANN = Entry("cn=ann", "u-1", "ann", "Ann Lee", ("analysts",))
TOLD = external.told("company", "u-1", ("analysts",), "Ann Lee", user="ann")


class Answering:
    """A directory that knows one person, or refuses, and remembers for whom it was asked."""

    name = "company"
    settings = SimpleNamespace(label="Company", session_hours=2)

    def __init__(self, answer: Any = ANN) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def check(self, *of: str) -> Any:
        self.asked.append(of)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    find = check


def prove(way: Any, given: Given) -> Any:
    return asyncio.run(way.prove(given, None))


def test_a_password_is_checked_by_the_directory() -> None:
    directory: Any = Answering()
    way = Ldap(directory, RULES)
    assert (way.name, way.label, way.begins) == ("company", "Company", "form")
    proof = prove(way, Given("ann", "secret"))
    assert directory.asked == [("ann", "secret")]
    assert proof.find.func is external.admit
    assert proof.find.keywords == {"told": TOLD, "rules": RULES}
    assert (proof.lifetime_s, proof.reason, proof.home) == (7_200.0, "no role", None)
    prove(way, Given(None, "secret"))
    assert directory.asked[-1] == ("", "secret")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Refused("the password is wrong"), "the password is wrong"),
        (
            Entry("cn=x", "u-1", "\u200b", "X"),
            "the name is too long or has characters that cannot be shown",
        ),
    ],
)
def test_who_is_refused_is_nobody_and_the_audit_knows_why(answer: Any, reason: str) -> None:
    way = Ldap(Answering(answer), RULES)  # type: ignore[arg-type]
    proof = prove(way, Given("ann", "secret"))
    assert (proof.find, proof.reason) == (nobody, reason)


def test_a_directory_that_is_away_is_no_refusal() -> None:
    way = Ldap(Answering(NotReachable("away")), RULES)  # type: ignore[arg-type]
    with pytest.raises(NotReachable):
        prove(way, Given("ann", "secret"))


# -- tickets


TICKET = base64.b64encode(b"a ticket").decode()


def tickets(
    directory: Any, principal: str = "ann@EXAMPLE.COM", left_s: float = 60.0, **more: Any
) -> Any:
    given = {
        "label": "K",
        "keytab": "k",
        "realms": ["EXAMPLE.COM", "TWO.COM"],
        "directory": "company",
    }
    found: Any = Kerberos("tickets", Section(**{**given, **more}), directory, RULES)
    found.accept = lambda token: (principal, left_s, f"we, for {token.decode()}")
    return found


def test_who_comes_by_a_ticket_is_who_comes_by_a_password() -> None:
    directory = Answering()
    way = tickets(directory)
    assert (way.name, way.label, way.begins) == ("tickets", "K", "negotiate")
    proof = prove(way, Given(None, TICKET))
    assert directory.asked == [("ann",)]
    assert proof.find.func is external.admit
    assert proof.find.keywords == {"told": TOLD, "rules": RULES}
    assert (proof.lifetime_s, proof.reason, proof.reply) == (60.0, "no role", "we, for a ticket")


@pytest.mark.parametrize(
    ("left_s", "hours", "lifetime_s"), [(60.0, 1, 60.0), (9_000.0, 2, 7_200.0)]
)
def test_a_session_ends_with_the_ticket_or_before(
    left_s: float, hours: int, lifetime_s: float
) -> None:
    way = tickets(Answering(), left_s=left_s, session_hours=hours)
    assert prove(way, Given(None, TICKET)).lifetime_s == lifetime_s


@pytest.mark.parametrize(
    "principal",
    [
        "ann@EVIL.COM",
        "ann@example.com",
        "ann",
        "ann@EXAMPLE.COM@EVIL.COM",
        "ann@EXAMPLE.COM.EVIL",
        "@",
    ],
)
def test_a_ticket_of_another_realm_is_refused(principal: str) -> None:
    directory = Answering()
    proof = prove(tickets(directory, principal), Given(None, TICKET))
    assert (proof.find, directory.asked) == (nobody, [])
    assert proof.reason == f"{principal} is of a realm that is not in realms"


@pytest.mark.parametrize(
    ("principal", "user"),
    [("ann@TWO.COM", "ann"), ("a@b@EXAMPLE.COM", "a@b"), ("HTTP/x@EXAMPLE.COM", "HTTP/x")],
)
def test_the_name_is_all_before_the_realm(principal: str, user: str) -> None:
    directory = Answering()
    prove(tickets(directory, principal), Given(None, TICKET))
    assert directory.asked == [(user,)]


def test_a_person_whom_the_directory_does_not_have_is_refused() -> None:
    proof = prove(tickets(Answering(Refused("0 entries"))), Given(None, TICKET))
    assert (proof.find, proof.reason) == (nobody, "0 entries")
    odd = Entry("cn=x", "u-1", "\u200b", "X")
    assert prove(tickets(Answering(odd)), Given(None, TICKET)).find is nobody


LONG = base64.b64encode(b"x" * (SECRET_BYTES_MAX + 1)).decode()


@pytest.mark.parametrize("secret", ["", "not base64!", "====", LONG, "\u00e9"])
def test_what_is_no_ticket_is_refused(secret: str) -> None:
    with pytest.raises(Refused, match="there is no ticket in the Authorization header"):
        decoded(secret)


def test_a_ticket_may_be_large() -> None:
    assert decoded(base64.b64encode(b"x" * SECRET_BYTES_MAX).decode()) == b"x" * SECRET_BYTES_MAX
    assert decoded(base64.b64encode(b"x").decode()) == b"x"


# -- the library


class Library:
    """gssapi, which accepts what it is told to."""

    class exceptions:
        class GSSError(Exception):
            pass

    def __init__(self, **more: Any) -> None:
        self.context: dict[str, Any] = {
            "complete": True,
            "mech": SimpleNamespace(dotted_form=KERBEROS),
            "target_name": "HTTP/headway@EXAMPLE.COM",
            "lifetime": 60,
            "initiator_name": "ann@EXAMPLE.COM",
            "answer": b"we",
            **more,
        }
        self.opened: list[Any] = []

    def Credentials(self, **given: Any) -> str:
        self.opened.append(given)
        if self.context["answer"] == "no keytab":
            raise self.exceptions.GSSError("no keytab")
        return "credentials"

    def SecurityContext(self, **given: Any) -> Any:
        self.opened.append(given)
        found = SimpleNamespace(**self.context)
        answer = self.context["answer"]

        def step(token: bytes) -> Any:
            self.opened.append(token)
            if isinstance(answer, Exception):
                raise answer
            return answer

        found.step = step
        return found


def accepting(monkeypatch: pytest.MonkeyPatch, **more: Any) -> tuple[Any, Library]:
    library = Library(**more)
    monkeypatch.setitem(sys.modules, "gssapi", library)
    section = Section(label="K", keytab="/the/keytab", realms=["R"], directory="company")
    return Kerberos("tickets", section, Answering(), RULES), library  # type: ignore[arg-type]


def test_only_the_keytab_of_the_settings_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    way, library = accepting(monkeypatch)
    assert way.accept(b"ticket") == ("ann@EXAMPLE.COM", 60.0, base64.b64encode(b"we").decode())
    assert library.opened == [
        {"usage": "accept", "store": {"keytab": "/the/keytab"}},
        {"creds": "credentials", "usage": "accept"},
        b"ticket",
    ]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"complete": False}, "is not one of Kerberos"),
        ({"mech": SimpleNamespace(dotted_form="1.3.6.1.5.2.5")}, "is not one of Kerberos"),
        ({"target_name": "host/headway@R"}, "is for host, or is over"),
        ({"target_name": "HTTPS/headway@R"}, "is for HTTPS, or is over"),
        ({"lifetime": 0}, "is for HTTP, or is over"),
        ({"lifetime": -1}, "is for HTTP, or is over"),
        ({"answer": Library.exceptions.GSSError("Major: x Minor (7): stale")}, "was not accepted: stale"),
    ],
)  # fmt: skip
def test_a_ticket_of_another_kind_or_time_is_refused(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], reason: str
) -> None:
    way, _ = accepting(monkeypatch, **more)
    with pytest.raises(Refused, match=reason):
        way.accept(b"ticket")


@pytest.mark.parametrize("more", [{"target_name": "http/x@R"}, {"lifetime": 1}, {"answer": None}])
def test_a_ticket_for_us_is_accepted(monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]) -> None:
    way, _ = accepting(monkeypatch, **more)
    principal, left_s, reply = way.accept(b"ticket")
    assert (principal, left_s > 0) == ("ann@EXAMPLE.COM", True)
    assert reply == ("" if "answer" in more else base64.b64encode(b"we").decode())


def test_a_keytab_of_no_use_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    way, _ = accepting(monkeypatch, answer="no keytab")
    with pytest.raises(NotReachable, match="the keytab of K cannot be used") as caught:
        way.accept(b"ticket")
    assert "[kerberos.tickets]" in str(caught.value.hint)
    assert kerberos.AT_ONCE == 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Major (1): general, Minor (2): the keytab is old", "the keytab is old"),
        ("something else", "something else"),
        ("Minor without a colon", "Minor without a colon"),
        ("x" * 300, "x" * 200),
    ],
)
def test_the_minor_words_say_more(words: str, told: str) -> None:
    assert said(Exception(words)) == told
