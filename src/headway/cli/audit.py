"""``headway audit``: who asked for what."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.errors import HeadwayError


def audit(
    actor: Annotated[str | None, typer.Option(help="Only of this one, like user:ann.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this, like runs.cancel.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many entries.")] = 20,
    check: Annotated[
        bool, typer.Option("--check", help="Only check that no entry was changed or removed.")
    ] = False,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """List what people asked for, the latest first."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    if check:
        found = client.check_audit()
        if not found.intact:
            raise HeadwayError(
                f"the audit was changed: entry {found.broken_at} is not as it was written",
                hint="compare with a backup: headway restore",
            )
        removed = f"; {found.removed:,} older ones were removed by age" if found.removed else ""
        say(f"{found.entries:,} entries, all as they were written{removed}")
        return
    entries = client.audit(limit, actor=actor, action=action)
    rows = [(e.seq, e.at, e.actor, e.via, e.action, e.subject, e.address) for e in entries]
    show(entries, output, ("SEQ", "AT", "ACTOR", "VIA", "ACTION", "SUBJECT", "FROM"), rows)
