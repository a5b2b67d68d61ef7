"""The key of an attempt, as its row in the database and as its agent have it. Pure."""

from headway.agent.protocol import AttemptKey
from headway.store.sessions import Bound


def fields(key: AttemptKey) -> tuple[str, str, int, int, int]:
    return key.run_id, key.task_id, key.map_index, key.number, key.deferrals


def key_of(bound: Bound) -> AttemptKey:
    return AttemptKey(bound.run_id, bound.task_id, bound.map_index, bound.number, bound.deferrals)
