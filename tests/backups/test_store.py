"""Backups in a folder and in S3: whole or not there, small after the first one, and back to the last byte."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headway.backups.contents import File
from headway.backups.store import BackupStore, Manifest, opened
from headway.blobs.base import Blobs
from headway.errors import Conflict, NotFound, NotReachable, UsageError
from tests.logs import s3

LONG_AGO_NS = 946_684_800 * 1_000_000_000
FILES = {
    "blobs/" + "a" * 64: b"print('a')",
    "bundles/v1.files": b"a list",
    "xcom/r1/load/-1-1.json": b"[1, 2]",
    "logs/r1/load all!/-1/1.log": b"hello\n",
    "logs/r1/~rendered.jsonl": b"{}\n",
}
NOT_KEPT = ("secrets.key", "run/token", "bundles/v1/dag.py", "logs/server/api.log", "blobs/.lock")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    for path, text in {**FILES, **dict.fromkeys(NOT_KEPT, b"x")}.items():
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_bytes(text)
    blob = data / "blobs" / ("a" * 64)
    blob.chmod(0o444)
    os.utime(blob, ns=(LONG_AGO_NS, LONG_AGO_NS))
    return data


Keep = Callable[..., Manifest]


@pytest.fixture
def keep(store: BackupStore, data: Path, tmp_path: Path) -> Keep:
    def keep(day: int, *, logs: bool = True) -> Manifest:
        dump = tmp_path / "a.dump"
        dump.write_bytes(b"the dump of day %d" % day)
        name = f"headway-2030010{day}-000000"
        made_at = datetime(2030, 1, day, tzinfo=UTC)
        return store.keep(data, dump, name=name, made_at=made_at, version="1", logs=logs)

    return keep


def test_everything_comes_back_with_its_time_and_mode(
    store: BackupStore, keep: Keep, tmp_path: Path
) -> None:
    made = keep(1)
    assert (made.files, made.dump_bytes) == (len(FILES), 17)
    there = tmp_path / "elsewhere"
    assert store.fetch_files(made.name, there) == len(FILES)
    found = {f.relative_to(there).as_posix(): f for f in there.rglob("*") if f.is_file()}
    assert {path: file.read_bytes() for path, file in found.items()} == FILES
    status = found["blobs/" + "a" * 64].stat()
    assert (status.st_mode & 0o777, status.st_mtime_ns) == (0o444, LONG_AGO_NS)
    assert store.fetch_files(made.name, there) == 0, "what is here is not fetched again"
    store.fetch_dump(made.name, tmp_path / "back.dump")
    assert (tmp_path / "back.dump").read_bytes() == b"the dump of day 1"
    assert store.lacking(store.files(made.name)) == []


def test_the_next_one_sends_what_is_new(
    store: BackupStore, keep: Keep, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(1)
    (data / "logs/r1/load all!/-1/1.log").write_bytes(b"hello\nagain\n")
    (data / "xcom/r1/more.json").write_bytes(b"1")
    sent: list[str] = []
    put_file = Blobs.put_file

    def noted(self: Blobs, key: str, file: Path, *media_type: str) -> None:
        sent.append(key)
        put_file(self, key, file, *media_type)

    monkeypatch.setattr(Blobs, "put_file", noted)
    made = keep(2)
    assert made.files == len(FILES) + 1
    assert sorted(sent) == [
        "backups/headway-20300102-000000/database.dump",
        "files/logs/r1/load all!/-1/1.log",
        "files/xcom/r1/more.json",
    ]
    assert store.names() == ["headway-20300102-000000", "headway-20300101-000000"]
    assert keep(3, logs=False).files == len(FILES) - 1


def test_older_ones_go_with_what_only_they_had(
    store: BackupStore, keep: Keep, data: Path, tmp_path: Path
) -> None:
    (data / "xcom/r1/only-first.json").write_bytes(b"1")
    keep(1)
    (data / "xcom/r1/only-first.json").unlink()
    keep(2)
    keep(3)
    assert store.remove_older(2) == ["headway-20300101-000000"]
    assert store.remove_older(2) == []
    keys = {found.key for page in store.blobs.pages("") for found in page}
    assert not [key for key in keys if "only-first" in key or "20300101" in key]
    assert store.fetch_files("headway-20300102-000000", tmp_path / "there") == len(FILES)


def test_one_that_was_cut_short_is_none(
    store: BackupStore, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound, match="there is no backup"):
        store.manifest(None)
    keep(1)

    def fails(self: Blobs, *_: object) -> None:
        raise NotReachable("the store is away")

    with monkeypatch.context() as broken:
        broken.setattr(Blobs, "put", fails)
        with pytest.raises(NotReachable):
            keep(2)
    assert store.names() == ["headway-20300101-000000"]
    assert store.manifest(None).name == "headway-20300101-000000"
    with pytest.raises(NotFound, match="no backup named x"):
        store.manifest("x")


def test_a_file_that_the_store_lost_is_missed(
    store: BackupStore, keep: Keep, tmp_path: Path
) -> None:
    made = keep(1)
    store.blobs.delete(["files/xcom/r1/load/-1-1.json"])
    assert store.lacking(store.files(made.name)) == ["xcom/r1/load/-1-1.json"]
    with pytest.raises(NotFound, match="the backup lacks files/xcom"):
        store.fetch_files(made.name, tmp_path / "there")


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "blobs/../../out", "alone"])
def test_a_list_that_leads_out_is_refused(
    store: BackupStore, keep: Keep, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = keep(1)
    monkeypatch.setattr(BackupStore, "files", lambda *_: [File(path, 1, 0, 0o600)])
    with pytest.raises(Conflict, match="not one of Headway's"):
        store.fetch_files(made.name, tmp_path / "there")
    assert not (tmp_path / "out").exists()


def test_what_is_wrong_with_a_store_is_told(s3_server: s3.Store) -> None:
    with pytest.raises(UsageError, match="not a valid backup store URL"):
        opened("ftp://a", {})
    with pytest.raises(NotReachable, match="cannot use the backup store: the bucket does not"):
        opened("s3://nowhere/at/all", s3_server.variables).blobs.check()
