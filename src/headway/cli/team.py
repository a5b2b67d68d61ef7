"""``headway team``: create, change and delete teams."""

import math
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer
from msgspec import UNSET, UnsetType

from headway import config, wire
from headway.cli import team_apply
from headway.cli.options import Data, Format, Output
from headway.cli.output import line, show
from headway.cli.terminal import say
from headway.errors import UsageError

if TYPE_CHECKING:
    from headway.client import Client

app = typer.Typer(no_args_is_help=True, help="Teams: one control plane for many of them.")

COLUMNS: Final = (
    *("TEAM", "TITLE", "SLOTS", "WEIGHT"),
    *("USED", "WAITING", "DAGS", "MEMBERS", "CREATED"),
)
DEFAULT: Final = "default"

SlotsOption = Annotated[
    str | None,
    typer.Option("--slots", metavar="N|default", help="Nominal slots (default: no own share)."),
]
WeightOption = Annotated[
    str | None,
    typer.Option("--weight", metavar="N|default", help="Weight for idle slots (default: 1)."),
]
TitleOption = Annotated[str | None, typer.Option("--title", help="Title that people read.")]


@app.command("ls")
def list_teams(data: Data = None, output: Format = Output.TABLE) -> None:
    """List teams with their settings and what they use now."""
    teams = client(data).teams()
    show(teams, output, COLUMNS, [row(team) for team in teams])


@app.command("show")
def show_team(name: str, data: Data = None, output: Format = Output.TABLE) -> None:
    """Show a team."""
    team = client(data).team(name)
    show(team, output, COLUMNS, [row(team)])


@app.command("create")
def create(
    name: str,
    slots: SlotsOption = None,
    weight: WeightOption = None,
    title: TitleOption = None,
    data: Data = None,
) -> None:
    """Create a team with all that it needs, and print the token of its agents. A second call changes nothing."""
    request = wire.TeamRequest(
        name=name, title=given(title), slots=slots_of(slots), weight=weight_of(weight)
    )
    team = client(data).create_team(request)
    if not team.created:
        say(f"team {name} already exists with these settings; nothing was changed")
        return
    say(f"team {name} created; you are an admin of it, and it has the pool default")
    say("the token of its agents, which is shown only now:")
    line(str(team.agent_token))
    say(f"to add people: headway user add NAME --team {name}")


@app.command("set")
def set_team(
    name: str,
    slots: SlotsOption = None,
    weight: WeightOption = None,
    title: TitleOption = None,
    data: Data = None,
) -> None:
    """Change the settings of a team."""
    if slots is None and weight is None and title is None:
        raise UsageError("nothing to change", hint="give --slots, --weight or --title")
    change = wire.TeamChange(title=given(title), slots=slots_of(slots), weight=weight_of(weight))
    team = client(data).change_team(name, change)
    say(f"team {name}: {settings(team)}")


@app.command("delete")
def delete(
    name: str,
    force: Annotated[
        bool, typer.Option("--force", help="Cancel runs that have not ended.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: Data = None,
) -> None:
    """Delete a team. Its tokens end immediately; its runs, logs and settings are removed soon after."""
    connection = client(data)
    team = connection.team(name)
    if not yes:
        confirm(team)
    connection.delete_team(name, force=force)
    say(f"team {name} deleted; its data is removed within minutes")


app.command("apply")(team_apply.apply)


def confirm(team: wire.Team) -> None:
    """Ask for the name, so that nobody deletes the wrong team. Raises UsageError."""
    if not sys.stdin.isatty():
        raise UsageError("deleting a team needs a confirmation", hint="add --yes")
    say(
        f"this deletes the team {team.name} with {team.dags} DAGs, their runs and logs, and removes "
        f"{team.members} members; it cannot be undone"
    )
    if typer.prompt("Type the name of the team") != team.name:
        raise UsageError("the name does not match, so nothing was deleted")


def row(team: wire.Team) -> tuple[object, ...]:
    return (
        *(team.name, team.title, team.slots, f"{team.weight:g}"),
        *(team.used, team.waiting, team.dags, team.members, team.created_at),
    )


def settings(team: wire.Team) -> str:
    slots = "no nominal slots" if team.slots is None else f"{team.slots} nominal slots"
    title = "" if team.title is None else f", title {team.title!r}"
    return f"{slots}, weight {team.weight:g}{title}"


def given(title: str | None) -> str | UnsetType | None:
    """An empty title removes it."""
    return UNSET if title is None else title or None


def slots_of(text: str | None) -> int | UnsetType | None:
    if text is None or text == DEFAULT:
        return UNSET if text is None else None
    if not text.isascii() or not text.isdigit():
        raise UsageError(
            f"{text!r} is not a number of slots",
            where="--slots",
            hint="give 0 or more, or reset it: --slots default",
        )
    return int(text)


def weight_of(text: str | None) -> float | UnsetType | None:
    if text is None or text == DEFAULT:
        return UNSET if text is None else None
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):  # JSON has no such numbers
        raise UsageError(
            f"{text!r} is not a weight",
            where="--weight",
            hint="give a number above 0, such as 2, or reset it: --weight default",
        )
    return weight


def client(data: Data) -> "Client":
    from headway.client import client_of

    return client_of(config.layout(data))
