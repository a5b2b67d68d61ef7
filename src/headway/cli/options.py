"""Options that many commands share."""

import sys
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from headway.cli.hints import note
from headway.cli.terminal import say

Command = TypeVar("Command", bound=Callable[..., Any])


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


STDIN: Final = "-"


def database_url_of(context: typer.Context, text: str | None) -> str | None:
    """Read the URL from standard input for ``-``; warn about a password that others can read with ps."""
    if text == STDIN:
        return sys.stdin.readline().strip()
    source = context.get_parameter_source("database_url")
    if text is not None and source is not None and source.name == "COMMANDLINE":
        from headway.store.transact import parsed

        if parsed(text).get("password"):
            say(
                "anyone on this machine can read the password in --database-url (ps); "
                "set HEADWAY_DATABASE_URL instead, or pass --database-url - and type the URL on standard input"
            )
    return text


def data_of(context: typer.Context, path: Path | None) -> Path | None:
    """Keep the data directory for the hints."""
    note(context, "data", path)
    return path


Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="HEADWAY_DATA",
        callback=data_of,
        help="Data directory (default: .headway).",
    ),
]
Dags = Annotated[
    Path | None,
    typer.Option("--dags", envvar="HEADWAY_DAGS", help="DAG folder (default: dags or .)."),
]
Format = Annotated[Output, typer.Option("--output", "-o", help="Output format.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        envvar="HEADWAY_DATABASE_URL",
        help="URL of a PostgreSQL server (15 or later) to use instead of the embedded one; - "
        "reads it from standard input.",
        callback=database_url_of,
        show_envvar=True,
    ),
]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[
    int,
    typer.Option(
        min=0, max=65535, envvar="HEADWAY_PORT", help="Port to listen on; 0 takes any free port."
    ),
]
Slots = Annotated[
    int, typer.Option(min=1, help="Maximum number of tasks that run at the same time.")
]
PublicUrl = Annotated[
    str | None,
    typer.Option(
        envvar="HEADWAY_PUBLIC_URL",
        help="Public URL, if the server is behind a proxy: https://headway.example.org",
    ),
]
ApiRate = Annotated[
    int,
    typer.Option(
        min=1,
        envvar="HEADWAY_API_RATE",
        help="Maximum requests per second for each user or token, at each API server.",
    ),
]
Queues = Annotated[
    list[str] | None,
    typer.Option(help="Run the tasks of this queue. Can be repeated (default: default)."),
]
LOG_STORE: Final = typer.Option(
    envvar="HEADWAY_LOG_STORE",
    help="Log store to copy logs to: s3://bucket/prefix or file:///folder",
)
LogStore = Annotated[str | None, LOG_STORE]
Kubernetes = Annotated[
    Path | None,
    typer.Option(
        envvar="HEADWAY_KUBERNETES",
        help="File with the settings of a Kubernetes cluster, for tasks that run in pods.",
    ),
]
Agents = Annotated[
    str | None,
    typer.Option(
        envvar="HEADWAY_AGENTS",
        help="Address to wait at for agents of other machines: tls://0.0.0.0:7077",
    ),
]
Certificate = Annotated[
    Path | None,
    typer.Option(
        envvar="HEADWAY_CERTIFICATE",
        help="File with the certificate for --agents, and its chain (PEM).",
    ),
]
Key = Annotated[
    Path | None,
    typer.Option(envvar="HEADWAY_KEY", help="File with the private key of the certificate (PEM)."),
]
ListenAddress = Annotated[
    str | None,
    typer.Option(
        envvar="HEADWAY_LISTEN_ADDRESS",
        help="HOST:PORT of the PostgreSQL server, if the database URL leads to a pooler.",
    ),
]
BACKUP_STORE: Final = "HEADWAY_BACKUP_STORE"
BackupTo = Annotated[
    str | None,
    typer.Option(
        "--to",
        envvar=BACKUP_STORE,
        help="Backup store to write to, with files: s3://bucket/prefix or file:///folder",
    ),
]
BackupFrom = Annotated[
    str | None,
    typer.Option(
        "--from",
        envvar=BACKUP_STORE,
        help="Backup store to read from: s3://bucket/prefix or file:///folder",
    ),
]
HealthPort = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Port on which GET /healthz tells that the process works."),
]
RunId = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Run id or unique prefix, @latest, @failed, or of one DAG: DAG@latest, DAG@failed.",
    ),
]
DagId = Annotated[str, typer.Argument(metavar="DAG")]
Target = Annotated[str, typer.Argument(metavar="DAG", help="file.py, file.py:dag, or a DAG id.")]
MapIndex = Annotated[int | None, typer.Option("--index", help="Map index of a mapped task.")]
RoleOfTeam = Annotated[str, typer.Option("--role", help="Role in the team.")]
TokenDays = Annotated[int, typer.Option("--days", min=1, help="Days until the token expires.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def with_settings(parameter: str, read: Callable[..., Any]) -> Callable[[Command], Command]:
    """Give a command the options of ``read``; what ``read`` returns for them is the command's ``parameter``.

    So commands share options without repeating them.
    """

    def decorate(command: Command) -> Command:
        options = signature(read, eval_str=True).parameters

        @wraps(command)
        def called(**given: Any) -> Any:
            chosen = {name: given.pop(name) for name in options}
            return command(**given, **{parameter: read(**chosen)})

        parameters: list[Parameter] = []
        for name, each in signature(command, eval_str=True).parameters.items():
            found = options.values() if name == parameter else [each]
            # By keyword, so that none has to stand before those with defaults.
            parameters += [one.replace(kind=Parameter.KEYWORD_ONLY) for one in found]
        called.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called  # type: ignore[return-value]

    return decorate
