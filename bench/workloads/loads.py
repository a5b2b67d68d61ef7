"""What the tasks of the workloads do, the same code for Headway and for its peers.

Standard library only: every product imports this file from its own environment.
"""

import time
from pathlib import Path
from typing import Final

CHAIN: Final = 40
LIGHT: Final = 10
HEAVY_CHAIN: Final = 10
HEAVY: Final = 33
ITEMS: Final = 1_500
LAYERS: Final = 10
WIDTH: Final = 20
PARENTS: Final = 3
NAP_S: Final = 0.1
SLOTS: Final = 32
WIDE: Final = 10_000
DEEP: Final = 100


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def items(count: int = ITEMS) -> list[int]:
    return list(range(count))


def nothing(item: int) -> int:
    return item


def total(results: list[int], count: int = ITEMS) -> int:
    """The reduce step: a lost or doubled result is a wrong measurement, so it fails the run."""
    numbers = list(results)
    expected = count * (count - 1) // 2
    if len(numbers) != count or sum(numbers) != expected:
        raise ValueError(f"{len(numbers)} results with sum {sum(numbers)}, not {count}, {expected}")
    return expected


def nap() -> None:
    time.sleep(NAP_S)


def parents(position: int) -> list[int]:
    """The tasks of the layer above that the task at this position depends on."""
    return [(position + step) % WIDTH for step in range(PARENTS)]


def mark_first_line(path: str) -> None:
    """Leave the wall clock of the task's first line where the runner looks, never half a file."""
    written = repr(time.time())
    if path:
        target = Path(path)
        draft = target.with_suffix(".draft")
        draft.write_text(written)
        draft.replace(target)
