"""A run in memory, with its task instances, its queues and its changes."""

from headway.core.run.changes import Changes, Emitted, Given, Move, Result
from headway.core.run.instance import NOT_MAPPED, Attempt, Instance, Key
from headway.core.run.model import SCHEDULER, Above, Run

__all__ = (
    "NOT_MAPPED",
    "SCHEDULER",
    "Above",
    "Attempt",
    "Changes",
    "Emitted",
    "Given",
    "Instance",
    "Key",
    "Move",
    "Result",
    "Run",
)
