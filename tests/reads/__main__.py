"""``python -m tests.reads --data DIR``: what each request costs on an installation that `bench.interface` has seeded.

Statements, rows and buffers as the server counts them; the time as a multiple of that of ``/health``, asked in turn.
"""

import argparse
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Final

import msgspec
from bench.interface.measure import TIMEOUT_S, ask

from headway import clock
from headway.pg import Server
from headway.store.migrate import migrate
from tests.api.conftest import TOKEN, served
from tests.reads.costs import Cost, counted
from tests.reads.pages import requests

FLOOR: Final = "/health"
REPEATS: Final = 7
WORST: Final = 3
HEADINGS: Final = ("statements", "rows", "buffers", "floors", "ms", "kB", "sent")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reads")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", default="", help="requests whose path contains this")
    parser.add_argument(
        "--worst", action="store_true", help="the most expensive statements of each"
    )
    arguments = parser.parse_args()
    data = arguments.data.absolute()
    with (
        Server(data).running() as dsn,
        served(dsn, data, rate=10_000) as server,
    ):
        port = server.listener.getsockname()[1]
        connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        migrate(dsn)
        print(*(f"{heading:>10}" for heading in HEADINGS), " request")
        for path in requests(
            lambda path: msgspec.json.decode(ask(connection, TOKEN, path)[0]), clock.now()
        ):
            if arguments.only in path:
                cost = measure(connection, path)
                if arguments.worst:
                    tell_worst(cost)
        connection.close()
    return 0


def measure(connection: HTTPConnection, path: str) -> Cost:
    taking_ms: list[float] = []
    floors_ms: list[float] = []
    for _ in range(REPEATS):
        for asked, times_ms in ((FLOOR, floors_ms), (path, taking_ms)):
            began = time.monotonic()
            ask(connection, TOKEN, asked)
            times_ms.append((time.monotonic() - began) * 1000)
    with counted() as cost:
        body, sent = ask(connection, TOKEN, path)
    took_ms = median(taking_ms)
    figures = (
        *(f"{each:,}" for each in (cost.statements, cost.rows, cost.buffers)),
        *(f"{took_ms / median(floors_ms):.1f}", f"{took_ms:.1f}"),
        *(f"{len(body) / 1000:.1f}", f"{sent / 1000:.1f}"),
    )
    print(*(f"{figure:>10}" for figure in figures), f" {path}", flush=True)
    return cost


def tell_worst(cost: Cost) -> None:
    worst = sorted(cost.of.items(), key=lambda each: -each[1].buffers)[:WORST]
    for statement, of_it in worst:
        words = " ".join(statement.split())[:220]
        print(f"  - {of_it.statements} × {of_it.rows:,} rows, {of_it.buffers:,} buffers: {words}")


if __name__ == "__main__":
    sys.exit(main())
