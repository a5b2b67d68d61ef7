"""The agent in a simulated pod: it is for one attempt, its session is the pod, and it never comes back."""

from typing import TYPE_CHECKING

from headway.agent.protocol import AttemptKey, Hello
from tests.simulation.agents import Agent
from tests.simulation.line import Line

if TYPE_CHECKING:
    from tests.simulation.pods import Pods


class PodAgent(Agent):
    def __init__(
        self, world: "Pods", uid: str, name: str, token: str, key: AttemptKey, rate: float
    ) -> None:
        self.cluster = world
        self.uid = uid
        self.key = key
        self.is_over = False
        self.code = 1  # with which it exits
        self.is_dark = False  # its node is cut off
        super().__init__(world, name, slots=1, processes=1, rate=rate, secret=token)

    def born(self) -> None:
        super().born()
        self.session = self.uid

    def connect(self) -> None:
        door = None if self.is_dark else self.cluster.some_door()
        if door is None:
            return
        self.line = Line()
        door.waiting.append(self.line)
        held = [*self.work, *(ended.key for ended in self.unacked.values())]
        self.beats[0] = self.clock
        self.line.tell(
            Hello(self.uid, self.name, self.secret, 1, 1, "node", 1, held, attempt=self.key)
        )

    def turn(self) -> None:
        if self.is_over:
            return
        super().turn()
        if self.seen and not self.work and not self.unacked:
            self.leave(0)

    def end_some(self) -> None:
        if not self.is_over:
            super().end_some()

    def fence(self) -> None:
        """Its lease is over, or it was refused: it ends with all that it runs."""
        self.leave(1)

    def leave(self, code: int) -> None:
        if self.is_over:
            return
        self.world.note(f"-- pod {self.name} leaves with {code}")
        for key in list(self.work):
            self.world.truth.stop(key)
        self.work.clear()
        self.unacked.clear()
        self.hang_up()
        self.is_over, self.code = True, code

    def stop(self) -> None:
        """SIGTERM: it says how what it runs ended, and leaves when that is stored."""
        for key, work in list(self.work.items()):
            self.end(key, work, "lost", "stopped")
        if not self.unacked:
            self.leave(143)

    def runs(self) -> bool:
        return any(work.started_at is not None for work in self.work.values())
