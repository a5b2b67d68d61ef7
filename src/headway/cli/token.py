"""``headway token``: what programs sign in with."""

from typing import Annotated

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import line, show
from headway.cli.terminal import say
from headway.core.roles import Role

app = typer.Typer(no_args_is_help=True, help="API tokens: what programs sign in with.")


@app.command("ls")
def list_tokens(data: Data = None, output: Format = Output.TABLE) -> None:
    """Show tokens: yours, or as an admin everybody's."""
    from headway.client import client_of

    tokens = client_of(config.layout(data)).tokens()
    rows = [
        (t.id, t.name, t.user, t.role, t.created_at, t.expires_at, t.last_used_at, t.revoked_at)
        for t in tokens
    ]
    columns = ("ID", "NAME", "USER", "ROLE", "CREATED", "EXPIRES", "LAST USED", "REVOKED")
    show(tokens, output, columns, rows)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[Role | None, typer.Option(help="No more than this (default: yours).")] = None,
    days: Annotated[int, typer.Option(min=1, help="How long it is good.")] = 90,
    user: Annotated[str | None, typer.Option(help="For somebody else, as an admin.")] = None,
    data: Data = None,
) -> None:
    """Make a token and print it: nobody can show it again."""
    from headway.client import client_of

    request = wire.TokenRequest(name=name, role=role, expires_in_days=days, user=user)
    token = client_of(config.layout(data)).create_token(request)
    line(token.token)
    say(f"of {token.user}, at most {token.role}, until {token.expires_at:%Y-%m-%d}")


@app.command("revoke")
def revoke(token_id: Annotated[str, typer.Argument(metavar="ID")], data: Data = None) -> None:
    """Refuse a token from now on."""
    from headway.client import client_of

    token = client_of(config.layout(data)).revoke_token(token_id)
    say(f"the token {token.name} of {token.user} is refused from now on")
