"""``python -m headway.outbound DATA``: the process that sends outbound webhooks.

The database's URL comes on standard input, and the master keys after a tab, as for a scheduler. The input stays open
as long as the scheduler lives that started it. What the process cannot handle ends it; another one goes on from the
database.
"""

import asyncio
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from headway import descriptors
from headway.agent import processes
from headway.errors import HeadwayError
from headway.outbound.addresses import networks_from
from headway.outbound.post import post
from headway.outbound.sender import Sender
from headway.secrets.kms import keys_of
from headway.store.transact import ENGINE, connect

NAMES_AT_ONCE: Final = (
    256  # threads that ask what a host's address is: some names take half a minute
)


def main(data: Path) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    processes.hide_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the scheduler ends us
    descriptors.raise_limit()
    dsn, _, given = sys.stdin.readline().strip().partition("\t")
    try:
        with connect(dsn, role=ENGINE, application="headway outbound") as conn:
            allowed = networks_from(os.environ)
            sender = Sender(conn, keys_of(data, given or None), partial(post, allowed=allowed))
            asyncio.run(work(sender))
    except HeadwayError as error:
        print(error, file=sys.stderr)
        sys.stderr.flush()
        os._exit(error.exit_code)
    os._exit(0)  # without waiting for threads that ask for names


async def work(sender: Sender) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(NAMES_AT_ONCE))

    def stop() -> None:
        loop.remove_reader(sys.stdin.fileno())
        sender.stop()

    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_reader(sys.stdin.fileno(), stop)  # it says nothing more: this is its end
    await sender.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
