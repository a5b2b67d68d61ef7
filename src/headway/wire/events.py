"""Events: the history of everything."""

from datetime import datetime

import msgspec

from headway.core.reasons import Reason


class Event(msgspec.Struct, frozen=True, kw_only=True):
    seq: int
    at: datetime
    subject: str
    name: str
    state: str | None
    task_id: str | None
    map_index: int | None
    attempt: int | None
    version: int | None  # of the DAG
    actor: str
    reason: str | None
    dag_id: str | None = None
    run_id: str | None = None
    why: Reason | None = None
    rendered_map_index: str | None = None  # the name of the instance, by map_index_template
