"""Guests: members of a team to which another team gave a grant. They enter the other team for a DAG of a grant.

A guest reaches only routes that say so (``guests=True``), only by naming a DAG or a whole run id, and only with verbs
that the grant gives and that they have in their own team. Whatever else they ask for has one answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from psycopg import Connection

from headway.api.principal import Guest, Principal, chosen, principal
from headway.api.scopes import DAG, RUN, Named
from headway.core.grants import OPENED, GrantKind
from headway.core.roles import Verbs
from headway.errors import NotAllowed, NotFound
from headway.store import grants
from headway.store.people import Standing
from headway.store.views import dags as views
from headway.store.views import runs

GUEST: Final = "guest"


def principal_of(
    conn: Connection[Any],
    teams: Sequence[Standing],
    wanted: str | None,
    owned: Callable[[Standing], Verbs],
    person_id: int,
    via: str,
    dag_ids: frozenset[str] | None = None,
    **more: Any,
) -> Principal:
    """Return the caller in a team of theirs, or as a guest of another one.

    ``owned``: what they may do in a team of theirs. ``dag_ids``: of a token, whose DAGs are of its own team, and which
    visits nobody therefore. Raises NotAMember.
    """
    is_theirs = wanted is None or wanted in {standing.team for standing in teams}
    if wanted is not None and not is_theirs and dag_ids is None:
        found = visit(conn, teams, wanted, owned)
        if found is not None:
            standing, guest = found
            # No verb yet: it depends on the DAG.
            return replace(principal(standing, frozenset(), person_id, via, **more), guest=guest)
    where = chosen(teams, wanted)
    return principal(where, owned(where), person_id, via, dag_ids=dag_ids, **more)


def visit(
    conn: Connection[Any],
    teams: Sequence[Standing],
    owner: str,
    owned: Callable[[Standing], Verbs],
) -> tuple[Standing, Guest] | None:
    """Return how somebody stands in a team that granted something to the first such team of theirs."""
    found = grants.open_to(conn, owner, [standing.team_id for standing in teams])
    for home in teams:
        allowed: dict[str, Verbs] = {}
        for each in found:
            kind = GrantKind(each.kind)
            if each.grantee_id == home.team_id and kind in OPENED:
                verbs = OPENED[kind] & owned(home)
                allowed[each.name] = allowed.get(each.name, frozenset()) | verbs
        if allowed:
            there = replace(home, team_id=found[0].owner_id, team=owner, role=GUEST)
            return replace(there, is_platform_admin=False), Guest(home.team_id, home.team, allowed)
    return None


def narrowed(conn: Connection[Any], who: Principal, asked: Named, needed: Verbs) -> Principal:
    """Return the guest with what all DAGs that the request names allow.

    Raises:
        NotAllowed: with one text for whatever it is.
    """
    assert who.guest is not None
    granted = who.guest.grants
    dags = {dag_of(conn, name, value) for name, value in asked}
    verbs = [granted.get(dag_id or "", frozenset()) for dag_id in dags]
    if not verbs or not all(needed <= each for each in verbs):
        raise refusal(who.team)
    named = frozenset(dag_id for dag_id in dags if dag_id is not None)
    # Of a DAG that is gone, a route would say which others are called alike.
    if not all(views.is_known(conn, dag_id) for dag_id in named):
        raise refusal(who.team)
    return replace(who, verbs=frozenset.intersection(*verbs), dag_ids=named)


def refusal(team: str) -> NotAllowed:
    return NotAllowed(
        f"no grant of the team {team} lets you do this",
        hint="name a DAG of a grant, or a whole run id of it; to list grants: headway grant ls",
    )


def dag_of(conn: Connection[Any], name: str, value: str) -> str | None:
    """Return the DAG that a parameter names. Beginnings of run ids and words would tell of runs of other DAGs."""
    if name == DAG:
        return value
    try:
        return runs.one(conn, value).dag_id if name == RUN else None
    except NotFound:
        return None
