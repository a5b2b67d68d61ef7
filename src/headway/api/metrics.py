"""Counters for Prometheus, written as text without a library."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from headway import clock

SECONDS: Final = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)
UNKNOWN: Final = "unknown"

Labels = tuple[tuple[str, str], ...]
Sample = tuple[Mapping[str, str], float]


class Requests:
    """Counts requests by method, route template and status, and their durations by route."""

    def __init__(self) -> None:
        self.answered: Counter[Labels] = Counter()
        self.within: Counter[tuple[str, float]] = Counter()
        self.seconds: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()

    async def count(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to ``app``, and remember its answer."""
        began = clock.monotonic()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, watched)
        finally:
            self.add(scope, status, clock.monotonic() - began)

    def add(self, scope: Scope, status: int, took_s: float) -> None:
        route = str(scope.get("path_template") or UNKNOWN)
        method = str(scope.get("method"))
        self.answered[("method", method), ("route", route), ("status", str(status))] += 1
        if route.endswith("/stream"):
            return  # it lasts as long as somebody watches
        self.seconds[route] += took_s  # type: ignore[assignment] # a sum of seconds
        self.counted[route] += 1
        for limit in SECONDS:
            self.within[route, limit] += took_s <= limit

    def text(self) -> Iterator[str]:
        name = "headway_api_requests_total"
        yield from family(
            name, "counter", "Requests answered.", ((dict(k), n) for k, n in self.answered.items())
        )
        name = "headway_api_request_seconds"
        yield f"# HELP {name} Time to answer.\n# TYPE {name} histogram\n"
        for route, count in self.counted.items():
            for limit in SECONDS:
                labels = {"route": route, "le": f"{limit:g}"}
                yield line(f"{name}_bucket", labels, self.within[route, limit])
            yield line(f"{name}_bucket", {"route": route, "le": "+Inf"}, count)
            yield line(f"{name}_sum", {"route": route}, self.seconds[route])
            yield line(f"{name}_count", {"route": route}, count)


def family(name: str, kind: str, help_text: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n"
    for labels, value in samples:
        yield line(name, labels, value)


def line(name: str, labels: Mapping[str, str], value: float) -> str:
    inner = ",".join(f'{key}="{escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{inner}}} {value:.10g}\n" if inner else f"{name} {value:.10g}\n"


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
