"""Signing in, by any of the registered ways (``headway.identity``).

Every way shares the rest: how often somebody may try, one transaction that takes the proof, opens the session
and writes the audit, and one answer for every reason to refuse.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import Connection

from headway.api.door import Door
from headway.api.principal import SESSION, Principal, chosen, principal
from headway.api.rates import Rate
from headway.errors import NotAuthenticated, UsageError
from headway.identity import accounts
from headway.identity.base import Begins, Given, Proof, SignIn
from headway.identity.passwords import Hashing
from headway.identity.registry import ways
from headway.store import audit, people
from headway.store.transact import enter_team

NAME_CHARS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class SignedIn:
    secret: str  # for the cookie
    principal: Principal


@dataclass(slots=True)
class SignIns:
    team_id: int  # keeps the record of attempts that are nobody's
    hashing: Hashing = field(default_factory=Hashing)
    # A person who mistypes; somebody who tries many names; many who try one name.
    by_pair: Rate = field(default_factory=lambda: Rate(5, 60.0))
    by_address: Rate = field(default_factory=lambda: Rate(50, 60.0))
    by_name: Rate = field(default_factory=lambda: Rate(100, 60.0))
    ways: tuple[SignIn, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.ways = ways(self.hashing)

    def way(self, name: str, begins: Begins) -> SignIn:
        """Return a way by its name. Raises UsageError if there is none that begins so."""
        for way in self.ways:
            if way.name == name and way.begins == begins:
                return way
        names = ", ".join(way.name for way in self.ways if way.begins == begins)
        raise UsageError(
            f"there is no way to sign in named {name!r} here", hint=f"use one of: {names}"
        )

    async def enter(self, way: SignIn, door: Door, given: Given, address: str) -> SignedIn:
        """Sign in. Raises NotAuthenticated with one message for all causes, or RateLimited."""
        name = None if given.name is None else given.name.strip()[:NAME_CHARS_MAX]
        self.take(name, address)
        proof = await way.prove(Given(name, given.secret), door.call)
        entry = (way.name, name or "", address)
        signed_in = await door.call(conclude, self.team_id, proof, *entry)
        if signed_in is None:
            message, hint = way.refusal
            raise NotAuthenticated(message, hint=hint)
        self.by_pair.give_back((name, address))
        return signed_in

    def take(self, name: str | None, address: str) -> None:
        """Count a try. Raises RateLimited."""
        self.by_address.take(address)
        if name is not None:
            self.by_pair.take((name, address))
            self.by_name.take(name)


def conclude(
    conn: Connection[Any], team_id: int, proof: Proof, way: str, name: str, address: str
) -> SignedIn | None:
    """Take the proof and open the session, or refuse; either is written in the audit."""
    person_id = proof.find(conn)
    signed_in = None if person_id is None else open_session(conn, person_id, address)
    if signed_in is None:
        home = team_id if proof.home is None else proof.home
        enter_team(conn, home)
        note(conn, home, name, way, False, address)
        return None
    who = signed_in.principal
    note(conn, who.home_team_id, who.name, way, True, address)
    return signed_in


def open_session(conn: Connection[Any], person_id: int, address: str) -> SignedIn | None:
    """Open a session for a proven identity, unless the user is disabled or in no team."""
    standing = people.standing(conn, person_id)
    if not standing:
        return None
    first = chosen(standing, None)
    enter_team(conn, first.home_team_id)
    opened = accounts.open_session(conn, first.home_team_id, person_id, address)
    session = opened.session
    return SignedIn(
        opened.secret,
        principal(*(first, person_id, SESSION, session.session_id), expires_at=session.expires_at),
    )


def note(
    conn: Connection[Any], team_id: int, name: str, via: str, good: bool, address: str
) -> None:
    action = "session.sign_in" if good else "session.refused"
    actor = f"user:{name}" if good else "nobody"
    audit.write(
        conn,
        team_id,
        audit.Entry(actor=actor, via=via, action=action, subject=name, address=address),
    )
