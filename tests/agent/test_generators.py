"""Generators made without a seed at the top of a file differ in each attempt; those with one do not."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from headway.agent import generators


@pytest.fixture(autouse=True)
def none_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generators, "unseeded", {})
    monkeypatch.setattr(generators, "undo", [])


class BitGenerator:
    made = 0

    def __init__(self) -> None:
        BitGenerator.made += 1
        self.state = BitGenerator.made


def test_numpys_are_seeded_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded = []
    fake: Any = ModuleType("numpy.random")
    fake.seed = lambda: seeded.append(True)
    fake.default_rng = original = lambda seed: SimpleNamespace(bit_generator=BitGenerator())
    monkeypatch.setitem(sys.modules, "numpy.random", fake)
    generators.watch_numpy(fake)
    free, fixed = fake.default_rng(), fake.default_rng(42)
    states = free.bit_generator.state, fixed.bit_generator.state
    generators.stop_watching()
    assert fake.default_rng is original
    generators.renew()
    assert seeded == [True]
    assert free.bit_generator.state != states[0]
    assert fixed.bit_generator.state == states[1]
