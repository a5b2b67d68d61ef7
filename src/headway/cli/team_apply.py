"""``headway team apply``: bring teams to what a file says, after showing what would change."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import UNSET, UnsetType

from headway import config, wire
from headway.cli import team_file
from headway.cli.options import Data, Yes
from headway.cli.output import line
from headway.cli.team_file import Between, FileTeam
from headway.cli.terminal import say
from headway.core import teams as core
from headway.core.grants import GrantState
from headway.core.words import counted
from headway.errors import UsageError

if TYPE_CHECKING:
    from headway.client import Client


@dataclass(frozen=True, slots=True)
class Step:
    """``words``: as the plan shows it, first ``+``, ``~`` or ``-``."""

    words: str
    do: Callable[[], object]


def apply(
    file: Annotated[
        Path, typer.Argument(help="File with teams: their settings, members, pools, grants.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only.")] = False,
    yes: Yes = False,
    data: Data = None,
) -> None:
    """Bring teams to what a file says. Shows the plan first; a second call finds nothing to do."""
    wanted = team_file.read(file)
    layout = config.layout(data)
    steps = [*planned(layout, wanted)]
    for step in steps:
        line(step.words)
    told_apart(layout, wanted)
    if not steps:
        say("nothing to do: the teams are as the file says")
        return
    say(f"{counted(len(steps), 'change')} planned")
    if dry_run:
        return
    if not yes:
        confirm()
    for step in steps:
        step.do()
    say(f"{counted(len(steps), 'change')} made")


def confirm() -> None:
    if not sys.stdin.isatty():
        raise UsageError("applying changes needs a confirmation", hint="add --yes, or --dry-run")
    typer.confirm("Make these changes?", abort=True)


def planned(layout: config.Layout, wanted: list[FileTeam]) -> Iterator[Step]:
    """Yield what is to be done, team by team, in the order in which it has to be."""
    platform = client_in(layout, None)
    known = {team.name: team for team in platform.teams()}
    me = platform.session().user.name
    for team in wanted:
        is_ = known.get(team.name)
        yield from settings(platform, team, is_)
        here = Inside(layout, team.name, is_ is not None)
        if team.pools is not None:
            yield from pools(here, team)
        if team.members is not None:
            yield from members(here, team, me)
    # Last, when all teams are there: to grant needs both.
    for team in wanted:
        yield from grants(Inside(layout, team.name, team.name in known), team)


def told_apart(layout: config.Layout, wanted: list[FileTeam]) -> None:
    """Tell about teams that the file does not know. They stay: a line is deleted more easily than a team."""
    names = {team.name for team in wanted}
    others = [t.name for t in client_in(layout, None).teams() if t.name not in names]
    if others:
        say(f"not in the file, and left alone: {', '.join(others)}")


@dataclass(slots=True)
class Inside:
    """One team, as a member of it: entered when something is asked or done there, which may be after it was created."""

    layout: config.Layout
    team: str
    exists: bool

    @property
    def client(self) -> "Client":
        return client_in(self.layout, self.team)


def settings(platform: "Client", team: FileTeam, is_: wire.Team | None) -> Iterator[Step]:
    given = {"title": team.title, "slots": team.slots, "weight": team.weight}
    set_ = {key: value for key, value in given.items() if value is not UNSET}
    known = {} if is_ is None else {limit.name: limit.limit for limit in is_.limits}
    limits = {key: most for key, most in (team.limits or {}).items() if known.get(key) != most}
    cluster = differing_in_cluster(team, is_)
    if is_ is None:
        said = ", ".join(f"{key} {value}" for key, value in (set_ | limits | cluster).items())
        request = wire.TeamRequest(
            name=team.name,
            limits=asked(limits),
            cluster=wire.ClusterChange(**cluster) if cluster else UNSET,
            **set_,  # type: ignore[arg-type]
        )
        yield Step(
            f"+ team {team.name}: {said or 'default settings'}",
            lambda: platform.create_team(request),
        )
        return
    differing = {
        key: value for key, value in set_.items() if effective(key, value) != getattr(is_, key)
    }
    if differing or limits or cluster:
        before = {key: getattr(is_, key) for key in differing} | known
        before |= {key: getattr(is_.cluster, key, None) for key in cluster}
        changed = (differing | limits | cluster).items()
        said = ", ".join(f"{key} {before[key]} → {to}" for key, to in changed)
        change = wire.TeamChange(
            limits=asked(limits),
            cluster=wire.ClusterChange(**cluster) if cluster else UNSET,
            **differing,  # type: ignore[arg-type]
        )
        yield Step(f"~ team {team.name}: {said}", lambda: platform.change_team(team.name, change))


def asked(limits: Mapping[str, int | None]) -> wire.LimitsChange | UnsetType:
    return wire.LimitsChange(**limits) if limits else UNSET


def differing_in_cluster(team: FileTeam, is_: wire.Team | None) -> dict[str, Any]:
    """Return the settings in the cluster that the file changes. Nothing is the same as none."""
    known = None if is_ is None else is_.cluster
    wanted = (team.cluster or {}).items()
    return {name: to for name, to in wanted if given(getattr(known, name, None)) != given(to)}


def given(value: Any) -> Any:
    return None if value in ([], {}) else value


def effective(key: str, value: object) -> object:
    return float(core.WEIGHT) if key == "weight" and value is None else value


def pools(here: Inside, team: FileTeam) -> Iterator[Step]:
    assert team.pools is not None
    known = {pool.name: pool.slots for pool in here.client.pools()} if here.exists else {}
    for name, slots in team.pools.items():
        if known.get(name) == slots:
            continue
        before = f" {known[name]} →" if name in known else ""
        sign = "~" if name in known else "+"
        yield Step(
            f"{sign} pool {name} of {team.name}:{before} {slots} slots", setter(here, name, slots)
        )


def setter(here: Inside, name: str, slots: int) -> Callable[[], object]:
    return lambda: here.client.set_pool(name, slots)


def members(here: Inside, team: FileTeam, me: str) -> Iterator[Step]:
    """The local admin and who applies the file are left alone: without them nobody could apply it again.

    So are people who have their role by the role map, which decides anew at each sign-in, and service accounts.
    """
    assert team.members is not None
    users = here.client.users() if here.exists else []
    known = {user.name: user.role for user in users}
    kept = {me, "admin"} | {user.name for user in users if user.by_map or user.is_service}
    for name, role in team.members.items():
        if name in kept or known.get(name) == role:
            continue
        if name in known:
            words = f"~ member {name} of {team.name}: {known[name]} → {role}"
            yield Step(words, changer(here, name, wire.UserChange(role=role)))
        else:
            yield Step(
                f"+ member {name} of {team.name}: {role}",
                adder(here, wire.MemberRequest(name=name, role=role)),
            )
    for name in sorted(known.keys() - team.members.keys() - kept):
        yield Step(f"- member {name} of {team.name}: {known[name]}", remover(here, name))


def changer(here: Inside, name: str, change: wire.UserChange) -> Callable[[], object]:
    return lambda: here.client.change_user(name, change)


def adder(here: Inside, request: wire.MemberRequest) -> Callable[[], object]:
    return lambda: here.client.add_member(request)


def remover(here: Inside, name: str) -> Callable[[], object]:
    return lambda: here.client.remove_member(name)


def grants(here: Inside, team: FileTeam) -> Iterator[Step]:
    """Yield grants to give, to revoke because the file has them no more, and to ask for, unless they were refused."""
    if team.grants is None and not team.asks:
        return
    listed = here.client.grants() if here.exists else []
    given = {
        Between(each.grantee, each.name, each.kind): each.id
        for each in listed
        if each.owner == team.name and each.state is GrantState.GIVEN
    }
    for what in sorted((team.grants or frozenset()) - given.keys()):
        request = wire.GiveGrant(grantee=what.team, name=what.name, kind=what.kind)
        words = f"+ grant: {what.team} may {what.kind.word} {what.name} of {team.name}"
        yield Step(words, giver(here, request))
    for what in sorted(given.keys() - (given.keys() if team.grants is None else team.grants)):
        words = f"- grant: {what.team} may {what.kind.word} {what.name} of {team.name}"
        yield Step(words, revoker(here, given[what]))
    said = {
        Between(each.owner, each.name, each.kind)
        for each in listed
        if each.grantee == team.name and each.state is not GrantState.REVOKED
    }
    for what in sorted(team.asks - said):
        asking = wire.AskForGrant(owner=what.team, name=what.name, kind=what.kind)
        words = f"+ ask: may {team.name} {what.kind.word} {what.name} of {what.team}?"
        yield Step(words, asker(here, asking))


def giver(here: Inside, request: wire.GiveGrant) -> Callable[[], object]:
    return lambda: here.client.give_grant(request)


def revoker(here: Inside, grant_id: str) -> Callable[[], object]:
    change = wire.GrantChange(state=GrantState.REVOKED)
    return lambda: here.client.change_grant(grant_id, change)


def asker(here: Inside, request: wire.AskForGrant) -> Callable[[], object]:
    return lambda: here.client.ask_for_grant(request)


def client_in(layout: config.Layout, team: str | None) -> "Client":
    from headway.client import client_of

    return client_of(layout, team)
