"""Runs a component so that it ends with its parent: ``python -m headway.up.tether PID FD MODULE …``.

Only Linux sends the signal; elsewhere a component notices broken connections. The signal is SIGTERM,
so that the component stops in order. Signs of life are written to FD.
"""

import os
import runpy
import signal
import sys

from headway import descriptors, pulse
from headway.agent import processes


def main(parent: int, mouth: int, module: str, arguments: list[str]) -> None:
    processes.hide_memory()  # before anything secret is read
    pulse.tell_to(mouth)
    descriptors.raise_limit()
    if processes.LINUX:
        processes.die_with_parent(signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked
            raise SystemExit(1)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
