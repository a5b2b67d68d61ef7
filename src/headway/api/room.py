"""Limits connections in total and per address, and chooses which to close when the server is full.

A connection whose request is being answered stays. A connection that waits for its client (no
request, half a request, or keep-alive) is closed for a new one, longest wait first. So idle
connections cannot keep others out.
"""

from collections import Counter
from collections.abc import Container
from typing import Final, Protocol

from headway import descriptors
from headway.core.crowds import crowd_of

CONNECTIONS_MAX: Final = 2_000
OF_ONE_ADDRESS: Final = 0.75  # of all
OF_STREAMS: Final = 0.5  # less than of one address: a proxy may stand before all of them


def most() -> int:
    """Connections, in all."""
    return descriptors.connections_max(CONNECTIONS_MAX)


class Guest(Protocol):
    @property
    def address(self) -> str: ...

    def dismiss(self) -> None:
        """Close the connection immediately, without sending the rest."""
        ...


class Room:
    def __init__(self, most: int, proxies: Container[str] = ()) -> None:
        """``proxies`` are addresses shared by many people; only the total limit applies to them."""
        self.most = most
        self.of_one = max(1, int(most * OF_ONE_ADDRESS))
        self.proxies = proxies
        self.guests: dict[Guest, None] = {}
        self.waiting: dict[Guest, None] = {}  # longest first
        self.by_crowd: Counter[str] = Counter()

    def enter(self, guest: Guest) -> bool:
        """Admit a new connection, closing an idle one if needed. Returns False if the server is full."""
        crowd = self.crowd(guest)
        if self.is_crowded(guest) and not self.dismiss_one(crowd):
            return False
        if len(self.guests) >= self.most and not self.dismiss_one(None):
            return False
        self.guests[guest] = self.waiting[guest] = None
        self.by_crowd[crowd] += 1
        return True

    def is_crowded(self, guest: Guest) -> bool:
        return guest.address not in self.proxies and self.by_crowd[self.crowd(guest)] >= self.of_one

    def crowd(self, guest: Guest) -> str:
        """Return with whom a connection is counted. A proxy is not one of those around it."""
        return guest.address if guest.address in self.proxies else crowd_of(guest.address)

    def dismiss_one(self, crowd: str | None) -> bool:
        for guest in self.waiting:
            if crowd is None or crowd == self.crowd(guest):
                self.leave(guest)
                guest.dismiss()
                return True
        return False

    def leave(self, guest: Guest) -> None:
        """Remove the connection. May be called more than once."""
        if guest not in self.guests:
            return
        del self.guests[guest]
        self.waiting.pop(guest, None)
        crowd = self.crowd(guest)
        self.by_crowd[crowd] -= 1
        if not self.by_crowd[crowd]:
            del self.by_crowd[crowd]

    def answers(self, guest: Guest) -> None:
        """The connection is being answered, until ``waits`` is called."""
        self.waiting.pop(guest, None)

    def waits(self, guest: Guest) -> None:
        """The connection waits for its client from now on."""
        if guest in self.guests:
            self.waiting.setdefault(guest)
