"""The log store: plain text objects that other tools can read, in S3 or whatever speaks its language.

Below the prefix of its URL a log is ``<team>/<run>/<task>/<map index>/<attempt>.log``, whole, once it
has ended. Until then it is parts, ``….log.parts/<offset>``, each the bytes from that offset on. Names
are made of plain names only (``headway.paths``). Every call may take its time and raises NotReachable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from headway.blobs import s3
from headway.blobs.base import Blobs, Purpose
from headway.blobs.places import REQUEST_S, open_blobs
from headway.paths import plain_name

HINT_AWAY: Final = "try again when the log store answers; to check it, run: headway doctor"
LOGS: Final = Purpose(
    noun="log store",
    variable="HEADWAY_LOG_STORE",
    form=(
        "s3://bucket/prefix (for other endpoints than Amazon's, set AWS_ENDPOINT_URL), or file:///folder"
    ),
    away=HINT_AWAY,
)
TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Part:
    offset: int
    size: int


def chosen(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that are the log store's."""
    return s3.chosen(environment, LOGS)


def open_store(url: str, variables: Mapping[str, str], request_s: float = REQUEST_S) -> "Remote":
    """Open the store without asking it anything yet. Raises UsageError."""
    return Remote(open_blobs(url, LOGS, variables, request_s))


class Remote:
    """The logs in a store. Its methods may be called on any thread."""

    def __init__(self, blobs: Blobs) -> None:
        self.blobs = blobs
        self.url = blobs.url
        self.check = blobs.check

    # -- writing

    def put_part(self, name: str, offset: int, data: bytes) -> None:
        """A part that grew is put again: it takes the place of what it begins with."""
        self.blobs.put(part_name(name, offset), data, TEXT)

    def put_whole(self, name: str, log: Path) -> None:
        self.blobs.put_file(name, log, TEXT)

    def remove_parts(self, name: str, offsets: Sequence[int]) -> None:
        self.blobs.delete([part_name(name, offset) for offset in offsets])

    def remove(self, team: str, run_id: str, before: datetime | None = None) -> None:
        """Remove the logs of a run, or those stored before a time. Missing ones are not an error."""
        for page in self.blobs.pages(run_prefix(team, run_id)):
            self.blobs.delete(
                [each.key for each in page if before is None or each.changed_at < before]
            )

    # -- reading

    def parts(self, name: str) -> list[Part]:
        """Return the parts in order."""
        found = [
            Part(int(offset), each.size)
            for page in self.blobs.pages(f"{name}.parts")
            for each in page
            if (offset := each.key.rpartition("/")[2]).isdecimal()
        ]
        return sorted(found, key=lambda part: part.offset)

    def names(self, team: str, run_id: str) -> set[str]:
        """The logs of a run that are here, whole or in parts."""
        return {
            each.key.partition(".parts/")[0]
            for page in self.blobs.pages(run_prefix(team, run_id))
            for each in page
        }

    def fetch_whole(self, name: str, file: BinaryIO) -> bool:
        """False: it is not there."""
        return self.blobs.copy(name, file)

    def fetch_parts(self, name: str, file: BinaryIO) -> bool:
        """Joined up to the first gap. False: there is none."""
        end = 0
        for part in self.parts(name):
            if part.offset != end:
                break
            if not self.blobs.copy(part_name(name, part.offset), file):
                break
            end = file.tell()
        return end > 0


def run_prefix(team: str, run_id: str) -> str:
    return f"{plain_name(team)}/{plain_name(run_id)}"


def part_name(name: str, offset: int) -> str:
    return f"{name}.parts/{offset:012d}"
