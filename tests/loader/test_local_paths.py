"""What ``headway check`` says of tasks in pods that write to the disk of their pod."""

import pytest

from tests.loader.conftest import Folder
from tests.loader.test_module_state import told

TEXT = """
import os
import shutil
from pathlib import Path

import headway

OUT = "/data/out"
FOLDER = Path("/srv/lake")

def helper(day):
    return open("/var/cache/x", "a")

with headway.DAG("pods"):
    inside = "/opt/kept"

    @headway.task(executor="kubernetes", {options})
    def work(frame=None, day="", path=None):
        {code}

    work()
"""
LINE = 19


def said(folder: Folder, code: str, options: str = "") -> list[tuple[int | None, str]]:
    return told(folder, TEXT.format(code=code, options=options))


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ('open("/data/x", "w").close()', "/data/x"),
        ('open(f"/data/{day}.csv", mode="ab").close()', "/data/"),
        ('open(OUT + "/x", "w").close()', "/data/out"),
        ('open(f"{OUT}/{day}", "w").close()', "/data/out"),
        ('open(os.path.join(OUT, "x"), "w").close()', "/data/out"),
        ('open(inside, "w").close()', "/opt/kept"),
        ('Path("/home/me/x").write_text("a")', "/home/me/x"),
        ('(FOLDER / day / "x").write_bytes(b"")', "/srv/lake"),
        ('Path("/data", day).open("w")', "/data"),
        ('frame.to_csv("/data/x.csv")', "/data/x.csv"),
        ('os.makedirs("/data/x")', "/data/x"),
        ('shutil.copy("/tmp/x", "/data/x")', "/data/x"),
        ('file = Path("/data/x"); file.touch()', "/data/x"),
    ],
)
def test_a_pods_own_disk_is_no_place_for_files(folder: Folder, code: str, path: str) -> None:
    message = f"work writes to the local path {path}, and the root of its pod is read-only"
    assert said(folder, code) == [(LINE, message)]


def test_what_a_task_calls_is_looked_at_in_its_file(folder: Folder) -> None:
    assert [line for line, _ in said(folder, "helper(day); helper(day)")] == [12]


@pytest.mark.parametrize(
    "code",
    [
        'open("/data/x").close()',  # an image may have files
        'open("/data/x", "rb").close()',
        'open("/tmp/x", "w").close()',
        'open("relative", "w").close()',
        'open(path, "w").close()',
        'open(f"/{day}", "w").close()',
        'frame.to_csv("s3://shop/x.csv")',
        "frame.to_csv(path)",
        'day.replace("/data", "w")',
        'shutil.copy("/data/x", "/tmp/x")',
        'path = "/data/x"; path = "/tmp/x"; open(path, "w").close()',
        'path.write_text("/data/x")',
    ],
)
def test_nothing_is_said_of_what_may_be_right(folder: Folder, code: str) -> None:
    assert said(folder, code) == []


def test_volumes_and_tasks_outside_of_pods_have_such_paths(folder: Folder) -> None:
    code = 'open("/data/x", "w").close()'
    assert said(folder, code, 'volumes={"/data": {"claim": "data"}}') == []
    outside = TEXT.replace('executor="kubernetes", {options}', "").format(code=code)
    assert told(folder, outside) == []
