"""Results of the search box."""

from datetime import datetime

import msgspec

from headway.wire.states import RunState


class FoundDag(msgspec.Struct, frozen=True, kw_only=True):
    dag_id: str
    description: str


class FoundRun(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str
    dag_id: str
    state: RunState
    logical_date: datetime


class FoundTask(msgspec.Struct, frozen=True, kw_only=True):
    dag_id: str
    task_id: str


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a search, at most 8 of each kind."""

    dags: list[FoundDag]
    runs: list[FoundRun]
    tasks: list[FoundTask]
