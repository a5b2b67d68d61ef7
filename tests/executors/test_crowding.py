"""Which connection goes when too many wait: one of those from where most come."""

import socket

import pytest

from headway.agent.protocol import Hello
from headway.executors.agents.link import Link, crowding


def links(*hosts: str) -> list[Link]:
    return [Link(socket.socket(), host=host) for host in hosts]


@pytest.mark.parametrize(
    ("hosts", "goes"),
    [
        (("a", "b", "b", "c"), 1),
        (("a", "b"), 0),
        (("a", "b", "b", "a"), 0),
        (("10.0.0.1", "2001:db8::1", "2001:db8::2", "10.0.0.2"), 1),  # of one subscriber
        (("10.0.0.1", "2001:db8:0:1::1", "2001:db8:0:2::1"), 0),
        (("", "10.0.0.1", "10.0.0.1"), 1),
    ],
)
def test_a_crowd_keeps_only_itself_out(hosts: tuple[str, ...], goes: int) -> None:
    found = links(*hosts)
    assert crowding(found) is found[goes]
    assert crowding(reversed(found)) is not None
    for each in found:
        each.sock.close()


def test_a_link_has_a_session_when_it_was_let_in() -> None:
    (link,) = links("a")
    link.sock.close()
    with pytest.raises(AssertionError):
        _ = link.session
    link.hello = Hello(
        "the session", "agent", "token", slots=1, processes=1, host="host", pid=1, held=[]
    )
    assert link.session == "the session"
