"""``headway conn``: manage connections. Secrets go in by standard input or a prompt, and never come out."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import UNSET, UnsetType

from headway import config, wire
from headway.cli.options import STDIN, Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import read_secret, say
from headway.core.connections import BadConnection, extra_of, parse, secrets_of
from headway.core.words import counted, person
from headway.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Connections: how tasks reach other systems.")
PREFIXES = ("AIRFLOW_CONN_", "HEADWAY_CONN_")

ConnId = Annotated[str, typer.Argument(metavar="ID")]
DagIds = Annotated[
    list[str] | None,
    typer.Option("--dag", help="Only this DAG may use it; can be repeated (default: all DAGs)."),
]


@app.command("ls")
def list_connections(data: Data = None, output: Format = Output.TABLE) -> None:
    """List the connections of the team."""
    from headway.client import client_of

    found = client_of(config.layout(data)).connections()
    rows = [
        (c.conn_id, c.conn_type, c.host, c.port, c.schema, c.login, dags_of(c.dags)) for c in found
    ]
    show(found, output, ("ID", "TYPE", "HOST", "PORT", "SCHEMA", "LOGIN", "DAGS"), rows)


@app.command("show")
def show_connection(conn_id: ConnId, data: Data = None, output: Format = Output.TABLE) -> None:
    """Show a connection. Its secrets are shown as ***."""
    from headway.client import client_of

    found = client_of(config.layout(data)).connection(conn_id)
    rows: list[tuple[str, Any]] = [
        ("type", found.conn_type),
        ("host", found.host),
        ("port", found.port),
        ("schema", found.schema),
        ("login", found.login),
        ("password", "***" if found.has_password else None),
        *((f"extra.{name}", shown(value)) for name, value in sorted(found.extra.items())),
        ("description", found.description or None),
        ("dags", dags_of(found.dags)),
        ("changed", f"{found.changed_at:%Y-%m-%d %H:%M} by {person(found.changed_by)}"),
    ]
    show(found, output, ("FIELD", "VALUE"), rows)


@app.command("set")
def set_connection(
    conn_id: ConnId,
    uri: Annotated[
        str | None,
        typer.Option(
            help="All fields as a URI or JSON, as Airflow writes them; - reads standard input."
        ),
    ] = None,
    conn_type: Annotated[
        str, typer.Option("--type", help="For instance postgres, aws, http.")
    ] = "",
    host: Annotated[str | None, typer.Option()] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535)] = None,
    schema: Annotated[str | None, typer.Option(help="Database, bucket or path.")] = None,
    login: Annotated[str | None, typer.Option()] = None,
    password: Annotated[
        bool,
        typer.Option("--password", help="Ask for the password, or read it from standard input."),
    ] = False,
    extra: Annotated[
        str | None, typer.Option(help="More fields as a JSON object; - reads standard input.")
    ] = None,
    description: Annotated[str, typer.Option()] = "",
    dag: DagIds = None,
    data: Data = None,
) -> None:
    """Create a connection, or replace it. A password that is not given stays as it is."""
    from headway.client import client_of

    if uri is not None:
        given = sys.stdin.read().strip() if uri == STDIN else uri
        if uri != STDIN:
            refuse_secrets(given)
        request = wire.ConnectionRequest(uri=given, description=description, dags=dag)
    elif not conn_type:
        raise UsageError(
            "say what the connection is: give --uri or --type",
            hint=f"for instance headway conn set {conn_id} --type postgres --host db.example.org --password, "
            f"or headway conn set {conn_id} --uri - and type the URI on standard input",
        )
    else:
        request = wire.ConnectionRequest(
            conn_type=conn_type,
            host=host,
            port=port,
            schema=schema,
            login=login,
            extra=read_extra(extra),
            password=read_password(password),
            description=description,
            dags=dag,
        )
    found = client_of(config.layout(data)).set_connection(conn_id, request)
    say(f"connection {found.conn_id} of type {found.conn_type} is saved")


@app.command("test")
def try_connection(conn_id: ConnId, data: Data = None, output: Format = Output.TABLE) -> None:
    """Try a connection in a process of the team's agent. The exit code is 1 if it does not work."""
    from headway.client import client_of

    done = client_of(config.layout(data)).test_connection(conn_id)
    rows = [(done.conn_id, "works" if done.ok else "failed", done.message)]
    show(done, output, ("ID", "RESULT", "MESSAGE"), rows)
    if not done.ok:
        raise typer.Exit(1)


@app.command("delete")
def delete_connection(conn_id: ConnId, data: Data = None) -> None:
    """Delete a connection with its secrets."""
    from headway.client import client_of

    client_of(config.layout(data)).delete_connection(conn_id)
    say(f"connection {conn_id} deleted")


@app.command("import")
def import_connections(
    file: Annotated[
        Path, typer.Argument(help="JSON (id: URI or object) or .env lines; - reads standard input.")
    ],
    data: Data = None,
) -> None:
    """Create or replace connections from a file. The format is that of `airflow connections export`."""
    from headway.client import client_of

    wanted = read_file(sys.stdin.read() if str(file) == STDIN else text_of(file), str(file))
    client = client_of(config.layout(data))
    for conn_id, request in wanted.items():
        client.set_connection(conn_id, request)
    say(f"{counted(len(wanted), 'connection')} saved")


def read_file(text: str, where: str) -> dict[str, wire.ConnectionRequest]:
    """Raises UsageError for the first invalid entry, before any is saved."""
    return requests_of(entries(text, where), where)


def requests_of(given_by_id: dict[str, Any], where: str) -> dict[str, wire.ConnectionRequest]:
    found = {}
    for conn_id, value in given_by_id.items():
        given = value if isinstance(value, str) else json.dumps(value)
        description = value.get("description") or "" if isinstance(value, dict) else ""
        try:
            parse(given, conn_id)
        except BadConnection as error:
            raise UsageError(
                f"the connection {conn_id!r} is not valid: {error}", where=where
            ) from None
        found[conn_id] = wire.ConnectionRequest(uri=given, description=str(description))
    return found


def entries(text: str, where: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            return dict(json.loads(text))
        except ValueError:
            raise UsageError("the file is not valid JSON", where=where) from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        prefix = next((each for each in PREFIXES if name.startswith(each)), "")
        conn_id = name.removeprefix(prefix).lower() if prefix else name
        if not equals:
            raise UsageError(
                "a line must be ID=URI or AIRFLOW_CONN_ID=URI", where=f"{where}:{number}"
            )
        found[conn_id] = value.strip().strip("'\"") if value[:1] in "'\"" else value.strip()
    return found


def text_of(file: Path) -> str:
    try:
        return file.read_text()
    except OSError as error:
        raise UsageError(f"cannot read the file: {error.strerror}", where=str(file)) from error


def read_password(wanted: bool) -> str | UnsetType:
    return read_secret("password") if wanted else UNSET


def read_extra(text: str | None) -> dict[str, Any]:
    try:
        return extra_of(sys.stdin.read() if text == STDIN else text)
    except BadConnection as error:
        raise UsageError(str(error)) from None


def refuse_secrets(uri: str) -> None:
    """Refuse secrets in the arguments, which everyone on this machine can read."""
    try:
        has_secrets = bool(secrets_of(parse(uri)))
    except BadConnection as error:
        raise UsageError(str(error)) from None
    if has_secrets:
        raise UsageError(
            "the URI contains a secret, and anyone on this machine can read arguments (ps)",
            hint="pass it on standard input: headway conn set ID --uri -",
        )


def dags_of(dags: list[str] | None) -> str:
    return "all" if dags is None else ", ".join(dags)


def shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
