"""``headway slots``: show who uses the slots."""

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say


def slots(data: Data = None, output: Format = Output.TABLE) -> None:
    """Show the slots of your team: how many it uses, has borrowed and lent. A platform admin sees all teams."""
    from headway.client import client_of

    found = client_of(config.layout(data)).slots()
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
