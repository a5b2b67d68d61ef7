"""A test run that collects once, and then tries each mutant in a fork of its own."""

import ast
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import pairwise
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

import pytest

from headway import clock
from tests.mutants.planting import SWITCH, Mutant, Planter

PATIENCE_S: Final = 10.0  # beyond ten times what the tests take when nothing is planted
SURVIVED: Final = 0
KILLED: Final = 1


class Switch:
    """Says which mutant is on, and remembers who was asked for."""

    def __init__(self) -> None:
        self.on = 0
        self.reached: set[int] = set()

    def __call__(self, number: int) -> bool:
        self.reached.add(number)
        return number == self.on


class Finder(MetaPathFinder):
    """Imports one module with its mutants, and leaves all else alone."""

    def __init__(self, module: str, switch: Switch) -> None:
        self.module = module
        self.switch = switch
        self.mutants: list[Mutant] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = Loader(fullname, spec.origin, self)
        return spec


class Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, finder: Finder) -> None:
        super().__init__(fullname, path)
        self.finder = finder

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_text("utf-8")
        planter, tree = Planter(source), ast.parse(source)
        planter.visit(tree)
        self.finder.mutants = planter.mutants
        code: CodeType = compile(ast.fix_missing_locations(tree), self.path, "exec")
        return code

    def exec_module(self, module: ModuleType) -> None:
        setattr(module, SWITCH, self.finder.switch)
        super().exec_module(module)


class Overdue(BaseException):
    """A mutant never ends."""


class Trial:
    """A plugin of pytest. ``choose``: which mutants of the module are tried.

    ``survivors`` is what it leaves; of them, no test reaches the ``unreached``.
    """

    def __init__(
        self, finder: Finder, workers: int, choose: Callable[[list[Mutant]], list[Mutant]]
    ) -> None:
        self.finder = finder
        self.workers = workers
        self.choose = choose
        self.tried: list[Mutant] = []
        self.failure = ""
        self.running: dict[int, Mutant] = {}
        self.survivors: list[Mutant] = []
        self.unreached: list[Mutant] = []

    def pytest_configure(self) -> None:
        """No shrinking, no memory: the same mutants survive each time."""
        from hypothesis import Phase, settings  # after pytest, which rewrites its assertions

        phases = [Phase.explicit, Phase.generate]
        steady = settings(phases=phases, derandomize=True, database=None, deadline=None)
        settings.register_profile("mutants", steady)
        settings.load_profile("mutants")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failure = f"{report.nodeid}\n{report.longreprtext}"

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        assert not session.testsfailed, "the tests cannot be collected"
        seen = self.unharmed(session)
        items = {item.nodeid: item for item in session.items}
        self.tried = self.choose(self.finder.mutants)
        for mutant in self.tried:
            tests = sorted(
                (took, name) for name, (took, ids) in seen.items() if mutant.number in ids
            )
            if not tests:
                self.unreached.append(mutant)
                self.survivors.append(mutant)
                continue
            if len(self.running) >= self.workers:
                self.await_one()
            patience_s = PATIENCE_S + 10 * sum(took for took, _ in tests)
            self.begin(session, mutant, [items[name] for _, name in tests], patience_s)
        while self.running:
            self.await_one()
        return True

    def unharmed(self, session: pytest.Session) -> dict[str, tuple[float, set[int]]]:
        """How long each test takes and which mutants it reaches, with none turned on."""
        with tempfile.NamedTemporaryFile("r") as answer:
            pid = fork(lambda: self.measure(session, Path(answer.name)))
            os.waitpid(pid, 0)
            found = json.load(answer)
        if isinstance(found, str):
            raise pytest.UsageError(f"a test fails with nothing planted: {found}")
        return {name: (took, set(ids)) for name, (took, ids) in found.items()}

    def measure(self, session: pytest.Session, answer: Path) -> int:
        found = {}
        for item, after in pairwise([*session.items, None]):
            assert item is not None
            self.finder.switch.reached = set()
            begun = clock.monotonic()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            found[item.nodeid] = clock.monotonic() - begun, sorted(self.finder.switch.reached)
            if self.failure:
                session._setupstate.teardown_exact(None)
                break
        answer.write_text(json.dumps(self.failure or found))
        return SURVIVED

    def begin(
        self, session: pytest.Session, mutant: Mutant, items: list[pytest.Item], patience_s: float
    ) -> None:
        def attempt() -> int:
            signal.signal(signal.SIGALRM, overdue)
            signal.setitimer(signal.ITIMER_REAL, patience_s, PATIENCE_S)
            last_resort(patience_s + 3 * PATIENCE_S)
            self.finder.switch.on = mutant.number
            for item, after in pairwise([*items, None]):
                assert item is not None
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                if self.failure:
                    session._setupstate.teardown_exact(None)
                    return KILLED
            return SURVIVED

        self.running[fork(attempt)] = mutant

    def await_one(self) -> None:
        """Whatever a process ends with, a crash too, is a kill, unless all its tests passed."""
        pid, status = os.wait()
        mutant = self.running.pop(pid)
        if status == SURVIVED:
            self.survivors.append(mutant)


def fork(work: Callable[[], int]) -> int:
    """A process that says nothing and ends with what ``work`` answers."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = KILLED
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        code = work()
    finally:
        os._exit(code)


def overdue(*_: object) -> None:
    raise Overdue


def last_resort(after_s: float) -> None:
    """End this process as a kill, where the alarm is swallowed: by an event loop, or by threads that are waited for."""
    timer = threading.Timer(after_s, os._exit, (KILLED,))
    timer.daemon = True
    timer.start()
