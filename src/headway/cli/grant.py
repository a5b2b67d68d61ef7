"""``headway grant``: what other teams may do with DAGs, assets and pools of this team, and this team with theirs."""

from typing import Annotated

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.core.grants import GrantKind, GrantState

app = typer.Typer(
    no_args_is_help=True,
    help="Grants: what teams let each other do. See, start or wait for runs of a DAG, use an asset or a pool.",
    rich_markup_mode=None,
)
Other = Annotated[str, typer.Argument(metavar="TEAM", help="The other team.")]
Kind = Annotated[GrantKind, typer.Argument(help="What the grant allows.")]
Name = Annotated[
    str,
    typer.Argument(help="DAG of the owner; with use_asset, its asset; with use_pool, its pool."),
]
GrantId = Annotated[str, typer.Argument(metavar="ID", help="Id of the grant.")]
Note = Annotated[str, typer.Option("--note", help="A word to the other team.")]


@app.command()
def ls(data: Data = None, output: Format = Output.TABLE) -> None:
    """List grants: given to other teams, got from them, and asked for."""
    from headway.client import client_of

    found = client_of(config.layout(data)).grants()
    rows = [
        (
            *(each.id, each.owner, each.name, each.kind, each.grantee, each.state),
            *(each.changed_at, each.changed_by, each.note),
        )
        for each in found
    ]
    columns = ("ID", "OWNER", "NAME", "MAY", "GRANTEE", "STATE", "CHANGED", "BY", "NOTE")
    show(found, output, columns, rows)


@app.command()
def ask(other: Other, kind: Kind, name: Name, note: Note = "", data: Data = None) -> None:
    """Ask another team for access. To see, start or wait for runs of a DAG, or to use an asset or a pool."""
    from headway.client import client_of

    request = wire.AskForGrant(owner=other, name=name, kind=kind, note=note)
    tell(client_of(config.layout(data)).ask_for_grant(request))


@app.command()
def give(other: Other, kind: Kind, name: Name, note: Note = "", data: Data = None) -> None:
    """Give another team access, whether it asked or not.

    To see, start or wait for runs of a DAG, or to use an asset or a pool.
    """
    from headway.client import client_of

    request = wire.GiveGrant(grantee=other, name=name, kind=kind, note=note)
    tell(client_of(config.layout(data)).give_grant(request))


@app.command()
def refuse(grant_id: GrantId, data: Data = None) -> None:
    """Refuse a grant that another team asked for."""
    change(grant_id, GrantState.REFUSED, data)


@app.command()
def revoke(grant_id: GrantId, data: Data = None) -> None:
    """Take back a grant, or hand back one that this team got or asked for. It opens nothing from this moment on."""
    change(grant_id, GrantState.REVOKED, data)


def change(grant_id: str, state: GrantState, data: Data) -> None:
    from headway.client import client_of

    tell(client_of(config.layout(data)).change_grant(grant_id, wire.GrantChange(state=state)))


def tell(grant: wire.Grant) -> None:
    say(
        f"{grant.state}: team {grant.grantee} may {grant.kind.word} {grant.name} of team {grant.owner}"
        f" (grant {grant.id})"
    )
