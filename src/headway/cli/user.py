"""``headway user``: who may do what."""

import sys
from getpass import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import line, show
from headway.cli.terminal import say
from headway.core.roles import Role

if TYPE_CHECKING:
    from headway.client import Client

app = typer.Typer(no_args_is_help=True, help="Users, and what they may do.")


@app.command("ls")
def list_users(data: Data = None, output: Format = Output.TABLE) -> None:
    """Show everybody in the team."""
    users = client(data).users()
    rows = [
        (u.name, u.display_name, u.role, "yes" if u.has_password else "no", u.disabled_at)
        for u in users
    ]
    show(users, output, ("USER", "NAME", "ROLE", "PASSWORD", "DISABLED"), rows)


@app.command("create")
def create(
    name: str,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.VIEWER,
    display_name: Annotated[str | None, typer.Option("--name", help="As people read it.")] = None,
    data: Data = None,
) -> None:
    """Make a user, and print an address that signs them in once, within a day."""
    connection = client(data)
    request = wire.UserRequest(name=name, role=role, display_name=display_name)
    user = connection.create_user(request)
    line(connection.login_link(user.name).url)
    say(f"{user.name} is {user.role}; the address above signs them in once, within a day")


@app.command("add")
def add(
    name: str,
    role: Annotated[Role, typer.Option(help="What they may do here.")] = Role.VIEWER,
    data: Data = None,
) -> None:
    """Take somebody of another team into this one, too."""
    user = client(data).add_member(wire.MemberRequest(name=name, role=role))
    say(f"{user.name} is {user.role} in this team now")


@app.command("remove")
def remove(name: str, data: Data = None) -> None:
    """Let somebody go from the team: their sessions and tokens stop working here at once."""
    client(data).remove_member(name)
    say(f"{name} is in this team no more; headway user add {name} takes them in again")


@app.command("role")
def set_role(name: str, role: Role, data: Data = None) -> None:
    """Change what somebody may do."""
    user = client(data).change_user(name, wire.UserChange(role=role))
    say(f"{user.name} is {user.role} now")


@app.command("disable")
def disable(name: str, data: Data = None) -> None:
    """Let somebody in no more: sessions and tokens end at once."""
    client(data).change_user(name, wire.UserChange(disabled=True))
    say(f"{name} is disabled; headway user enable {name} lets them in again")


@app.command("enable")
def enable(name: str, data: Data = None) -> None:
    """Let somebody in again."""
    client(data).change_user(name, wire.UserChange(disabled=False))
    say(f"{name} may sign in again")


@app.command("password")
def set_password(name: str, data: Data = None) -> None:
    """Give somebody a password, typed or from standard input."""
    connection = client(data)
    current = None
    if sys.stdin.isatty():
        if connection.session().user.name == name:
            current = getpass("Current password (empty if there is none): ") or None
        password = getpass(f"New password of {name}: ")
    else:
        password = sys.stdin.readline().rstrip("\n")
    connection.set_password(name, wire.PasswordRequest(password=password, current=current))
    say(f"{name} has a new password; their other sessions have ended")


def client(data: Data) -> "Client":
    from headway.client import client_of

    return client_of(config.layout(data))
