"""What the reads of the interface take and weigh, over HTTP, on a seeded installation."""

import gzip
import http.client
import time
from typing import Final
from urllib.parse import urlsplit

from rich.table import Table

from bench.figures import summarise
from headway.config import ServerFile

TIMEOUT_S: Final = 60
READS: Final = (
    "/dags",
    "/overview",
    "/search?q=table_0",
    "/events",
    "/runs",
    "/dags/warehouse/grid?limit=50",
    "/dags/carriers/grid?limit=50",
)


def ask(connection: http.client.HTTPConnection, token: str, path: str) -> bytes:
    connection.request("GET", f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    body = response.read()
    if response.status >= 400:
        raise RuntimeError(f"{path}: {response.status} {body[:500]!r}")
    return body


def table(server: ServerFile, repeats: int) -> Table:
    """Of the running server. The first answer is told apart: nothing was in memory then."""
    shown = Table("read", title="milliseconds over HTTP, kilobytes")
    for heading in ("first", "p50", "p95", "max", "kB", "gzip kB"):
        shown.add_column(heading, justify="right")
    parts = urlsplit(server.url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
    for path in READS:
        times_ms, body = timed(connection, server.token, path, repeats)
        rest = summarise(times_ms[1:])
        shown.add_row(
            path,
            *(f"{value:.1f}" for value in (times_ms[0], rest.median, rest.p95, rest.greatest)),
            f"{len(body) / 1000:.1f}",
            f"{len(gzip.compress(body, 6)) / 1000:.1f}",
        )
    connection.close()
    return shown


def timed(
    connection: http.client.HTTPConnection, token: str, path: str, repeats: int
) -> tuple[list[float], bytes]:
    times_ms = []
    body = b""
    for _ in range(repeats + 1):
        began = time.monotonic()
        body = ask(connection, token, path)
        times_ms.append((time.monotonic() - began) * 1000)
    return times_ms, body
