"""DAG files of Airflow, as they are: read and run with the Airflow that is installed beside Headway.

Nothing here imports Airflow before such a file is read. ``installed`` says which versions this is made for.
"""

import re
from collections.abc import Awaitable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from headway.frontends.base import Loaded

if TYPE_CHECKING:
    from headway.authoring.looking import Given
    from headway.authoring.watching import Watched
    from headway.frontends.base import Runnable

IMPORTS: Final = re.compile(rb"^[ \t]*(?:from|import)[ \t]+airflow\b", re.MULTILINE)
ARCHIVE: Final = b"PK\x03\x04"
OURS: Final = re.compile(rb"^[ \t]*(?:from|import)[ \t]+headway\b", re.MULTILINE)


def imports_airflow(content: bytes) -> bool:
    return b"airflow" in content and IMPORTS.search(content) is not None


def may_define_dags(content: bytes) -> bool:
    """Return whether Airflow would read a file for DAGs: a factory of somebody else's may be all that it imports.

    As of ``airflow.utils.file.might_contain_dag_via_default_heuristic`` (3.3.2).
    """
    words = content.lower()
    return b"airflow" in words and (b"dag" in words or b"asset" in words)


class Airflow:
    suffixes = (".py", ".zip")
    describes = "a .py file that imports airflow, or names it and DAGs, or a .zip with such files"
    heavy = True
    ignore_file = ".airflowignore"

    def claims(self, path: str, content: bytes) -> bool:
        """A file that Airflow would read for DAGs, but for those with the words of Headway; or an archive of such."""
        if path.endswith(".zip"):
            from headway.frontends.airflow import zips

            return bool(zips.dag_files(content))
        if not path.endswith(".py"):
            return False
        if imports_airflow(content):
            return OURS.search(content) is None
        return b"headway" not in content and may_define_dags(content)

    def text(self, content: bytes) -> bytes:
        """The DAG files of an archive one below the other; of any other file its content."""
        if not content.startswith(ARCHIVE):
            return content
        from headway.frontends.airflow import zips

        return zips.shown(content)

    def ignored(self, texts: Mapping[str, str], paths: Iterable[str]) -> set[str]:
        from headway.frontends.airflow import ignore, installed

        return ignore.ignored(texts, paths) if installed.found() else set()

    def warm(self) -> None:
        from headway.frontends.airflow import ground

        ground.prepare()

    def load(self, root: Path, file: str) -> Loaded:
        from headway.frontends.airflow import loading

        return loading.load(root, file)

    def runnable(self, root: Path, file: str) -> Mapping[str, "Runnable"]:
        from headway.frontends.airflow import loading

        return loading.runnable(root, file)

    def awaited(self, given: "Given") -> Awaitable[object]:
        from headway.frontends.airflow import triggering

        return triggering.awaited(given)

    def watched(self, given: "Watched") -> Awaitable[None]:
        from headway.frontends.airflow import triggering

        return triggering.watched(given)


FRONT_END: Final = Airflow()
