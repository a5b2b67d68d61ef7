"""The caller of a request: a user in one team, with a role."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from headway.api.live.watcher import Holder
from headway.core.roles import Role, lesser
from headway.errors import NotAllowed
from headway.spec.errors import did_you_mean
from headway.store.people import Standing

LOCAL: Final = "local"
SESSION: Final = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    name: str
    person_id: int
    home_team_id: int  # whose admins look after the person
    team_id: int
    team: str
    role: Role
    via: str  # LOCAL: the token of the data directory; SESSION; token:<name of it>
    credential: str = ""  # the id of the session or token
    expires_at: datetime | None = None
    is_platform_admin: bool = False  # creates and deletes teams, and sets what they may use

    @property
    def actor(self) -> str:
        """Return the name that events and the audit use."""
        return f"user:{self.name}"

    @property
    def holder(self) -> Holder | None:
        """Return the holder of open streams; None for the data directory's token, which cannot be revoked."""
        return None if self.via == LOCAL else Holder(self.person_id, self.credential)

    @property
    def is_whole(self) -> bool:
        """Return whether a user asks in person, not a program with a token."""
        return self.via in (LOCAL, SESSION)

    def require_whole(self, what: str) -> None:
        """Raise NotAllowed for a token: it must not create credentials that allow more or last longer than itself."""
        if not self.is_whole:
            raise NotAllowed(f"a token cannot {what}", hint="sign in as a user to do this")


def chosen(teams: Sequence[Standing], wanted: str | None) -> Standing:
    """Return the team that the request names, or the user's first team.

    Raises:
        NotAllowed: the user is not in that team. The message does not reveal whether it exists.
    """
    for standing in teams:
        if wanted is None or standing.team == wanted:
            return standing
    names = [standing.team for standing in teams]
    raise NotAllowed(
        "you are not a member of any team"
        if wanted is None
        else f"you are not a member of a team {wanted!r}",
        hint=did_you_mean(wanted or "", names) or f"your teams: {', '.join(names) or 'none'}",
    )


def principal(
    standing: Standing,
    person_id: int,
    via: str,
    credential: str = "",
    at_most: Role = Role.ADMIN,
    expires_at: datetime | None = None,
) -> Principal:
    return Principal(
        name=standing.name,
        person_id=person_id,
        home_team_id=standing.home_team_id,
        team_id=standing.team_id,
        team=standing.team,
        role=lesser(Role(standing.role), at_most),
        via=via,
        credential=credential,
        expires_at=expires_at,
        is_platform_admin=standing.is_platform_admin and at_most is Role.ADMIN,
    )
