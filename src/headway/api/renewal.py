"""Sessions that go on only as long as their provider agrees: it is asked again, and may end them by itself."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection

from headway.api.door import Door
from headway.errors import NotReachable
from headway.identity import external
from headway.identity.base import Redirecting, Renewed, SignIn
from headway.identity.id_token import Refused
from headway.identity.logout_token import Logout
from headway.store import audit, browser_sessions, provider_sessions
from headway.store.provider_sessions import Claimed
from headway.store.transact import enter_team

log = logging.getLogger(__name__)

HOLD_S: Final = 60.0  # until the provider is asked again, if it did not answer


@dataclass(frozen=True, slots=True)
class Renewal:
    ways: Sequence[SignIn]

    async def renew(self, door: Door, hashed: bytes) -> None:
        """Ask the provider of a session whether it goes on, and take the groups of now. Otherwise the session ends.

        Requests that come meanwhile go on with what was. So does everybody if the provider does not answer.
        """
        claimed = await door.call(provider_sessions.claim, hashed, HOLD_S)
        if claimed is None:
            return
        try:
            renewed = await self.asked(claimed)
        except NotReachable as error:
            log.warning("the session of %s was not refreshed: %s", claimed.person, error.message)
        except Refused as error:
            await door.call(end, claimed, str(error))
        else:
            await door.call(go_on, hashed, renewed)

    async def asked(self, claimed: Claimed) -> Renewed:
        for way in self.ways:
            if way.name == claimed.source and isinstance(way, Redirecting):
                return await way.renew(claimed.token, claimed.subject)
        raise Refused("this way to sign in is not in the settings any more")

    async def log_out(self, door: Door, token: str) -> None:
        """End the sessions that a provider's logout token names. Raises Refused: no provider of ours has made it."""
        reasons = []
        for way in self.ways:
            if isinstance(way, Redirecting):
                try:
                    logout = await way.logout(token)
                except Refused as error:
                    reasons.append(str(error))
                else:
                    await door.call(end_named, way.name, logout)
                    return
        raise Refused(reasons[0] if len(reasons) == 1 else "no provider has made this token")


def go_on(conn: Connection[Any], hashed: bytes, renewed: Renewed) -> None:
    external.admit(conn, renewed.told, renewed.rules)
    provider_sessions.keep(conn, hashed, renewed.sealed, renewed.after_s)


def end(conn: Connection[Any], claimed: Claimed, reason: str) -> None:
    enter_team(conn, claimed.home_team_id)
    browser_sessions.close(conn, claimed.home_team_id, claimed.session_id)
    note(conn, claimed.home_team_id, claimed.source, claimed.person, reason)


def end_named(conn: Connection[Any], way: str, logout: Logout) -> None:
    """Raises Refused: the token was used before."""
    ended = provider_sessions.end(
        conn, way, logout.sid, logout.subject, logout.fingerprint, logout.until
    )
    if ended is None:
        raise Refused("the logout token was used before")
    for each in ended:
        enter_team(conn, each.team_id)
        note(conn, each.team_id, way, each.person, "signed out at the provider")


def note(conn: Connection[Any], team_id: int, way: str, person: str, reason: str) -> None:
    entry = audit.Entry(
        actor="identity provider", via=way, action="session.ended", subject=person, address=""
    )
    entry.detail["reason"] = reason
    audit.write(conn, team_id, entry)
