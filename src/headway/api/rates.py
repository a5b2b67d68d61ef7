"""How often somebody may ask: token buckets in memory, as many as there are people who ask."""

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from headway import clock
from headway.errors import RateLimited

KEYS_MAX: Final = 10_000


@dataclass(slots=True)
class Bucket:
    left: float
    at: float


@dataclass(slots=True)
class Rate:
    """``burst`` at once, and so many again in ``period_s``."""

    burst: int
    period_s: float
    buckets: dict[Hashable, Bucket] = field(default_factory=dict)

    def take(self, key: Hashable) -> None:
        """Raises RateLimited, with the time after which one more is allowed."""
        now = clock.monotonic()
        per_second = self.burst / self.period_s
        bucket = self.buckets.setdefault(key, Bucket(self.burst, now))
        bucket.left = min(self.burst, bucket.left + (now - bucket.at) * per_second)
        bucket.at = now
        if bucket.left < 1:
            error = RateLimited("too many requests", hint="try again in a while")
            error.retry_after_s = math.ceil((1 - bucket.left) / per_second)
            raise error
        bucket.left -= 1
        if len(self.buckets) > KEYS_MAX:
            self.forget(now)

    def give_back(self, key: Hashable) -> None:
        if (bucket := self.buckets.get(key)) is not None:
            bucket.left = min(self.burst, bucket.left + 1)

    def forget(self, now: float) -> None:
        """Who has not asked for a whole period has a full bucket; then the oldest half goes."""
        alive = {k: b for k, b in self.buckets.items() if now - b.at < self.period_s}
        latest = sorted(alive.items(), key=lambda pair: pair[1].at)[-KEYS_MAX // 2 :]
        self.buckets = dict(latest)
