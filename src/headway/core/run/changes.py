"""The changes made to a run since it was loaded: what the store has to write."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from headway.core.questions import Answer
from headway.core.reasons import Reason
from headway.core.run.instance import Attempt, Instance, Key
from headway.core.waits.deferral import Deferral


class Move(NamedTuple):
    """One row of history; ``instance`` is None for the run itself."""

    instance: Instance | None
    attempt: int
    name: str
    state: str | None  # None: it is gone
    actor: str
    reason: Reason | None


class Result(NamedTuple):
    """A value to store: the attempt's own encoding, opaque to the core."""

    instance: Instance
    attempt: int
    xcom: object


class Emitted(NamedTuple):
    """An event of an asset. ``extra``: JSON that only tasks read. ``aliases``: through which the task added it."""

    instance: Instance
    attempt: int
    asset: str
    extra: str
    partition: str | None = None
    aliases: tuple[str, ...] = ()
    definition: str | None = None  # of an asset that was added, as JSON


class Given(NamedTuple):
    """An answer to the question of an attempt. ``values``: the results that it leaves, by key, in JSON types."""

    instance: Instance
    attempt: int
    deferrals: int
    deferral: Deferral
    answer: Answer
    values: dict[str, Any]


@dataclass(slots=True)
class Changes:
    """The changes that the store must write. ``touched`` keeps first-touch order."""

    touched: dict[Key, Instance] = field(default_factory=dict)
    removed: dict[Key, Instance] = field(default_factory=dict)
    granted: list[tuple[Instance, Attempt]] = field(default_factory=list)
    attempts: dict[tuple[int, int, int], tuple[Instance, Attempt]] = field(default_factory=dict)
    waits: dict[Key, tuple[Instance, Attempt]] = field(default_factory=dict)  # that began, or go
    over: dict[Key, tuple[Instance, Attempt]] = field(
        default_factory=dict
    )  # stored ones that ended
    given: list[Given] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    forgotten: dict[Key, Instance] = field(
        default_factory=dict
    )  # their stored results count no more
    emitted: list[Emitted] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    released: dict[str, int] = field(default_factory=dict)  # pool slots given back, by pool
    ended: int = 0  # attempts that are live no more
    run: bool = False

    def __bool__(self) -> bool:
        return bool(self.touched or self.moves or self.attempts or self.removed or self.run)
