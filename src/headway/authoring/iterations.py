"""The iteration of a loop as its tasks see it, and what its condition answers."""

from collections.abc import Callable
from typing import Any, NamedTuple


class LoopDecision(NamedTuple):
    """The decision of ``until``: whether to stop, and why. People read ``reason`` beside the iteration."""

    stop: bool
    reason: str | None = None


class Loop:
    """The iteration that a task runs in.

    ``index``: its number, from 0. ``result``: of this iteration, for ``until``; None before.
    """

    __slots__ = ("before", "index", "max_iterations", "result")

    def __init__(
        self,
        index: int,
        max_iterations: int,
        before: Callable[[], object] | None,
        result: object,
    ) -> None:
        self.index = index
        self.max_iterations = max_iterations
        self.before = before
        self.result: Any = result

    @property
    def previous(self) -> Any:
        """Return the result of the iteration before; None in the first."""
        return None if self.before is None else self.before()

    def __repr__(self) -> str:
        return f"<iteration {self.index} of at most {self.max_iterations}>"
