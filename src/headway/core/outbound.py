"""Outbound webhooks: which events are told to whom, when a delivery is tried again, and which addresses may be
reached. Pure.

A team chooses the URL, and a process of the server connects to it: so what only the server's own network has (loopback,
link-local, private addresses) is reached only where the operator says so.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from headway.core.globs import fits
from headway.core.states import RUN_FINAL, RUN_TRANSITIONS, RunState

EVENT: Final = "x-headway-event"
RUN_ENDED: Final = "run.ended"
PARTITION_OVERDUE: Final = "partition.overdue"
EVENTS: Final = (RUN_ENDED, PARTITION_OVERDUE)
PING: Final = "ping"
STATES: Final = tuple(state for state in RunState if state in RUN_FINAL)
# The state to which an event of a run leads, where that is an end.
ENDS: Final[Mapping[str, RunState]] = {
    event: state
    for (before, event), state in RUN_TRANSITIONS.items()
    if state in RUN_FINAL and before != state
}

FIRST_RETRY: Final = timedelta(seconds=10)
RETRY_MAX: Final = timedelta(hours=1)
GIVE_UP: Final = timedelta(hours=12)

Network = IPv4Network | IPv6Network
TRANSLATED: Final = IPv6Network("64:ff9b::/96")  # an IPv4 address in its last 32 bits (NAT64)


def wants(dags: Sequence[str], states: Sequence[str], dag_id: str, state: str | None) -> bool:
    """Return whether a webhook of these patterns and states is told of an event. ``state``: of the run that ended."""
    return (state is None or state in states) and any(fits(pattern, dag_id) for pattern in dags)


def event_id(run_id: str, seq: int) -> str:
    """Return the id of an end: a run that is cleared ends again, with another one."""
    return f"{run_id}-{seq}"


def partition_event_id(dag_id: str, partition: str, seq: int) -> str:
    """Return the id of an overdue partition. It is part of a header, which the names of a DAG and a key may not be."""
    digest = sha256(f"{dag_id}\0{partition}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digest[:16]}-{seq}"


def next_try(tries: int, since: datetime, now: datetime, fraction: float) -> datetime | None:
    """Return when a delivery that failed so often is sent next; None: it is given up.

    ``fraction`` of chance: up to a fifth later, so that those that failed together do not come together.
    """
    delay = min(FIRST_RETRY * 2 ** min(tries - 1, 20), RETRY_MAX)
    at = now + delay * (1 + fraction / 5)
    return None if at - since > GIVE_UP else at


# -- addresses


def networks(text: str) -> list[Network]:
    """Parse networks with commas between them. Raises ValueError."""
    return [ip_network(part.strip()) for part in text.split(",") if part.strip()]


def may_reach(address: str, allowed: Sequence[Network]) -> bool:
    """Return whether an address is public, or in a network that the operator allows."""
    return all(is_open(each, allowed) for each in meanings(ip_address(address.partition("%")[0])))


def meanings(ip: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the address, or those that it stands for: one of IPv6 may lead to one of IPv4."""
    if isinstance(ip, IPv4Address):
        return [ip]
    if ip.ipv4_mapped is not None:
        return [ip.ipv4_mapped]
    inside: list[IPv4Address | IPv6Address] = []
    if ip in TRANSLATED:
        inside.append(IPv4Address(int(ip) & 0xFFFFFFFF))
    if ip.sixtofour is not None:
        inside.append(ip.sixtofour)
    return [ip, *inside]


def is_open(ip: IPv4Address | IPv6Address, allowed: Sequence[Network]) -> bool:
    if any(ip.version == network.version and ip in network for network in allowed):
        return True
    return ip.is_global and not ip.is_multicast
