"""The unit by which clients are counted: an address, or all that one subscriber has of IPv6.

Who has one address of IPv6 has a whole network of 64 bits, and could come from another one each time.
"""

import ipaddress
from typing import Final

SUBSCRIBER: Final = 64  # bits of an address of IPv6 that are somebody's


def crowd_of(address: str) -> str:
    """Return with whom an address is counted; what is none is counted as it is."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, SUBSCRIBER), strict=False))
