"""``headway retention``: show or change how long logs and runs are kept."""

from typing import Annotated, Final

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.core.log_retention import counted
from headway.errors import UsageError

DEFAULT: Final = "default"
COUNTED_MAX: Final = 10_000  # the server counts no further
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
    run_days: Annotated[
        str | None,
        typer.Option(
            metavar="N|default",
            help="Keep runs, with their history, results and logs, for this many days after they end.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="With --run-days: count what would be removed, and stop."),
    ] = False,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Show or change how long the team keeps logs and runs. Older ones are removed within minutes."""
    from headway.client import client_of

    if dry_run and (run_days is None or days is not None or local_days is not None):
        raise UsageError(
            "--dry-run is for --run-days alone", hint="headway retention --run-days 30 --dry-run"
        )
    client = client_of(config.layout(data))
    runs = client.run_retention()
    if run_days is not None:
        own = number("--run-days", run_days, runs.days)
        runs = client.set_run_retention(wire.RunRetentionRequest(days=own, dry_run=dry_run))
        say(told(runs, dry_run=dry_run))
        if dry_run:
            return
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
        ("runs", f"{runs.effective_days:g} days", says(runs.days)),
    ]
    show(found, output, ("WHAT", "KEPT", "SAYS"), rows)


def told(runs: wire.RunRetention, *, dry_run: bool) -> str:
    """Return how many runs are old enough to be removed."""
    many = f"{COUNTED_MAX:,} or more" if runs.removes >= COUNTED_MAX else f"{runs.removes:,}"
    noun = "run" if runs.removes == 1 else "runs"
    when = f"ended more than {runs.effective_days:g} days ago"
    if dry_run:
        return f"{many} {noun} that {when} would be removed; nothing has changed"
    return f"{many} {noun} that {when} will be removed within ten minutes, with history, results and logs"


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
