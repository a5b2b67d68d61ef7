"""What the reads of the interface take and weigh, over HTTP, on a seeded installation."""

import gzip
import http.client
import time
from typing import Final
from urllib.parse import urlsplit

import msgspec
from rich.table import Table

from bench.figures import summarise
from headway.config import ServerFile

TIMEOUT_S: Final = 60
READS: Final = (
    *("/dags", "/overview", "/search?q=table_0", "/events", "/runs", "/slots", "/backfills"),
    *(f"/dags/{dag}/grid?limit=50" for dag in ("warehouse", "carriers", "orders")),
    *(f"/dags/{dag}/durations" for dag in ("warehouse", "carriers")),
    *("/dags/warehouse/versions", "/dags/orders/next"),
    "/calendar?from=2026-01-01T00:00:00Z&to=2026-12-31T00:00:00Z",
)
# Of the latest run that failed.
OF_RUN: Final = ("", "/tasks", "/gantt", "/diagnosis", "/events", "/source")
FAILED: Final = ("warehouse", "carriers")


def ask(connection: http.client.HTTPConnection, token: str, path: str) -> tuple[bytes, int]:
    """The answer, and how many bytes it was on the way: as a browser asks."""
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    connection.request("GET", f"/api/v1{path}", headers=headers)
    response = connection.getresponse()
    body = response.read()
    if response.status >= 400:
        raise RuntimeError(f"{path}: {response.status} {body[:500]!r}")
    packed = response.headers.get("Content-Encoding") == "gzip"
    return gzip.decompress(body) if packed else body, len(body)


def table(server: ServerFile, repeats: int) -> Table:
    """Of the running server. The first answer is told apart: nothing was in memory then."""
    shown = Table("read", title="milliseconds over HTTP, kilobytes")
    for heading in ("first", "p50", "p95", "max", "kB", "kB sent"):
        shown.add_column(heading, justify="right")
    parts = urlsplit(server.url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
    for path in [*READS, *of_runs(connection, server.token)]:
        times_ms, body, sent = timed(connection, server.token, path, repeats)
        rest = summarise(times_ms[1:])
        shown.add_row(
            path,
            *(f"{value:.1f}" for value in (times_ms[0], rest.median, rest.p95, rest.greatest)),
            f"{len(body) / 1000:.1f}",
            f"{sent / 1000:.1f}",
        )
    connection.close()
    return shown


def of_runs(connection: http.client.HTTPConnection, token: str) -> list[str]:
    found = []
    for dag_id in FAILED:
        answer, _ = ask(connection, token, f"/runs?dag_id={dag_id}&state=failed&limit=1")
        for run in msgspec.json.decode(answer)["items"]:
            found += [f"/runs/{run['run_id']}{part}" for part in OF_RUN]
    return found


def timed(
    connection: http.client.HTTPConnection, token: str, path: str, repeats: int
) -> tuple[list[float], bytes, int]:
    times_ms = []
    body, sent = b"", 0
    for _ in range(repeats + 1):
        began = time.monotonic()
        body, sent = ask(connection, token, path)
        times_ms.append((time.monotonic() - began) * 1000)
    return times_ms, body, sent
