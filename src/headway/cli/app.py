"""The tree of commands."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.main import get_command

from headway.cli import (
    audit,
    backfill,
    backup,
    cancel,
    check,
    clear,
    conn,
    diff,
    doctor,
    logs,
    ls,
    mark,
    migrate,
    open,
    pause,
    pool,
    replay,
    restore,
    resume,
    retention,
    retry,
    run,
    secrets,
    show,
    slots,
    team,
    token,
    up,
    user,
    var,
    whoami,
    why,
)
from headway.cli.output import line
from headway.cli.teamed import add_team

app = typer.Typer(
    name="headway",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        line(f"headway {version('headway')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Run and monitor data workflows."""


for command in (
    up.up,
    run.run,
    backfill.backfill,
    ls.ls,
    show.show,
    why.why,
    logs.logs,
    retry.retry,
    clear.clear,
    mark.mark,
    replay.replay,
    diff.diff,
    cancel.cancel,
    pause.pause,
    resume.resume,
    check.check,
    doctor.doctor,
    migrate.migrate,
    backup.backup,
    restore.restore,
    open.open_,
    slots.slots,
    whoami.whoami,
    audit.audit,
    retention.retention,
):
    app.command(command.__name__.rstrip("_"))(command)
app.add_typer(pool.app, name="pool")
app.add_typer(conn.app, name="conn")
app.add_typer(var.app, name="var")
app.add_typer(secrets.app, name="secrets")
app.add_typer(user.app, name="user")
app.add_typer(team.app, name="team")
app.add_typer(token.app, name="token")


def tree() -> Callable[[list[str]], Any]:
    """Return the tree, in which each command that asks a server takes --team."""
    found = get_command(app)
    add_team(found)
    return found
