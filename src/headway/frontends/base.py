"""The interface of front ends, which turn a file of a DAG folder into specs, and into tasks that agents run.

Rule 1: ``claims`` decides by name and content, without importing anything, and always the same way: every process
that asks gets the same answer. Rule 2: ``load`` and ``runnable`` run a stranger's code perhaps, so they are called in
processes that hold no credential: the importer's child, and the agent's server of the file.
Rule 3: what ``load`` reads need not be told. The importer's child watches which files of the bundle it opens.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from headway.spec.model import Dag

if TYPE_CHECKING:
    from headway.authoring.dag import DAG

WARNINGS_MAX: Final = 20


class Trouble(msgspec.Struct, frozen=True):
    """An error or warning about a file, for its author."""

    message: str
    line: int | None = None
    hint: str | None = None


class Loaded(msgspec.Struct, frozen=True):
    """The DAGs of a file in the order they are made, and what to warn its author of."""

    dags: list[Dag]
    warnings: list[Trouble] = []


class FrontEnd(Protocol):
    """One kind of DAG file. ``suffixes``: of its files; ``describes``: what such a file is, for people."""

    @property
    def suffixes(self) -> tuple[str, ...]: ...

    @property
    def describes(self) -> str: ...

    def claims(self, path: str, content: bytes) -> bool:
        """Return whether the file is a DAG file. ``path`` is relative to the DAG folder."""

    def warm(self) -> None:
        """Import what every ``load`` needs; called once, before children are forked."""

    def load(self, root: Path, file: str) -> Loaded:
        """The valid specs of ``file`` in the bundle at ``root``. Raises BadSpec."""

    def runnable(self, root: Path, file: str) -> dict[str, "DAG"]:
        """The DAGs of ``file`` by their ids, with tasks that can be executed. Raises HeadwayError."""
