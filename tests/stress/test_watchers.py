"""Five hundred clients watch the stream of changes: the scheduler does not notice."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
from bench.processes import cpu_seconds, descendants
from bench.product import Headway, fresh

from headway import clock
from headway.store.transact import connect

DAGS = Path(__file__).parent / "dags"
WATCHERS = 500
RUNS = 60
EVERY_S = 0.2

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]


class Audience:
    """Clients that read whatever comes; ``heard``: how often each was told of a run."""

    def __init__(self, headway: Headway) -> None:
        self.headway = headway
        self.heard = [0] * WATCHERS
        self.over = Event()

    async def watch(self, number: int) -> None:
        query = "dag_id=work" if number % 2 else "topics=run,dag,pool"
        position = ""
        while not self.over.is_set():
            port = urlsplit(self.headway.api.url).port
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(self.request(query, position))
                while line := await reader.readline():
                    self.heard[number] += line == b"event: run\n"
                    if line.startswith(b"id: "):
                        position = line[4:-1].decode()
            finally:
                writer.close()

    def request(self, query: str, position: str) -> bytes:
        lines = [f"GET /api/v1/stream?{query} HTTP/1.1", "Host: localhost"]
        lines += [f"Authorization: Bearer {self.headway.api.token}"]
        lines += [f"Last-Event-ID: {position}"] if position else []
        return "\r\n".join([*lines, "", ""]).encode()

    async def gather(self) -> None:
        watching = [asyncio.create_task(self.watch(number)) for number in range(WATCHERS)]
        while not self.over.is_set():
            await asyncio.sleep(0.2)
        for each in watching:
            each.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await asyncio.sleep(0)  # the transports close in the next turn of the loop


@contextmanager
def audience(headway: Headway) -> Iterator[Audience]:
    found = Audience(headway)
    thread = Thread(target=lambda: asyncio.run(found.gather()))
    thread.start()
    try:
        yield found
    finally:
        found.over.set()
        thread.join()


def measure(headway: Headway, folder: Path) -> dict[str, float]:
    """A steady load of small runs; what each part costs a second, and how long a run takes."""
    parts = {"api": [headway.pid], "scheduler": named(headway, "headway.engine.scheduler")}
    parts["postgres"] = named(headway, "postgres")
    before = {part: cpu_seconds(pids) for part, pids in parts.items()}
    began = clock.monotonic()
    run_ids = []
    for number in range(RUNS):
        params = {"witness": str(folder / "witness"), "items": 4, "seconds": 0}
        run_ids.append(headway.api.trigger("work", params))
        clock.sleep(max(0.0, began + (number + 1) * EVERY_S - clock.monotonic()))
    for run_id in run_ids:
        headway.api.finish(run_id, 60)
    took_s = clock.monotonic() - began
    figures = {
        f"{part}_cpu": (cpu_seconds(pids) - before[part]) / took_s for part, pids in parts.items()
    }
    with connect(headway.database) as conn:
        rows = conn.execute(
            "SELECT extract(epoch FROM ready - created_at)::float8 FROM run, LATERAL ("
            " SELECT min(queued_at) AS ready FROM attempt WHERE attempt.run_id = run.run_id) AS first"
            " WHERE run_id = ANY (%s)",
            [run_ids],
        ).fetchall()
    waits = quantiles([wait for (wait,) in rows], n=100)
    return figures | {"grant_p50_ms": waits[49] * 1000, "grant_p99_ms": waits[98] * 1000}


def named(headway: Headway, word: str) -> list[int]:
    found = [pid for pid in descendants(headway.pid) if word in command(pid)]
    assert found, word
    return found


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def test_five_hundred_watchers_do_not_slow_the_scheduler(tmp_path: Path) -> None:
    with fresh(DAGS) as headway:
        while not headway.api.knows("work"):
            clock.sleep(0.05)
        measure(headway, tmp_path)  # until everything is warm
        alone = measure(headway, tmp_path)
        with audience(headway) as watching:
            first = headway.api.trigger("work", {"witness": str(tmp_path / "w"), "items": 1})
            headway.api.finish(first, 60)
            deadline = clock.monotonic() + 60
            while not all(watching.heard) and clock.monotonic() < deadline:
                headway.api.finish(
                    headway.api.trigger("work", {"witness": str(tmp_path / "w")}), 60
                )
            assert all(watching.heard), "some watcher hears nothing"
            watched = measure(headway, tmp_path)
        for name, value in alone.items():
            sys.stderr.write(f"{name:>16}: {value:8.3f} alone, {watched[name]:8.3f} watched\n")
        assert watched["scheduler_cpu"] < 1.5 * alone["scheduler_cpu"] + 0.05
        assert watched["grant_p50_ms"] < 2 * alone["grant_p50_ms"] + 10
        assert watched["api_cpu"] < 0.6
        headway.api.connection.close()
