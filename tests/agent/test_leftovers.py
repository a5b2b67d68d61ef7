"""Files of a remote agent that nobody needs any more."""

import os
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from headway import bundle, clock
from headway.agent.leftovers import (
    BUNDLE_S_MAX,
    RESULT_S_MAX,
    remove_old_bundles,
    remove_old_results,
)
from headway.bundle import Entry
from headway.paths import bundle_root


def make(data: Path, *contents: bytes) -> str:
    entries = {
        f"{number}.py": Entry(sha256(content).hexdigest(), len(content), executable=False)
        for number, content in enumerate(contents)
    }
    for entry, content in zip(entries.values(), contents, strict=True):
        (data / "blobs" / entry.blob).write_bytes(content)
    version = bundle.version_of(entries)
    bundle.list_file(data, version).write_bytes(bundle.text_of(entries))
    os.close(bundle.occupy(bundle_root(data, version)))
    return version


def test_what_was_not_used_lately_goes(tmp_path: Path) -> None:
    for folder in ("blobs", "bundles", "xcom/r"):
        (tmp_path / folder).mkdir(parents=True)
    old, busy, young = make(tmp_path, b"a", b"b"), make(tmp_path, b"b", b"c"), make(tmp_path, b"d")
    at = clock.now().timestamp() - BUNDLE_S_MAX - 60
    for version in (old, busy):
        os.utime(bundle_root(tmp_path, version), (at, at))
    assert remove_old_bundles(tmp_path, {busy}) == {old}
    left = {blob.read_bytes() for blob in (tmp_path / "blobs").iterdir() if blob.name[0] != "."}
    assert left == {b"b", b"c", b"d"}
    assert bundle.read_list(tmp_path, young)

    for name in ("old.json", "new.json"):
        (tmp_path / "xcom" / "r" / name).write_text("1")
    at = clock.now().timestamp() - RESULT_S_MAX - 60
    os.utime(tmp_path / "xcom" / "r" / "old.json", (at, at))
    remove_old_results(tmp_path)
    assert [file.name for file in (tmp_path / "xcom" / "r").iterdir()] == ["new.json"]


def test_agents_that_share_a_directory_remove_the_same_results(tmp_path: Path) -> None:
    (tmp_path / "xcom").mkdir()
    for number in range(300):
        (tmp_path / "xcom" / f"{number}.json").touch()
        os.utime(tmp_path / "xcom" / f"{number}.json", (0, 0))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(remove_old_results, [tmp_path] * 8))
    assert list((tmp_path / "xcom").iterdir()) == []
