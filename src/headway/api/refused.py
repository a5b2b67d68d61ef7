"""Refused requests in the audit: who was told 401, 403, 404 or 429, of which route and how often.

A request is only counted. Every second the first refusal of a kind is written, and at the end of its window the number
of those that followed, as one entry: a flood fills no table. A 404 counts alike whether another team has the thing or
nobody has it, because an entry that told them apart would tell. A route that is open to everybody tells of wrong
passwords and links itself: of it, only requests of other sites and too many of them are told here.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from litestar.types import Scope
from psycopg import Error

from headway import clock
from headway.api.door import Door
from headway.errors import HeadwayError
from headway.store import audit

REFUSED: Final = {401, 403, 404, 429}
OPEN_REFUSED: Final = {403, 429}
UNKNOWN: Final = 401
ACTION: Final = "access.refused"
ASKER: Final = "headway.asker"  # in the state of a request whose route is guarded
NOBODY: Final = "nobody"
SEVERAL: Final = "several"
IS_ANYBODY_HERE: Final = "/session"  # a browser asks before somebody signs in
WRITE_S: Final = 1.0
WINDOW_S: Final = 600.0
KINDS_MAX: Final = 50  # of a team in a window; what is beyond them is one kind more
PATH_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Asker:
    """The caller of a request, as far as they are known, and the team whose audit tells of them."""

    team_id: int
    actor: str = NOBODY
    via: str = ""
    role: str | None = None
    is_open: bool = False  # the route asks nobody who they are


@dataclass(frozen=True, slots=True)
class Kind:
    """The refusals that are counted together."""

    asker: Asker
    address: str
    request: str  # method and route
    status: int | None


@dataclass(slots=True)
class Count:
    since: datetime
    until: float
    times: int = 0
    path: str = ""
    is_written: bool = False


@dataclass(slots=True)
class Refusals:
    """The refusals of one API process that are not written yet, and the kinds that were lately."""

    counts: dict[Kind, Count] = field(default_factory=dict)
    write_s: float = WRITE_S

    def note(self, scope: Scope, status: int) -> None:
        """Count an answer, if it is a refusal."""
        asker: Asker | None = scope["state"].get(ASKER)
        route = str(scope.get("path_template"))
        if asker is None or status not in (OPEN_REFUSED if asker.is_open else REFUSED):
            return
        if status == UNKNOWN and route.endswith(IS_ANYBODY_HERE):
            return
        kind = self.bounded(kind_of(scope, asker, status))
        count = self.counts.get(kind)
        if count is None:
            count = Count(clock.now(), clock.monotonic() + WINDOW_S)
            self.counts[kind] = count
        if count.times == 0:
            count.since = clock.now()
        count.times += 1
        count.path = scope["path"][:PATH_CHARS_MAX]

    def bounded(self, kind: Kind) -> Kind:
        team_id = kind.asker.team_id
        known = sum(each.asker.team_id == team_id for each in self.counts)
        if kind in self.counts or known < KINDS_MAX:
            return kind
        return Kind(Asker(team_id, SEVERAL), "", "other requests", None)

    async def keep_writing(self, door: Door) -> None:
        """Write what is due every second, until cancelled; then all that is left."""
        try:
            while True:
                await asyncio.sleep(self.write_s)
                await self.write(door, self.due(clock.monotonic()))
        finally:
            await self.write(door, [kind for kind, count in self.counts.items() if count.times])

    def due(self, now: float) -> list[Kind]:
        """Return what is to be written, and forget kinds of which nothing came for a window."""
        found = []
        for kind, count in list(self.counts.items()):
            is_over = now >= count.until
            if count.times and (is_over or not count.is_written):
                found.append(kind)
            elif is_over:
                del self.counts[kind]
        return found

    async def write(self, door: Door, kinds: Iterable[Kind]) -> None:
        """Write an entry for each. What cannot be written now keeps its number, and is due again."""
        for kind in kinds:
            count = self.counts[kind]
            times, team_id = count.times, kind.asker.team_id
            try:
                await door.of(team_id).call(audit.write, team_id, entry(kind, count))
            except (HeadwayError, Error):
                return
            count.times -= times
            count.is_written, count.until = True, clock.monotonic() + WINDOW_S


def kind_of(scope: Scope, asker: Asker, status: int) -> Kind:
    client = scope.get("client")
    # Whoever is not known tries one thing after another.
    request = (
        "any request"
        if status == UNKNOWN
        else f"{scope.get('method')} {scope.get('path_template')}"
    )
    return Kind(asker, "" if client is None else client[0], request, status)


def entry(kind: Kind, count: Count) -> audit.Entry:
    return audit.Entry(
        actor=kind.asker.actor,
        via=kind.asker.via,
        action=ACTION,
        subject=kind.request,
        address=kind.address,
        detail={
            "status": kind.status,
            "times": count.times,
            "since": count.since.isoformat(),
            "role": kind.asker.role,
            "latest": count.path,
        },
    )
