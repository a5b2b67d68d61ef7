"""``ObjectsArrive``: objects of a store that speaks S3, which only the connection ``lake`` reaches."""

import obstore
import pytest

from headway import ObjectsArrive
from headway.authoring.operators.wait_for_object import StoreFailed, config_of, opened
from headway.authoring.secrets import connection
from tests.authoring.test_arrivals import Watched
from tests.authoring.test_wait_for_object import place
from tests.logs.conftest import bucket, s3_server

__all__ = ["bucket", "place", "s3_server"]  # fixtures

pytestmark = pytest.mark.long


def put(place: str, key: str, body: bytes = b"x") -> None:
    obstore.put(opened(place.removeprefix("s3://"), config_of(connection("lake"))), key, body)


def test_each_new_object_is_an_event(place: str) -> None:
    url = f"{place}/in/2026-01-0?/*.csv"
    partition = r"in/([\d-]+)/"
    watched = Watched(ObjectsArrive(url, conn_id="lake", every=0.1, partition=partition)).look()
    assert watched.events == []  # what was there does not count
    put(place, "in/2026-01-03/c.csv", b"123")
    put(place, "in/2026-01-03/c.txt")
    (event,) = watched.look().events
    assert (event.extra["url"], event.extra["size"], event.partition) == (
        f"{place}/in/2026-01-03/c.csv",
        3,
        "2026-01-03",
    )
    assert watched.look().events == [event]  # once
    put(place, "in/2026-01-01/a.csv", b"another")  # written again
    assert watched.look().told("size") == [3, 7]


def test_objects_that_are_there_count_if_asked_for(place: str) -> None:
    watched = Watched(ObjectsArrive(f"{place}/*.csv", conn_id="lake", existing=True)).look()
    assert sorted(url.rpartition("/")[2] for url in watched.told("url")) == [
        "a.csv",
        "b.csv",
        "top.csv",
    ]
    one = Watched(ObjectsArrive(f"{place}/top.csv", conn_id="lake", existing=True)).look()
    assert one.told("url") == [f"{place}/top.csv"]
    assert Watched(ObjectsArrive(f"{place}/none.csv", conn_id="lake")).look().events == []


def test_a_store_that_refuses_says_so(place: str) -> None:
    with pytest.raises(StoreFailed):
        Watched(ObjectsArrive("s3://no-such-bucket/x*", conn_id="lake")).look()
