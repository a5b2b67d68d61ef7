"""What belongs to a DAG folder: nothing that Headway writes, whatever a link leads to, and no riddles."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from headway.config import Layout
from headway.loader import folder as module
from headway.loader.bundles import Bundles
from headway.loader.folder import FolderError, matters, scan
from tests.loader.conftest import Folder


def paths(folder: Folder) -> list[str]:
    return [found.path for found in scan(folder.root).files]


def make_data_directory(place: Path) -> Path:
    layout = Layout(place)
    layout.prepare()
    (layout.run / "token").write_text("secret")
    (place / "bundles" / "v").mkdir(parents=True)
    (place / "bundles" / "v" / "good.py").write_text("import headway")
    return place


def test_a_data_directory_is_never_part_of_a_dag_folder(folder: Folder, tmp_path: Path) -> None:
    folder.write("good.py", "")
    make_data_directory(folder.root / "data")
    make_data_directory(folder.root / "deep" / "of another")
    elsewhere = make_data_directory(tmp_path / "elsewhere")
    links = {"all": elsewhere, "some": elsewhere / "bundles", "token": elsewhere / "run" / "token"}
    for name, target in links.items():
        (folder.root / name).symlink_to(target)
    (folder.root / "near").symlink_to("data/run")
    listing = scan(folder.root)
    assert [found.path for found in listing.files] == ["good.py"]
    assert listing.problems.keys() == {"all", "some", "token", "near"}
    assert "in a data directory of Headway" in listing.problems["token"]


def test_what_headway_writes_wakes_nobody(folder: Folder) -> None:
    data = make_data_directory(folder.root / "data")
    root = str(folder.root)
    ours = [data / "postgres" / "wal", data / "run" / "token", data / "bundles/v/good.py"]
    assert not any(matters(root, str(path)) for path in ours)
    assert not matters(root, f"{root}/.headway/run/lock")
    theirs = ["good.py", "deep/a.sql", ".headwayignore", "data", "data2/x.py"]
    assert all(matters(root, f"{root}/{path}") for path in theirs)
    assert matters(root, "/elsewhere/linked.py")


@pytest.mark.parametrize("inside", ["", "run", "bundles/v"])
def test_a_dag_folder_in_a_data_directory_is_refused(tmp_path: Path, inside: str) -> None:
    data = make_data_directory(tmp_path / "data")
    (tmp_path / "link").symlink_to(data / inside)
    for folder in (data / inside, tmp_path / "link"):
        with pytest.raises(
            FolderError, match=f"is inside Headway's data directory {data}"
        ) as error:
            scan(folder)
        assert "--dags" in (error.value.hint or "")


def test_links_are_followed_wherever_they_lead(folder: Folder, tmp_path: Path) -> None:
    outside = Folder(tmp_path / "outside")
    outside.write("linked.py", "1")
    outside.write("shared/__init__.py", "22")
    outside.write("shared/deep/x.py", "333").chmod(0o755)
    outside.write("shared/.env", "secret")
    folder.write("own/a.py", "")
    for name, target in (("linked.py", "linked.py"), ("shared", "shared")):
        (folder.root / name).symlink_to(outside.root / target)
    (folder.root / "again").symlink_to("own")
    (folder.root / "own" / "b.py").symlink_to("a.py")
    listing = scan(folder.root)
    assert [(found.path, found.size) for found in listing.files] == [
        *(("again/a.py", 0), ("again/b.py", 0), ("linked.py", 1), ("own/a.py", 0)),
        *(("own/b.py", 0), ("shared/__init__.py", 2), ("shared/deep/x.py", 3)),
    ]
    assert listing.files[-1].executable
    assert not listing.problems
    before = scan(folder.root)
    outside.write("linked.py", "4444")  # seen, though only what the link leads to has changed
    assert scan(folder.root) != before


def test_what_is_left_out_says_why(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = Folder(tmp_path / "outside")
    outside.write("x.py", "")
    (outside.root / "back").symlink_to(folder.root)
    (outside.root / "round").symlink_to(outside.root)
    folder.write("kept.py", "")
    (folder.root / "deep").mkdir()
    links = {
        "gone.py": "nothing", "self": "self", "ring": ".", "deep/up": "..", "above": str(tmp_path),
        "root": "/", "environ": "/proc/self/environ", "null": "/dev/null", "out": str(outside.root),
    }  # fmt: skip
    for name, target in links.items():
        (folder.root / name).symlink_to(target)
    os.mkfifo(folder.root / "pipe.py")
    with socket.socket(socket.AF_UNIX) as end:
        monkeypatch.chdir(folder.root)  # its address has room for about a hundred bytes
        end.bind("sock")
    Path(os.fsdecode(os.fsencode(folder.root) + b"/\xff.py")).touch()
    listing = scan(folder.root)
    assert [found.path for found in listing.files] == ["kept.py", "out/x.py"]
    expected = {
        "gone.py": "it is a link to nothing, which does not exist",
        "self": "it is a link to self, which points back to itself",
        "ring": "it is a link to ., a folder that contains the link itself",
        "deep/up": "a folder that contains the link itself",
        "above": "a folder that contains the link itself",
        "root": "a folder that contains the link itself",
        "out/back": "a folder that contains the link itself",
        "out/round": "a folder that contains the link itself",
        "environ": "it is a link to /proc/self/environ, which belongs to the kernel",
        "null": "it is a link to /dev/null, which belongs to the kernel",
        "pipe.py": "it is a named pipe, not a file",
        "sock": "it is a socket, not a file",
        "?.py": "its name is not UTF-8",
    }
    assert listing.problems.keys() == expected.keys()
    for path, why in expected.items():
        assert listing.problems[path].startswith("skipped: ")
        assert why in listing.problems[path]
        assert listing.problems[path].endswith(
            "list it in .headwayignore if it should not be part of the DAG folder"
        )
    folder.write(".headwayignore", "\n".join([*links, "back", "round", "up", "*.py", "sock"]))
    assert not scan(folder.root).problems  # except for those who say that they know


def test_a_link_to_too_much_is_left_out_whole(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FILES_MAX", 5)
    outside = Folder(tmp_path / "outside")
    for number in range(9):
        outside.write(f"many/{number}", "")
        (outside.root / "empty" / str(number)).mkdir(parents=True)
    outside.write("few/a", "")
    for name in ("many", "empty", "few"):
        (folder.root / name).symlink_to(outside.root / name)
    (outside.root / "bomb").mkdir()
    for depth in range(30):  # 2³⁰ paths
        place = outside.root / "bomb" / str(depth)
        place.mkdir()
        for side in "ab":
            (place / side).symlink_to(f"../{depth + 1}")
    (folder.root / "bomb").symlink_to(outside.root / "bomb" / "0")
    folder.write("own.py", "")
    listing = scan(folder.root)
    assert [found.path for found in listing.files] == ["few/a", "own.py"]
    assert listing.problems.keys() == {"many", "empty", "bomb"}
    assert "would exceed 5 files and 512 MB" in listing.problems["many"]


def test_a_file_defines_dags_by_one_rule(folder: Folder, tmp_path: Path) -> None:
    for path in ("a.py", "notes.md", "sub/b.py"):
        folder.write(path, "from headway import dag")
    folder.write("helper.py", "X = 1")
    assert Bundles(tmp_path / "data").snapshot(folder.root).candidates() == ["a.py", "sub/b.py"]


def test_a_file_above_the_limit_of_the_team_is_left_out_and_said(folder: Folder) -> None:
    folder.write("small.py", "x" * 10)
    folder.write("large.py", "x" * 11)
    listing = scan(folder.root, 10)
    assert [found.path for found in listing.files] == ["small.py"]
    assert (
        "it has 11 bytes; the limit of this team is 10 (dag_file_bytes)"
        in (listing.problems["large.py"])
    )


def test_folders_in_folders_without_end_are_left_out_and_said(folder: Folder) -> None:
    folder.write("near.py", "")
    before = Path.cwd()
    os.chdir(folder.root)
    try:
        for _ in range(1_200):
            os.mkdir("d")
            os.chdir("d")
        Path("far.py").touch()
        os.chdir(before)
        listing = scan(folder.root)
    finally:
        os.chdir(before)
        # Deeper than pytest can follow, which would then keep what all tests leave.
        subprocess.run(["rm", "-rf", folder.root / "d"], check=True)
    assert [found.path for found in listing.files] == ["near.py"]
    ((path, why),) = listing.problems.items()
    assert path == "/".join("d" * (module.DEPTH_MAX + 1))
    assert "it lies in more than 100 folders" in why


@pytest.mark.parametrize("text", ["*a\n" * 1_001, "x" * 70_000])
def test_an_ignore_file_has_a_limit(folder: Folder, text: str) -> None:
    folder.write(".headwayignore", text)
    with pytest.raises(FolderError, match="more than 1,000 patterns or 64 kB"):
        scan(folder.root)
