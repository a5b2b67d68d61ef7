"""``headway var``: manage variables. The value of a secret one goes in and never comes out."""

import json
import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer
from msgspec import UNSET

from headway import config, wire
from headway.cli.conn import DagIds, dags_of, text_of
from headway.cli.options import STDIN, Data, Format, Output
from headway.cli.output import line, show
from headway.cli.terminal import say
from headway.core.connections import is_sensitive
from headway.core.words import counted
from headway.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Variables: values that tasks read by key.")


@app.command("ls")
def list_variables(data: Data = None, output: Format = Output.TABLE) -> None:
    """List the variables of the team. The value of a secret is shown as ***."""
    from headway.client import client_of

    found = client_of(config.layout(data)).variables()
    rows = [
        (v.key, "***" if v.is_secret else v.value, dags_of(v.dags), v.description) for v in found
    ]
    show(found, output, ("KEY", "VALUE", "DAGS", "DESCRIPTION"), rows)


@app.command("show")
def show_variable(key: str, data: Data = None) -> None:
    """Print the value of a variable that is not a secret."""
    from headway.client import client_of

    found = client_of(config.layout(data)).variable(key)
    if found.is_secret:
        raise UsageError(f"the variable {key!r} is a secret; only tasks can read it")
    line(found.value or "")


@app.command("set")
def set_variable(
    key: str,
    value: Annotated[
        str | None,
        typer.Argument(help="Left out or -: ask for it, or read it from standard input."),
    ] = None,
    secret: Annotated[
        bool | None,
        typer.Option(
            "--secret/--visible", help="Encrypt the value and never show it (default: by the key)."
        ),
    ] = None,
    description: Annotated[str, typer.Option()] = "",
    dag: DagIds = None,
    data: Data = None,
) -> None:
    """Create a variable, or replace it."""
    from headway.client import client_of

    if value not in (None, STDIN) and (secret or (secret is None and is_sensitive(key, value))):
        raise UsageError(
            "the value is a secret, and anyone on this machine can read arguments (ps)",
            hint=f"leave the value out to be asked for it, or pass it on standard input: headway var set {key}",
        )
    if value in (None, STDIN):
        value = getpass("value: ") if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    request = wire.VariableRequest(
        value=UNSET if value is None else value, is_secret=secret, description=description, dags=dag
    )
    found = client_of(config.layout(data)).set_variable(key, request)
    say(f"variable {found.key} is saved{' as a secret' if found.is_secret else ''}")


@app.command("delete")
def delete_variable(key: str, data: Data = None) -> None:
    """Delete a variable."""
    from headway.client import client_of

    client_of(config.layout(data)).delete_variable(key)
    say(f"variable {key} deleted")


@app.command("import")
def import_variables(
    file: Annotated[Path, typer.Argument(help="JSON (key: value); - reads standard input.")],
    data: Data = None,
) -> None:
    """Create or replace variables from a file. The format is that of `airflow variables export`."""
    from headway.client import client_of

    text = sys.stdin.read() if str(file) == STDIN else text_of(file)
    try:
        given = dict(json.loads(text))
    except (ValueError, TypeError):
        raise UsageError(
            "the file is not a JSON object of keys and values", where=str(file)
        ) from None
    client = client_of(config.layout(data))
    for key, value in given.items():
        wanted = value["value"] if isinstance(value, dict) and "value" in value else value
        plain = wanted if isinstance(wanted, str) else json.dumps(wanted)
        description = str(value.get("description") or "") if isinstance(value, dict) else ""
        client.set_variable(key, wire.VariableRequest(value=plain, description=description))
    say(f"{counted(len(given), 'variable')} saved")
