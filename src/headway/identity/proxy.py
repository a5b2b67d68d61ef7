"""Sign in by the headers of a proxy that has done it already, such as oauth2-proxy or Apache with Kerberos.

Only the address at the other end of the connection counts, not what ``X-Forwarded-For`` says. A header that came
twice is refused: one of the two may be the client's own.
"""

import ipaddress
from collections.abc import Sequence
from functools import partial
from typing import Final

from headway.core.role_map import Rule
from headway.identity import external, sections
from headway.identity.base import Ask, Given, Proof, nobody
from headway.identity.external import GROUPS_MAX, Told


class Proxy:
    begins: Final = "header"
    refusal: Final = (
        "the proxy did not sign you in, or the role map gives you no role in any team",
        "ask an admin, who finds the reason with: headway audit",
    )

    def __init__(self, name: str, proxy: sections.Proxy, rules: Sequence[Rule]) -> None:
        self.name = name
        self.label = proxy.label
        self.proxy = proxy
        self.trusted = sections.networks(proxy)
        self.rules = rules

    async def prove(self, given: Given, ask: Ask) -> Proof:
        told = self.told(given)
        if isinstance(told, str):
            return Proof(nobody, reason=told)
        find = partial(external.admit, told=told, rules=self.rules)
        return Proof(find, reason="no role", lifetime_s=self.proxy.session_hours * 3600.0)

    def told(self, given: Given) -> Told | str:
        """Return what the proxy says, or why it does not count."""
        if not self.is_trusted(given.peer):
            return f"{given.peer} is not in trusted of [proxy.{self.name}]"
        users = values(given, self.proxy.user_header)
        groups = values(given, self.proxy.groups_header)
        shown = values(given, self.proxy.name_header or "")
        if len(users) != 1 or not users[0]:
            return (
                f"{self.proxy.user_header} came {len(users)} times, and must come once with a name"
            )
        if len(groups) > 1:
            return f"{self.proxy.groups_header} came {len(groups)} times"
        names = [each.strip() for each in "".join(groups).split(self.proxy.groups_separator)]
        if len(names) > GROUPS_MAX:
            return f"{self.proxy.groups_header} has more than {GROUPS_MAX:,} groups"
        return external.told(self.name, users[0], filter(None, names), "".join(shown[:1]))

    def is_trusted(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.trusted)


def values(given: Given, header: str) -> list[str]:
    wanted = header.lower()
    return [value.strip() for name, value in given.headers if name == wanted]
