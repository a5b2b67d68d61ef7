"""Generators of random numbers, which a fork copies with all they would give.

``random`` reseeds its own after a fork, numpy does not. Those that a DAG file makes at its top are made once, too: the
ones it gives no seed are found as it is imported, and seeded anew in each child. What has a seed keeps its numbers.
"""

import sys
from collections.abc import Callable
from typing import Any

unseeded: dict[int, Any] = {}
undo: list[Callable[[], None]] = []


def watch_random(module: Any) -> None:
    """Watch after the import: creating a ``Random`` calls its ``seed``."""
    seed = module.Random.seed

    def noted(self: Any, a: Any = None, version: int = 2) -> None:
        seed(self, a, version)
        note(self, a)

    module.Random.seed = noted
    undo.append(lambda: setattr(module.Random, "seed", seed))


def watch_numpy(module: Any) -> None:
    make = module.default_rng

    def default_rng(seed: Any = None) -> Any:
        made = make(seed)
        note(made, seed)
        return made

    module.default_rng = default_rng
    undo.append(lambda: setattr(module, "default_rng", make))


def note(generator: Any, seed: Any) -> None:
    if seed is None:
        unseeded[id(generator)] = generator
    else:
        unseeded.pop(id(generator), None)


def stop_watching() -> None:
    while undo:
        undo.pop()()


def renew() -> None:
    """Seed the generators again. Call in each child."""
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    for generator in unseeded.values():
        if hasattr(generator, "bit_generator"):
            generator.bit_generator.state = type(generator.bit_generator)().state
        else:
            generator.seed()
