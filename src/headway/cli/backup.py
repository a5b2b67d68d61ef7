"""``headway backup``: the database as one file, or with the files that it refers to in a backup store."""

import os
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from headway import clock, config
from headway.cli.options import BackupTo, Data, DatabaseUrl, ListenAddress
from headway.cli.output import line
from headway.cli.terminal import say
from headway.config import Layout
from headway.core.words import counted
from headway.errors import UsageError
from headway.up.shared import direct

LOG_STORE: Final = "HEADWAY_LOG_STORE"


def backup(
    to: BackupTo = None,
    keep: Annotated[
        int | None,
        typer.Option(
            min=1, help="With --to: remove older backups than so many (default: keep all)."
        ),
    ] = None,
    logs: Annotated[
        bool | None,
        typer.Option(
            "--logs/--no-logs",
            help="With --to: also the logs of tasks (default: unless a log store has them).",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    listen_address: ListenAddress = None,
) -> None:
    """Write a backup. Of the database to the data directory, or of everything to a store. The server may be running."""
    layout = config.layout(data)
    if to is None and (keep is not None or logs is not None):
        raise UsageError("--keep and --logs are for a backup store", hint="name it with --to")
    now = clock.now()
    dsn = None if database_url is None else direct(database_url, listen_address)
    if to is None:
        line(str(dumped(layout, dsn, layout.backups, now)))
        return
    with_logs = LOG_STORE not in os.environ if logs is None else logs
    store_all(to, layout, dsn, now, keep, with_logs=with_logs)


def dumped(layout: Layout, dsn: str | None, folder: Path, now: datetime) -> Path:
    """Write a dump of the database at ``dsn``, or of the embedded one, to a folder."""
    from headway.pg import Server
    from headway.store.backup import backup as write

    name = f"headway-{now:%Y%m%d-%H%M%S}"
    if dsn is not None or config.is_held(layout):
        return write(dsn or Server(layout.data).dsn, folder, name)
    layout.prepare()
    with Server(layout.data).running() as embedded:
        return write(embedded, folder, name)


def store_all(
    to: str, layout: Layout, dsn: str | None, now: datetime, keep: int | None, *, with_logs: bool
) -> None:
    from headway.backups.store import opened

    store = opened(to, os.environ)
    store.blobs.check()  # before the dump, which may take long
    dump = dumped(layout, dsn, layout.backups / ".to-store", now)
    try:
        made = store.keep(
            layout.data,
            dump,
            name=dump.stem,
            made_at=now,
            version=version("headway"),
            logs=with_logs,
        )
        removed = [] if keep is None else store.remove_older(keep)
    finally:
        dump.unlink()
    say(
        f"the database ({made.dump_bytes:,} bytes) and {counted(made.files, 'file')} ({made.bytes:,} bytes) are stored"
    )
    say("not part of a backup: the master keys of secrets (secrets.key), which you keep elsewhere")
    if removed:
        say(f"removed {counted(len(removed), 'older backup')}: {', '.join(removed)}")
    line(f"{store.url} {made.name}")
