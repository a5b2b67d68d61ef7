"""Snapshots: what is in them, that they are whole, and that two loaders and ``prune`` do not meet."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headway import bundle, clock
from headway.bundle import Lost
from headway.errors import NotFound, StorageFull
from headway.loader import bundles as module
from headway.loader import folder as folders
from headway.loader.bundles import Bundles
from headway.loader.folder import FolderError
from tests.loader.conftest import Folder


@pytest.fixture
def bundles(tmp_path: Path) -> Bundles:
    return Bundles(tmp_path / "data")


def contents(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_text() for path in files}


def copies(bundles: Bundles) -> set[str]:
    return {path.name for path in bundles.folder.glob("[!.]*") if path.is_dir()}


def age(bundles: Bundles) -> None:
    """As if everything had been made an hour ago."""
    past = clock.now().timestamp() - 3600
    for path in bundles.folder.iterdir():
        os.utime(path, (past, past))


def test_equal_folders_are_one_bundle_and_another_byte_or_mode_is_another(
    bundles: Bundles, folder: Folder
) -> None:
    file = folder.write("a/b.py", "1")
    first = bundles.snapshot(folder.root)
    assert bundles.snapshot(folder.root).version == first.version
    file.write_text("2")
    second = bundles.snapshot(folder.root)
    file.chmod(0o755)
    third = bundles.snapshot(folder.root)
    assert len({first.version, second.version, third.version}) == 3
    assert contents(bundles.path(first.version)) == {"a/b.py": "1"}
    assert contents(bundles.path(second.version)) == {"a/b.py": "2"}
    assert stat.S_IMODE((bundles.path(third.version) / "a/b.py").stat().st_mode) == 0o555
    file.write_text("1")
    file.chmod(0o644)
    assert bundles.snapshot(folder.root).version == first.version


def test_what_is_no_code_is_left_out(bundles: Bundles, folder: Folder) -> None:
    folder.write("kept.py", "")
    folder.write("data/rows.csv", "")
    for path in (".env", ".git/config", "__pycache__/x.py", "venv/pyvenv.cfg", "venv/lib/x.py"):
        folder.write(path, "")
    for path in ("big/dump.bin", "notes.md", "deep/er/skipped.txt"):
        folder.write(path, "")
    folder.write(".headwayignore", "# not these\nbig/\n*.md\ndeep/*/skipped.txt\n")
    made = bundles.snapshot(folder.root)
    assert list(made.entries) == ["data/rows.csv", "kept.py"]
    assert not made.problems


def test_a_folder_that_is_too_large_says_where(
    bundles: Bundles, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "FILES_MAX", 2)
    for number in range(3):
        folder.write(f"heavy/{number}", "")
    with pytest.raises(FolderError, match=r"has 3 files.*largest: heavy"):
        bundles.snapshot(folder.root)


def test_one_large_file_is_its_own_problem(
    bundles: Bundles, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "FILE_BYTES_MAX", 3)
    folder.write("fine", "123")
    folder.write("fat", "1234")
    made = bundles.snapshot(folder.root)
    assert list(made.entries) == ["fine"]
    assert list(made.problems) == ["fat"]


def test_an_unchanged_file_is_not_opened_again(
    bundles: Bundles, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    read = module.read_settled

    def spied(path: Path) -> bytes:
        opened.append(path.name)
        return read(path)

    monkeypatch.setattr(module, "SETTLED_NS", -(10**12))
    monkeypatch.setattr(module, "read_settled", spied)
    folder.write("a", "1")
    folder.write("b", "1")
    bundles.snapshot(folder.root)
    folder.write("b", "22")
    bundles.snapshot(folder.root)
    assert opened == ["a", "b", "b"]


def test_a_file_written_while_it_is_read_is_read_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder.write("a", "half")
    stats = iter(range(3))
    real = os.fstat

    def fstat(handle: int) -> os.stat_result:
        if next(stats, None) == 1:  # between the two looks of the first read
            file.write_text("the whole")
        return real(handle)

    monkeypatch.setattr(os, "fstat", fstat)
    assert module.read_settled(file) == b"the whole"


def test_prune_keeps_what_is_named_and_what_is_young(bundles: Bundles, folder: Folder) -> None:
    versions = []
    for text in ("1", "2", "3"):
        folder.write("a", text)
        versions.append(bundles.snapshot(folder.root).version)
        if text == "2":
            age(bundles)
    (bundles.folder / ".tmp-torn").mkdir()
    assert bundles.prune({versions[0]}, {versions[0]}) == [versions[1]]
    assert copies(bundles) == {versions[0], versions[2]}
    assert contents(bundles.path(versions[0])) == {"a": "1"}
    assert sum(not path.name.startswith(".") for path in bundles.blobs.iterdir()) == 2


def test_a_blob_that_prune_took_is_written_again(bundles: Bundles, folder: Folder) -> None:
    folder.write("a", "1")
    version = bundles.snapshot(folder.root).version
    age(bundles)
    other = Bundles(bundles.folder.parent)
    assert other.prune(set(), set()) == [version]
    assert not [blob for blob in bundles.blobs.iterdir() if blob.name != ".lock"]
    assert bundles.snapshot(folder.root).version == version
    assert contents(bundles.path(version)) == {"a": "1"}


def test_a_copy_stays_while_it_may_be_needed(bundles: Bundles, folder: Folder) -> None:
    versions = []
    for text in ("1", "2", "3"):
        folder.write("a", text)
        versions.append(bundles.snapshot(folder.root).version)
    age(bundles)
    active, held, ended = versions
    holder = bundle.occupy(bundles.path(held))
    age(bundles)
    assert bundles.prune(set(versions), {active}) == []
    assert copies(bundles) == {active, held}
    os.close(holder)
    age(bundles)
    assert bundles.prune(set(versions), set()) == []
    assert copies(bundles) == set()
    os.close(bundle.occupy(bundles.path(ended)))  # a run of it is cleared: it is made again
    assert contents(bundles.path(ended)) == {"a": "3"}


def spoil(root: Path) -> None:
    """Whatever a task that may do anything could do."""
    for parent, _, _ in os.walk(root):
        os.chmod(parent, 0o755)
    for name in ("a.py", "kept.py", "deep/b.py"):
        (root / name).chmod(0o644)
    (root / "a.py").write_text("changed")
    status = (root / "kept.py").stat()
    (root / "kept.py").write_text("KEPT")  # as long as before
    os.utime(root / "kept.py", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    (root / "deep" / "b.py").unlink()
    (root / "deep").rmdir()
    (root / "deep").symlink_to("/")
    (root / "run.sh").unlink()
    (root / "run.sh").mkdir()
    (root / "run.sh" / "x").touch()
    (root / "own").mkdir()
    (root / "own" / "state.txt").write_text("more")
    (root / "__pycache__").mkdir()
    (root / "linked.py").unlink()
    (root / "linked.py").hardlink_to(root / "a.py")


def test_a_write_in_a_copy_reaches_nothing_else_and_is_undone(
    bundles: Bundles, folder: Folder, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = {"a.py": "1", "kept.py": "kept", "deep/b.py": "2", "run.sh": "3", "linked.py": "1"}
    for path, text in whole.items():
        folder.write(path, text).chmod(0o755 if path == "run.sh" else 0o644)
    first = bundles.snapshot(folder.root)
    folder.write("other.py", "4")
    second = bundles.snapshot(folder.root)
    root = bundles.path(first.version)
    spoil(root)
    assert contents(bundles.path(second.version)) == whole | {"other.py": "4"}
    blobs = {path.name: path.read_text() for path in bundles.blobs.glob("[!.]*")}
    assert set(blobs.values()) == set(whole.values()) | {"4"}
    os.close(bundle.occupy(root))
    assert contents(root) == whole
    assert sorted(path.name for path in root.iterdir()) == sorted(
        [*(path for path in whole if "/" not in path), "deep"]
    )
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [root, *root.rglob("*")]}
    writable = {name for name, mode in modes.items() if mode & 0o222}
    assert (writable, modes["run.sh"], modes["a.py"]) == (set(), 0o555, 0o444)
    said = capfd.readouterr().err
    assert f"bundle {first.version}: restored changed files: a.py, " in said
    assert "__pycache__" not in said
    os.close(bundle.occupy(root))
    assert capfd.readouterr().err == ""


def test_a_copy_from_a_backup_is_as_good(bundles: Bundles, folder: Folder) -> None:
    folder.write("a.py", "1")
    root = bundles.path(bundles.snapshot(folder.root).version)
    for path in (root / "a.py", root):
        path.chmod(0o755)
    os.utime(root / "a.py")
    os.close(bundle.occupy(root))
    assert bundle.is_untouched(str(root / "a.py"), bundles.entries(root.name)["a.py"])


def test_a_changed_blob_is_never_taken_for_the_file(bundles: Bundles, folder: Folder) -> None:
    folder.write("a.py", "1")
    version = bundles.snapshot(folder.root).version
    (blob,) = bundles.blobs.glob("[!.]*")
    root = bundles.path(version)
    for path in (blob, root / "a.py"):
        path.chmod(0o644)
        path.write_text("2")
    with pytest.raises(Lost, match=r"the content of a\.py is lost"):
        bundle.occupy(root)
    folder.write("a.py", "1")  # saved again
    assert bundles.snapshot(folder.root).version == version
    assert (contents(root), blob.read_text()) == ({"a.py": "1"}, "1")
    bundle.list_file(bundles.data, version).write_text("a.py\0-" + "0" * 64 + " 1\n")
    with pytest.raises(NotFound, match="were removed"):
        bundle.occupy(root)
    assert Bundles(bundles.data).snapshot(folder.root).version == version
    assert bundles.entries(version).keys() == {"a.py"}


def test_two_mend_at_once(bundles: Bundles, folder: Folder) -> None:
    for number in range(50):
        folder.write(f"{number}.py", str(number))
    root = bundles.path(bundles.snapshot(folder.root).version)
    whole = contents(folder.root)
    with ThreadPoolExecutor(4) as pool:
        for round_ in range(5):
            root.chmod(0o755)
            for number in range(50):
                (root / f"{number}.py").chmod(0o644)
                (root / f"{number}.py").write_text(f"changed {round_}")
            (root / "stray").touch()
            for handle in pool.map(bundle.occupy, [root] * 4):
                os.close(handle)
            assert contents(root) == whole


KILLED_AT = """
import os, signal, sys
from collections.abc import Iterator
from pathlib import Path
from headway.loader.bundles import Bundles
left = int(sys.argv[3])
def count(event, arguments):
    global left
    if event in ("os.rename", "os.utime", "os.mkdir", "os.chmod") or event == "open" and "/data/" in str(arguments[0]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
print(Bundles(Path(sys.argv[1])).snapshot(Path(sys.argv[2])).version)
"""


def test_killed_at_any_point_nothing_half_is_visible(tmp_path: Path, folder: Folder) -> None:
    for path in ("a.py", "b/c.py", "b/d/e.py"):
        folder.write(path, f"# {path}")
    data = tmp_path / "data"
    whole = contents(folder.root)
    point = 0
    while True:
        point += 1
        command = [sys.executable, "-c", KILLED_AT, str(data), str(folder.root), str(point)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        bundles = Bundles(data)
        for version in copies(bundles):
            assert contents(bundles.path(version)) == whole
            assert bundles.entries(version).keys() == whole.keys()
        for blob in (p for p in bundles.blobs.iterdir() if not p.name.startswith(".")):
            assert blob.read_text() in whole.values()
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert point > 8  # it was killed that often
    version = done.stdout.strip()
    bundles.prune({version}, {version})
    assert {path.name for path in bundles.folder.iterdir()} == {version, version + ".files"}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A data directory that has 1 MB."""
    data = tmp_path / "small"
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0755", "none", str(data)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("needs a file system of its own, and may not mount")
    try:
        yield data
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)


def test_on_a_full_disk_the_last_good_version_stays(small: Path, folder: Folder) -> None:
    bundles = Bundles(small)
    folder.write("a.py", "1")
    good = bundles.snapshot(folder.root)
    large = folder.write("large.py", "#" * 2_000_000)
    for _ in range(3):
        with pytest.raises(
            StorageFull, match="the disk is full: cannot store a snapshot"
        ) as caught:
            bundles.snapshot(folder.root)
    assert caught.value.where == str(bundles.folder)
    assert contents(bundles.path(good.version)) == {"a.py": "1"}
    assert copies(bundles) == {good.version}
    large.write_text("2")
    made = bundles.snapshot(folder.root)
    assert contents(bundles.path(made.version)) == {"a.py": "1", "large.py": "2"}
