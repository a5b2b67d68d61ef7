"""Keeps a cache with a Kerberos ticket for the tasks of an agent, from a keytab. ``python -m headway.agent.tickets``.

A process of its own gets a new ticket after a third of the life of the last one, so that a task may take longer than
any ticket, and the agent imports no library of Kerberos. A cache is complete whenever it is visible: it is written
beside, then renamed. While the KDC is away the last ticket stays. The process ends with the agent.
"""

import argparse
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Final

from headway import clock, descriptors
from headway.agent.loop import Loop

VARIABLE: Final = "KRB5CCNAME"
AGAIN_S: Final = 10.0  # after the KDC gave no ticket
LIFE_PART: Final = 3
WAIT_S_MIN: Final = 1.0
WAIT_S_MAX: Final = 3600.0
FIRST_S_MAX: Final = 60.0  # for the first ticket, before the agent begins
LOOK_S: Final = 5.0
NO_LIBRARY: Final = (
    "tickets for tasks need a library that is not installed: pip install 'headway[kerberos]'"
)


class NoTicket(Exception):
    """A keytab that gave no ticket, and why."""


def command(keytab: Path, cache: Path, *more: str) -> list[str]:
    given = ["--keytab", str(keytab), "--cache", str(cache)]
    return [sys.executable, "-P", "-m", "headway.agent.tickets", *given, *more]


class Tickets:
    """The renewer of one agent."""

    def __init__(self, loop: Loop, keytab: Path, cache: Path) -> None:
        self.loop = loop
        self.keytab = keytab
        self.cache = cache
        self.process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Get the first ticket, name its cache to all tasks from now on, and keep it. Without one tasks begin, too."""
        self.cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ[VARIABLE] = f"FILE:{self.cache}"
        try:
            subprocess.run(
                command(self.keytab, self.cache, "--once"),
                stdin=subprocess.DEVNULL,
                env={**os.environ, **descriptors.original()},
                timeout=FIRST_S_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired:
            say(f"no ticket within {FIRST_S_MAX:.0f} s: {self.keytab}")
        self.look()

    def look(self) -> None:
        """Start the renewer, if it does not run."""
        self.loop.at(clock.monotonic() + LOOK_S, self.look)
        if self.process is not None and self.process.poll() is None:
            return
        self.process = subprocess.Popen(
            command(self.keytab, self.cache),
            stdin=subprocess.PIPE,
            env={**os.environ, **descriptors.original()},
            start_new_session=True,
        )


def wait_s(life_s: float) -> float:
    """Return how long after a ticket that lives so long the next one is due."""
    return min(max(life_s / LIFE_PART, WAIT_S_MIN), WAIT_S_MAX)


def renewed(keytab: Path, cache: Path) -> float:
    """Get a ticket for the first principal of the keytab. Returns its life in seconds. Raises NoTicket."""
    try:
        import gssapi
    except ImportError:
        raise NoTicket(NO_LIBRARY) from None
    if not os.access(keytab, os.R_OK):
        raise NoTicket(f"the keytab cannot be read by this user: {keytab}")
    draft = cache.with_name(f"{cache.name}.new")
    draft.unlink(missing_ok=True)
    try:
        places = {"client_keytab": f"FILE:{keytab}", "ccache": f"FILE:{draft}"}
        life_s = gssapi.Credentials(usage="initiate", store=places).lifetime or 0
        draft.rename(cache)
    except (gssapi.exceptions.GSSError, OSError) as error:
        raise NoTicket(f"the keytab {keytab} gives no ticket: {error}") from None
    return float(life_s)


def say(text: str) -> None:
    sys.stderr.write(f"headway.agent.tickets: {text}\n")
    sys.stderr.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="headway.agent.tickets")
    parser.add_argument("--keytab", required=True, type=Path)
    parser.add_argument("--cache", required=True, type=Path)
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    os.umask(0o077)
    told = ""
    while True:
        try:
            next_s = wait_s(renewed(options.keytab, options.cache))
            told = ""
        except NoTicket as error:
            next_s = AGAIN_S
            if str(error) != told:
                told = str(error)
                say(told)
        if options.once:
            return 1 if told else 0
        if select.select([sys.stdin], [], [], next_s)[0]:  # the agent is gone
            return 0


if __name__ == "__main__":
    sys.exit(main())
