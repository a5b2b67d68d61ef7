"""Signing in with name and password, or with a link that works once.

The answer takes equally long for unknown names. Passwords are hashed one at a time, off the event
loop, because each takes 19 MiB. An identity provider belongs here too: every proof of identity
ends in ``enter``.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import Connection

from headway.api.door import Door
from headway.api.principal import SESSION, Principal, chosen, principal
from headway.api.rates import Rate
from headway.errors import NotAuthenticated
from headway.identity import accounts, passwords
from headway.store import audit, browser_sessions, people
from headway.store.transact import enter_team

NAME_CHARS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class SignedIn:
    secret: str  # for the cookie
    principal: Principal


@dataclass(slots=True)
class SignIn:
    team_id: int  # keeps the record of attempts that are nobody's
    # A person who mistypes; somebody who tries many names; many who try one name.
    by_pair: Rate = field(default_factory=lambda: Rate(5, 60.0))
    by_address: Rate = field(default_factory=lambda: Rate(50, 60.0))
    by_name: Rate = field(default_factory=lambda: Rate(100, 60.0))
    hashing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def with_password(self, door: Door, name: str, password: str, address: str) -> SignedIn:
        """Sign in. Raises NotAuthenticated with one message for all causes, or RateLimited."""
        name = name.strip()[:NAME_CHARS_MAX]
        self.take((name, address))
        known = await door.call(people.password_parameters, name)
        home, parameters = known or (self.team_id, None)
        computed = await self.hash_with(password, parameters)
        signed_in = await door.of(home).call(with_hash, home, name, computed, address)
        if signed_in is None:
            raise NotAuthenticated(
                "wrong user name or password",
                hint="an admin can set a new password: headway user password",
            )
        self.by_pair.give_back((name, address))
        return signed_in

    async def with_link(self, door: Door, secret: str, address: str) -> SignedIn:
        self.by_address.take(address)
        signed_in = await door.call(with_link, self.team_id, accounts.fingerprint(secret), address)
        if signed_in is None:
            raise NotAuthenticated(
                "this sign-in link was already used or has expired",
                hint="create a new one: headway open",
            )
        return signed_in

    async def hash_of(self, password: str) -> str:
        async with self.hashing:
            return await asyncio.to_thread(passwords.hash_of, password)

    async def hash_with(self, password: str, parameters: str | None) -> str:
        async with self.hashing:
            return await asyncio.to_thread(passwords.hash_with, password, parameters)

    def take(self, pair: tuple[str, str]) -> None:
        name, address = pair
        self.by_address.take(address)
        self.by_pair.take(pair)
        self.by_name.take(name)


def with_hash(
    conn: Connection[Any], home: int, name: str, computed: str, address: str
) -> SignedIn | None:
    person_id = people.with_password(conn, name, computed)
    signed_in = None if person_id is None else enter(conn, person_id, address)
    note(conn, home, name, "password", signed_in is not None, address)
    return signed_in


def with_link(conn: Connection[Any], home: int, hashed: bytes, address: str) -> SignedIn | None:
    person_id = browser_sessions.use_link(conn, hashed)
    signed_in = None if person_id is None else enter(conn, person_id, address)
    if signed_in is None:
        enter_team(conn, home)
        note(conn, home, "", "link", False, address)
        return None
    who = signed_in.principal
    note(conn, who.home_team_id, who.name, "link", True, address)
    return signed_in


def enter(conn: Connection[Any], person_id: int, address: str) -> SignedIn | None:
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
