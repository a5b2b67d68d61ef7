"""What every peer shares: its own virtual environment, one session at a time, polling, figures.

An environment is made from a lock file with hashes and is made again when the lock changes.
A peer is started the way its users start it on one machine, in a folder that is gone afterwards.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from bench.figures import RESULTS

BENCH: Final = Path(__file__).resolve().parent.parent
LOCKS: Final = BENCH / "peers" / "locks"
DEFINITIONS: Final = BENCH / "peers" / "definitions"
WORKLOADS: Final = BENCH / "workloads"
PYTHON: Final = "3.11"
INSTALL_TIMEOUT_S: Final = 900.0
START_TIMEOUT_S: Final = 180.0


Answer = TypeVar("Answer")


class PeerError(Exception):
    """A peer did not start, failed a run, or took longer than it was given."""


@dataclass(frozen=True, slots=True)
class Session:
    """A started peer. `perform` runs one workload once and answers with metric → value."""

    perform: Callable[[str, float], Mapping[str, float]]
    startup: Mapping[str, float] = field(default_factory=dict)


class Peer(Protocol):
    """A module of this package: its name, its modes (the first is the default), how to start it."""

    NAME: str
    MODES: tuple[str, ...]
    WORKLOADS: tuple[str, ...]

    def session(self, mode: str) -> AbstractContextManager[Session]: ...


def environment(peer: str) -> Path:
    """The `bin` folder of the peer's virtual environment, made now if it is missing or stale."""
    lock = LOCKS / f"{peer}.txt"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    folder = BENCH / ".venvs" / peer
    stamp = folder / "lock.sha256"
    if not stamp.exists() or stamp.read_text() != digest:
        uv = [sys.executable, "-m", "uv"]
        python = folder / "bin" / "python"
        install([*uv, "venv", "--clear", "--python", PYTHON, str(folder)])
        install([*uv, "pip", "sync", "--require-hashes", "--python", str(python), str(lock)])
        # Nobody's first import is part of a measurement.
        install([str(python), "-m", "compileall", "-q", str(folder / "lib")], checked=False)
        stamp.write_text(digest)
    return folder / "bin"


def install(command: list[str], checked: bool = True) -> None:
    print("·", " ".join(Path(part).name for part in command[:6]), file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
    if checked and done.returncode:
        raise PeerError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")


def variables(home: Path, binaries: Path, definitions: Path, **extra: str) -> dict[str, str]:
    """The peer's whole environment: nothing of ours leaks in, no proxy, no call home."""
    return {
        "HOME": str(home),
        "PATH": f"{binaries}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": f"{WORKLOADS}:{definitions}",
        "PYTHONUNBUFFERED": "1",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "*",
        **extra,
    }


class PeerBusy(PeerError):
    """The peer answered with an error of its own. What only reads may be asked again."""


def call(
    method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None
) -> Any:
    """One request on loopback; a refusal by the peer is an error with its words."""
    assert url.startswith("http://127.0.0.1:"), url
    request = urllib.request.Request(
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )
    try:
        with OPENER.open(request, timeout=60) as response:
            return json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        kind = PeerBusy if error.code >= SERVER_ERROR else PeerError
        raise kind(f"{method} {url}: {error.code} {error.read()[:500]!r}") from error


SERVER_ERROR: Final = 500
OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def keeping(log: Path, peer: str) -> Iterator[None]:
    """The log of a peer that failed outlives its folder: it is all there is to find out why."""
    try:
        yield
    except PeerError:
        RESULTS.mkdir(parents=True, exist_ok=True)
        kept = RESULTS / f"{peer}-failed-{log.name}"
        shutil.copyfile(log, kept)
        print(f"its log is kept: {kept}", file=sys.stderr)
        raise


def until(
    probe: Callable[[], Answer | None], what: str, timeout_s: float, least_pause_s: float = 0.01
) -> Answer:
    """Ask until there is an answer. The pause is 2 % of the time gone by: so is the error."""
    begun = time.monotonic()
    while (answer := probe()) is None:
        gone = time.monotonic() - begun
        if gone > timeout_s:
            raise PeerError(f"{what} took longer than {timeout_s:.0f} s")
        time.sleep(min(1.0, max(least_pause_s, gone / 50)))
    return answer


def until_up(probe: Callable[[], object], log: Path, alive: Callable[[], bool]) -> None:
    """Wait for a server's first answer; when it dies first, tell with the end of its log."""

    def answered() -> bool | None:
        if not alive():
            raise PeerError(f"ended before it was up:\n{log.read_text()[-3000:]}")
        try:
            probe()
        except (OSError, PeerError):
            return None
        return True

    until(answered, f"the start ({log.name})", START_TIMEOUT_S, least_pause_s=0.05)


def first_line_s(mark: Path, triggered_at: float, timeout_s: float) -> float:
    """From the wall clock of the trigger to the one the task left in its mark."""
    written = until(lambda: mark.read_text() if mark.exists() else None, "the mark", timeout_s)
    mark.unlink()
    return float(written) - triggered_at


def from_trigger_to_end(
    trigger: Callable[[], str],
    ended: Callable[[str], bool | None],
    what: str,
    timeout_s: float,
    *,
    count: int = 1,
    mark: Path | None = None,
) -> dict[str, float]:
    """Trigger one run or many at once and wait for them; a run with a ``mark`` tells when its task began."""
    wall, begun = time.time(), time.monotonic()
    runs = [trigger() for _ in range(count)]
    for run in runs:
        until(lambda run=run: ended(run), f"{what} {run}", timeout_s)  # type: ignore[misc]
    wall_s = time.monotonic() - begun
    figures = {"wall_s": wall_s}
    if mark is not None:
        figures["first_line_s"] = first_line_s(mark, wall, timeout_s)
    if count > 1:
        figures["runs_per_s"] = count / wall_s
    return figures
