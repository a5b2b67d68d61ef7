"""``headway backup --to``, ``headway restore --drill`` and ``headway restore --from``, with a real S3 server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.store import soundness
from tests.cli.conftest import PATIENCE_S, copy_data
from tests.logs import s3

pytestmark = pytest.mark.long

DAGS = """
from headway import dag, task


@dag()
def work():
    @task
    def large() -> list[int]:
        print("written to the log")
        return list(range(50_000))

    @task
    def count(numbers: list[int]) -> int:
        return len(numbers)

    count(large())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[s3.Store]:
    with s3.running() as store:
        store.make_bucket("backups")
        yield store


class Place:
    def __init__(self, folder: Path, server: s3.Store) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            **server.variables,
            "HEADWAY_BACKUP_STORE": "s3://backups/of/tests",
            "NO_COLOR": "1",
            "CI": "1",
        }

    def headway(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "headway", *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def good(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = self.headway(*words)
        assert done.returncode == 0, (words, done.stderr)
        return done


@pytest.fixture
def place(tmp_path: Path, data: Path, server: s3.Store) -> Place:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "work.py").write_text(DAGS)
    copy_data(data, tmp_path)
    return Place(tmp_path, server)


def test_a_machine_is_lost_and_another_one_has_everything(place: Place, tmp_path: Path) -> None:
    place.good("run", "work")
    made = place.good("backup", "--keep", "3")
    url, name = made.stdout.split()
    assert url == "s3://backups/of/tests"
    assert "not part of a backup: the master keys" in made.stderr
    backups = place.folder / ".headway" / "backups"
    assert list(backups.rglob("*.dump")) == [], "the dump is in the store, and nowhere else"

    tried = place.good("restore", "--drill")
    assert f"{name} in s3://backups/of/tests is" in tried.stderr
    assert "1 team, 1 DAG, 1 run, 2 task instances" in tried.stderr
    checks = len(soundness.ALWAYS)
    assert f"{checks} of {checks} checks of its rows hold" in tried.stderr
    assert ", 0 files missing" in tried.stderr
    assert tried.stdout == "the backup can be restored: 1 run\n"

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    there = Place(elsewhere, s3.Store(place.environment["AWS_ENDPOINT_URL"]))
    restored = there.good("restore")
    assert "put the master keys of secrets back" in restored.stderr
    local = there.good("backup", "--no-logs").stdout.split()
    assert local[0] == url
    (elsewhere / "dags").mkdir()
    (elsewhere / "dags" / "work.py").write_text(DAGS)
    there.good("run", "work")  # the second one, by the database that came back
    assert there.good("restore", "--drill", local[1]).stdout.endswith(": 1 run\n")
    there.good("backup")
    assert there.good("restore", "--drill").stdout.endswith(": 2 runs\n")


def test_a_backup_that_lost_a_file_is_not_good(place: Place, server: s3.Store) -> None:
    place.environment["HEADWAY_BACKUP_STORE"] = f"file://{place.folder}/store"
    empty = place.headway("restore", "--drill")
    assert (empty.returncode, "there is no backup" in empty.stderr) == (2, True)
    place.good("run", "work")
    place.good("backup")
    (lost,) = (place.folder / "store" / "files" / "xcom").rglob("*.json")
    lost.unlink()
    tried = place.headway("restore", "--drill")
    assert tried.returncode == 1
    assert "the backup is not good: the file xcom/" in tried.stderr
    assert "Traceback" not in tried.stderr


def test_a_dump_of_the_data_directory_is_tried_too(place: Place) -> None:
    del place.environment["HEADWAY_BACKUP_STORE"]
    none = place.headway("restore", "--drill")
    assert (none.returncode, "there is no backup" in none.stderr) == (2, True)
    unnamed = place.headway("restore")
    assert (unnamed.returncode, "which backup is to be restored?" in unnamed.stderr) == (2, True)
    place.good("backup")
    tried = place.good("restore", "--drill")
    assert tried.stdout == "the backup can be restored: 0 runs\n"
    only_stores = place.headway("backup", "--keep", "2")
    assert (only_stores.returncode, "--keep and --logs are for" in only_stores.stderr) == (2, True)
