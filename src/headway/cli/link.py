"""``headway link``: links to one run for people without an account."""

import re
from typing import Annotated, Final

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output, RunId
from headway.cli.output import line, show
from headway.cli.terminal import say
from headway.errors import UsageError

app = typer.Typer(
    no_args_is_help=True,
    help="Links to a run for people without an account.",
    rich_markup_mode=None,
)
HOURS: Final = {"h": 1, "d": 24, "w": 7 * 24}


@app.command()
def create(
    run_id: RunId,
    lifetime: Annotated[
        str, typer.Option("--for", help="How long the link works, such as 12h, 7d or 2w.")
    ] = "7d",
    task: Annotated[
        str | None,
        typer.Option(
            "--task", help="Answer the question of this task, instead of reading the run."
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="For whom a link is that answers. The audit says so.")
    ] = None,
    index: Annotated[int, typer.Option("--index", help="Map index of a mapped task.")] = -1,
    with_logs: Annotated[
        bool, typer.Option("--with-logs", help="Also show the log around each error.")
    ] = False,
    data: Data = None,
) -> None:
    """Print a link to a run. Anyone can read the run by it without signing in, until it expires.

    With --task the link answers the question of that task instead, and nothing else.
    """
    from headway.client import client_of

    if task is not None:
        answering = wire.AnswerLinkRequest(
            recipient=to or "", map_index=index, hours=hours_of(lifetime)
        )
        link = client_of(config.layout(data)).create_answer_link(run_id, task, answering)
        line(link.url)
        say(
            f"{link.recipient} can answer the question of {task} with this link until"
            f" {link.expires_at:%Y-%m-%d %H:%M} UTC; to revoke it: headway link revoke {link.id}"
        )
        return

    request = wire.RunLinkRequest(hours=hours_of(lifetime), with_logs=with_logs)
    made = client_of(config.layout(data)).create_run_link(run_id, request)
    line(made.url)
    say(
        f"anyone with this link can read run {made.run_id} until {made.expires_at:%Y-%m-%d %H:%M} UTC;"
        f" to revoke it: headway link revoke {made.id}"
    )


@app.command()
def ls(data: Data = None, output: Format = Output.TABLE) -> None:
    """List the links to runs, without their secrets."""
    from headway.client import client_of

    found = client_of(config.layout(data)).run_links()
    rows = [
        (
            *(each.id, each.run_id, each.task_id, each.recipient, each.created_by),
            "yes" if each.with_logs else "no",
            *(each.expires_at, each.last_used_at, each.revoked_at),
        )
        for each in found
    ]
    columns = ("ID", "RUN", "ANSWERS", "FOR", "BY", "LOGS", "EXPIRES", "LAST USED", "REVOKED")
    show(found, output, columns, rows)


@app.command()
def revoke(
    link_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the link.")],
    data: Data = None,
) -> None:
    """Revoke a link to a run. It stops working immediately."""
    from headway.client import client_of

    revoked = client_of(config.layout(data)).revoke_run_link(link_id)
    say(f"revoked the link {revoked.id} to run {revoked.run_id}")


def hours_of(text: str) -> int:
    match = re.fullmatch(r"(\d{1,4})([hdw])", text)
    if match is None:
        raise UsageError(
            f"{text!r} is not a duration", hint="use hours, days or weeks: 12h, 7d, 2w"
        )
    return int(match[1]) * HOURS[match[2]]
