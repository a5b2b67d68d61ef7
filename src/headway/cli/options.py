"""Options that many commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


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
        help="PostgreSQL 15 or newer, instead of the embedded one.",
        show_envvar=True,
    ),
]
RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, a unique prefix, @latest or @failed.")
]
DagId = Annotated[str, typer.Argument(metavar="DAG")]
