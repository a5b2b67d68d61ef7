"""EXE-12: tasks of eight hours, in the time of a world, while the control plane is replaced under them three times.

The first upgrade is in order and comes with a migration, the second is a crash, the third is in order again. Each time
a new scheduler is there before the old one goes, as in a rolling update. The attempts do not notice.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

import pytest
from msgspec.structs import replace

from headway.actions import commands
from headway.actions.commands import RunRequest
from headway.executors.kubernetes.settings import EXECUTOR
from headway.spec.model import Dag, Task
from headway.store.transact import connect, transact
from tests.scenarios.test_versions import migrate_to_the_future
from tests.simulation import agents
from tests.simulation.calm import TURN_S, lasting
from tests.simulation.dags import Deed, deed
from tests.simulation.people import TEAM, put
from tests.simulation.pod_process import PodProcess
from tests.simulation.pods import Pods
from tests.simulation.process import Process
from tests.simulation.world import Connections, World

HOUR_S: Final = 3600.0
UPGRADES: Final = (0.125, 0.5, 0.9)  # of the time that the tasks take
BESIDE_S: Final = 20.0  # both schedulers, and the new one before anybody looks
ROUND_S: Final = 4.0  # where nothing happens but heartbeats; else it is TURN_S
LONG: Final = ("nightly", "dump")  # in a pod, and with an agent
CHECK_EVERY: Final = 200


@pytest.fixture
def connections(postgres: str) -> Iterator[Connections]:
    with Connections.of_a_fresh_database(postgres) as connections:
        yield connections


@pytest.fixture
def takes_s(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """Return how long the long tasks take, and let them take so long."""
    takes_s = float(request.param)

    def long(task: Task, map_index: int) -> Deed:
        does = deed(task, map_index)
        return does._replace(seconds=takes_s) if task.task_id in LONG else does

    monkeypatch.setattr(agents, "deed", long)
    return takes_s


class Nights(Pods):
    def __init__(self, connections: Connections) -> None:
        super().__init__(0, connections)
        self.mischief = 0.0
        self.schedulers = [PodProcess(self, conn) for conn in connections.engines[:2]]
        self.processes = [*self.schedulers]

    def populate(self) -> None:
        self.observer.execute("INSERT INTO pool VALUES (1, 'default', 20)")
        tasks = (
            replace(lasting("before", 0.5), executor=EXECUTOR),
            replace(lasting("nightly", 0.0, "before"), executor=EXECUTOR),
            lasting("dump", 0.0, "before"),
            lasting("report", 0.5, "nightly", "dump"),
        )
        conn = self.connections.people[0]
        transact(conn, put, TEAM, Dag(dag_id="night", file="night.py", tasks=tasks), self)
        transact(conn, commands.trigger, TEAM, "night", [RunRequest(params={})], "user:ann")

    def outside_goes_on(self) -> None:
        self.cluster_turns()


def goes_on(world: World, up: Sequence[Process], until_s: float, round_s: float = ROUND_S) -> None:
    for number in count():
        if world.elapsed >= until_s:
            world.check()
            return
        world.pass_time(round_s)
        agents_go_on(world)
        for process in up:
            process.turn()
        agents_go_on(world)
        if number % CHECK_EVERY == 0:
            world.check()


def agents_go_on(world: World) -> None:
    world.outside_goes_on()
    for agent in list(world.agents):
        agent.turn()


def replaced(world: World, old: Process, new: Process, *, crashes: bool) -> None:
    """Put one scheduler in the place of another, under what runs."""
    new.start()
    goes_on(world, [old, new], world.elapsed + BESIDE_S, TURN_S)
    if crashes:
        old.die()
    else:
        old.end()


def attempts(world: World) -> list[tuple[str, int, str, str]]:
    """Return all attempts of the long tasks: what they are bound to, and their states."""
    return world.observer.execute(
        "SELECT task_id, number, session_id, state FROM attempt WHERE task_id = ANY (%s) ORDER BY 1, 2",
        [list(LONG)],
    ).fetchall()


@pytest.mark.parametrize(
    "takes_s",
    [
        pytest.param(0.5 * HOUR_S, marks=pytest.mark.long, id="half an hour"),
        # Some 7,500 rounds of a scheduler: a minute of one core.
        pytest.param(8 * HOUR_S, marks=pytest.mark.stress, id="8 hours"),
    ],
    indirect=True,
)
def test_tasks_of_eight_hours_outlive_three_upgrades(
    connections: Connections, takes_s: float
) -> None:
    world = Nights(connections)
    old, new = world.processes
    with world.patched():
        world.begin()
        goes_on(world, [old], 60.0, TURN_S)
        began = attempts(world)
        assert [(task, number, state) for task, number, _, state in began] == [
            ("dump", 1, "running"),
            ("nightly", 1, "running"),
        ]
        for number, part in enumerate(UPGRADES):
            goes_on(world, [old], part * takes_s)
            if number == 0:
                with connect(connections.dsn) as owner:
                    migrate_to_the_future(owner)
            replaced(world, old, new, crashes=number == 1)
            old, new = new, old
            goes_on(world, [old], world.elapsed + BESIDE_S, TURN_S)
            assert attempts(world) == began
        goes_on(world, [old], 0.94 * takes_s)
        assert attempts(world) == began
        goes_on(world, [old], 1.06 * takes_s)
        goes_on(world, [old], 1.06 * takes_s + 30.0, TURN_S)
        assert world.unfinished() == []
        world.compare()
        old.die()
    found = world.observer.execute("SELECT task_id, number, state FROM attempt ORDER BY 1, 2")
    each = ("before", "dump", "nightly", "report")
    assert found.fetchall() == [(task, 1, "success") for task in each]
    used = "SELECT sum(failures), sum(losses) FROM task_instance"
    assert world.observer.execute(used).fetchone() == (0, 0)
    ran_s = {key.task_id: ran_s for key, ran_s in world.truth.ran_s.items()}
    assert all(ran_s[task] >= takes_s for task in LONG)  # by the clocks of their nodes
