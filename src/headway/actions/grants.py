"""Grants between teams: asked for, given, refused, revoked. Each function is one step of the caller's transaction.

Nothing is looked up in the other team: what is said to a team that does not exist has the same answer, so that
nobody learns which teams, DAGs, assets and pools there are.
"""

from typing import Any, Final

from psycopg import Connection

from headway import ids, wire
from headway.core import teams
from headway.core.foreign import foreign
from headway.core.grants import GrantKind, GrantState, Side, Subject, may_move
from headway.errors import Conflict, UsageError
from headway.store import grants, notices
from headway.store.views import assets, dags, pools

OF_A_TEAM_MAX: Final = 1_000
WHAT_NEXT: Final = {
    GrantState.ASKED: "a grant that is asked for or given cannot be asked for again",
    GrantState.GIVEN: "this grant is already given",
    GrantState.REFUSED: "only a grant that is asked for can be refused; to take back a given one: headway grant revoke",
    GrantState.REVOKED: "only a given grant can be revoked",
}


def give(
    conn: Connection[Any], team: str, wanted: wire.GiveGrant, actor: str
) -> tuple[wire.Grant | None, wire.Grant]:
    """Let another team do something with a DAG, asset or pool of this one, asked or not. Returns what was and what is.

    Raises:
        NotFound: this team has no such DAG, asset or pool. UsageError, Conflict: as ``settle``.
    """
    check_other(team, wanted.grantee)
    check_own(conn, wanted)
    return settle(
        conn, Side.OWNER, (team, wanted.grantee, wanted.name, wanted.kind), wanted.note, actor
    )


def ask(
    conn: Connection[Any], team: str, wanted: wire.AskForGrant, actor: str
) -> tuple[wire.Grant | None, wire.Grant]:
    """Ask another team for something. Returns what was and what is."""
    check_other(team, wanted.owner)
    return settle(
        conn, Side.GRANTEE, (wanted.owner, team, wanted.name, wanted.kind), wanted.note, actor
    )


def check_own(conn: Connection[Any], wanted: wire.GiveGrant) -> None:
    if (other := foreign(wanted.name)) is not None:
        raise UsageError(
            f"{wanted.name} is of the team {other.team}",
            hint="only that team can give it to others",
        )
    match wanted.kind.subject:
        case Subject.DAG:
            dags.require(conn, wanted.name)
        case Subject.ASSET:
            assets.require(conn, wanted.name)
        case Subject.POOL:
            pools.keep(conn, wanted.name)


def check_other(team: str, other: str) -> None:
    if other == team:
        raise UsageError("a grant is between two teams", hint="name another team")
    if (trouble := teams.name_trouble(other)) is not None:
        raise UsageError(trouble)


def settle(
    conn: Connection[Any],
    side: Side,
    key: tuple[str, str, str, GrantKind],
    note: str,
    actor: str,
) -> tuple[wire.Grant | None, wire.Grant]:
    """Make the grant, or move the one that is there. Giving what is given, or asking again, changes nothing.

    Raises:
        Conflict: the grant is in a state from which this cannot be, or the team has too many grants.
    """
    state = GrantState.GIVEN if side is Side.OWNER else GrantState.ASKED
    before = grants.named(conn, *key)
    if before is not None:
        if before.state != state:
            moved(conn, side, before, state, note, actor)
        return before, grants.one(conn, before.id)
    if grants.count(conn) >= OF_A_TEAM_MAX:
        raise Conflict(
            f"this team already has {OF_A_TEAM_MAX:,} grants", hint="to list them: headway grant ls"
        )
    grant_id = ids.run_id()
    grants.make(conn, grant_id, *key, state, note, actor)
    notices.wake_schedulers(conn)
    return None, grants.one(conn, grant_id)


def answer(
    conn: Connection[Any], team: str, grant_id: str, state: GrantState, actor: str
) -> tuple[wire.Grant, wire.Grant]:
    """Give, refuse or revoke a grant that is there. Returns what was and what is.

    Raises:
        NotFound: no such grant. Conflict: the grant is not in a state from which this team may do that.
    """
    before = grants.one(conn, grant_id)
    side = Side.OWNER if before.owner == team else Side.GRANTEE
    moved(conn, side, before, state, None, actor)
    return before, grants.one(conn, grant_id)


def moved(
    conn: Connection[Any],
    side: Side,
    grant: wire.Grant,
    state: GrantState,
    note: str | None,
    actor: str,
) -> None:
    if not may_move(side, grant.state, state):
        if side is Side.GRANTEE and may_move(Side.OWNER, grant.state, state):
            raise Conflict(
                f"only the team {grant.owner} can do this", hint="ask an admin of that team"
            )
        raise Conflict(f"this grant is {grant.state}", hint=WHAT_NEXT[state])
    grants.change(conn, grant.id, state, note, actor)
    notices.wake_schedulers(conn)
