"""The DAG and group to which the line being read belongs, and the DAGs that a file has made so far."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from headway.authoring.frames import call_site
from headway.spec.errors import BadSpec

if TYPE_CHECKING:
    from headway.authoring.dag import DAG, DagFunction
    from headway.authoring.groups import TaskGroup

dags: list["DAG"] = []  # the innermost last
made: list["DAG | DagFunction"] | None = None  # None: nobody records
file_read: str | None = None  # the DAG file, while it is read


def current_dag(word: str) -> "DAG":
    if dags:
        return dags[-1]
    site = call_site()
    hint = "call it in the body of a @dag function or in `with DAG(…):`"
    if word.endswith("()"):
        hint += f"; {word.removesuffix('()')}.function(…) calls the plain function"
    raise BadSpec(f"{word} is called outside a DAG", file=site.file, line=site.line, hint=hint)


def current_group() -> "TaskGroup | None":
    return dags[-1].groups[-1] if dags and dags[-1].groups else None


def record(thing: "DAG | DagFunction") -> None:
    if made is not None:
        made.append(thing)


@contextmanager
def recording(file: str) -> Iterator[list["DAG | DagFunction"]]:
    """Collect the DAGs and DAG functions made inside the block, in order, while ``file`` is read."""
    global made, file_read
    before = made, file_read
    made, file_read = [], file
    try:
        yield made
    finally:
        made, file_read = before
