"""Changes of teams by platform admins: create, change, delete. Each function is one step of the caller's transaction.

A team that is created has all that it needs: its row, its default pool, its first admins, and the
token of its agents. A team that is deleted is closed at once; the janitor removes its data (ADR 26).
"""

from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Any, Final

from msgspec import UNSET, UnsetType
from psycopg import Connection

from headway import wire
from headway.actions import commands
from headway.core import cluster as in_cluster
from headway.core import teams as core
from headway.core.cluster import ClusterSettings
from headway.core.limits import NONE, WORDS, Limits, trouble
from headway.core.roles import Role
from headway.core.words import counted
from headway.errors import Conflict, NotFound, UsageError
from headway.identity import accounts
from headway.runs.again import Graphs
from headway.spec.errors import did_you_mean
from headway.store import clusters, dags, limits, people, pools, runs, teams
from headway.store.clock import clock
from headway.store.teams import TeamRow
from headway.store.transact import enter_team

DEFAULT_POOL: Final = "default"
DEFAULT_POOL_SLOTS: Final = 128
AGENT_TOKEN: Final = "agents of the team"
SHOWN_MAX: Final = 5  # runs in a message


@dataclass(frozen=True, slots=True)
class Actor:
    person_id: int
    name: str  # as events and the audit have it


@dataclass(frozen=True, slots=True)
class Created:
    team_id: int
    agent_token: str | None  # None: the team existed with these settings


@dataclass(frozen=True, slots=True)
class Settings:
    title: str | None = None
    slots: int | None = None
    weight: Decimal = core.WEIGHT
    limits: Limits = NONE
    cluster: ClusterSettings = field(default_factory=ClusterSettings)


def create(conn: Connection[Any], actor: Actor, wanted: wire.TeamRequest) -> Created:
    """Create a team with everything that it needs. A second call with the same settings does nothing.

    The answer holds the token of its agents.

    Raises:
        UsageError: a bad name or setting. Conflict: the team exists with other settings.
    """
    team_id, created = ensure(conn, actor, wanted)
    if not created:
        return Created(team_id, None)
    enter_team(conn, team_id)
    return Created(team_id, new_agent_token(conn, team_id, actor))


def ensure(conn: Connection[Any], actor: Actor, wanted: wire.TeamRequest) -> tuple[int, bool]:
    """Create a team, unless it exists with these settings. Returns its id, and whether it is new."""
    if (trouble := core.name_trouble(wanted.name)) is not None:
        raise UsageError(
            trouble,
            hint="use 1 to 40 lower-case letters and digits, with - between them, such as marketing",
        )
    people.one_at_a_time(conn)
    known = next(
        (row for row in teams.live(conn, actor.person_id) if row.name == wanted.name), None
    )
    if known is not None:
        check_same(known, wanted)
        return known.team_id, False
    settings = merged(Settings(), wanted)
    team_id = teams.create(
        conn, actor.person_id, wanted.name, settings.title, settings.slots, settings.weight
    )
    if settings.limits != NONE:
        limits.set_of(conn, actor.person_id, team_id, settings.limits)
    if settings.cluster != in_cluster.DEFAULTS:
        clusters.set_of(conn, actor.person_id, team_id, settings.cluster)
    enter_team(conn, team_id)
    local_admin = accounts.ensure_admin(conn, team_id)
    if actor.person_id != local_admin:
        name = actor.name.removeprefix("user:")
        people.join(conn, team_id, actor.person_id, name, Role.ADMIN, actor.name)
    pools.resize(conn, team_id, DEFAULT_POOL, DEFAULT_POOL_SLOTS, actor.name, clock(conn))
    runs.wake_schedulers(conn)  # where there is a cluster, they make what the team needs there
    return team_id, True


def new_agent_token(conn: Connection[Any], team_id: int, actor: Actor) -> str:
    """Create the token with which agents of the team connect."""
    _, secret = accounts.create_token(
        conn,
        team_id,
        actor.person_id,
        AGENT_TOKEN,
        Role.VIEWER,
        accounts.TOKEN_DAYS_MAX,
        "agent",
    )
    return secret


def change(
    conn: Connection[Any], actor: Actor, name: str, wanted: wire.TeamChange
) -> tuple[Settings, Settings, int]:
    """Change settings. Returns those before and after, and the team's id.

    Raises:
        UsageError: a bad setting, whether or not the team exists. NotFound: no such team.
    """
    merged(Settings(), wanted)
    row = named(conn, actor, name)
    before = settings_of(row)
    after = merged(before, wanted)
    if after != before:
        teams.change(conn, actor.person_id, row.team_id, after.title, after.slots, after.weight)
    if after.limits != before.limits:
        limits.set_of(conn, actor.person_id, row.team_id, after.limits)
    if after.cluster != before.cluster:
        clusters.set_of(conn, actor.person_id, row.team_id, after.cluster)
    return before, after, row.team_id


def delete(
    conn: Connection[Any], actor: Actor, name: str, graphs: Graphs, *, force: bool
) -> TeamRow:
    """Delete a team: nothing opens it from now on, and no DAG of it starts again.

    Raises:
        Conflict: runs are live and ``force`` is not given, or the team manages a platform admin.
    """
    row = named(conn, actor, name)
    teams.delete(conn, actor.person_id, row.team_id)
    enter_team(conn, row.team_id)
    known = [each.dag_id for each in dags.known(conn, row.team_id)]
    dags.miss(conn, row.team_id, known, clock(conn))
    live = teams.live_runs(conn, row.team_id)
    if live and not force:
        raise Conflict(
            f"{counted(len(live), 'run')} of the team {name} have not ended: "
            + ", ".join(live[:SHOWN_MAX])
            + (" …" if len(live) > SHOWN_MAX else ""),
            hint=f"wait for them, or cancel them: headway team delete {name} --force",
        )
    for run_id in live:
        commands.cancel(conn, row.team_id, run_id, graphs, actor.name)
    return row


def named(conn: Connection[Any], actor: Actor, name: str) -> TeamRow:
    """Return a live team. Raises NotFound."""
    live = teams.live(conn, actor.person_id)
    for row in live:
        if row.name == name:
            return row
    hint = did_you_mean(name, [row.name for row in live]) or "to list teams: headway team ls"
    raise NotFound(f"there is no team {name!r}", hint=hint)


def settings_of(row: TeamRow) -> Settings:
    bounds, cluster = limits.read(row.limits), clusters.read(row.cluster)
    return Settings(row.title, row.slots, row.weight.normalize(), bounds, cluster)


def merged(before: Settings, wanted: wire.TeamChange) -> Settings:
    """Return the settings with the wanted ones. Raises UsageError for one that is out of range."""
    title = before.title if wanted.title is UNSET else wanted.title
    slots = before.slots if wanted.slots is UNSET else wanted.slots
    weight = before.weight
    if wanted.weight is None:
        weight = core.WEIGHT
    elif wanted.weight is not UNSET:
        refuse(core.weight_trouble(wanted.weight))
        weight = Decimal(str(wanted.weight)).normalize()
    if title is not None:
        refuse(core.title_trouble(title))
    if slots is not None:
        refuse(core.slots_trouble(slots))
    bounds = limited(before.limits, wanted.limits)
    return Settings(title, slots, weight, bounds, clustered(before.cluster, wanted.cluster))


def limited(before: Limits, wanted: wire.LimitsChange | UnsetType) -> Limits:
    """Return the limits with the wanted ones. Raises UsageError for one that is out of range."""
    if wanted is UNSET:
        return before
    given = {name: value for name in WORDS if (value := getattr(wanted, name)) is not UNSET}
    for name, value in given.items():
        if value is not None:
            refuse(trouble(name, value))
    return replace(before, **given)


def clustered(before: ClusterSettings, wanted: wire.ClusterChange | UnsetType) -> ClusterSettings:
    """Return the settings in the cluster with the wanted ones. Raises UsageError for one that is not valid."""
    if wanted is UNSET:
        return before
    given = {f.name: getattr(wanted, f.name) for f in fields(ClusterSettings)}
    set_ = {name: value for name, value in given.items() if value is not UNSET}
    for name, value in set_.items():
        if value is None:
            set_[name] = getattr(in_cluster.DEFAULTS, name)
        elif isinstance(value, list):
            set_[name] = tuple(value)
    after = replace(before, **set_)
    refuse(in_cluster.trouble(after))
    return after


def refuse(trouble: str | None) -> None:
    if trouble is not None:
        raise UsageError(trouble)


def check_same(known: TeamRow, wanted: wire.TeamRequest) -> None:
    """Raise Conflict if an existing team has other settings than those that are given."""
    is_, asked = settings_of(known), merged(settings_of(known), wanted)
    if is_ == asked:
        return
    differing = ", ".join(
        f"{name} is {getattr(is_, name)}, not {getattr(asked, name)}"
        for name in ("title", "slots", "weight", "limits", "cluster")
        if getattr(is_, name) != getattr(asked, name)
    )
    raise Conflict(
        f"the team {known.name} already exists with other settings: {differing}",
        hint=f"to change them: headway team set {known.name}",
    )
