"""The log store of ``headway up``: opened, with its credentials removed from all environments.

Tasks inherit the environment of their agent, so what the store needs is taken out of our own before anything is
started. The shipper is told on its standard input; the API, in our process, has the store itself.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from headway.agent.processes import take_environment
from headway.errors import HeadwayError
from headway.logs import remote
from headway.logs.remote import Remote

READ_S: Final = 8.0  # of a request; somebody waits for the answer


@dataclass(frozen=True, slots=True)
class LogStore:
    remote: Remote
    line: str  # for the shipper

    def warn_if_away(self, say: Callable[[str], None]) -> None:
        """Check the store in the background and report problems, without delaying the start."""

        def look() -> None:
            try:
                self.remote.check()
            except HeadwayError as error:
                say(
                    f"{error.message}; logs stay on this machine until the log store ({self.remote.url}) works"
                )

        threading.Thread(target=look, name="log store", daemon=True).start()


def log_store(url: str) -> LogStore:
    """Open the log store. Raises UsageError for an invalid URL."""
    variables = remote.chosen(os.environ)
    for name in variables:  # before anything sets them anew, elsewhere in memory
        take_environment(name)
    opened = remote.open_store(url, variables, READ_S)
    line = msgspec.json.encode({"url": url, "variables": variables}).decode()
    return LogStore(opened, line)
