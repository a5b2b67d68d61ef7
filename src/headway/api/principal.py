"""The caller of a request: a user in one team, with a role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import Connection

from headway.api.live.watcher import Holder, Visit
from headway.core.roles import Verb, Verbs, missing
from headway.errors import NotAllowed
from headway.identity import accounts
from headway.spec.errors import did_you_mean
from headway.store.people import Standing

LOCAL: Final = "local"
SESSION: Final = "session"


@dataclass(frozen=True, slots=True)
class Guest:
    """The own team of a guest, and the verbs that it was granted, by DAG."""

    team_id: int
    team: str
    grants: Mapping[str, Verbs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    name: str
    person_id: int
    home_team_id: int  # whose admins look after the person
    team_id: int
    team: str
    role: str
    verbs: Verbs  # what they may do in the team: with a token, no more than its owner may
    via: str  # LOCAL: the token of the data directory; SESSION; token:<name of it>
    credential: str = ""  # the id of the session or token
    expires_at: datetime | None = None
    dag_ids: frozenset[str] | None = None  # of a token that is only for these
    is_platform_admin: bool = False  # creates and deletes teams, and sets what they may use
    guest: Guest | None = None  # in ``team`` by a grant to a team of their own

    @property
    def actor(self) -> str:
        """Return the name that events and the audit use."""
        return f"user:{self.name}"

    @property
    def own_team_id(self) -> int:
        """Return the team in which they are a member: whose limits and audit their requests count for."""
        return self.team_id if self.guest is None else self.guest.team_id

    @property
    def holder(self) -> Holder | None:
        """Return the holder of open streams; None for the data directory's token, which cannot be revoked."""
        if self.guest is not None:
            visit = Visit(self.guest.team_id, self.guest.team, self.dag_ids or frozenset())
            return Holder(self.person_id, self.credential, visit)
        return None if self.via == LOCAL else Holder(self.person_id, self.credential)

    @property
    def is_whole(self) -> bool:
        """Return whether a user asks in person, not a program with a token."""
        return self.via in (LOCAL, SESSION)

    @property
    def what_it_has(self) -> str:
        """Say why the caller may do what they may."""
        if self.is_whole:
            return f"your role in this team is {self.role}"
        return f"this token has the role {self.role} and {len(self.verbs)} verbs of it"

    def require(self, verb: Verb, what: str) -> None:
        """Raise NotAllowed without the verb. ``what``: the end of "you cannot …"."""
        if verb not in self.verbs:
            raise NotAllowed(
                f"you cannot {what} without {verb}; {self.what_it_has}", hint="ask an admin"
            )

    def require_all(self, wanted: Verbs, what: str) -> None:
        """Raise NotAllowed if the caller lacks any of the verbs, because nobody hands on what they do not hold."""
        if lacking := missing(self.verbs, wanted):
            raise NotAllowed(
                f"you cannot {what}: {self.what_it_has}, which does not have {lacking[0]}",
                hint="choose a lower role, or ask an admin",
            )

    def require_whole(self, what: str) -> None:
        """Raise NotAllowed for a token: it must not create credentials that allow more or last longer than itself."""
        if not self.is_whole:
            raise NotAllowed(f"a token cannot {what}", hint="sign in as a user to do this")


def require_beneath(conn: Connection[Any], who: Principal, name: str) -> None:
    """Raise NotAllowed if the user may do more than the caller, who would rise by acting for them."""
    is_admin = who.is_platform_admin
    accounts.require_beneath(conn, who.team_id, name, who.verbs, is_platform_admin=is_admin)


class NotAMember(Exception):
    """The request names a team that its user is not in. ``home``: their first team, whose audit tells."""

    def __init__(self, refusal: NotAllowed, home: Standing | None) -> None:
        super().__init__(refusal)
        self.refusal = refusal
        self.home = home


def chosen(teams: Sequence[Standing], wanted: str | None) -> Standing:
    """Return the team that the request names, or the user's first team.

    Raises:
        NotAMember: the user is not in that team. The message does not reveal whether it exists.
    """
    for standing in teams:
        if wanted is None or standing.team == wanted:
            return standing
    names = [standing.team for standing in teams]
    refusal = NotAllowed(
        "you are not a member of any team"
        if wanted is None
        else f"you are not a member of team {wanted!r}",
        hint=did_you_mean(wanted or "", names) or f"your teams: {', '.join(names) or 'none'}",
    )
    raise NotAMember(refusal, teams[0] if teams else None)


def principal(
    standing: Standing,
    verbs: Verbs,
    person_id: int,
    via: str,
    *,
    credential: str = "",
    expires_at: datetime | None = None,
    dag_ids: frozenset[str] | None = None,
) -> Principal:
    """``verbs``: of the role, as far as a token is not narrowed."""
    is_unlimited = verbs == frozenset(Verb) and dag_ids is None
    return Principal(
        name=standing.name,
        person_id=person_id,
        home_team_id=standing.home_team_id,
        team_id=standing.team_id,
        team=standing.team,
        role=standing.role,
        verbs=verbs,
        via=via,
        credential=credential,
        expires_at=expires_at,
        dag_ids=dag_ids,
        is_platform_admin=standing.is_platform_admin and is_unlimited,
    )
