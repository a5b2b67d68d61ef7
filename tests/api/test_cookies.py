"""The cookies of sessions and of sign-ins that began elsewhere: what they say to a browser, and which ones count."""

import pytest
from litestar.connection import ASGIConnection

from headway.api import cookies

PLAIN = ("headway_session", "headway_sign_in")
SECURE = ("__Host-headway_session", "__Host-headway_sign_in")


def brought(**values: str) -> cookies.Connection:
    sent = "; ".join(
        f"{name.replace('Host_', '__Host-')}={value}" for name, value in values.items()
    )
    headers = [(b"cookie", sent.encode())] if sent else []
    return ASGIConnection({"type": "http", "headers": headers})  # type: ignore[arg-type]


@pytest.mark.parametrize("secure", [False, True])
def test_only_the_name_that_is_given_here_is_believed(secure: bool) -> None:
    """Over https other hosts of the domain can set the plain one, over http nobody is given the other one."""
    both = brought(
        Host_headway_session="s1", headway_session="s2", Host_headway_sign_in="t1", headway_sign_in="t2"
    )  # fmt: skip
    assert cookies.secret_of(both, secure=secure) == ("s1" if secure else "s2")
    assert cookies.ticket_of(both, secure=secure) == ("t1" if secure else "t2")
    plain = brought(headway_session="s2", headway_sign_in="t2")
    prefixed = brought(Host_headway_session="s1", Host_headway_sign_in="t1")
    for other in (plain if secure else prefixed, brought()):
        assert cookies.secret_of(other, secure=secure) is None
        assert cookies.ticket_of(other, secure=secure) == ""


@pytest.mark.parametrize(("secure", "names"), [(False, PLAIN), (True, SECURE)])
def test_cookies_are_for_our_pages_of_this_host_only(secure: bool, names: tuple[str, str]) -> None:
    session, ticket = cookies.cookie("s", 60, secure=secure), cookies.ticket("t", secure=secure)
    assert (session.key, ticket.key) == names
    assert (session.value, session.max_age) == ("s", 60)
    assert (ticket.value, ticket.max_age) == ("t", 900)
    for each in (session, ticket):
        assert (each.path, each.domain, each.secure) == ("/", None, secure)
        assert (each.httponly, each.samesite) == (True, "strict")
    assert cookies.ticket("", secure=secure).max_age == 0
