"""What this machine can do at best: no product of this shape is faster than these.

Every result of a bench is also given as a ratio to one of them, measured in the same run.
Rates are per second, times in milliseconds or seconds as the name says.
"""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psycopg
import uvicorn

from bench.figures import Figure, Record, summaries
from bench.postgres import free_port, private_server
from bench.tables import show
from bench.workloads.loads import HEAVY, HEAVY_CHAIN, fib

STARTS: Final = 30
COMMITS: Final = 1_000
BULK_ROWS: Final = 1_500
QUEUE_ROWS: Final = 20_000
BATCH: Final = 100
ROUND_TRIPS: Final = 1_000
SYNCS: Final = 500


def forks() -> dict[str, float]:
    """In a program of its own: this one is far larger than a fork server."""
    command = [sys.executable, "-m", "bench.forks"]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    rates: dict[str, float] = json.loads(output)
    return rates


def interpreter() -> dict[str, float]:
    begun = time.perf_counter()
    for _ in range(STARTS):
        subprocess.run([sys.executable, "-c", "pass"], check=True)
    return {"python_start_per_s": STARTS / (time.perf_counter() - begun)}


def compute() -> dict[str, float]:
    begun = time.perf_counter()
    fib(HEAVY)
    fib_s = time.perf_counter() - begun
    return {"fib_s": fib_s, "compute_w2_s": fib_s * HEAVY_CHAIN}


def disk() -> dict[str, float]:
    with TemporaryDirectory(prefix="headway-bench-") as folder:
        file = os.open(Path(folder, "file"), os.O_WRONLY | os.O_CREAT)
        begun = time.perf_counter()
        for place in range(SYNCS):
            os.pwrite(file, b"x" * 512, place * 512)
            os.fdatasync(file)
        seconds = time.perf_counter() - begun
        os.close(file)
    return {"fdatasync_ms": seconds / SYNCS * 1e3}


def database() -> dict[str, float]:
    with private_server() as server, psycopg.connect(server.owner_dsn, autocommit=True) as conn:
        conn.execute("CREATE TABLE floor (id bigint PRIMARY KEY, state text NOT NULL)")
        return {
            "commit_per_s": commit_rate(conn),
            "bulk_rows_per_s": bulk_rate(conn),
            "dequeue_rows_per_s": dequeue_rate(conn),
            "notify_ms": notify_ms(conn, server.owner_dsn),
        }


def commit_rate(conn: psycopg.Connection[Any]) -> float:
    begun = time.perf_counter()
    for number in range(COMMITS):
        conn.execute("INSERT INTO floor VALUES (%s, 'done')", (number,))
    return COMMITS / (time.perf_counter() - begun)


def bulk_rate(conn: psycopg.Connection[Any]) -> float:
    """The best of a few: the first plans, and touches pages nobody has touched."""
    best = 0.0
    for turn in range(1, 6):
        numbers = list(range(turn * 10_000, turn * 10_000 + BULK_ROWS))
        begun = time.perf_counter()
        conn.execute(
            "INSERT INTO floor SELECT n, 'done' FROM unnest(%s::bigint[]) AS n", (numbers,)
        )
        best = max(best, BULK_ROWS / (time.perf_counter() - begun))
    return best


def dequeue_rate(conn: psycopg.Connection[Any]) -> float:
    conn.execute("CREATE TABLE queue (id bigint PRIMARY KEY, state text NOT NULL)")
    conn.execute("CREATE INDEX queue_ready ON queue (id) WHERE state = 'ready'")
    conn.execute("INSERT INTO queue SELECT n, 'ready' FROM generate_series(1, %s) n", (QUEUE_ROWS,))
    conn.execute("VACUUM ANALYZE queue")
    begun, taken = time.perf_counter(), 0
    while taken < QUEUE_ROWS:
        taken += conn.execute(
            "UPDATE queue SET state = 'taken' FROM (SELECT id FROM queue WHERE state = 'ready'"
            " ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) AS next WHERE queue.id = next.id",
            (BATCH,),
        ).rowcount
    return QUEUE_ROWS / (time.perf_counter() - begun)


def notify_ms(conn: psycopg.Connection[Any], dsn: str) -> float:
    """From NOTIFY on one connection to the word on another."""
    with psycopg.connect(dsn, autocommit=True) as listener:
        listener.execute("LISTEN floor")
        begun = time.perf_counter()
        for _ in range(ROUND_TRIPS):
            conn.execute("NOTIFY floor")
            assert list(listener.notifies(timeout=5, stop_after=1)), "a notification is not lost"
        return (time.perf_counter() - begun) / ROUND_TRIPS * 1e3


async def hello(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def web() -> dict[str, float]:
    """One client and one server, each in its own process, one connection kept open."""
    port = free_port()
    with child(lambda: uvicorn.run(hello, port=port, lifespan="off", log_level="error")):
        connection = answering(port)
        begun = time.perf_counter()
        for _ in range(ROUND_TRIPS):
            connection.request("GET", "/")
            connection.getresponse().read()
        rate = ROUND_TRIPS / (time.perf_counter() - begun)
        connection.close()
    return {"http_per_s": rate}


def answering(port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            assert time.monotonic() < deadline, "the server answers within 30 s"
            time.sleep(0.02)
        else:
            return connection


@contextmanager
def child(run: Callable[[], object]) -> Iterator[None]:
    assert threading.active_count() == 1, "a fork of a process with threads may hang"
    pid = os.fork()
    if pid == 0:
        try:
            run()
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


FLOORS: Final[tuple[Callable[[], dict[str, float]], ...]] = (
    forks,
    interpreter,
    compute,
    disk,
    database,
    web,
)


def measure(repeats: int = 5) -> list[Figure]:
    return [
        Figure("floor", "floor", metric, value, repeat)
        for repeat in range(repeats)
        for floor in FLOORS
        for metric, value in floor().items()
    ]


def main() -> int:
    record = Record("floors")
    record.add(*measure())
    show(summaries(record.figures), "floors of this machine")
    return 0


if __name__ == "__main__":
    sys.exit(main())
