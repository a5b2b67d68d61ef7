"""The interface of front ends, which turn a file of a DAG folder into specs, and into tasks that agents run.

Rule 1: ``claims`` decides by name and content, without importing anything, and always the same way: every process
that asks gets the same answer. Rule 2: ``load`` and ``runnable`` run a stranger's code perhaps, so they are called in
processes that hold no credential: the importer's child, and the agent's server of the file.
Rule 3: what ``load`` reads need not be told. The importer's child watches which files of the bundle it opens.
"""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from headway.spec.model import Dag

if TYPE_CHECKING:
    from headway.authoring.execute import Inputs, Result
    from headway.authoring.looking import Given
    from headway.authoring.run import Run
    from headway.authoring.watching import Watched

WARNINGS_MAX: Final = 20


class Trouble(msgspec.Struct, frozen=True):
    """An error or warning about a file, for its author; ``dag_id``: of that DAG alone."""

    message: str
    line: int | None = None
    hint: str | None = None
    dag_id: str | None = None


def few(troubles: Sequence[Trouble]) -> list[Trouble]:
    """Return so many as people read, but one of each DAG at least: a DAG without any counts as one that simply runs."""
    firsts = {each.dag_id: each for each in reversed(troubles)}
    order = sorted(troubles, key=lambda each: firsts[each.dag_id] is not each)
    return order[: max(WARNINGS_MAX, len(firsts))]


class Loaded(msgspec.Struct, frozen=True):
    """The DAGs of a file in the order they are made, and what to warn its author of."""

    dags: list[Dag]
    warnings: list[Trouble] = []


class TaskFailed(Exception):
    """The failure of a task that ran in a process of its own, whose log already has what there is to say."""

    def __init__(
        self,
        text: str,
        line: int | None = None,
        *,
        retry: bool = True,
        cause: str = "exception",
        retry_delay_s: float | None = None,
        retry_reason: str = "",
    ) -> None:
        super().__init__(text)
        self.line = line  # of the DAG file
        self.retry = retry
        self.cause = cause
        self.retry_delay_s = retry_delay_s  # that a policy of the task asks for
        self.retry_reason = retry_reason  # and why


class Runnable(Protocol):
    """A DAG whose tasks can be executed."""

    def referenced_keys(self) -> Mapping[str, set[str]]:
        """Return by task id the keys of its result that other tasks read."""

    def execute(self, task_id: str, run: "Run", inputs: "Inputs") -> "Result":
        """Execute one attempt in this process. Raises Skip, Fail, TaskFailed, or whatever the task raises."""


class FrontEnd(Protocol):
    """One kind of DAG file. ``suffixes``: of its files; ``describes``: what such a file is, for people.

    ``ignore_file``: the name of files that say which others are not read for DAGs, or "".
    ``heavy``: what its files need takes seconds to import, so that nobody does before the first one is read.
    """

    @property
    def suffixes(self) -> tuple[str, ...]: ...

    @property
    def describes(self) -> str: ...

    @property
    def heavy(self) -> bool: ...

    @property
    def ignore_file(self) -> str: ...

    def claims(self, path: str, content: bytes) -> bool:
        """Return whether the file is a DAG file. ``path`` is relative to the DAG folder."""

    def text(self, content: bytes) -> bytes:
        """Return what people read of a file: its content, unless that is not text."""

    def ignored(self, texts: Mapping[str, str], paths: Iterable[str]) -> set[str]:
        """Return those of ``paths`` that an ignore file names; ``texts``: of those files, by their paths."""

    def warm(self) -> None:
        """Import what every ``load`` needs; called before children are forked, and again for a heavy one."""

    def load(self, root: Path, file: str) -> Loaded:
        """The valid specs of ``file`` in the bundle at ``root``. Raises BadSpec."""

    def runnable(self, root: Path, file: str) -> Mapping[str, Runnable]:
        """The DAGs of ``file`` by their ids, with tasks that can be executed. Raises HeadwayError."""

    def awaited(self, given: "Given") -> Awaitable[object]:
        """Return the work of a trigger, in the event loop of a triggerer; its result is what was found, for JSON.

        ``given.facts.trigger`` names it as the task of this front end did that deferred itself.
        """

    def watched(self, given: "Watched") -> Awaitable[None]:
        """Return the work of a watcher, which tells its events by ``given.tell``; as ``awaited``."""
