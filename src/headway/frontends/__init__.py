"""The front ends, and the one place that decides which files may define DAGs.

To add one: a folder here with a ``FRONT_END`` (``base.FrontEnd``), and its place in ``FRONT_ENDS``. Importing this
package is cheap: a front end imports its machinery when it loads a file.
"""

from pathlib import Path
from typing import Final

from headway.frontends import python
from headway.frontends.base import FrontEnd
from headway.spec.errors import BadSpec

# Of two that claim a file, the first has it.
FRONT_ENDS: Final[tuple[FrontEnd, ...]] = (python.FRONT_END,)


def claimant(path: str, content: bytes) -> FrontEnd | None:
    """The front end that the file belongs to; None: it defines no DAG and is never imported for one."""
    return next((each for each in FRONT_ENDS if each.claims(path, content)), None)


def front_end_of(root: Path, file: str) -> FrontEnd:
    """The front end that reads ``file``: who claims it or, if nobody does, whose suffix it has.

    Raises BadSpec: a file that somebody asks for by name may be none.
    """
    try:
        content = (root / file).read_bytes()
    except OSError as error:
        raise BadSpec(f"the file cannot be read: {error.strerror}", file=file) from None
    found = claimant(file, content) or next(
        filter(lambda e: file.endswith(e.suffixes), FRONT_ENDS), None
    )
    if found is None:
        raise BadSpec("this is not a DAG file", file=file, hint=f"a DAG file is {described()}")
    return found


def described() -> str:
    """Describe for people what a DAG file is."""
    return ", or ".join(each.describes for each in FRONT_ENDS)


def suffixes() -> tuple[str, ...]:
    """The ends of the names of DAG files."""
    return tuple(suffix for each in FRONT_ENDS for suffix in each.suffixes)
