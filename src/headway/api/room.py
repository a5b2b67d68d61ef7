"""How many connections the server holds, in all and of one address, and who goes when it is full.

Whoever is being answered stays. What only waits for its client (a connection that has brought
nothing or half a request, or is kept for the next one) makes room for a new one, the one that has
waited longest first: so connections that are held open keep nobody out.
"""

from collections import Counter
from collections.abc import Container
from typing import Final, Protocol

from headway import descriptors

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
        """Close it at once, whatever is still to be sent."""
        ...


class Room:
    def __init__(self, most: int, proxies: Container[str] = ()) -> None:
        """``proxies``: addresses behind which are many people, so that only the whole is bounded."""
        self.most = most
        self.of_one = max(1, int(most * OF_ONE_ADDRESS))
        self.proxies = proxies
        self.guests: dict[Guest, None] = {}
        self.waiting: dict[Guest, None] = {}  # longest first
        self.by_address: Counter[str] = Counter()

    def enter(self, guest: Guest) -> bool:
        """Whether there is room, which another one may have to make; it waits for its client."""
        if self.is_crowded(guest.address) and not self.dismiss_one(guest.address):
            return False
        if len(self.guests) >= self.most and not self.dismiss_one(None):
            return False
        self.guests[guest] = self.waiting[guest] = None
        self.by_address[guest.address] += 1
        return True

    def is_crowded(self, address: str) -> bool:
        return address not in self.proxies and self.by_address[address] >= self.of_one

    def dismiss_one(self, address: str | None) -> bool:
        for guest in self.waiting:
            if address in (None, guest.address):
                self.leave(guest)
                guest.dismiss()
                return True
        return False

    def leave(self, guest: Guest) -> None:
        """Once or again."""
        if guest not in self.guests:
            return
        del self.guests[guest]
        self.waiting.pop(guest, None)
        self.by_address[guest.address] -= 1
        if not self.by_address[guest.address]:
            del self.by_address[guest.address]

    def answers(self, guest: Guest) -> None:
        """From now on, until it ``waits`` again."""
        self.waiting.pop(guest, None)

    def waits(self, guest: Guest) -> None:
        """For its client, from now on."""
        if guest in self.guests:
            self.waiting.setdefault(guest)
