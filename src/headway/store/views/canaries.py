"""The canary of a team, for people."""

from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import args_row

# One that nobody has looked at for longer than between two runs says nothing: no scheduler is there, which is told
# elsewhere.
PROOF: LiteralString = """
    SELECT period_s, proved_at IS NOT NULL,
        extract(epoch FROM now() - greatest(proved_at, watched_since))::float8, reason::text
    FROM team_canary WHERE looked_at > now() - period_s * interval '1.5 seconds'
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """``silent_s``: since its last success, or since it was watched; ``reason``: why there was none, as JSON."""

    period_s: float
    is_proved: bool
    silent_s: float
    reason: str | None


def proof(conn: Connection[Any]) -> Proof | None:
    """Return what the canary of the entered team has proven. None: it is not watched."""
    with conn.cursor(row_factory=args_row(Proof)) as cursor:
        return cursor.execute(PROOF).fetchone()
