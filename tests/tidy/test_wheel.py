"""The wheel, built and installed as somebody does who has no checkout."""

import os
import signal
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.request import urlopen
from venv import EnvBuilder
from zipfile import ZipFile

import pytest

from headway.api.site import BUILT
from headway.config import Layout, read_server_file
from tests.tidy.tree import ROOT

PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
PACKAGE: Final = ROOT / "src" / "headway"
# Nothing of the checkout may be found by chance.
ALONE: Final = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

built = pytest.mark.skipif(not BUILT.exists(), reason="the web interface is not built")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    subprocess.run([*PIP, *build], env=ALONE, check=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of an environment with the wheel in it. What it depends on is that of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    EnvBuilder(symlinks=True).create(folder)
    python = folder / "bin" / "python"
    there = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    (Path(there) / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    install = ("--python", str(python), "install", "--no-deps", "--no-index", "--no-compile")
    subprocess.run([*PIP, *install, str(wheel)], env=ALONE, check=True)
    return folder / "bin"


def files_below(folder: Path) -> set[str]:
    return {
        f"headway/{file.relative_to(PACKAGE).as_posix()}"
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_it_carries_every_file_of_the_package(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if name.startswith("headway/")}
    assert files_below(PACKAGE) - carried == set()
    assert {"headway/py.typed", "headway/store/migrations/0001_roles.sql"} <= carried


@built
def test_it_carries_the_web_interface(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    assert files_below(BUILT) <= carried
    assert "headway/ui_dist/index.html" in carried
    assert any(name.startswith("headway/ui_dist/assets/") for name in carried)


@pytest.mark.stress
def test_what_it_installs_runs(programs: Path, tmp_path: Path) -> None:
    asked = {
        "help": [str(programs / "headway"), "--help"],
        "place": [str(programs / "python"), "-c", "import headway; print(headway.__file__)"],
    }
    said = {
        name: subprocess.run(
            command, cwd=tmp_path, env=ALONE, capture_output=True, text=True, check=True
        ).stdout
        for name, command in asked.items()
    }
    assert "backfill" in said["help"]
    assert Path(said["place"].strip()).is_relative_to(programs.parent)


@pytest.fixture
def up(programs: Path, tmp_path: Path) -> Iterator[str]:
    """The address of what it installs."""
    (tmp_path / "dags").mkdir()
    process = subprocess.Popen(
        [str(programs / "headway"), "up", "--port", "0"],
        cwd=tmp_path,
        env=ALONE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process, process.stderr:
        said = next(line for line in process.stderr if "Ctrl-C stops it" in line)
        assert said
        server = read_server_file(Layout(tmp_path / ".headway"))
        assert server is not None
        yield server.url
        process.send_signal(signal.SIGINT)
        process.stderr.read()
    assert process.returncode == 0


@pytest.mark.stress
@built
def test_what_it_installs_migrates_its_database_and_serves_the_web_interface(up: str) -> None:
    with urlopen(f"{up}/dags", timeout=60) as answer:
        assert answer.read() == (BUILT / "index.html").read_bytes()
