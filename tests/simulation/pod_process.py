"""A scheduler whose second executor runs pods: the real one, whose thread is a loop in the time of the world."""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from headway.executors.agents.gateway import Gateway
from headway.executors.base import Open
from headway.executors.kubernetes import cluster, executor
from headway.executors.kubernetes.executor import Pods as Executor
from tests.simulation.line import Listener
from tests.simulation.process import Process
from tests.simulation.road import Road
from tests.simulation.virtual import Paced

if TYPE_CHECKING:
    from tests.simulation.pods import Pods

ROUNDS_MAX: Final = 500  # of answers that lead to requests, in one moment
DOOR: Final = "pods:"


class PodProcess(Process):
    def __init__(self, world: "Pods", conn: Any) -> None:
        super().__init__(conn, world.note)
        self.world = world
        self.door = Listener()
        self.road: Road | None = None
        self.pace: Paced | None = None

    def start(self) -> None:
        self.door = Listener()
        self.road, self.pace = Road(self.world), Paced(self.world)
        super().start()

    def instead(self) -> list[tuple[Any, str, Any]]:
        assert self.road is not None
        return [
            *super().instead(),
            (executor, "client_of", self.road.client),
            (cluster, "Background", lambda _: self.pace),
        ]

    def listen(self, address: str) -> Listener:
        return self.door if address == DOOR else self.listener

    def executors(self) -> list[Open]:
        return [*super().executors(), partial(Executor, settings=self.world.settings, data="")]

    def executor(self) -> Executor:
        assert self.scheduler is not None
        found = self.scheduler.executors[1]
        assert isinstance(found, Executor)
        return found

    def gateways(self) -> list[Gateway]:
        return [*super().gateways(), self.executor().agents.gateway]

    def turn(self) -> None:
        self.go_on()
        super().turn()
        self.go_on()

    def go_on(self) -> None:
        """Let its loop and the API server talk until neither has anything to say."""
        if self.pace is None:
            return
        for _ in range(ROUNDS_MAX):
            self.pace.go_on()
            if not self.world.api.turn():
                return
        raise AssertionError("S7 requests to the API server without end")

    def die(self) -> None:
        if self.scheduler is not None:
            found = self.executor()
            found.bell.close()
            found.ringer.close()
            for line in self.door.waiting:
                line.close()
        super().die()
        self.leave()

    def end(self) -> None:
        super().end()
        self.leave()

    def leave(self) -> None:
        if self.pace is not None and self.road is not None:
            self.world.api.drop(self.road)
            self.pace.die()
            self.pace = self.road = None
