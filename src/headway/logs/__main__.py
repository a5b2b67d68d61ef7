"""``python -m headway.logs``: the process that ships logs. It knows the store, and no database.

The address of the store and its variables come as one line of JSON on standard input: no environment holds
them, so nothing that this user runs can read them there.
"""

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Final

import msgspec

from headway import clock, pulse
from headway.agent.processes import hide_memory
from headway.config import Layout
from headway.errors import HeadwayError
from headway.logs.remote import open_store
from headway.logs.shipper import Shipper

LOOK_S: Final = 0.5
TROUBLE_S: Final = 2.0  # while nothing can be shipped: there may be very many then
LAST_S: Final = 4.0  # for what is left when we are told to end


class Given(msgspec.Struct):
    url: str
    variables: dict[str, str]


def main() -> int:
    hide_memory()
    parser = argparse.ArgumentParser(prog="headway.logs", description=__doc__)
    parser.add_argument("--data", required=True, type=Path, metavar="DIR")
    parser.add_argument(
        "--private", action="store_true", help="a store that is a folder is for nobody else"
    )
    options = parser.parse_args()
    if options.private:
        os.umask(0o077)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    return ship(sys.stdin.readline(), options.data)


def ship(line: str, data: Path) -> int:
    """Ship logs until SIGTERM. ``line``: the store, as JSON."""
    given = msgspec.json.decode(line, type=Given)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopping.set())
    try:
        shipper = Shipper(open_store(given.url, given.variables), Layout(data.resolve()))
    except HeadwayError as error:
        logging.error("%s", error)
        return error.exit_code
    while not stopping.wait(TROUBLE_S if shipper.error else LOOK_S):
        pulse.beat()
        turn(shipper)
    deadline = clock.monotonic() + LAST_S
    turn(shipper)
    while not shipper.done and not shipper.error and clock.monotonic() < deadline:
        turn(shipper)
    shipper.close()
    return 0


def turn(shipper: Shipper) -> None:
    """The disk may be full: then nobody can be told how it goes, and logs go on being shipped."""
    with contextlib.suppress(OSError):
        shipper.turn()


if __name__ == "__main__":
    sys.exit(main())
