"""Why ready task instances wait at this moment.

A scheduler writes the reason once, when it first passes a task instance over. What the reason names goes on changing:
a pool grows, an agent comes back, slots fill up. So every view asks here what holds it back now.
"""

from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from headway.core.admission import Capacity, Pool, Session, Share, why_left
from headway.core.graph import Need
from headway.core.reason_kinds import Kind
from headway.core.reasons import Reason
from headway.core.stored_reasons import stored
from headway.core.warm import WARM
from headway.store import states

# Decided by slots and agents alone (``core.admission``): all else is written anew by whoever changes it.
OF_ADMISSION: Final = frozenset(
    {
        Kind.POOL_FULL,
        Kind.POOL_MISSING,
        Kind.POOL_EMPTY,
        Kind.POOL_TOO_SMALL,
        Kind.POOL_TURN,
        Kind.POOL_SHARED,
        Kind.POOL_NOT_SHARED,
        Kind.TEAM_SLOTS,
        Kind.NO_AGENT,
        Kind.AGENTS_FULL,
        Kind.QUEUE_UNSERVED,
        Kind.EXECUTOR_UNKNOWN,
        Kind.WARM_STARTING,
    }
)
OF_AGENTS: Final = "agents"

# Whose reason it is, for ``Present.pop``; of ``task_instance``.
COLUMNS: LiteralString = """
    pool AS held_pool, pool_slots AS held_slots, queue AS held_queue, executor AS held_executor
"""

POOLS: LiteralString = """
    SELECT name, slots, used, allotted, is_open FROM pool WHERE %(team_id)s::integer IS NULL OR team_id = %(team_id)s
"""

SESSIONS: LiteralString = f"""
    SELECT session_id, agent, token_id IS NULL, slots - (
        SELECT count(*) FROM attempt
        WHERE attempt.session_id = agent_session.session_id AND attempt.team_id = agent_session.team_id
            AND state IN {states.LIVE_ATTEMPTS}), queues
    FROM agent_session
    WHERE ended_at IS NULL AND (%(team_id)s::integer IS NULL OR team_id = %(team_id)s)
"""

# What comes of a pool is of the queues that its agents serve.
POOLS_ON_THEIR_WAY: LiteralString = """
    SELECT reason::text, queues FROM warm_pool
    WHERE reason IS NOT NULL AND (%(team_id)s::integer IS NULL OR team_id = %(team_id)s)
"""

SHARE: LiteralString = """
    SELECT name, used, slots, allotted, fair FROM share JOIN team USING (team_id)
    WHERE %(team_id)s::integer IS NULL OR team_id = %(team_id)s
"""


class Present:
    """The slots and agents that exist, read when the first reason is asked for, once.

    ``team_id``: only where more than one team is visible.
    """

    def __init__(self, conn: Connection[Any], team_id: int | None = None) -> None:
        self.conn = conn
        self.values = {"team_id": team_id}
        self.read = False

    def load(self) -> None:
        if self.read:
            return
        self.read = True
        with self.conn.cursor(row_factory=tuple_row) as cursor:
            found = cursor.execute(POOLS, self.values).fetchall()
            self.pools = {row[0]: Pool(*row) for row in found}
            self.sessions = [
                # A session without a token is that of a cluster, whose name stands for its executor.
                Session(id_, agent, free, tuple(queues), agent, is_default=False)
                if is_cluster
                else Session(id_, agent, free, tuple(queues), OF_AGENTS, also=(WARM,))
                for id_, agent, is_cluster, free, queues in cursor.execute(SESSIONS, self.values)
            ]
            self.sessions += [
                Session("", "", 0, tuple(queues), OF_AGENTS, also=(WARM,), full=stored(reason))
                for reason, queues in cursor.execute(POOLS_ON_THEIR_WAY, self.values)
            ]
            row = cursor.execute(SHARE, self.values).fetchone()
        self.share = (
            None
            if row is None
            else Share(team=row[0], used=row[1], nominal=row[2], allotted=row[3], fair=row[4])
        )

    def text(
        self, text: str | None, pool: str, slots: int, queue: str, executor: str
    ) -> str | None:
        """Return a stored ``blocked_reason``, as it is true now: JSON, like what is stored."""
        if text is None:
            return None
        before = stored(text)
        if before.kind not in OF_ADMISSION:
            return text
        now = self.reason(before, pool, slots, Need(executor, queue))
        return text if now == before else msgspec.json.encode(now).decode()

    def reason(self, before: Reason, pool: str, slots: int, need: Need) -> Reason:
        self.load()
        capacity = Capacity(self.sessions, [need.executor])
        now = why_left(pool, slots, need, self.pools, capacity, self.share)
        unserved = now.kind in (Kind.NO_AGENT, Kind.QUEUE_UNSERVED)
        if before.kind is Kind.EXECUTOR_UNKNOWN and unserved:
            return before  # which executors there are is known to schedulers
        return now

    def pop(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the row with ``blocked_reason`` as it is now, without ``COLUMNS``."""
        held = [fields.pop(f"held_{name}") for name in ("pool", "slots", "queue", "executor")]
        return {**fields, "blocked_reason": self.text(fields["blocked_reason"], *held)}
