"""Counters for Prometheus, written as text without a library."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from headway import clock

SECONDS: Final = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0)
UNKNOWN: Final = "unknown"
NOBODY: Final = 0

Labels = tuple[tuple[str, str], ...]
Sample = tuple[Mapping[str, str], float]


class OfRoutes:
    """Requests by method, route template and status, and their durations by route."""

    def __init__(self) -> None:
        self.answered: Counter[Labels] = Counter()
        self.within: Counter[tuple[str, float]] = Counter()
        self.seconds: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()

    def add(self, method: str, route: str, status: int, took_s: float) -> None:
        self.answered[("method", method), ("route", route), ("status", str(status))] += 1
        if route.endswith("/stream"):
            return  # it lasts as long as somebody watches
        self.seconds[route] += took_s  # type: ignore[assignment] # a sum of seconds
        self.counted[route] += 1
        for limit in SECONDS:
            self.within[route, limit] += took_s <= limit

    def update(self, other: "OfRoutes") -> None:
        self.answered.update(other.answered)
        self.within.update(other.within)
        self.seconds.update(other.seconds)
        self.counted.update(other.counted)


class Requests:
    """Counts the requests of each team, and those of callers who are not signed in."""

    def __init__(self) -> None:
        self.teams: defaultdict[int, OfRoutes] = defaultdict(OfRoutes)

    async def count(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> int:
        """Pass a request on to ``app``, and remember its answer. Returns the status."""
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
        return status

    def add(self, scope: Scope, status: int, took_s: float) -> None:
        who = scope.get("user")
        team_id = NOBODY if who is None else who.team_id
        route = str(scope.get("path_template") or UNKNOWN)
        self.teams[team_id].add(str(scope.get("method")), route, status, took_s)

    def text(self, team_id: int) -> Iterator[str]:
        """Yield the counters of one team and of nobody: what another team asks for is its own affair."""
        shown = OfRoutes()
        for each in (NOBODY, team_id):
            if each in self.teams:
                shown.update(self.teams[each])
        name = "headway_api_requests_total"
        answered: Iterator[Sample] = ((dict(labels), n) for labels, n in shown.answered.items())
        yield from family(name, "counter", "Requests answered.", answered)
        name = "headway_api_request_seconds"
        yield f"# HELP {name} Time to answer.\n# TYPE {name} histogram\n"
        for route, count in shown.counted.items():
            for limit in SECONDS:
                labels = {"route": route, "le": f"{limit:g}"}
                yield line(f"{name}_bucket", labels, shown.within[route, limit])
            yield line(f"{name}_bucket", {"route": route, "le": "+Inf"}, count)
            yield line(f"{name}_sum", {"route": route}, shown.seconds[route])
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
