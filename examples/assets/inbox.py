"""Files that arrive in a folder are events of an asset: nothing in Headway makes them, a watcher sees them."""

import os
from pathlib import Path

from headway import Asset, FilesArrive, Run, dag, task

INBOX = os.environ.get("INBOX", "/tmp/headway-inbox")

# A file counts once it rests, so one that is still written is waited for. What is in its name is its partition.
mail = Asset(
    "inbox/mail",
    watchers=[FilesArrive(f"{INBOX}/*.csv", every=2, partition=r"mail-(.*)\.csv")],
)


@task(inlets=[mail])
def count_lines(run: Run) -> dict[str, int]:
    """Count the lines of the files whose events brought this run."""
    events = run.triggering_asset_events[mail]
    paths = [Path(event.extra["path"]) for event in events]
    return {path.name: len(path.read_text().splitlines()) for path in paths}


@dag(schedule=mail)
def read_mail() -> None:
    count_lines()
