"""W12: 10,000 deferred waits. What does the process cost in which they are, and how soon does a task go on?

The waits are of one task that is mapped over 10,000 items, and begin in a process each, as any task does. Then all
of them are in a triggerer, where nothing happens for a while; then one after another is told what it waits for.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.processes import cpu_seconds, pss_bytes
from bench.product import Headway, fresh, wait_until
from bench.workloads.loads import WIDE

BEGIN_S: Final = 1_200.0
TIMEOUT_S: Final = 30.0
STILL_S: Final = 30.0
TOLD: Final = 40
PAUSE_S: Final = 0.2


def w12(_repeats: int) -> Iterator[tuple[str, float]]:
    with fresh() as headway, TemporaryDirectory(prefix="headway-bench-") as folder:
        place = Path(folder)
        os.mkfifo(place / "news")
        wait_until(lambda: headway.api.knows("w12"), "DAG w12", TIMEOUT_S)
        begun = time.monotonic()
        run_id = headway.api.trigger("w12", {"folder": folder})
        wait_until(lambda: deferred(headway, run_id) == WIDE, f"{WIDE} waits", BEGIN_S)
        yield "begin_s", time.monotonic() - begun
        pids = triggerers(place)
        yield "processes", len(pids)
        yield "pss_mb", pss_bytes(pids) / 1e6
        spent = cpu_seconds(pids)
        time.sleep(STILL_S)
        yield "still_cpu_percent", 100 * (cpu_seconds(pids) - spent) / STILL_S
        with (place / "news").open("w") as news:
            for item in range(TOLD + 1):
                mark = place / f"mark_{item}"
                wall = time.time()
                print(f"{item * (WIDE // (TOLD + 1))} {mark}", file=news, flush=True)
                wait_until(mark.exists, "the first line", TIMEOUT_S)
                if item:  # the first one starts the fork server again
                    yield "first_line_ms", 1e3 * (float(mark.read_text()) - wall)
                time.sleep(PAUSE_S)
        headway.api.call("POST", f"/runs/{run_id}/cancel", {})


def deferred(headway: Headway, run_id: str) -> int:
    """Asked twice a second: to count them costs the database something."""
    time.sleep(0.5)
    counts = headway.api.call("GET", f"/runs/{run_id}")["counts"]
    return int(counts.get("deferred", 0))


def triggerers(place: Path) -> list[int]:
    return [int(found.suffix[1:]) for found in place.glob("triggerer.*")]
