"""``headway restore --drill``: restore a backup into a database beside, look through it, and remove it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headway import clock, config
from headway.cli.output import line
from headway.cli.restore import existing, fetched, made_at, newest_here, raise_if
from headway.cli.terminal import say
from headway.config import Layout
from headway.core.words import counted
from headway.store.soundness import ALWAYS

if TYPE_CHECKING:
    from datetime import datetime

    from headway.backups.store import BackupStore, Manifest
    from headway.store.drill import Drilled


def run(layout: Layout, dsn: str | None, name: str | None, source: str | None) -> None:
    """Try a backup: the newest of the store, or of the data directory, unless one is named. Raises HeadwayError."""
    if source is None:
        file = newest_here(layout) if name is None else existing(layout, name)
        say(f"{file.name} is {age(made_at(file))} old")
        found = drilled(layout, dsn, file)
        problems = told(found)
    else:
        with fetched(layout, name, source) as (store, manifest, file):
            say(f"{manifest.name} in {store.url} is {age(manifest.made_at)} old")
            found = drilled(layout, dsn, file)
        problems = told(found) + files_missing(store, manifest, found)
    say("the database of the drill was removed")
    raise_if(problems)
    line(f"the backup can be restored: {counted(found.runs, 'run')}")


def drilled(layout: Layout, dsn: str | None, file: Path) -> "Drilled":
    from headway.store.drill import drill

    with reached(layout, dsn) as server:
        return drill(server, file)


@contextmanager
def reached(layout: Layout, dsn: str | None) -> Iterator[str]:
    """Give the database server: the one that is named or runs, or the embedded one, started for this."""
    from headway.pg import Server

    if dsn is not None or config.is_held(layout):
        yield dsn or Server(layout.data).dsn
        return
    layout.prepare()
    with Server(layout.data).running() as embedded:
        yield embedded


def told(found: "Drilled") -> list[str]:
    """Say what was found, and return what is wrong."""
    latest = (
        "no event"
        if found.latest is None
        else f"the latest event at {found.latest:%Y-%m-%dT%H:%M:%SZ}"
    )
    say(
        f"restored beside in {found.took_s:.1f} s: {counted(found.teams, 'team')}, {counted(found.dags, 'DAG')}, "
        f"{counted(found.runs, 'run')}, {counted(found.instances, 'task instance')}, {latest}"
    )
    if found.left_to_apply:
        more = counted(found.left_to_apply, "migration")
        say(f"it is of an earlier version: {more} would be applied, so its rows were not checked")
    else:
        holding = f"{len(ALWAYS) - len(found.broken)} of {len(ALWAYS)}"
        say(f"its schema is that of this version; {holding} checks of its rows hold")
    return [f"{name} does not hold" for name in found.broken]


def files_missing(store: "BackupStore", manifest: "Manifest", found: "Drilled") -> list[str]:
    """Compare the files that the database refers to with the list of the backup, and that with the store."""
    files = store.files(manifest.name)
    paths = {file.path for file in files}
    wanted = {f"bundles/{version}.files" for version in found.bundles} | found.results
    missing = sorted(wanted - paths) + store.lacking(files)
    say(f"{counted(len(files), 'file')} belong to it, {counted(len(missing), 'file')} missing")
    return [f"the file {path} is missing" for path in missing[:5]]


def age(made: "datetime") -> str:
    seconds = (clock.now() - made).total_seconds()
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= length:
            return counted(int(seconds // length), unit)
    return counted(int(seconds), "second")
