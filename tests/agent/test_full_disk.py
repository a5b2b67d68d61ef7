"""A disk that is full while tasks run."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import ids
from headway.agent.protocol import Cancel
from tests.agent.conftest import running
from tests.agent.gateway import Gateway, grant_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs a file system of its own")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Gateway]:
    """An agent whose data directory has 2 MB."""
    data = tmp_path / "data"
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=200,mode=0755", "none", str(data)]
    if subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("may not mount")
    try:
        yield from running(tmp_path, 10.0)
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)


def test_a_full_disk_fails_what_needs_it_and_nothing_else(small: Gateway) -> None:
    run_id = ids.run_id()
    assert small.run("hello", run_id=run_id).outcome == "success"
    assert small.run("large", run_id=run_id).outcome == "success"
    chatty = small.run("chatty", run_id=run_id)
    assert chatty.outcome == "success"
    assert (
        "bytes were not written: No space left on device" in small.log(chatty.key).splitlines()[-1]
    )
    refused = small.run("large", run_id=run_id, number=2)
    assert (refused.outcome, refused.cause) == ("failed", "result"), refused
    assert "cannot be stored: No space left on device" in refused.detail
    beside = [grant_of("hello", run_id=run_id, map_index=n) for n in range(3)]
    small.grant(*beside)
    assert {small.ended(grant.key).outcome for grant in beside} == {"success"}
    assert [path.suffix for path in (small.data / "xcom").rglob("*.*")] == [".json"]
    (small.data / "logs" / run_id / "chatty" / "-1" / "1.log").unlink()
    assert small.run("large", run_id=run_id, number=3).outcome == "success"


def fill(folder: Path) -> None:
    for n in range(1000):
        (folder / f"file{n}").touch()


def test_without_a_working_directory_an_attempt_says_so(small: Gateway) -> None:
    run_id = ids.run_id()
    assert small.run("hello", run_id=run_id).outcome == "success"
    with pytest.raises(OSError, match="No space left"):
        fill(small.data)
    grants = [grant_of("sleeps", run_id=run_id, number=n) for n in range(1, 5)]
    small.grant(*grants)  # the first ones find spares, which have their directories
    ended = small.ended(grants[-1].key)
    assert (ended.outcome, ended.cause) == ("failed", "disk"), ended
    assert "cannot create its working directory: No space left on device" in ended.detail
    for file in small.data.glob("file*"):
        file.unlink()
    small.send(Cancel([grant.key for grant in grants]))
    for grant in grants:
        small.ended(grant.key)
    assert small.run("hello", run_id=run_id, number=2).outcome == "success"
