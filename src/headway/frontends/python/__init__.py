"""DAG files in Python, written with the words of ``headway`` (``headway.authoring``)."""

from collections.abc import Awaitable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from headway.frontends.base import Loaded

if TYPE_CHECKING:
    from headway.authoring.callbacks import Companion
    from headway.authoring.dag import DAG
    from headway.authoring.looking import Given
    from headway.authoring.watching import Watched


class Python:
    suffixes = (".py",)
    describes = "a .py file that imports headway"
    heavy = False
    ignore_file = ""

    def claims(self, path: str, content: bytes) -> bool:
        """A file that defines DAGs names the package that they are made with."""
        return path.endswith(self.suffixes) and b"headway" in content

    def text(self, content: bytes) -> bytes:
        return content

    def ignored(self, texts: Mapping[str, str], paths: Iterable[str]) -> set[str]:
        return set()

    def warm(self) -> None:
        from headway.frontends.python import loading

        loading.warm()

    def load(self, root: Path, file: str) -> Loaded:
        from headway.frontends.python import loading

        return loading.load(root, file)

    def runnable(self, root: Path, file: str) -> "Mapping[str, DAG | Companion]":
        from headway.authoring.callbacks import with_companions
        from headway.authoring.loading import load_file

        return with_companions(load_file(root / file, root))

    def awaited(self, given: "Given") -> Awaitable[object]:
        from headway.authoring import looking

        return looking.awaited(given)

    def watched(self, given: "Watched") -> Awaitable[None]:
        from headway.authoring import watching

        return watching.watched(given)


FRONT_END: Final = Python()
