"""``headway slots``: show who uses the slots, or replay the last days with others."""

from typing import Annotated

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.errors import UsageError


def slots(
    replay: Annotated[
        str | None,
        typer.Option(
            metavar="7d", help="Replay the attempts of the last hours (12h), days (7d) or weeks."
        ),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="TEAM=W", help="With --replay: another weight. Can be repeated."),
    ] = None,
    nominal: Annotated[
        list[str] | None,
        typer.Option(
            "--slots",
            metavar="TEAM=N",
            help="With --replay: other nominal slots. Can be repeated.",
        ),
    ] = None,
    capacity: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="With --replay: slots of all teams together."),
    ] = None,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Show the slots of your team: used, borrowed and lent. A platform admin sees all teams.

    With --replay, show how long attempts would have waited with other slots and weights.
    """
    from headway.client import client_of

    if replay is None and (weight or nominal or capacity is not None):
        raise UsageError(
            "only a replay has other settings",
            hint="add --replay 7d; to change a team: headway team set TEAM --weight 2",
        )
    client = client_of(config.layout(data))
    if replay is not None:
        from headway.cli.slot_replay import Settings, show_replay, slots_by_team, weights_by_team

        asked = Settings(capacity, slots_by_team(nominal), weights_by_team(weight))
        show_replay(client, replay, asked, output)
        return
    found = client.slots()
    if output is Output.TABLE and found.team.allotted is None:
        say("your team shares its slots with no other")
    rows = [row(team) for team in found.teams or [found.team]]
    columns = ("TEAM", "SLOTS", "WEIGHT", "USED", "MAY USE", "BORROWED", "LENT", "WAITS")
    show(found, output, columns, rows)


def row(team: wire.TeamShare) -> tuple[object, ...]:
    weight = int(team.weight) if team.weight.is_integer() else team.weight
    waits = "yes" if team.short else ""
    return (
        team.team,
        team.slots,
        weight,
        team.used,
        team.allotted,
        team.borrowed,
        team.lent,
        waits,
    )
