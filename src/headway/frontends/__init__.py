"""The front ends, and the one place that decides which files may define DAGs.

To add one: a folder here with a ``FRONT_END`` (``base.FrontEnd``), and its place in ``FRONT_ENDS``. Importing this
package is cheap: a front end imports its machinery when it loads a file.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from headway.frontends import airflow, python
from headway.frontends.base import FrontEnd
from headway.spec.errors import BadSpec

# Of two that claim a file, the first has it. What nobody claims is the last one's by its suffix.
FRONT_ENDS: Final[tuple[FrontEnd, ...]] = (airflow.FRONT_END, python.FRONT_END)


def claimant(path: str, content: bytes) -> FrontEnd | None:
    """The front end that the file belongs to; None: it defines no DAG and is never imported for one."""
    return next((each for each in FRONT_ENDS if each.claims(path, content)), None)


def defining(claims: Mapping[str, FrontEnd], read: Callable[[str], str | None]) -> set[str]:
    """Return the files that may define DAGs, of those that a front end claims.

    ``read`` gives the text of an ignore file, by its path; None: there is none.
    """
    found = set(claims)
    for front_end in FRONT_ENDS:
        mine = [path for path, owner in claims.items() if owner is front_end]
        if front_end.ignore_file and mine:
            folders = {path[: place + 1] for path in mine for place in folder_ends(path)}
            named = {folder + front_end.ignore_file for folder in folders}
            texts = {path: text for path in named if (text := read(path)) is not None}
            found -= front_end.ignored(texts, mine) if texts else set()
    return found


def folder_ends(path: str) -> list[int]:
    """Return where the names of the folders above a file end, of the root at -1."""
    return [-1, *(place for place, letter in enumerate(path) if letter == "/")]


def front_end_of(root: Path, file: str) -> FrontEnd:
    """The front end that reads ``file``: who claims it or, if nobody does, whose suffix it has.

    Raises BadSpec: a file that somebody asks for by name may be none.
    """
    try:
        content = (root / file).read_bytes()
    except OSError as error:
        raise BadSpec(f"the file cannot be read: {error.strerror}", file=file) from None
    found = claimant(file, content) or next(
        filter(lambda e: file.endswith(e.suffixes), reversed(FRONT_ENDS)), None
    )
    if found is None:
        raise BadSpec("this is not a DAG file", file=file, hint=f"a DAG file is {described()}")
    return found


def described() -> str:
    """Describe for people what a DAG file is."""
    return ", or ".join(each.describes for each in reversed(FRONT_ENDS))


def ignore_files() -> set[str]:
    """Return the names of the files that say which others are not read for DAGs."""
    return {each.ignore_file for each in FRONT_ENDS if each.ignore_file}


def suffixes() -> tuple[str, ...]:
    """The ends of the names of DAG files."""
    return tuple(suffix for each in FRONT_ENDS for suffix in each.suffixes)
