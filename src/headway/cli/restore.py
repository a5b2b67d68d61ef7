"""``headway restore``: restore the database from a backup; the previous database is kept."""

from pathlib import Path
from typing import Annotated, Final

import typer

from headway import clock, config
from headway.cli.options import Data, DatabaseUrl
from headway.cli.output import line
from headway.cli.terminal import say
from headway.config import Layout
from headway.errors import NotFound

NOT_IN_A_BACKUP: Final = ("blobs", "bundles", "xcom", "logs")


def restore(
    file: Annotated[Path, typer.Argument(help="Backup file written by `headway backup`.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Restore the database from a backup. Headway must be stopped."""
    layout = config.layout(data)
    if not file.is_file():
        raise NotFound(
            "the backup does not exist", where=str(file), hint=f"backups are in {layout.backups}"
        )
    kept = f"headway_before_{clock.now():%Y%m%d_%H%M%S}"
    if database_url is not None:
        from headway.store.restore import restore as put_back

        left_out = put_back(database_url, file, kept)
    else:
        left_out = restore_embedded(layout, file, kept)
    for grant in left_out:
        say(f"skipped a grant, because its role does not exist here: {grant}")
    say(f"restored {file}; the previous database is kept as {kept}")
    folders = ", ".join(f"{name}/" for name in NOT_IN_A_BACKUP)
    say(f"not part of a backup, so left unchanged in {layout.data}: {folders}")
    say("start Headway again: headway up")
    line(kept)


def restore_embedded(layout: Layout, file: Path, kept: str) -> list[str]:
    from headway.pg import Server
    from headway.store.restore import restore as put_back

    layout.prepare()
    lock = config.Lock(layout)
    lock.acquire()
    try:
        with Server(layout.data).running() as dsn:
            return put_back(dsn, file, kept)
    finally:
        lock.release()
