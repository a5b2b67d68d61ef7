"""``wait_for_object``: an object of a store that speaks S3, which is not Amazon's."""

import os
from typing import Any

import obstore
import pytest
from obstore.store import S3Store

from headway import DAG, Fail, wait_for_object
from headway.authoring.operators.wait_for_object import StoreFailed
from headway.testing import TaskResult, run_dag
from tests.logs.conftest import bucket, s3_server
from tests.logs.s3 import Store

__all__ = ["bucket", "s3_server"]  # fixtures

pytestmark = pytest.mark.long


@pytest.fixture
def place(bucket: str, s3_server: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a bucket with some objects, which only the connection ``lake`` reaches."""
    name = bucket.split("/")[2]
    for variable in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    said = s3_server.variables
    fill = S3Store(
        name,
        config={
            "endpoint": said["AWS_ENDPOINT_URL"],
            "access_key_id": said["AWS_ACCESS_KEY_ID"],
            "secret_access_key": said["AWS_SECRET_ACCESS_KEY"],
        },
        client_options={"allow_http": True},
    )
    for key in ("in/2026-01-01/a.csv", "in/2026-01-01/b.csv", "in/2026-01-02/a.txt", "top.csv"):
        obstore.put(fill, key, b"x")
    monkeypatch.setenv(
        "HEADWAY_CONN_LAKE",
        f'{{"conn_type": "aws", "login": "{said["AWS_ACCESS_KEY_ID"]}",'
        f' "password": "{said["AWS_SECRET_ACCESS_KEY"]}",'
        f' "extra": {{"endpoint_url": "{said["AWS_ENDPOINT_URL"]}", "region_name": "eu-west-1"}}}}',
    )
    monkeypatch.setenv("HEADWAY_CONN_OTHER", '{"conn_type": "http", "host": "x"}')
    return f"s3://{name}"


def waited(url: str, **options: Any) -> TaskResult:
    with DAG("flow") as flow:
        wait_for_object("arrived", url=url, **{"conn_id": "lake", "timeout": 0.05, **options})
    return run_dag(flow)["arrived"]


def test_objects_are_found_by_name_and_pattern(place: str) -> None:
    wanted = {
        "top.csv": ["top.csv"],
        "in/2026-01-01/*.csv": ["in/2026-01-01/a.csv", "in/2026-01-01/b.csv"],
        "in/2026-01-0?/a.*": ["in/2026-01-01/a.csv", "in/2026-01-02/a.txt"],
        "*.csv": ["in/2026-01-01/a.csv", "in/2026-01-01/b.csv", "top.csv"],
    }
    for pattern, keys in wanted.items():
        found = waited(f"{place}/{pattern}")
        assert found.value == [f"{place}/{key}" for key in keys], pattern
    for pattern in ("top", "in", "in/2026-01-01/*.txt", "out/*"):
        assert isinstance(waited(f"{place}/{pattern}").error, Fail), pattern


def test_without_a_connection_the_environment_says_what_it_is(
    place: str, s3_server: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(name, value)
    found = waited(f"{place}/top.csv", conn_id=None)
    assert found.value == [f"{place}/top.csv"]


def test_trouble_and_mistakes(place: str, s3_server: Store) -> None:
    with s3_server.trouble(403, "AccessDenied"):
        error = waited(f"{place}/top.csv").error
    assert isinstance(error, StoreFailed)
    assert place in str(error)
    for url, conn_id, message in (
        ("/data/x", "lake", "must be like s3://bucket/key"),
        ("s3://bucket", "lake", "must be like s3://bucket/key"),
        (f"{place}/x", "other", "needs a connection of type aws"),
    ):
        error = waited(url, conn_id=conn_id).error
        assert isinstance(error, Fail)
        assert message in str(error)
