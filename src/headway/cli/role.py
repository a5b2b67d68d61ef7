"""``headway role``: the roles of a team, as sets of verbs."""

from typing import TYPE_CHECKING, Annotated

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.core.roles import Verb

if TYPE_CHECKING:
    from headway.client import Client

app = typer.Typer(no_args_is_help=True, help="Roles of the team: built-in ones, and your own.")

Verbs = Annotated[
    list[Verb], typer.Option("--verb", help="A verb of the role. Repeat it for more.")
]


@app.command("ls")
def list_roles(data: Data = None, output: Format = Output.TABLE) -> None:
    """List the roles of the team with their verbs."""
    roles = client(data).roles()
    rows = [(each.name, " ".join(each.verbs), each.description) for each in roles]
    show(roles, output, ("ROLE", "VERBS", "DESCRIPTION"), rows)


@app.command("create")
def create(
    name: str,
    verb: Verbs,
    description: Annotated[str, typer.Option(help="What the role is for.")] = "",
    data: Data = None,
) -> None:
    """Define a role. It can have only verbs that you have yourself."""
    request = wire.RoleRequest(name=name, verbs=verb, description=description)
    made = client(data).create_role(request)
    say(f"role {made.name} created; to give it to somebody: headway user role USER {made.name}")


@app.command("set")
def change(name: str, verb: Verbs, data: Data = None) -> None:
    """Replace the verbs of a role. Everyone who has the role is affected immediately."""
    made = client(data).change_role(name, wire.RoleChange(verbs=verb))
    say(f"role {made.name} now has: {', '.join(made.verbs)}")


@app.command("delete")
def delete(name: str, data: Data = None) -> None:
    """Delete a role that no member and no token has."""
    client(data).delete_role(name)
    say(f"role {name} is deleted")


def client(data: Data) -> "Client":
    from headway.client import client_of

    return client_of(config.layout(data))
