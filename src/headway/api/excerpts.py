"""The first place of each error with the matching part of its log. Reads only the ends of files."""

from pathlib import Path
from typing import Final

from msgspec.structs import replace

from headway import wire
from headway.core.excerpt import excerpt
from headway.paths import log_path

EXCERPTS_MAX: Final = 10
TAIL_BYTES: Final = 64 * 1024


def logs_of(diagnosis: wire.Diagnosis) -> list[str]:
    """Return the paths of the logs of the shown errors, below the data directory or in the log store."""
    return [
        log_path(diagnosis.run_id, first.task_id, first.map_index, first.attempt)
        for first in (group.first for group in diagnosis.errors[:EXCERPTS_MAX])
    ]


def with_excerpts(logs: list[Path], diagnosis: wire.Diagnosis) -> wire.Diagnosis:
    told = [
        replace(group, first=explained(log, group.first))
        for group, log in zip(diagnosis.errors, logs, strict=False)
    ]
    return replace(diagnosis, errors=told + diagnosis.errors[len(logs) :])


def explained(log: Path, first: wire.FirstError) -> wire.FirstError:
    return replace(first, excerpt=excerpt(tail_of(log), first.detail))


def tail_of(log: Path) -> str:
    """Return the excerpt of one log; empty if the log does not exist or was removed meanwhile."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            return file.read(TAIL_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
