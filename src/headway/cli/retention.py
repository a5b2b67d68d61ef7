"""``headway retention``: for how long logs are kept."""

from typing import Annotated, Final

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.core.log_retention import counted
from headway.errors import UsageError

DEFAULT: Final = "default"
AS_RUN: Final = "as long as the run"


def retention(
    days: Annotated[
        str | None,
        typer.Option(
            metavar="N|default", help="Keep logs so many days after the end of their run."
        ),
    ] = None,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Show for how long the team keeps logs, or change it. What is over goes within minutes."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    if days is None:
        found = client.log_retention()
    else:
        found = client.set_log_retention(wire.LogRetentionRequest(days=number(days)))
    whose = "the installation" if found.days is None else "this team"
    logs = AS_RUN if found.effective_days is None else counted(found.effective_days)
    rows = [("logs", logs, whose), ("runs", f"{found.run_days:g} days", "the installation")]
    show(found, output, ("WHAT", "KEPT", "SAYS"), rows)


def number(text: str) -> int | None:
    if text == DEFAULT:
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageError(
            f"{text!r} is no number of days",
            where="--days",
            hint="give 1 or more, or: --days default",
        )
    return int(text)
