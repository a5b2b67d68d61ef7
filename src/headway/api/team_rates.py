"""The requests a second that teams may send (``core.limits``): a bucket for each team that has such a limit."""

from dataclasses import dataclass, field
from typing import Final

from headway import clock
from headway.api.door import Door
from headway.api.rates import Rate
from headway.core.limits import WORDS
from headway.store import limits

BURST_S: Final = 2.0  # what a team has not sent for so long it may send at once
READ_S: Final = 5.0  # a changed limit counts after this


@dataclass(slots=True)
class Known:
    """The limit of one team, and when it was read."""

    most: int | None
    at: float


@dataclass(slots=True)
class TeamRates:
    door: Door
    known: dict[int, Known] = field(default_factory=dict)
    rates: dict[int, Rate] = field(default_factory=dict)  # by limit

    async def take(self, team_id: int) -> None:
        """Count a request of the team. Raises RateLimited with the limit and the time to wait."""
        known = self.known.get(team_id)
        if known is None or clock.monotonic() - known.at > READ_S:
            known = await self.read(team_id)
        if (most := known.most) is not None:
            burst = max(1, int(most * BURST_S))
            rate = self.rates.setdefault(most, Rate(burst, burst / most))
            rate.take(
                team_id,
                f"the limit of this team is {most:,} {WORDS['requests_per_s']} (requests_per_s)",
            )

    async def read(self, team_id: int) -> Known:
        if (before := self.known.get(team_id)) is not None:
            before.at = clock.monotonic()  # others do not ask meanwhile
        found = await self.door.of(team_id).call(limits.of_team, team_id)
        self.known[team_id] = Known(found.requests_per_s, clock.monotonic())
        return self.known[team_id]
