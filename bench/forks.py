"""`python -m bench.forks`: fork, a byte from the child, reap — as a small fork server does it.

A program of its own and the standard library only: what the forking process has imported is most
of what a fork costs.
"""

import gc
import json
import os
import time
from typing import Final

FORKS: Final = 500
IN_FLIGHT: Final = 8


def fork_rate(in_flight: int) -> float:
    gc.collect()
    gc.freeze()
    begun = time.perf_counter()
    started, live = 0, dict[int, int]()
    while started < FORKS or live:
        while started < FORKS and len(live) < in_flight:
            pid, pipe = forked()
            live[pid] = pipe
            started += 1
        pid, pipe = next(iter(live.items()))
        assert os.read(pipe, 1) == b"."
        os.close(pipe)
        os.waitpid(pid, 0)
        del live[pid]
    return FORKS / (time.perf_counter() - begun)


def forked() -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, b".")
        os._exit(0)
    os.close(writing)
    return pid, reading


if __name__ == "__main__":
    rates = {
        "fork_serial_per_s": fork_rate(1),
        "fork_8_in_flight_per_s": fork_rate(IN_FLIGHT),
    }
    print(json.dumps(rates))
