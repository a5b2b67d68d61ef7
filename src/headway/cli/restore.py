"""``headway restore``: restore a backup; the previous database is kept. ``--drill`` only tries it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from headway import clock, config
from headway.cli.options import BackupFrom, Data, DatabaseUrl, ListenAddress
from headway.cli.output import line
from headway.cli.terminal import say
from headway.config import Layout
from headway.errors import HeadwayError, NotFound, UsageError
from headway.up.shared import direct

if TYPE_CHECKING:
    from headway.backups.store import BackupStore as Store
    from headway.backups.store import Manifest

NOT_IN_A_DUMP: Final = ("blobs", "bundles", "xcom", "logs")
SUFFIX: Final = ".dump"


def restore(
    backup: Annotated[
        str | None,
        typer.Argument(
            help="Backup file, or with --from the name of a backup (default: the newest)."
        ),
    ] = None,
    source: BackupFrom = None,
    drill: Annotated[
        bool,
        typer.Option(
            "--drill",
            help="Only try it: restore into a database beside, check it, and remove it. The server may be running.",
        ),
    ] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
    listen_address: ListenAddress = None,
) -> None:
    """Restore a backup. Headway must be stopped, but not for a drill."""
    layout = config.layout(data)
    dsn = None if database_url is None else direct(database_url, listen_address)
    if backup is not None and Path(backup).is_file():
        source = None  # of the environment
    if drill:
        from headway.cli.drill import run

        run(layout, dsn, backup, source)
    elif source is not None:
        restore_all(layout, dsn, backup, source)
    elif backup is None:
        raise UsageError(
            "which backup is to be restored?",
            hint=f"name its file, in {layout.backups}, or a backup store: --from s3://bucket/prefix",
        )
    else:
        file = existing(layout, backup)
        kept = restore_database(layout, dsn, file)
        folders = ", ".join(f"{name}/" for name in NOT_IN_A_DUMP)
        say(f"not part of this backup, so left unchanged in {layout.data}: {folders}")
        finish(file.name, kept)


def existing(layout: Layout, name: str) -> Path:
    if not (file := Path(name)).is_file():
        raise NotFound(
            "the backup does not exist", where=name, hint=f"backups are in {layout.backups}"
        )
    return file


def restore_all(layout: Layout, dsn: str | None, name: str | None, source: str) -> None:
    """Restore the database, and bring the files that are not here."""
    with fetched(layout, name, source) as (store, manifest, file):
        kept = restore_database(layout, dsn, file)
        brought = store.fetch_files(manifest.name, layout.data)
    say(f"brought {brought:,} of {manifest.files:,} files; the others were here")
    if not (layout.data / "secrets.key").exists():
        say(
            f"put the master keys of secrets back: {layout.data / 'secrets.key'}, or HEADWAY_SECRETS_KEY"
        )
    finish(manifest.name, kept)


def finish(what: str, kept: str) -> None:
    say(f"restored {what}; the previous database is kept as {kept}")
    say("start Headway again: headway up")
    line(kept)


@contextmanager
def fetched(
    layout: Layout, name: str | None, source: str
) -> "Iterator[tuple[Store, Manifest, Path]]":
    """Bring the dump of a backup out of its store, for as long as it is needed."""
    from headway import ids
    from headway.backups.store import opened

    store = opened(source, os.environ)
    manifest = store.manifest(name)
    layout.prepare()
    layout.backups.mkdir(mode=0o700, exist_ok=True)
    file = layout.backups / f".{manifest.name}-{ids.run_id()}{SUFFIX}"
    try:
        store.fetch_dump(manifest.name, file)
        yield store, manifest, file
    finally:
        file.unlink(missing_ok=True)


def restore_database(layout: Layout, dsn: str | None, file: Path) -> str:
    """Restore a dump. Returns the name under which the previous database is kept."""
    from headway.store.restore import restore as put_back

    kept = f"headway_before_{clock.now():%Y%m%d_%H%M%S}"
    left_out = (
        put_back(dsn, file, kept) if dsn is not None else restore_embedded(layout, file, kept)
    )
    for grant in left_out:
        say(f"skipped a grant, because its role does not exist here: {grant}")
    return kept


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


def newest_here(layout: Layout) -> Path:
    """Return the newest backup of the data directory. Raises NotFound."""
    found = sorted(layout.backups.glob(f"headway-*{SUFFIX}"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise NotFound(
            "there is no backup", where=str(layout.backups), hint="to make one, run: headway backup"
        )
    return found[-1]


def made_at(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def raise_if(problems: list[str]) -> None:
    if problems:
        raise HeadwayError(
            f"the backup is not good: {'; '.join(problems)}",
            hint="make another one now, headway backup, and try that: headway restore --drill",
        )
