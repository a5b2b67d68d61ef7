"""Dependencies between DAGs: who waits for whom."""

from datetime import datetime

import msgspec

from headway.wire.states import RunState


class DagLink(msgspec.Struct, frozen=True, kw_only=True):
    """The link between two DAGs: the asset ``name`` (``kind`` is ``asset``), the task ``name`` that waits for a run
    (``kind`` is ``run``), or the task ``name`` that started the last run (``kind`` is ``trigger``).

    ``dag_id``: the other DAG; None: the asset is updated from outside, by no DAG.
    """

    dag_id: str | None
    kind: str
    name: str
    owner: str = ""  # of the other DAG


class DagLinks(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG that waits for others, or others for it. ``affected``: the DAGs that are late if this one is, the next
    first; of ``affected_total`` the first 100. ``affected_owners``: the owners of all of them.
    """

    dag_id: str
    owner: str
    paused_at: datetime | None
    last_run_state: RunState | None
    next_run_at: datetime | None
    upstream: list[DagLink]
    downstream: list[DagLink]
    affected: list[str]
    affected_total: int
    affected_owners: list[str] = []
