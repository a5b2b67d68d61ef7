"""Sign in by name and password at a directory of LDAP, whose groups go through the role map."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from headway.core.role_map import Rule
from headway.identity import external
from headway.identity.base import Ask, Given, Proof, nobody
from headway.identity.directory import Directory
from headway.identity.external import Told
from headway.identity.id_token import Refused

AT_ONCE: Final = 4  # a directory that hangs holds up its own sign-ins, and nothing else


class Ldap:
    begins: Final = "form"
    refusal: Final = (
        "wrong user name or password, or the role map gives you no role in any team",
        "an admin finds the reason with: headway audit --action session.refused",
    )

    def __init__(self, directory: Directory, rules: Sequence[Rule]) -> None:
        self.name = directory.name
        self.label = directory.settings.label
        self.directory = directory
        self.rules = rules
        self.threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"ldap {self.name}")

    async def prove(self, given: Given, ask: Ask) -> Proof:
        loop = asyncio.get_running_loop()
        try:
            told = await loop.run_in_executor(self.threads, self.told, given)
        except Refused as error:
            return Proof(nobody, reason=str(error))
        find = partial(external.admit, told=told, rules=self.rules)
        hours = self.directory.settings.session_hours
        return Proof(find, reason="no role", lifetime_s=hours * 3600.0)

    def told(self, given: Given) -> Told:
        """Raises Refused. NotReachable: no server of the directory answers."""
        entry = self.directory.check(given.name or "", given.secret)
        told = external.told(
            self.name, entry.subject, entry.groups, entry.display_name, user=entry.user
        )
        if isinstance(told, str):
            raise Refused(told)
        return told
