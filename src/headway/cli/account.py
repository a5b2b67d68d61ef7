"""``headway account``: programs of a team."""

import typer

from headway import config, wire
from headway.cli.options import Data, RoleOfTeam, TokenDays
from headway.cli.output import line
from headway.cli.terminal import say

app = typer.Typer(
    no_args_is_help=True, help="Service accounts: users of the team that are programs."
)


@app.command("create")
def create(
    name: str,
    role: RoleOfTeam = "viewer",
    days: TokenDays = 90,
    data: Data = None,
) -> None:
    """Create a service account, and print a token of it. The token cannot be shown again."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    account = client.create_service_account(wire.ServiceAccountRequest(name=name, role=role))
    request = wire.TokenRequest(name=name, role=role, expires_in_days=days, user=account.name)
    token = client.create_token(request)
    line(token.token)
    say(f"{account.name} has the role {role}; its token expires on {token.expires_at:%Y-%m-%d}")
    say(f"for another token: headway token create NAME --user {account.name} --role {role}")
