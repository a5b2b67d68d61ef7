"""The scheduler's process, which ends or freezes itself at named points:
``python -m tests.stress.dying_scheduler`` with the scheduler's arguments.

The file that ``HEADWAY_TEST_DOOM`` names has a line for each life: a point, how often it is passed
before, and a signal. Each life takes the first line away. Points are passed only when something is
at stake: an end or a grant.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from headway.engine import scheduler, tick
from headway.engine.scheduler import Scheduler
from headway.executors.agents.gateway import Gateway
from headway.store import changes

DOOM: Final = "HEADWAY_TEST_DOOM"
POINTS: Final = ("written", "committed", "acknowledging", "granting", "granted")


class Doom:
    def __init__(self, file: Path) -> None:
        lines = file.read_text().splitlines() if file.exists() else []
        words = lines[0].split() if lines else ["never", "0", "0"]
        self.point, self.passes, self.signal = words[0], int(words[1]), int(words[2])
        file.write_text("".join(f"{line}\n" for line in lines[1:]))

    def pass_point(self, point: str) -> None:
        if point != self.point:
            return
        self.passes -= 1
        if self.passes < 0:
            self.point = "never"
            os.kill(os.getpid(), self.signal)


def lines(*dooms: tuple[str, int, signal.Signals]) -> str:
    assert all(point in POINTS for point, _, _ in dooms)
    return "".join(f"{point} {passes} {int(number)}\n" for point, passes, number in dooms)


def arm(doom: Doom) -> None:
    def after(owner: Any, name: str, point: str, at_stake: Callable[..., bool]) -> None:
        work = getattr(owner, name)

        def armed(*arguments: Any, **more: Any) -> Any:
            matters = at_stake(*arguments)
            result = work(*arguments, **more)
            if matters:
                doom.pass_point(point)
            return result

        setattr(owner, name, armed)

    def before(owner: Any, name: str, point: str, at_stake: Callable[..., bool]) -> None:
        work = getattr(owner, name)

        def armed(*arguments: Any, **more: Any) -> Any:
            if at_stake(*arguments):
                doom.pass_point(point)
            return work(*arguments, **more)

        setattr(owner, name, armed)

    after(changes, "write", "written", lambda conn, runs, *_: moved(runs))
    before(tick.Ticker, "settle", "committed", lambda ticker, runs: moved(runs))
    before(Gateway, "acknowledge", "acknowledging", has_unacknowledged)
    before(Scheduler, "deliver", "granting", lambda _, grants: bool(grants))
    after(Scheduler, "deliver", "granted", lambda _, grants: bool(grants))


def moved(runs: Any) -> bool:
    return any(run.changes.moves for run in runs)


def has_unacknowledged(gateway: Gateway) -> bool:
    return any(link.reported > link.acknowledged for link in gateway.links.values())


if __name__ == "__main__":
    arm(Doom(Path(os.environ.pop(DOOM))))
    scheduler.main()
