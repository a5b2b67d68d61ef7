"""``headway audit``: list who did what."""

import os
import sys
from collections.abc import Iterable
from typing import Annotated, Final

import typer

from headway import config
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.errors import HeadwayError, UsageError

STDOUT: Final = "-"
# An actor that is nobody known would make a sentence about nobody.
UNKNOWN: Final = {"nobody": "someone unknown", "several": "several people"}


def audit(
    actor: Annotated[
        str | None, typer.Option(help="Show only this actor, for instance user:ann.")
    ] = None,
    action: Annotated[
        str | None, typer.Option(help="Show only this action, for instance runs.cancel.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of entries.")] = 20,
    check: Annotated[
        bool, typer.Option("--check", help="Verify that no entry was changed or removed.")
    ] = False,
    export: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write all entries to this file as JSON lines, or as CSV to a name that ends in .csv; - prints them.",
        ),
    ] = None,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """List what people and programs changed, newest first. ``--output json`` has the requests, too."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    if export is not None:
        form = "csv" if export.endswith(".csv") else "jsonl"
        written(client.export_audit(form), export)
        return
    if check:
        found = client.check_audit()
        if not found.intact:
            raise HeadwayError(
                f"the audit log was tampered with: entry {found.broken_at} differs from what was written",
                hint="compare it with a backup: headway restore",
            )
        removed = (
            f"; {found.removed:,} older entries were removed by retention" if found.removed else ""
        )
        say(f"{found.entries:,} entries verified, none changed{removed}")
        return
    entries = client.audit(limit, actor=actor, action=action)
    rows = [
        (e.seq, e.at, UNKNOWN.get(e.actor, e.actor), e.words, e.via, e.address) for e in entries
    ]
    show(entries, output, ("SEQ", "AT", "WHO", "WHAT", "VIA", "FROM"), rows)


def written(parts: Iterable[bytes], file: str) -> None:
    """Write the parts to a file that only its owner may read, or to standard output."""
    if file == STDOUT:
        for part in parts:
            sys.stdout.buffer.write(part)
        return
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            size = sum(opened.write(part) for part in parts)
    except OSError as error:
        raise UsageError(
            f"cannot write {file}: {error.strerror}", hint="choose another file"
        ) from error
    say(f"{size:,} bytes written to {file}")
