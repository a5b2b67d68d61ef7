"""``headway user``: manage users and their roles."""

import sys
from getpass import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output, RoleOfTeam
from headway.cli.output import line, show
from headway.cli.terminal import say

if TYPE_CHECKING:
    from headway.client import Client

app = typer.Typer(no_args_is_help=True, help="Users and their roles.")


@app.command("ls")
def list_users(data: Data = None, output: Format = Output.TABLE) -> None:
    """List the users of the team."""
    users = client(data).users()
    rows = [
        (u.name, u.display_name, u.role, "yes" if u.has_password else "no", u.disabled_at)
        for u in users
    ]
    show(users, output, ("USER", "NAME", "ROLE", "PASSWORD", "DISABLED"), rows)


@app.command("create")
def create(
    name: str,
    role: RoleOfTeam = "viewer",
    display_name: Annotated[str | None, typer.Option("--name", help="Display name.")] = None,
    data: Data = None,
) -> None:
    """Create a user, and print a sign-in link. The link works once and expires in a day."""
    connection = client(data)
    request = wire.UserRequest(name=name, role=role, display_name=display_name)
    user = connection.create_user(request)
    line(connection.login_link(user.name).url)
    say(
        f"{user.name} created with role {user.role}; the link above signs them in, works once and expires in a day"
    )


@app.command("add")
def add(
    name: str,
    role: RoleOfTeam = "viewer",
    data: Data = None,
) -> None:
    """Add a user of another team to this team."""
    user = client(data).add_member(wire.MemberRequest(name=name, role=role))
    say(f"{user.name} now has role {user.role} in this team")


@app.command("remove")
def remove(name: str, data: Data = None) -> None:
    """Remove a user from the team. Their sessions and tokens stop working here immediately."""
    client(data).remove_member(name)
    say(f"{name} was removed from this team; to add them again: headway user add {name}")


@app.command("role")
def set_role(name: str, role: str, data: Data = None) -> None:
    """Change the role of a user."""
    user = client(data).change_user(name, wire.UserChange(role=role))
    say(f"{user.name} now has role {user.role}")


@app.command("disable")
def disable(name: str, data: Data = None) -> None:
    """Disable a user. Their sessions and tokens stop working immediately."""
    client(data).change_user(name, wire.UserChange(disabled=True))
    say(f"{name} is disabled; to enable them: headway user enable {name}")


@app.command("enable")
def enable(name: str, data: Data = None) -> None:
    """Enable a disabled user."""
    client(data).change_user(name, wire.UserChange(disabled=False))
    say(f"{name} is enabled")


@app.command("password")
def set_password(name: str, data: Data = None) -> None:
    """Set a user's password, typed or from standard input."""
    connection = client(data)
    current = None
    if sys.stdin.isatty():
        if connection.session().user.name == name:
            current = getpass("Current password (empty if not set): ") or None
        password = getpass(f"New password for {name}: ")
    else:
        password = sys.stdin.readline().rstrip("\n")
    connection.set_password(name, wire.PasswordRequest(password=password, current=current))
    say(f"{name} has a new password; their other sessions were signed out")


def client(data: Data) -> "Client":
    from headway.client import client_of

    return client_of(config.layout(data))
