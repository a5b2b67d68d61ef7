"""Rate limits: token buckets in memory, one for each caller."""

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
    """A limit of ``burst`` requests at once, refilled over ``period_s``."""

    burst: int
    period_s: float
    buckets: dict[Hashable, Bucket] = field(default_factory=dict)

    def take(self, key: Hashable, otherwise: str = "too many requests") -> None:
        """Take one request from the bucket. Raises RateLimited with ``otherwise`` and the time to wait."""
        now = clock.monotonic()
        per_second = self.burst / self.period_s
        bucket = self.buckets.setdefault(key, Bucket(self.burst, now))
        bucket.left = min(self.burst, bucket.left + (now - bucket.at) * per_second)
        bucket.at = now
        if bucket.left < 1:
            error = RateLimited(otherwise, hint="try again later")
            error.retry_after_s = math.ceil((1 - bucket.left) / per_second)
            raise error
        bucket.left -= 1
        if len(self.buckets) > KEYS_MAX:
            self.forget(now)

    def give_back(self, key: Hashable) -> None:
        if (bucket := self.buckets.get(key)) is not None:
            bucket.left = min(self.burst, bucket.left + 1)

    def forget(self, now: float) -> None:
        """Drop full buckets, which are idle for a whole period, then the oldest half."""
        alive = {k: b for k, b in self.buckets.items() if now - b.at < self.period_s}
        latest = sorted(alive.items(), key=lambda pair: pair[1].at)[-KEYS_MAX // 2 :]
        self.buckets = dict(latest)
