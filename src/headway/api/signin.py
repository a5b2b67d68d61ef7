"""Signing in, by any of the registered ways (``headway.identity``).

Every way shares the rest: how often somebody may try, one transaction that takes the proof, opens the session
and writes the audit, and one answer for every reason to refuse.
"""

import contextlib
import logging
import math
import unicodedata
from dataclasses import dataclass, field, replace
from typing import Any, Final

from psycopg import Connection

from headway.api.door import Door
from headway.api.principal import SESSION, Principal, chosen, principal
from headway.api.renewal import Renewal
from headway.core.crowds import crowd_of
from headway.errors import NotAuthenticated, NotFound, NotReachable, RateLimited
from headway.identity import accounts
from headway.identity.base import Begins, Given, Proof, Redirecting, SignIn
from headway.identity.passwords import Hashing
from headway.identity.registry import ways
from headway.identity.settings import NONE, SignInSettings
from headway.store import audit, people, roles, sign_in_rates
from headway.store.sign_in_rates import Bucket
from headway.store.transact import enter_team

log = logging.getLogger(__name__)

NAME_CHARS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class SignedIn:
    secret: str  # for the cookie
    principal: Principal
    reply: str | None = None  # what proves us to a program


@dataclass(slots=True)
class SignIns:
    team_id: int  # keeps the record of attempts that are nobody's
    settings: SignInSettings = NONE
    hashing: Hashing = field(default_factory=Hashing)
    ways: tuple[SignIn, ...] = field(init=False)
    renewal: Renewal = field(init=False)

    def __post_init__(self) -> None:
        self.ways = ways(self.hashing, self.settings)
        self.renewal = Renewal(self.ways)

    def way(self, name: str, begins: Begins) -> SignIn:
        """Return a way by its name. Raises NotFound if there is none that begins so."""
        for way in self.ways:
            if way.name == name and way.begins == begins:
                return way
        names = ", ".join(way.name for way in self.ways if way.begins == begins)
        raise NotFound(
            f"there is no way to sign in named {name!r} here",
            hint=f"use one of: {names}" if names else "see: GET /api/v1/sign-in",
        )

    async def enter(self, way: SignIn, door: Door, given: Given, address: str) -> SignedIn:
        """Sign in. Raises NotAuthenticated with one message for all causes, or RateLimited."""
        name = None if given.name is None else given.name.strip()[:NAME_CHARS_MAX]
        await self.take(door, name, address)
        proof = await way.prove(replace(given, name=name), door.call)
        entry = (way.name, name or "", address)
        signed_in = await door.call(conclude, self.team_id, proof, *entry)
        if signed_in is None:
            message, hint = way.refusal
            raise NotAuthenticated(message, hint=hint)
        if name is not None:
            await door.call(sign_in_rates.give_back, by_pair(name, address))
        self.alarm(signed_in.principal.name, way.name, address)
        return signed_in

    def alarm(self, name: str, way: str, address: str) -> None:
        """Warn of the local admin where people sign in elsewhere: this account is for the day on which they cannot."""
        if name == accounts.ADMIN and self.settings != NONE:
            log.warning("break-glass: the local admin signed in by %s from %s", way, address)

    @property
    def negotiating(self) -> SignIn:
        """The way that takes tickets. Raises NotFound."""
        for way in self.ways:
            if way.begins == "negotiate":
                return way
        raise NotFound("this server takes no tickets of Kerberos", hint="see: GET /api/v1/sign-in")

    async def leave(self, name: str | None, back: str) -> str | None:
        """Return the address at which a browser that signed out here signs out there, too, if there is one."""
        for way in self.ways:
            if way.name == name and isinstance(way, Redirecting):
                with contextlib.suppress(NotReachable):  # signed out here all the same
                    return await way.leave(back)
        return None

    async def take(self, door: Door, name: str | None, address: str) -> None:
        """Count a try, together with all other API servers. Raises RateLimited."""
        buckets = [by_address(address)]
        if name is not None:
            buckets += [by_pair(name, address), by_name(name)]
        if (wait_s := await door.call(sign_in_rates.take, buckets)) > 0:
            error = RateLimited("too many requests", hint="try again later")
            error.retry_after_s = math.ceil(wait_s)
            raise error

    async def give_back(self, door: Door, address: str) -> None:
        """Undo a try that was no guess: programs come often."""
        await door.call(sign_in_rates.give_back, by_address(address))


# A person who mistypes; somebody who tries many names; many who try one name.
def by_pair(name: str, address: str) -> Bucket:
    return Bucket(("pair", counted_as(name), crowd_of(address)), 5, 60.0)


def by_address(address: str) -> Bucket:
    return Bucket(("address", crowd_of(address)), 50, 60.0)


def by_name(name: str) -> Bucket:
    return Bucket(("name", counted_as(name)), 100, 60.0)


def counted_as(name: str) -> str:
    """Return a name as directories may compare it, so that nobody goes on guessing by another spelling.

    They heed neither case nor spaces, and some of them no accents.
    """
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(each for each in letters if unicodedata.category(each)[0] not in "MZC")


def conclude(
    conn: Connection[Any], team_id: int, proof: Proof, way: str, name: str, address: str
) -> SignedIn | None:
    """Take the proof and open the session, or refuse; either is written in the audit."""
    person_id = proof.find(conn)
    signed_in = None
    if person_id is not None:
        signed_in = open_session(conn, person_id, address, proof)
    if signed_in is None:
        home = team_id if proof.home is None else proof.home
        enter_team(conn, home)
        note(conn, home, name, way, False, address, proof.reason)
        return None
    who = signed_in.principal
    note(conn, who.home_team_id, who.name, way, True, address)
    return signed_in


def open_session(
    conn: Connection[Any], person_id: int, address: str, proof: Proof
) -> SignedIn | None:
    """Open a session for a proven identity, unless the user is disabled or in no team."""
    standing = people.standing(conn, person_id)
    if not standing:
        return None
    first = chosen(standing, None)
    enter_team(conn, first.home_team_id)
    prefix = "" if proof.reply is None else accounts.SESSION_PREFIX
    lifetime_s = proof.lifetime_s or accounts.SESSION_S
    opened = accounts.open_session(
        *(conn, first.home_team_id, person_id, address, lifetime_s),
        provided=proof.provided,
        prefix=prefix,
    )
    session = opened.session
    return SignedIn(
        opened.secret,
        principal(
            *(first, roles.verbs_of(conn, first.team_id, first.role), person_id, SESSION),
            credential=session.session_id,
            expires_at=session.expires_at,
        ),
        proof.reply,
    )


def note(
    conn: Connection[Any],
    team_id: int,
    name: str,
    via: str,
    good: bool,
    address: str,
    reason: str = "",
) -> None:
    action = "session.sign_in" if good else "session.refused"
    actor = f"user:{name}" if good else "nobody"
    entry = audit.Entry(actor=actor, via=via, action=action, subject=name, address=address)
    if reason:
        entry.detail["reason"] = reason
    audit.write(conn, team_id, entry)
