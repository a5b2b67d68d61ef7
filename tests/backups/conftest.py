"""A store for backups: a folder, and a real S3 server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.backups.store import BackupStore, opened
from tests.logs import s3


@pytest.fixture(scope="session")
def s3_server() -> Iterator[s3.Store]:
    with s3.running() as store:
        yield store


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BackupStore:
    if request.param == "folder":
        return opened(f"file://{tmp_path}/store", {})
    server: s3.Store = request.getfixturevalue("s3_server")
    name = f"backups-{abs(hash(tmp_path))}"
    server.make_bucket(name)
    return opened(f"s3://{name}/of/headway", server.variables)
