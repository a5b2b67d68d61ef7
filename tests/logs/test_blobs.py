"""What every store of bytes must do, in a folder and in S3."""

import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from headway.blobs.base import Blobs, Purpose
from headway.blobs.places import open_blobs
from headway.errors import NotReachable
from headway.paths import plain_name
from tests.logs.s3 import Store

PURPOSE = Purpose(
    noun="blob store", variable="HEADWAY_BLOBS", form="s3://bucket/prefix", away="try again"
)
LARGE = 33 * 1024 * 1024  # more than one request carries


@pytest.fixture(params=["file", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "file":
        return open_blobs(f"file://{tmp_path}/a/store", PURPOSE, {})
    server: Store = request.getfixturevalue("s3_server")
    return open_blobs(request.getfixturevalue("bucket"), PURPOSE, server.variables)


def keys(blobs: Blobs, prefix: str) -> list[str]:
    return sorted(found.key for page in blobs.pages(prefix) for found in page)


def calls(blobs: Blobs, file: Path) -> Iterator[Callable[[], object]]:
    """Every question that can be asked."""
    with file.with_name("copy").open("wb") as copy:
        yield lambda: blobs.put("a", b"x")
        yield lambda: blobs.put_file("a", file)
        yield lambda: blobs.get("a")
        yield lambda: blobs.get_range("a", 0, 1)
        yield lambda: blobs.copy("a", copy)
        yield lambda: keys(blobs, "a")
        yield lambda: blobs.delete(["a", "b"])
        yield blobs.check


def test_what_is_put_comes_back_and_is_replaced(blobs: Blobs, tmp_path: Path) -> None:
    assert blobs.get("a/b") is None
    blobs.put("a/b", b"one")
    blobs.put("a/b", b"")
    assert blobs.get("a/b") == b""
    file = tmp_path / "file"
    file.write_bytes(b"two")
    blobs.put_file("a/b", file)
    file.write_bytes(b"changed afterwards")
    assert blobs.get("a/b") == b"two"
    blobs.check()


def test_a_copy_is_appended(blobs: Blobs, tmp_path: Path) -> None:
    blobs.put("a", b"two")
    with (tmp_path / "copy").open("w+b") as file:
        file.write(b"one")
        assert blobs.copy("a", file)
        assert not blobs.copy("b", file)
        file.seek(0)
        assert file.read() == b"onetwo"


def test_a_large_file_arrives_whole(blobs: Blobs, tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as out:
        out.truncate(LARGE)
        out.seek(LARGE - 3)
        out.write(b"end")
    blobs.put_file("large", file)
    assert [found.size for page in blobs.pages("") for found in page] == [LARGE]
    assert blobs.get_range("large", LARGE - 5, 5) == b"\0\0end"


def test_a_range_ends_where_the_bytes_end(blobs: Blobs) -> None:
    blobs.put("a", b"0123456789")
    assert blobs.get_range("a", 2, 3) == b"234"
    assert blobs.get_range("a", 8, 100) == b"89"
    assert blobs.get_range("a", 10, 5) == b""
    assert blobs.get_range("a", 99, 5) == b""
    assert blobs.get_range("b", 0, 5) is None


def test_a_listing_goes_by_whole_names(blobs: Blobs) -> None:
    assert keys(blobs, "r1") == []
    for key in ("r1/a", "r1/b/c", "r10/a", "r1.x"):
        blobs.put(key, key.encode())
    assert keys(blobs, "r1") == ["r1/a", "r1/b/c"]
    assert keys(blobs, "r1/b") == ["r1/b/c"]
    assert len(keys(blobs, "")) == 4
    (found,) = (found for page in blobs.pages("r10") for found in page)
    assert found.size == len("r10/a")


@pytest.mark.parametrize("name", ["größe", "a b", "50%", "..", "x" * 250, "é" * 120, "a+b=c,d@e"])
def test_a_plain_name_is_a_key(blobs: Blobs, name: str) -> None:
    key = f"{plain_name(name)}/{plain_name(name)}.log"
    blobs.put(key, b"x")
    assert blobs.get(key) == b"x"
    assert keys(blobs, plain_name(name)) == [key]
    blobs.delete([key])
    assert keys(blobs, "") == []


def test_many_are_deleted_and_what_is_gone_is_no_error(blobs: Blobs) -> None:
    for number in range(30):
        blobs.put(f"a/{number}", b"x")
    blobs.put("b", b"x")
    blobs.delete([f"a/{number}" for number in range(-5, 29)])
    blobs.delete(["a/0"])
    blobs.delete([])
    assert keys(blobs, "") == ["a/29", "b"]


def test_a_reader_sees_one_put_or_another(blobs: Blobs) -> None:
    size = 1 << 18
    blobs.put("a", b"0" * size)
    stop = threading.Event()

    def write() -> None:
        for number in count(1):
            if stop.is_set():
                return
            blobs.put("a", f"{number % 10}".encode() * size)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = [blobs.get("a") for _ in range(40)]
    finally:
        stop.set()
        writer.join()
    assert all(data is not None and len(data) == size and len(set(data)) == 1 for data in seen)


def test_trouble_of_s3_is_told(s3_server: Store, bucket: str, tmp_path: Path) -> None:
    blobs = open_blobs(bucket, PURPOSE, s3_server.variables)
    file = tmp_path / "file"
    file.write_bytes(b"x")
    with s3_server.trouble(403, "AccessDenied"):
        for call in calls(blobs, file):
            with pytest.raises(NotReachable, match="cannot use the blob store: access denied"):
                call()


def test_a_bucket_that_is_missing_is_no_missing_key(s3_server: Store, tmp_path: Path) -> None:
    blobs = open_blobs("s3://not-there/x", PURPOSE, s3_server.variables)
    file = tmp_path / "file"
    file.write_bytes(b"x")
    for call in calls(blobs, file):
        with pytest.raises(NotReachable, match="bucket does not exist"):
            call()


def test_a_folder_that_became_a_file_is_told(tmp_path: Path) -> None:
    blobs = open_blobs(f"file://{tmp_path}/store", PURPOSE, {})
    (tmp_path / "store").rmdir()
    (tmp_path / "store").write_bytes(b"")
    with pytest.raises(NotReachable, match="cannot use the blob store"):
        blobs.put("a", b"x")
