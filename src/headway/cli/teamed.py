"""``--team NAME`` of every command that asks a server: added to the tree, so that no command repeats it."""

import os
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from headway.cli.hints import note
from headway.config import ASKED_TEAM

OWN_TEAM: Final = "team"  # a command with a parameter of this name says itself what it is
OF_THE_SERVER: Final = frozenset(
    {"up", "api", "scheduler", "agent", "shipper", "backup", "restore", "manifests"}
)  # they ask no server: they are one, or have the database


def add_team(tree: Any) -> None:
    """Add the option to each command below that has a data directory."""
    option = made()

    def add(command: Any) -> None:
        if isinstance(command, TyperGroup):
            for each in command.commands.values():
                add(each)
            return
        names = {parameter.name for parameter in command.params}
        if "data" in names and OWN_TEAM not in names and command.name not in OF_THE_SERVER:
            command.params.append(option)

    add(tree)


def made() -> Any:
    """Return the option, made as typer makes those of functions."""
    carrier = typer.Typer(add_completion=False)

    @carrier.command()
    def carry(
        team: Annotated[
            str | None,
            typer.Option(
                metavar="NAME",
                envvar=ASKED_TEAM,
                callback=remember,
                help="The team that is meant (default: your first).",
            ),
        ] = None,
    ) -> None:
        """Carries the option."""

    option, *_ = get_command(carrier).params
    option.expose_value = False
    return option


def remember(context: typer.Context, team: str | None) -> None:
    """Leave the team where clients look for it, and for the hints."""
    note(context, OWN_TEAM, team)
    if team is not None:
        os.environ[ASKED_TEAM] = team
