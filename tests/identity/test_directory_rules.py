"""What a directory's answers mean, step by step: one entry, its password, all of its groups, and the next server."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest

from headway import clock
from headway.errors import NotReachable
from headway.identity import directory as module
from headway.identity.directory import (
    BATCH,
    DOWN_S,
    NAME_CHARS_MAX,
    SECRET_CHARS_MAX,
    Attributes,
    Directory,
    Entry,
    is_number,
    primary_of,
    raw,
    said,
    text,
    texts,
)
from headway.identity.external import GROUPS_MAX
from headway.identity.id_token import Refused
from headway.identity.sections import Ldap
from tests.agent.test_budget import Hands
from tests.slapd import DOMAIN

ldap: Any = import_module("ldap")
ONE, TWO = "ldaps://one", "ldaps://two"


class Scripted(Directory):
    """A directory whose entries and groups are told beforehand; it remembers what it was asked."""

    def __init__(self, password: str | None = "reader's", **more: Any) -> None:
        given: dict[str, Any] = {
            "servers": [ONE],
            "user_base": "ou=people",
            "group_base": "ou=groups",
        }
        super().__init__("company", Ldap(label="Company", **{**given, **more}), password)
        self.people: list[tuple[str, Attributes]] = []
        self.groups_of_dn: dict[str, list[tuple[str, Attributes]]] = {}
        self.asked: list[tuple[Any, ...]] = []
        self.bound: list[tuple[str, str, str]] = []
        self.wrong = False

    @contextmanager
    def connected(self, server: str) -> Iterator[Any]:
        yield server

    def bind(self, server: str, dn: str, secret: str) -> None:
        self.bound.append((server, dn, secret))
        if self.wrong:
            raise Refused("the directory refused the password")

    def search(self, connection: Any, base: str, pattern: str, attributes: list[str]) -> Any:
        self.asked.append((base, pattern, attributes))
        if base == "ou=people":
            return self.people
        return [
            each
            for dn, found in self.groups_of_dn.items()
            if f"={dn})" in pattern
            for each in found
        ]


def person(**more: list[bytes]) -> Attributes:
    return {"uid": [b"ann"], "cn": [b"Ann Lee"], "entryUUID": [b"u-1"], **more}


def group(name: str) -> tuple[str, Attributes]:
    return f"cn={name}", {"cn": [name.encode()]}


def company(**more: Any) -> Scripted:
    found = Scripted(**more)
    found.people = [("cn=ann", person())]
    return found


# -- one entry


def test_a_person_is_the_one_entry_of_the_name() -> None:
    found = company()
    assert found.check("ann", "secret") == Entry("cn=ann", "u-1", "ann", "Ann Lee", ())
    assert found.bound == [(ONE, "cn=ann", "secret")]
    assert found.asked == [
        ("ou=people", "(uid=ann)", ["uid", "cn", "entryUUID"]),
        ("ou=groups", "(&(objectClass=*)(|(member=cn=ann)))", ["cn"]),
    ]
    found.bound.clear()
    assert found.find("ann") == found.check("ann", "x")
    assert found.bound == [(ONE, "cn=ann", "x")], "who is only looked up needs no password"


@pytest.mark.parametrize("secret", ["", "a\0b", "x" * (SECRET_CHARS_MAX + 1)])
def test_an_empty_password_is_not_tried(secret: str) -> None:
    """Servers say yes to it, whoever it is."""
    found = company()
    with pytest.raises(Refused, match="the password is empty or not one"):
        found.check("ann", secret)
    assert (found.bound, found.asked) == ([], [])
    assert found.check("ann", "x" * SECRET_CHARS_MAX).user == "ann"


@pytest.mark.parametrize("user", ["", "a\nb", "a\u200bb", "x" * (NAME_CHARS_MAX + 1)])
def test_what_is_no_name_is_not_looked_for(user: str) -> None:
    found = company()
    with pytest.raises(Refused, match="the name is empty, too long"):
        found.find(user)
    assert found.asked == []
    assert found.find("x" * NAME_CHARS_MAX).user == "ann"


def test_a_name_is_text_in_a_filter() -> None:
    found = company(user_filter="(&(uid={user})(mail={user}@x))")
    found.find("*)(uid=*\\")
    assert found.asked[0][1] == r"(&(uid=\2a\29\28uid=\2a\5c)(mail=\2a\29\28uid=\2a\5c@x))"


@pytest.mark.parametrize("count", [0, 2, 3])
def test_none_or_several_are_nobody(count: int) -> None:
    found = company()
    found.people *= count
    with pytest.raises(Refused, match=f"the directory has {count} entries of this name"):
        found.check("ann", "secret")
    assert found.bound == [(ONE, "cn=nobody,ou=people", "secret")], "as many steps as for somebody"
    found.wrong = True
    with pytest.raises(Refused, match=f"the directory has {count} entries of this name"):
        found.check("ann", "secret")


def test_a_wrong_password_is_refused_before_groups_are_asked() -> None:
    found = company()
    found.wrong = True
    with pytest.raises(Refused, match="refused the password"):
        found.check("ann", "secret")
    assert len(found.asked) == 1


@pytest.mark.parametrize(
    ("attributes", "missing"),
    [
        ({"uid": []}, "uid"),
        ({"entryUUID": []}, "entryUUID"),
        ({"entryUUID": [b"a", b"b"]}, "entryUUID"),
        ({"uid": [], "entryUUID": []}, "uid"),
    ],
)
def test_an_entry_without_a_name_or_subject_is_nobody(
    attributes: dict[str, list[bytes]], missing: str
) -> None:
    found = company()
    found.people = [("cn=ann", person(**attributes))]
    with pytest.raises(Refused, match=f"the entry has no {missing} that can be read"):
        found.find("ann")


def test_of_several_names_it_is_always_the_same_one() -> None:
    """A rule that denies one of them must not be passed by with the other."""
    found = company()
    found.people = [("cn=ann", person(uid=[b"zoe", b"ann"], cn=[]))]
    told = found.find("zoe")
    assert (told.user, told.display_name) == ("ann", "")


# -- groups


def test_groups_of_groups_count_once_each() -> None:
    found = company()
    found.groups_of_dn = {
        "cn=ann": [group("a"), group("b")],
        "cn=a": [group("outer"), group("b")],
        "cn=outer": [group("a"), ("CN=B", {"cn": [b"b"]})],
    }
    assert found.find("ann").groups == ("a", "b", "outer")


def test_a_group_has_all_of_its_names_and_one_without_is_refused() -> None:
    found = company()
    found.groups_of_dn = {"cn=ann": [("cn=a", {"cn": [b"a", b"other"]})]}
    assert found.find("ann").groups == ("a", "other")
    found.groups_of_dn["cn=ann"].append(("cn=x", {}))
    with pytest.raises(Refused, match="the group cn=x has no cn"):
        found.find("ann")


def test_names_as_members_have_no_groups_of_groups() -> None:
    found = company(member_attribute="memberUid")
    found.groups_of_dn = {"ann": [group("a")], "cn=a": [group("outer")], "cn=ann": [group("no")]}
    assert found.find("ann").groups == ("a",)
    assert len(found.asked) == 2


def test_groups_are_asked_for_in_batches() -> None:
    found = company()
    found.groups_of_dn = {"cn=ann": [group(f"g{number}") for number in range(BATCH + 1)]}
    assert len(found.find("ann").groups) == BATCH + 1
    asked = [pattern.count("(member=") for _, pattern, _ in found.asked[1:]]
    assert asked == [1, BATCH, 1]


def test_too_many_groups_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROUPS_MAX", 3)
    found = company()
    found.groups_of_dn = {"cn=ann": [group(f"g{number}") for number in range(3)]}
    assert len(found.find("ann").groups) == 3
    found.groups_of_dn["cn=g0"] = [group("one more")]
    with pytest.raises(Refused, match="in more than 3 groups"):
        found.find("ann")
    assert GROUPS_MAX == 2_000


def test_the_primary_group_is_found_by_its_sid() -> None:
    found = company(primary_group=True, group_filter="(x=y)")
    sid = DOMAIN + (1105).to_bytes(4, "little")
    found.people = [("cn=ann", person(objectSid=[sid], primaryGroupID=[b"513"]))]
    users = DOMAIN + (513).to_bytes(4, "little")
    code = "".join(f"\\{byte:02x}" for byte in users)
    found.groups_of_dn = {code: [group("users")], "cn=users": [group("everybody")]}
    assert found.find("ann").groups == ("users", "everybody")
    assert found.asked[0][2] == ["uid", "cn", "entryUUID", "primaryGroupID", "objectSid"]
    assert found.asked[1][1] == f"(&(x=y)(objectSid={code}))"
    assert found.asked[2][1] == "(&(x=y)(|(member=cn=ann)(member=cn=users)))"


# -- servers


@pytest.fixture
def hands() -> Iterator[Hands]:
    hands = Hands()
    with clock.use(hands):
        yield hands


def test_a_server_that_failed_is_asked_last_for_a_while(
    hands: Hands, caplog: pytest.LogCaptureFixture
) -> None:
    found = company(servers=[ONE, TWO])
    asked: list[str] = []
    down = {ONE}

    def work(server: str) -> str:
        asked.append(server)
        if server in down:
            raise ldap.SERVER_DOWN({"desc": "Can't contact LDAP server"})
        return server

    with caplog.at_level(logging.WARNING):
        assert [found.ask(work), found.ask(work)] == [TWO, TWO]
    assert asked == [ONE, TWO, TWO]
    assert caplog.messages == [
        "[ldap.company] ldaps://one cannot be used: Can't contact LDAP server"
    ]
    hands.at += DOWN_S
    down.clear()
    assert found.ask(work) == ONE
    assert found._down == {}


def test_a_server_that_refuses_is_of_use_and_no_other_one_is_asked(hands: Hands) -> None:
    found = company(servers=[ONE, TWO])
    found._down[ONE] = clock.monotonic() - DOWN_S
    asked: list[str] = []

    def work(server: str) -> str:
        asked.append(server)
        raise Refused("no")

    with pytest.raises(Refused):
        found.ask(work)
    assert (asked, found._down) == ([ONE], {})


def test_where_no_server_is_of_use_it_is_said(hands: Hands) -> None:
    found = company(servers=[ONE, TWO])

    def work(server: str) -> str:
        raise ldap.TIMEOUT

    with pytest.raises(NotReachable, match="the directory of Company cannot be used") as caught:
        found.ask(work)
    assert "[ldap.company]" in str(caught.value.hint)
    assert set(found._down) == {ONE, TWO}


# -- values


def test_attributes_are_found_in_any_letters() -> None:
    told = {"OBJECTGUID": [b"x"], "cn": [b"\xc3\xa9", b"\xff"]}
    assert raw(told, "objectGuid") == [b"x"]
    assert raw(told, "none") == []
    assert texts(told, "CN") == ["\u00e9", "ff"]


def test_an_id_of_active_directory_is_read_as_one() -> None:
    number = uuid.uuid4()
    assert text(number.bytes_le, "objectguid") == str(number)
    assert text(b"0123456789abcdef", "cn") == "0123456789abcdef"
    assert text(b"0123456789abcde", "objectguid") == "0123456789abcde"
    assert texts({"objectGUID": [number.bytes_le]}, "objectGuid") == [str(number)]


@pytest.mark.parametrize(
    ("number", "good"),
    [
        *(("0", True), ("513", True), ("4294967295", True)),
        *(("4294967296", False), ("-1", False), ("x", False), ("", False), ("\u0665", False)),
    ],
)
def test_a_number_of_a_group(number: str, good: bool) -> None:
    assert is_number(number) == good


@pytest.mark.parametrize(
    ("sids", "numbers"),
    [
        ([], [b"513"]),
        ([DOMAIN + b"abcd"] * 2, [b"513"]),
        ([b"x" * 11], [b"513"]),
        ([DOMAIN + b"abcd"], []),
        ([DOMAIN + b"abcd"], [b"1", b"2"]),
        ([DOMAIN + b"abcd"], [b"x"]),
    ],
)
def test_a_primary_group_that_cannot_be_read_is_refused(
    sids: list[bytes], numbers: list[bytes]
) -> None:
    """It may be one that a rule denies."""
    with pytest.raises(Refused, match="no objectSid and primaryGroupID that can be read"):
        primary_of({"objectSid": sids, "primaryGroupID": numbers})


def test_the_shortest_sid_is_read() -> None:
    told = {"objectSid": [b"x" * 8 + b"abcd"], "primaryGroupID": [b"1"]}
    assert primary_of(told) == b"x" * 8 + b"\x01\0\0\0"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ldap.INVALID_CREDENTIALS({"desc": "Invalid credentials"}), "Invalid credentials"),
        (ldap.CONNECT_ERROR({"desc": "Connect error", "info": "why"}), "Connect error: why"),
        (
            ldap.CONNECT_ERROR({"desc": "Connect error", "info": "(unknown error code)"}),
            "Connect error: is the certificate for this host, and signed by an authority in ca-file?",
        ),
        (ldap.SERVER_DOWN(), "SERVER_DOWN"),
        (ldap.SERVER_DOWN("odd"), "SERVER_DOWN"),
        (ldap.OTHER({"desc": "x" * 300}), "x" * 200),
    ],
)
def test_an_error_is_told_in_its_own_words(error: Exception, words: str) -> None:
    assert said(error) == words
