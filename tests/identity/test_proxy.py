"""Whom the headers of a proxy name, and when they count for nothing."""

import asyncio
from functools import partial
from typing import Any

import pytest

from headway.core.role_map import Rule
from headway.core.roles import Role
from headway.identity import external, sections
from headway.identity.base import Given, Proof, nobody
from headway.identity.external import GROUPS_MAX, Told
from headway.identity.proxy import Proxy

PEER = "10.1.0.3"
TRUSTED = ["10.1.0.0/29", "127.0.0.1", "fd00::/64"]
USER, GROUPS, NAME = "x-forwarded-user", "x-forwarded-groups", "x-name"


def proxy(**more: Any) -> Proxy:
    settings = {"label": "Company", "trusted": TRUSTED, "name_header": "X-Name"}
    return Proxy("company", sections.Proxy(**settings | more), ())


def told(*headers: tuple[str, str], peer: str = PEER, **more: Any) -> Told | str:
    return proxy(**more).told(Given(name=None, secret="", headers=headers, peer=peer))


@pytest.mark.parametrize(
    ("peer", "is_trusted"),
    [
        ("10.1.0.0", True),
        ("10.1.0.7", True),
        ("10.1.0.8", False),
        ("127.0.0.1", True),
        ("127.0.0.2", False),
        ("::ffff:10.1.0.3", True),  # the same peer, on a socket for both kinds
        ("::ffff:10.1.0.8", False),
        ("fd00::1", True),
        ("fd00:0:0:1::1", False),
        ("::1", False),
        ("", False),
        ("10.1.0.3, 10.9.9.9", False),
        ("a unix socket", False),
    ],
)
def test_only_the_proxy_is_believed(peer: str, is_trusted: bool) -> None:
    assert proxy().is_trusted(peer) is is_trusted
    found = told((USER, "ann"), peer=peer)
    if is_trusted:
        assert isinstance(found, Told)
    else:
        assert found == f"{peer} is not in trusted of [proxy.company]"


def test_who_it_is_and_in_which_groups() -> None:
    found = told((USER, " Ann "), (GROUPS, " dev, ,ops,"), (NAME, "Ann Lee"), ("x-other", "eve"))
    assert found == Told("company", "Ann", "Ann", ("dev", "ops"), "Ann Lee")
    assert told((USER, "ann")) == Told("company", "ann", "ann", (), "ann")
    several = told((USER, "ann"), (NAME, "Ann"), (NAME, "Eve"))
    assert isinstance(several, Told)
    assert several.display_name == "Ann"
    bare = ((USER, "ann"), (GROUPS, "a|b,c"), ("x", "Eve"))
    other = told(*bare, groups_separator="|", name_header=None)
    assert other == Told("company", "ann", "ann", ("a", "b,c"), "ann")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ((), "X-Forwarded-User came 0 times"),
        (((USER, ""),), "X-Forwarded-User came 1 times"),
        (((USER, " "),), "X-Forwarded-User came 1 times"),
        (((USER, "ann"), (USER, "ann")), "X-Forwarded-User came 2 times"),
        (((USER, ""), (USER, "ann")), "X-Forwarded-User came 2 times"),
        (((USER, "ann"), (GROUPS, "a"), (GROUPS, "b")), "X-Forwarded-Groups came 2 times"),
        (((USER, "ann"), (GROUPS, "a," * GROUPS_MAX)), "X-Forwarded-Groups has more than 2,000"),
        (((USER, "…"),), "the name has neither a letter nor a digit"),
        (((USER, "a\0b"),), "the name is too long or has characters"),
    ],
)
def test_what_does_not_say_who_it_is(headers: Any, reason: str) -> None:
    found = told(*headers)
    assert isinstance(found, str)
    assert found.startswith(reason)


def test_what_proves_a_person_and_what_proves_nobody() -> None:
    rules = (Rule(number=1, group="dev", team="sales", role=Role.VIEWER),)
    way = Proxy("company", sections.Proxy(label="Company", trusted=TRUSTED, session_hours=2), rules)
    assert (way.label, way.name, way.begins) == ("Company", "company", "header")

    def proof(peer: str) -> Proof:
        given = Given(name=None, secret="", headers=((USER, "ann"), (NAME, "Ann")), peer=peer)
        return asyncio.run(way.prove(given, unasked))

    good, bad = proof(PEER), proof("10.9.9.9")
    assert isinstance(good.find, partial)
    assert good.find.func is external.admit
    told_of = Told("company", "ann", "ann", (), "ann")  # no header is for the display name
    assert good.find.keywords == {"told": told_of, "rules": rules}
    assert (good.reason, good.lifetime_s) == ("no role", 7_200.0)
    assert bad == Proof(nobody, reason="10.9.9.9 is not in trusted of [proxy.company]")


async def unasked(*_: Any, **__: Any) -> Any:
    raise AssertionError("headers need no question to the database")


def test_as_many_groups_as_may_be() -> None:
    found = told((USER, "ann"), (GROUPS, ",".join(f"g{n}" for n in range(GROUPS_MAX))))
    assert isinstance(found, Told)
    assert len(found.groups) == GROUPS_MAX
