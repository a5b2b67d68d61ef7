"""Options that many commands share."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from headway.cli.terminal import say


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


STDIN: Final = "-"


def database_url_of(context: typer.Context, text: str | None) -> str | None:
    """From standard input for ``-``. What is on the command line can be read by everybody on the machine."""
    if text == STDIN:
        return sys.stdin.readline().strip()
    source = context.get_parameter_source("database_url")
    if text is not None and source is not None and source.name == "COMMANDLINE":
        from headway.store.transact import parsed

        if parsed(text).get("password"):
            say(
                "the password in --database-url can be read by everybody on this machine (ps); "
                "give the URL as HEADWAY_DATABASE_URL, or write --database-url - and give it as a line of input"
            )
    return text


Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="HEADWAY_DATA", help="Data directory (default: .headway)."),
]
Dags = Annotated[
    Path | None,
    typer.Option("--dags", envvar="HEADWAY_DAGS", help="Folder of DAG files (default: dags or .)."),
]
Format = Annotated[Output, typer.Option("--output", "-o", help="How data is shown.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        envvar="HEADWAY_DATABASE_URL",
        help="PostgreSQL 15 or newer, instead of the embedded one; - reads it from standard input.",
        callback=database_url_of,
        show_envvar=True,
    ),
]
RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, a unique prefix, @latest or @failed.")
]
DagId = Annotated[str, typer.Argument(metavar="DAG")]
