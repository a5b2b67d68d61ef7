"""The socket the API listens on."""

import socket

import pytest

from headway.errors import Conflict, UsageError
from headway.up.address import bind, url_of


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """asyncio sets TCP_NODELAY only on sockets that name their protocol."""
    with bind("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        assert url_of(listener, "127.0.0.1").startswith("http://localhost:")


def test_a_busy_port_and_a_strange_host_are_told() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Conflict, match=f"port {port} is in use"):
            bind("127.0.0.1", port)
    with pytest.raises(UsageError, match="not an address"):
        bind("no.such.host.invalid", 0)
