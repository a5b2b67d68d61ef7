"""Sign in by a Kerberos ticket, as SPNEGO carries it: for programs and the command line. Groups come from a directory.

A ticket counts once: the library keeps those of the last minutes. The session ends with the ticket, so that
anyone who goes on shows a new one.
"""

import asyncio
import base64
import binascii
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from headway.core.role_map import Rule
from headway.errors import NotReachable
from headway.identity import external, sections
from headway.identity.base import Ask, Given, Proof, nobody
from headway.identity.directory import Directory
from headway.identity.id_token import Refused

AT_ONCE: Final = 4
KERBEROS: Final = "1.2.840.113554.1.2.2"
SECRET_BYTES_MAX: Final = 64_000  # tickets of people in many groups of Active Directory are large


class Kerberos:
    begins: Final = "negotiate"
    refusal: Final = (
        "the Kerberos ticket was not accepted, or the role map gives you no role in any team",
        "get a new ticket with: kinit; an admin finds the reason with: headway audit --action session.refused",
    )

    def __init__(
        self, name: str, kerberos: sections.Kerberos, directory: Directory, rules: Sequence[Rule]
    ) -> None:
        self.name = name
        self.label = kerberos.label
        self.kerberos = kerberos
        self.directory = directory
        self.rules = rules
        self.threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"kerberos {name}")

    async def prove(self, given: Given, ask: Ask) -> Proof:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self.threads, self.proven, given.secret)
        except Refused as error:
            return Proof(nobody, reason=str(error))

    def proven(self, secret: str) -> Proof:
        """Raises Refused. NotReachable: the keytab or the directory is of no use."""
        principal, left_s, reply = self.accept(decoded(secret))
        user, _, realm = principal.rpartition("@")
        if realm not in self.kerberos.realms:
            raise Refused(f"{principal} is of a realm that is not in realms")
        entry = self.directory.find(user)
        # Who comes by a ticket is who comes by a password of the same directory.
        told = external.told(
            self.directory.name, entry.subject, entry.groups, entry.display_name, user=entry.user
        )
        if isinstance(told, str):
            raise Refused(told)
        lifetime_s = min(self.kerberos.session_hours * 3600.0, left_s)
        find = partial(external.admit, told=told, rules=self.rules)
        return Proof(find, reason="no role", lifetime_s=lifetime_s, reply=reply)

    def accept(self, token: bytes) -> tuple[str, float, str]:
        """Return whose ticket it is, the seconds that it is still good for, and what proves us to them."""
        import gssapi

        try:
            # Only with this keytab: tickets for another service are refused.
            credentials = gssapi.Credentials(usage="accept", store={"keytab": self.kerberos.keytab})
        except gssapi.exceptions.GSSError as error:
            raise NotReachable(
                f"the keytab of {self.label} cannot be used",
                hint=f"an admin checks [kerberos.{self.name}] in the settings of sign-in",
            ) from error
        context = gssapi.SecurityContext(creds=credentials, usage="accept")
        try:
            reply = context.step(token)
            if not context.complete or context.mech.dotted_form != KERBEROS:
                raise Refused("the ticket is not one of Kerberos")
            service = str(context.target_name).partition("/")[0]
            left_s = float(context.lifetime)
            principal = str(context.initiator_name)
        except gssapi.exceptions.GSSError as error:
            raise Refused(f"the ticket was not accepted: {said(error)}") from error
        if service.upper() != "HTTP" or left_s <= 0:
            raise Refused(f"the ticket is for {service}, or is over")
        return principal, left_s, base64.b64encode(reply or b"").decode()


def decoded(secret: str) -> bytes:
    """Raises Refused: it is not base64 of something."""
    try:
        token = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        token = b""
    if not 0 < len(token) <= SECRET_BYTES_MAX:
        raise Refused("there is no ticket in the Authorization header")
    return token


def said(error: Exception) -> str:
    """Return the minor code's words, which say more than the major one's."""
    _, _, minor = str(error).rpartition("Minor ")
    return (minor.partition(": ")[2] or str(error))[:200]
