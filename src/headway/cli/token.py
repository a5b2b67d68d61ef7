"""``headway token``: manage API tokens."""

from typing import Annotated, Literal

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output, TokenDays
from headway.cli.output import line, show
from headway.cli.terminal import say
from headway.core.roles import Verb

app = typer.Typer(no_args_is_help=True, help="API tokens: let programs sign in.")


@app.command("ls")
def list_tokens(data: Data = None, output: Format = Output.TABLE) -> None:
    """List your tokens. Admins see all tokens of the team."""
    from headway.client import client_of

    tokens = client_of(config.layout(data)).tokens()
    rows = [
        (
            t.id,
            t.name,
            t.user,
            narrowed(t),
            t.scope,
            t.created_at,
            t.expires_at,
            t.last_used_at,
            t.revoked_at,
        )
        for t in tokens
    ]
    columns = ("ID", "NAME", "USER", "ROLE", "SCOPE", "CREATED", "EXPIRES", "LAST USED", "REVOKED")
    show(tokens, output, columns, rows)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    role: Annotated[
        str | None, typer.Option(help="Role of the token (default: your role).")
    ] = None,
    verb: Annotated[
        list[Verb] | None, typer.Option(help="Only this verb of the role. Repeat it for more.")
    ] = None,
    dag: Annotated[
        list[str] | None, typer.Option(help="Only for this DAG. Repeat it for more.")
    ] = None,
    days: TokenDays = 90,
    user: Annotated[
        str | None, typer.Option(help="Create it for another user. Needs the role admin.")
    ] = None,
    agent: Annotated[
        bool,
        typer.Option("--agent", help="Create it for agents of the team. Needs the role admin."),
    ] = False,
    data: Data = None,
) -> None:
    """Create a token and print it. It cannot be shown again."""
    from headway.client import client_of

    scope: Literal["api", "agent"] = "agent" if agent else "api"
    request = wire.TokenRequest(
        name=name,
        role=role,
        expires_in_days=days,
        user=user,
        scope=scope,
        verbs=verb or None,
        dag_ids=dag or None,
    )
    token = client_of(config.layout(data)).create_token(request)
    line(token.token)
    if agent:
        say(f"Agents with this token work for the team. It expires on {token.expires_at:%Y-%m-%d}.")
    else:
        say(f"token of {token.user} with role {token.role}, expires on {token.expires_at:%Y-%m-%d}")


@app.command("revoke")
def revoke(token_id: Annotated[str, typer.Argument(metavar="ID")], data: Data = None) -> None:
    """Revoke a token. It stops working immediately."""
    from headway.client import client_of

    token = client_of(config.layout(data)).revoke_token(token_id)
    say(f"token {token.name} of {token.user} is revoked")


def narrowed(token: wire.Token) -> str:
    """Return the token's role, and what of it the token has."""
    verbs = "" if token.verbs is None else f": {' '.join(token.verbs)}"
    dags = "" if token.dag_ids is None else f" on {' '.join(token.dag_ids)}"
    return f"{token.role}{verbs}{dags}"
