"""``headway retention``: show or change how long logs are kept."""

from typing import Annotated, Final

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.core.log_retention import counted
from headway.errors import UsageError

DEFAULT: Final = "default"
AS_RUN: Final = "as long as the run"
AS_ANYWHERE: Final = "as long as in the log store"


def retention(
    days: Annotated[
        str | None,
        typer.Option(
            metavar="N|default", help="Keep logs for this many days after their run ends."
        ),
    ] = None,
    local_days: Annotated[
        str | None,
        typer.Option(
            metavar="N|default",
            help="Keep logs on this machine for this many days; later they are only in the log store.",
        ),
    ] = None,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Show or change how long the team keeps logs. Older logs are removed within minutes."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    found = client.log_retention()
    if days is not None or local_days is not None:
        wanted = wire.LogRetentionRequest(
            days=number("--days", days, found.days),
            local_days=number("--local-days", local_days, found.local_days),
        )
        found = client.set_log_retention(wanted)
    rows = [
        ("logs", kept(found.effective_days, AS_RUN), says(found.days)),
        ("logs here", kept(found.effective_local_days, AS_ANYWHERE), says(found.local_days)),
        ("runs", f"{found.run_days:g} days", says(None)),
    ]
    show(found, output, ("WHAT", "KEPT", "SAYS"), rows)


def kept(days: int | None, otherwise: str) -> str:
    return otherwise if days is None else counted(days)


def says(own: int | None) -> str:
    return "installation default" if own is None else "this team"


def number(option: str, text: str | None, before: int | None) -> int | None:
    if text is None:
        return before
    if text == DEFAULT:
        return None
    if not text.isascii() or not text.isdigit():
        raise UsageError(
            f"{text!r} is not a number of days",
            where=option,
            hint=f"give 1 or more, or reset it: {option} default",
        )
    return int(text)
