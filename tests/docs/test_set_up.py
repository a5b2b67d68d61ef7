"""Setting up says one line a step; what pip and npm print is seen only if it fails."""

import shutil
import subprocess
from pathlib import Path

from tests.tidy.tree import ROOT

# A Python whose pip says a lot, and fails if it is told to.
PYTHON = """#!/bin/bash
case "$1 $2" in
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pip")
        for number in $(seq 60); do echo "pip says $number"; done
        echo "a warning of pip" >&2
        [ ! -e broken ] || { echo "ERROR: no matching distribution" >&2; exit 1; } ;;
esac
exit 0
"""


def set_up(folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.copytree(ROOT / "requirements", folder / "requirements", dirs_exist_ok=True)
    python = folder / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return subprocess.run(
        [folder / "requirements" / "install", "run"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(python), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_step_is_one_line(tmp_path: Path) -> None:
    done = set_up(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["Installing the pinned dependencies into .venv …"]
    assert not list(tmp_path.glob("headway-set-up.*"))


def test_a_step_that_fails_shows_the_end_of_its_log_and_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    done = set_up(tmp_path)
    assert done.returncode == 1
    assert "ERROR: no matching distribution" in done.stderr
    assert "pip says 60" in done.stderr
    assert "pip says 1\n" not in done.stderr
    (log,) = tmp_path.glob("headway-set-up.*")
    assert f"the whole output is in {log}" in done.stderr
    assert "pip says 1\n" in log.read_text()


# As much of Node as is asked for; its npm says a lot, and fails if it is told to.
NPM = """#!/bin/bash
echo "added 187 packages in 18s"
[ ! -e ../broken ] || { echo "npm error code EINTEGRITY" >&2; exit 1; }
"""


def set_up_pages(folder: Path) -> subprocess.CompletedProcess[str]:
    for name, text in (("node", "#!/bin/bash\nexit 0\n"), ("npm", NPM)):
        program = folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
    (folder / "ui" / "node_modules").mkdir(parents=True)
    (folder / "ui" / "package-lock.json").touch()
    shutil.copy(ROOT / "ui" / "with-node", folder / "ui")
    return subprocess.run(
        [folder / "ui" / "with-node", "echo", "built"],
        env={"PATH": f"{folder / 'bin'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_npm_prints_is_not_seen(tmp_path: Path) -> None:
    done = set_up_pages(tmp_path)
    assert done.returncode == 0
    said = "Installing the pinned dependencies of the web interface …\n"
    assert (done.stdout, done.stderr) == ("built\n", said)


def test_an_npm_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    done = set_up_pages(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "npm error code EINTEGRITY" in done.stderr
