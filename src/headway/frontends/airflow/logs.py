"""Events of Airflow's logging as lines of an attempt's log. They are JSON, one a line, as for Airflow's supervisor.

Lines that only say how Airflow starts are left out, and so is what every line would repeat. A traceback begins at the
first frame of the DAG folder, with paths as in it.
"""

import io
import linecache
import os
import sys
from collections.abc import Iterator
from typing import Any, Final

import msgspec

REPEATED: Final = frozenset(
    {
        *("timestamp", "level", "event", "logger", "filename", "lineno", "exception", "ti"),
        *("ti_id", "dag_id", "task_id", "run_id", "try_number", "map_index"),
    }
)
# Loggers that say how Airflow works, and what its imports will one day be called.
OWN: Final = ("airflow.dag_processing.", "airflow.plugins_manager", "airflow.listeners")
STARTS: Final = ("::group::", "::endgroup::", "Worker startup parse complete")
VALUE_CHARS_MAX: Final = 1000
READ_BYTES: Final = 1 << 16
LINE_BYTES_MAX: Final = 1 << 20
LAST_READS_MAX: Final = 16  # what a pipe holds, as large as anybody may make it


class Log(io.RawIOBase):
    """A stream to which Airflow's logging writes events. ``root`` is the bundle."""

    root = ""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        for line in bytes(data).splitlines():
            for text in told(line, self.root.rstrip("/") + "/"):
                sys.stdout.write(text + "\n")
        return len(data)


class Others:
    """Events of the programs that a task starts, as those of ``ExternalPythonOperator``: each has a pipe of its own."""

    def __init__(self, root: str) -> None:
        self.log = Log()
        self.log.root = root
        self.begun: dict[int, bytes] = {}  # the last line of each, as far as it is there

    def open(self) -> int:
        """Return the end of a pipe to which a program writes."""
        read_end, write_end = os.pipe()
        self.begun[read_end] = b""
        return write_end

    @property
    def ends(self) -> list[int]:
        return [*self.begun]

    def read(self, end: int) -> None:
        """Log what is there, in whole lines."""
        data = os.read(end, READ_BYTES)
        text = self.begun[end] + data
        if data and len(text) <= LINE_BYTES_MAX:
            text, _, self.begun[end] = text.rpartition(b"\n")
        else:
            self.begun[end] = b""
        self.log.write(text)
        sys.stdout.flush()  # the runner writes to the same file
        if not data:
            self.forget(end)

    def forget(self, end: int) -> None:
        del self.begun[end]
        os.close(end)

    def close(self) -> None:
        """Log what is there still. A program that goes on is not waited for."""
        for end in self.ends:
            os.set_blocking(end, False)
            try:
                for _ in range(LAST_READS_MAX):
                    if end in self.begun:
                        self.read(end)
            except BlockingIOError:
                pass
            if end in self.begun:
                self.log.write(self.begun[end])
                self.forget(end)
        sys.stdout.flush()


def told(line: bytes, prefix: str) -> Iterator[str]:
    try:
        event = msgspec.json.decode(line)
    except msgspec.DecodeError:
        event = None
    if not isinstance(event, dict):
        yield line.decode(errors="replace")
        return
    text, logger = str(event.get("event", "")), str(event.get("logger", ""))
    quiet = event.get("level") in ("info", "debug")
    if quiet and (text.startswith(STARTS) or logger.startswith(OWN)):
        return
    named = [f"{name}={str(value)[:VALUE_CHARS_MAX]}" for name, value in rest(event)]
    errors = raised(event.get("exception"))
    if not errors and event.get("exception"):
        named.append(f"exception={str(event['exception'])[:VALUE_CHARS_MAX]}")
    level = str(event.get("level", "info")).upper()
    yield " ".join([f"{level} {logger.rpartition('.')[2] or 'task'}: {text}", *named])
    for each in reversed(errors):
        yield from traceback(each, prefix)


def raised(given: Any) -> list[dict[str, Any]]:
    """Return errors as Airflow writes them; none for a field of the author's that has the same name."""
    found = given if isinstance(given, list) else []
    return found if all(isinstance(each, dict) and "exc_type" in each for each in found) else []


def rest(event: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in event.items() if name not in REPEATED)


def traceback(error: dict[str, Any], prefix: str) -> Iterator[str]:
    frames = error.get("frames") or []
    first = next((n for n, each in enumerate(frames) if each["filename"].startswith(prefix)), 0)
    yield "Traceback (most recent call last):"
    for each in frames[first:]:
        file, number = each["filename"], each["lineno"]
        yield f'  File "{file.removeprefix(prefix)}", line {number}, in {each["name"]}'
        if source := linecache.getline(file, number).strip():
            yield f"    {source}"
    value = error.get("exc_value") or ""
    yield f"{error['exc_type']}: {value}" if value else str(error["exc_type"])
    yield from error.get("exc_notes") or []
