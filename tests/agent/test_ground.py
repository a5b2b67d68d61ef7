"""Where a DAG file is run: nobody writes there, and who opens it finds it as it was."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from headway.loader.bundles import Bundles

# In a process of its own, as a fork server is; twice, as one that begins again.
ENTER = """
import sys
from pathlib import Path
from headway.agent import ground

root = Path(sys.argv[1])
for _ in range(2):
    ground.enter(root)
try:
    (root / "a.py").open("a").write("changed")
    print("written")
except OSError as error:
    print(error.strerror)
"""
AS: dict[str, tuple[str, ...]] = {
    "whoever runs the tests": (),
    "root that may not mount": ("setpriv", "--bounding-set=-sys_admin"),
    "nobody": ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
}


@pytest.fixture
def place() -> Iterator[Path]:
    """Below a folder that is open to everybody, as pytest's own is not."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("who", AS)
def test_a_copy_is_right_when_it_is_entered(place: Path, who: str) -> None:
    if AS[who] and (os.geteuid() != 0 or shutil.which("setpriv") is None):
        pytest.skip("may not become somebody else")
    dags = place / "dags"
    dags.mkdir()
    (dags / "a.py").write_text("first")
    bundles = Bundles(place / "data")
    root = bundles.path(bundles.snapshot(dags).version)
    if who == "nobody":
        for path in [place, *place.rglob("*")]:
            os.chown(path, 65534, 65534)
    first, second = enter(who, root), enter(who, root)
    assert who != "root that may not mount" or first.stdout == "written\n"
    if first.stdout == "written\n":  # it was undone when the next one entered
        assert "restored changed files: a.py" in second.stderr
    else:
        assert first.stdout == second.stdout
        assert first.stdout.strip() in ("Read-only file system", "Permission denied")
        assert (root / "a.py").read_text() == "first"
    assert [blob.read_text() for blob in bundles.blobs.glob("[!.]*")] == ["first"]


def enter(who: str, root: Path) -> subprocess.CompletedProcess[str]:
    command = [*AS[who], sys.executable, "-c", ENTER, str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=True)
