"""The listener of the API, by itself."""

import asyncio
import threading

import pytest

from headway.api.wakeups import Wakeups
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
