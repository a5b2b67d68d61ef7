"""The tree of commands."""

import typer

from headway.cli import (
    audit,
    backfill,
    backup,
    cancel,
    check,
    clear,
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
    show,
    token,
    up,
    user,
    whoami,
    why,
)

app = typer.Typer(
    name="headway",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Runs data workflows: on time, on demand, to the end.",
)

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
    whoami.whoami,
    audit.audit,
    retention.retention,
):
    app.command(command.__name__.rstrip("_"))(command)
app.add_typer(pool.app, name="pool")
app.add_typer(user.app, name="user")
app.add_typer(token.app, name="token")
