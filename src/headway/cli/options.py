"""Options that many commands share."""

import sys
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer

from headway.cli.terminal import say

Command = TypeVar("Command", bound=Callable[..., None])


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


Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="HEADWAY_DATA", help="Data directory (default: .headway)."),
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


def with_settings(parameter: str, read: Callable[..., Any]) -> Callable[[Command], Command]:
    """Give a command the options of ``read``; what ``read`` returns for them is the command's ``parameter``.

    So commands share options without repeating them.
    """

    def decorate(command: Command) -> Command:
        options = signature(read, eval_str=True).parameters

        @wraps(command)
        def called(**given: Any) -> None:
            chosen = {name: given.pop(name) for name in options}
            command(**given, **{parameter: read(**chosen)})

        parameters: list[Parameter] = []
        for name, each in signature(command, eval_str=True).parameters.items():
            parameters += options.values() if name == parameter else [each]
        called.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called  # type: ignore[return-value]

    return decorate
