"""Digests of images, told by two schedulers at once: the one that commits first is what later pods use, for both."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from headway import clock
from headway.store import images
from headway.store.transact import ENGINE, Session, connect, transact
from tests.scenarios.world import deploy, task, trigger

IMAGE = "acme/jobs:2"
ONE, OTHER, THIRD = (f"sha256:{digit * 64}" for digit in "123")
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
STORED = "SELECT digest FROM run_image WHERE run_id = %s ORDER BY position"
PATIENCE_S = 30.0


def stored(conn: Session, run_id: str) -> list[str]:
    return [digest for (digest,) in conn.execute(STORED, [run_id])]


def until_blocked(conn: Session) -> None:
    deadline = clock.monotonic() + PATIENCE_S
    while conn.execute(WAITING).fetchone() == (0,):
        assert clock.monotonic() < deadline, "nobody waits for the other one"
        clock.sleep(0.01)


@pytest.fixture
def run_id(conn: Session) -> str:
    deploy(conn, task("a"))
    (run_id,) = trigger(conn)
    return run_id


def tell_in_between(
    conn: Session, owner_conn: Session, database: str, run_id: str, *, commits: bool
) -> None:
    """A second scheduler tells a digest while the first one has told another, and has not committed."""

    def tell(other: Session) -> None:
        transact(other, images.tell, 1, run_id, IMAGE, OTHER)

    with closing(connect(database, role=ENGINE)) as other, ThreadPoolExecutor(1) as thread:
        with conn.transaction(force_rollback=not commits):
            images.tell(conn, 1, run_id, IMAGE, ONE)
            told = thread.submit(tell, other)
            until_blocked(owner_conn)
        told.result(PATIENCE_S)
        first = transact(other, images.pinned, 1, run_id)
        assert first == transact(conn, images.pinned, 1, run_id)


def test_the_first_that_commits_is_used_and_both_are_stored(
    conn: Session, owner_conn: Session, database: str, run_id: str
) -> None:
    tell_in_between(conn, owner_conn, database, run_id, commits=True)
    assert transact(conn, images.pinned, 1, run_id) == {IMAGE: ONE}
    assert stored(conn, run_id) == [ONE, OTHER]


def test_one_that_is_rolled_back_leaves_the_place_to_the_other(
    conn: Session, owner_conn: Session, database: str, run_id: str
) -> None:
    tell_in_between(conn, owner_conn, database, run_id, commits=False)
    assert transact(conn, images.pinned, 1, run_id) == {IMAGE: OTHER}
    assert stored(conn, run_id) == [OTHER]


def test_what_is_told_again_is_stored_once(conn: Session, run_id: str) -> None:
    for digest in (ONE, OTHER, ONE, OTHER):
        transact(conn, images.tell, 1, run_id, IMAGE, digest)
    assert stored(conn, run_id) == [ONE, OTHER]


def test_nothing_is_stored_of_a_run_that_is_gone_nor_beyond_the_limit(
    conn: Session, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "SEEN_MAX", 2)
    for digest in (ONE, OTHER, THIRD):
        transact(conn, images.tell, 1, run_id, IMAGE, digest)
    assert stored(conn, run_id) == [ONE, OTHER]
    transact(conn, images.tell, 1, "gone", IMAGE, ONE)
    assert stored(conn, "gone") == []
