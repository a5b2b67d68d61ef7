"""``headway audit``: list who did what."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.errors import HeadwayError


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
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """List the changes that people and programs made, newest first."""
    from headway.client import client_of

    client = client_of(config.layout(data))
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
    rows = [(e.seq, e.at, e.actor, e.via, e.action, e.subject, e.address) for e in entries]
    show(entries, output, ("SEQ", "AT", "ACTOR", "VIA", "ACTION", "SUBJECT", "FROM"), rows)
