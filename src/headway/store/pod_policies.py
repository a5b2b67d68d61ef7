"""Policies of pods, by executor. Functions take a connection; none commits."""

from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection

from headway.core import pod_policy
from headway.core.cluster import ClusterSettings
from headway.core.pod_policy import PodPolicy

TELL: LiteralString = """
    INSERT INTO pod_policy AS known (executor, policy, told_at) VALUES (%(executor)s, %(policy)s::jsonb, %(now)s)
    ON CONFLICT (executor) DO UPDATE SET policy = excluded.policy, told_at = excluded.told_at
        WHERE known.policy <> excluded.policy
"""

OF_TEAM: LiteralString = """
    SELECT pod_policy.executor, pod_policy.policy, team.cluster FROM pod_policy CROSS JOIN team
    WHERE team.team_id = %(team_id)s ORDER BY pod_policy.executor
"""


def tell(conn: Connection[Any], executor: str, policy: PodPolicy, now: datetime) -> None:
    """Store the policy of an executor, as its settings have it."""
    text = msgspec.json.encode(policy).decode()
    conn.execute(TELL, {"executor": executor, "policy": text, "now": now})


def of_team(conn: Connection[Any], team_id: int) -> dict[str, PodPolicy]:
    """Return the policies for a team, by executor."""
    return {
        executor: pod_policy.of_team(
            msgspec.convert(policy, PodPolicy), msgspec.convert(cluster, ClusterSettings)
        )
        for executor, policy, cluster in conn.execute(OF_TEAM, {"team_id": team_id}).fetchall()
    }
