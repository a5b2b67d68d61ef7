"""Counts of tries to sign in, over all API servers. Every function takes a connection; none commits."""

from hashlib import sha256
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection

from headway.store.clock import clock
from headway.store.transact import secret_of

TAKE: LiteralString = """
    SELECT take_sign_in(%(secret)s, %(key)s, %(burst)s, %(period_s)s, %(now)s::timestamptz)
"""

GIVE_BACK: LiteralString = "SELECT give_back_sign_in(%(secret)s, %(key)s, %(burst)s)"


class Bucket(NamedTuple):
    """A limit of ``burst`` tries at once, refilled over ``period_s``, for one ``key``."""

    key: tuple[str, ...]
    burst: int
    period_s: float

    @property
    def hashed(self) -> bytes:
        return sha256("\0".join(self.key).encode()).digest()


def take(conn: Connection[Any], buckets: list[Bucket]) -> float:
    """Take a try from each bucket, up to the first that has none. Returns the seconds to wait for that, or 0."""
    now, secret = clock(conn), secret_of(conn)
    for bucket in buckets:
        limits = {"burst": bucket.burst, "period_s": bucket.period_s, "now": now}
        row = conn.execute(TAKE, {"secret": secret, "key": bucket.hashed, **limits}).fetchone()
        assert row is not None
        wait_s: float = row[0]
        if wait_s > 0:
            return wait_s
    return 0.0


def give_back(conn: Connection[Any], bucket: Bucket) -> None:
    values = {"secret": secret_of(conn), "key": bucket.hashed, "burst": bucket.burst}
    conn.execute(GIVE_BACK, values)
