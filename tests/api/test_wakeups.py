"""The listener of the API, by itself."""

import asyncio
import threading

import pytest

from headway.api.wakeups import Wakeups
from headway.errors import NotReachable
from headway.store import notices
from headway.store.transact import Session, connect


def test_a_loop_that_ends_before_anybody_listens_is_no_error(database: str) -> None:
    """What a thread raises fails the test that it belongs to."""
    wakeups = Wakeups(database)

    async def begin() -> None:
        wakeups.start()

    asyncio.run(begin())
    wakeups.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "wakeups"]


def test_a_connection_lost_before_it_listens_is_made_again(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when PostgreSQL restarts at this moment: nobody would be woken from then on."""
    lost: list[int] = []
    listen = notices.listen

    def after_loss(conn: Session) -> None:
        if not lost:
            lost.append(conn.info.backend_pid)
            with connect(database) as other:
                other.execute("SELECT pg_terminate_backend(%s, 10000)", lost)
        listen(conn)

    monkeypatch.setattr(notices, "listen", after_loss)

    async def told() -> None:
        wakeups = Wakeups(database)
        with wakeups.watching("r1") as wakeup:
            wakeups.start()
            async with asyncio.timeout(60):
                await wakeup.wait()  # it listens: everybody is told to look
            wakeup.clear()
            with connect(database) as other:
                notices.tell_run(other, "r1")
            async with asyncio.timeout(60):
                await wakeup.wait()
        wakeups.stop()

    asyncio.run(told())
    assert lost


def test_trouble_that_lasts_is_logged_when_it_begins_and_when_it_is_over(
    database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("headway.api.wakeups.BACK_OFF_S", 0.01)
    tries = 0

    def refused(dsn: str, **settings: object) -> Session:
        nonlocal tries
        tries += 1
        if tries <= 5:
            raise NotReachable(f"the database does not answer, try {tries}")
        return connect(dsn, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr("headway.api.wakeups.connect", refused)

    async def told() -> None:
        wakeups = Wakeups(database)
        with wakeups.watching("r1") as wakeup:
            wakeups.start()
            async with asyncio.timeout(60):
                await wakeup.wait()
        wakeups.stop()

    asyncio.run(told())
    assert tries == 6
    assert [record.getMessage() for record in caplog.records] == [
        "cannot listen for changes; retrying until it works: the database does not answer, try 1",
        "can listen for changes again",
    ]
