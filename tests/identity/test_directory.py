"""Searches in a directory, at a real one."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from msgspec.structs import replace

from headway.identity.directory import PAGE, Directory, primary_of
from headway.identity.id_token import Refused
from headway.identity.sections import Ldap
from tests.slapd import BASE, DOMAIN, PASSWORD, READER, Slapd, slapd

MANY = 2 * PAGE + 30  # three pages; the server sends at most 20 entries without them


@pytest.fixture(scope="module")
def started() -> Iterator[Slapd]:
    with slapd() as found:
        yield found


@pytest.fixture
def company(started: Slapd) -> Slapd:
    started.clear()
    return started


def directory(company: Slapd, **more: Any) -> Directory:
    settings = Ldap(
        label="Company",
        servers=[company.starttls],
        ca_file=str(company.ca),
        bind_dn=READER,
        bind_password_file="reader",
        user_base=f"ou=people,{BASE}",
        group_base=f"ou=groups,{BASE}",
        **more,
    )
    return Directory("company", settings, PASSWORD)


def test_more_groups_than_a_server_sends_at_once(company: Slapd) -> None:
    ldap = import_module("ldap")
    ann = company.person("ann")
    names = [f"g{number:03}" for number in range(MANY)]
    for name in names:
        company.group(name, ann)
    asked = directory(company)
    with asked.connected(company.starttls) as connection, pytest.raises(ldap.SIZELIMIT_EXCEEDED):
        connection.search_s(asked.settings.group_base, ldap.SCOPE_SUBTREE)
    assert sorted(asked.check("ann", PASSWORD).groups) == names


def test_the_primary_group_counts_where_it_is_asked_for(company: Slapd) -> None:
    ann = company.person("ann")
    company.principal(ann, 1105, primary=513)
    for number, name in ((513, "Domain Users"), (514, "Domain Guests")):
        company.principal(company.group(name), number)
    users = f"cn=Domain Users,ou=groups,{BASE}"
    company.group("everybody", users)
    company.group("analysts", ann)
    assert set(directory(company).find("ann").groups) == {"analysts"}
    found = directory(company, primary_group=True).find("ann")
    assert set(found.groups) == {"analysts", "Domain Users", "everybody"}


def test_a_primary_group_elsewhere_is_none_and_a_missing_number_is_refused(company: Slapd) -> None:
    company.principal(company.person("ann"), 1105, primary=515)
    company.person("bob")
    asked = directory(company, primary_group=True)
    assert asked.find("ann").groups == ()
    with pytest.raises(Refused, match="primaryGroupID"):
        asked.find("bob")


def test_a_wrong_password_is_refused_by_either_kind_of_encryption(company: Slapd) -> None:
    company.person("ann")
    for server in (company.starttls, company.ldaps):
        asked = directory(company)
        asked.settings = replace(asked.settings, servers=[server])
        assert asked.check("ann", PASSWORD).user == "ann"
        for secret in ("wrong", PASSWORD.upper(), PASSWORD + " "):
            with pytest.raises(Refused, match="the directory refused the password: Invalid cred"):
                asked.check("ann", secret)


@pytest.mark.parametrize(
    ("sid", "number"),
    [([], b"513"), ([DOMAIN + b"abcd"], b"x"), ([b"short"], b"5"), ([DOMAIN], b"4294967296")],
)
def test_what_is_no_sid_or_number_is_refused(sid: list[bytes], number: bytes) -> None:
    with pytest.raises(Refused):
        primary_of({"objectSid": sid, "primaryGroupID": [number]})


def test_the_sid_of_a_group_has_its_number_last() -> None:
    told = {"OBJECTSID": [DOMAIN + (1105).to_bytes(4, "little")], "primarygroupid": [b"513"]}
    assert primary_of(told) == DOMAIN + (513).to_bytes(4, "little")
