"""The listener of the API, by itself."""

import asyncio
import threading

from headway.api.wakeups import Wakeups


def test_a_loop_that_ends_before_anybody_listens_is_no_error(database: str) -> None:
    """What a thread raises fails the test that it belongs to."""
    wakeups = Wakeups(database)

    async def begin() -> None:
        wakeups.start()

    asyncio.run(begin())
    wakeups.stop()
    for thread in threading.enumerate():
        if thread.name == "wakeups":
            thread.join(60)
            assert not thread.is_alive()
