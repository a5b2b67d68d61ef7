"""``headway team apply``: bring teams to what a file says, after showing what would change."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import UNSET

from headway import config, wire
from headway.cli import team_file
from headway.cli.options import Data
from headway.cli.output import line
from headway.cli.team_file import FileTeam
from headway.cli.terminal import say
from headway.core import teams as core
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
    file: Annotated[Path, typer.Argument(help="File with teams: their settings, members, pools.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
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
    if is_ is None:
        said = ", ".join(f"{key} {value}" for key, value in set_.items())
        request = wire.TeamRequest(name=team.name, **set_)  # type: ignore[arg-type]
        yield Step(
            f"+ team {team.name}: {said or 'default settings'}",
            lambda: platform.create_team(request),
        )
        return
    differing = {
        key: value for key, value in set_.items() if effective(key, value) != getattr(is_, key)
    }
    if differing:
        said = ", ".join(f"{key} {getattr(is_, key)} → {value}" for key, value in differing.items())
        change = wire.TeamChange(**differing)  # type: ignore[arg-type]
        yield Step(f"~ team {team.name}: {said}", lambda: platform.change_team(team.name, change))


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
    """The local admin and who applies the file are left alone: without them nobody could apply it again."""
    assert team.members is not None
    known = {user.name: user.role for user in here.client.users()} if here.exists else {}
    kept = {me, "admin"}
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


def client_in(layout: config.Layout, team: str | None) -> "Client":
    from headway.client import client_of

    return client_of(layout, team)
