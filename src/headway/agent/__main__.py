"""``python -m headway.agent``: one agent process."""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from headway import descriptors
from headway.agent import processes
from headway.agent.agent import Agent
from headway.agent.users import Umask

TOKEN_VARIABLE = "HEADWAY_AGENT_TOKEN"


def read_token(path: str) -> str:
    """Read the token. Raises OSError if the file cannot be read."""
    return (sys.stdin.readline() if path == "-" else Path(path).read_text()).strip()


def main() -> int:
    in_environment = processes.take_environment(TOKEN_VARIABLE)
    parser = argparse.ArgumentParser(prog="headway.agent", description=__doc__)
    parser.add_argument("--connect", required=True, metavar="unix:PATH|tcp:HOST:PORT")
    parser.add_argument("--data", required=True, type=Path, metavar="DIR")
    parser.add_argument("--name", default="local")
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument(
        "--queue",
        action="append",
        metavar="NAME",
        help="run the tasks of this queue; can be repeated (default: default)",
    )
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="parent of working directories")
    parser.add_argument("--spool", type=Path, metavar="DIR", help="where logs are shipped from")
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help="file with the agent's token; - reads a line of standard input",
    )
    parser.add_argument("--keytab", type=Path, metavar="FILE", help="for the tickets of its tasks")
    options = parser.parse_args()
    token = in_environment if options.token_file is None else read_token(options.token_file)
    if not token:
        print(
            f"headway.agent: no token: give --token-file, or set {TOKEN_VARIABLE}. "
            "An admin can create one: headway token create NAME --agent",
            file=sys.stderr,
        )
        return 2
    if not processes.LINUX:
        print(
            "headway.agent: this is not Linux: processes that a task leaves behind in their own "
            "sessions are not found, and memory limits are enforced only by the allocator",
            file=sys.stderr,
        )
    prepare()
    agent = Agent(
        options.connect,
        options.data,
        options.name,
        options.slots,
        options.processes,
        token,
        options.spool,
        options.queue or ["default"],
        options.scratch,
    )
    if options.keytab is not None:
        keep_tickets(agent, options.keytab, options.scratch)
    return serve(agent)


def prepare() -> None:
    """Make the process what an agent needs. Call it before anything of the agent is made."""
    Umask.close()
    descriptors.raise_limit()
    processes.hide_memory()
    processes.adopt_orphans()


def keep_tickets(agent: Agent, keytab: Path, folder: Path | None = None) -> None:
    """Give the tasks of the agent Kerberos tickets from a keytab, in a cache in ``folder``."""
    from headway.agent.tickets import Tickets

    place = (folder or agent.data / "run") / "tickets"
    Tickets(agent.loop, keytab.resolve(), place.resolve() / agent.name).begin()


def serve(agent: Agent, drain: Callable[[], None] | None = None) -> int:
    """Run the agent until it is told to stop, and return the exit code.

    ``drain``: what SIGTERM does in place of stopping at once.
    """
    wakeup = agent.loop.wake_on_signals()

    def stop(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGTERM and drain is not None:
            agent.loop.at(0.0, drain)
        else:
            agent.loop.at(0.0, agent.stop_all)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    refusal = agent.run()
    os.close(wakeup)
    if refusal is not None:
        print(f"headway.agent: the scheduler refused the agent: {refusal}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
