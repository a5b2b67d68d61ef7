"""One S3 server for the session; a bucket for each test."""

from collections.abc import Iterator
from itertools import count

import pytest

from headway.logs.remote import Remote, open_store
from tests.logs import s3

NUMBERS = count(1)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[s3.Store]:
    with s3.running() as store:
        yield store


@pytest.fixture
def bucket(s3_server: s3.Store) -> str:
    """The URL of a place in a bucket of its own."""
    name = f"bucket-{next(NUMBERS)}"
    s3_server.make_bucket(name)
    return f"s3://{name}/some/prefix"


@pytest.fixture
def remote(s3_server: s3.Store, bucket: str) -> Remote:
    return open_store(bucket, s3_server.variables)
