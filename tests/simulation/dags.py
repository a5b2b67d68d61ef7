"""Random DAGs, and what their tasks do: a task's end depends on its name alone, so that the same
run ends the same way whatever happens to the machines.
"""

import zlib
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from msgspec.structs import replace

from headway.agent.protocol import AssetEvent
from headway.core.upstream import TriggerRule
from headway.spec.model import Axis, Dag, Input, Mapping, Task

POOLS: Final = ("default", "a", "b")
RULES: Final = [rule for rule in TriggerRule if rule is not TriggerRule.ALL_SUCCESS]
FAR: Final = "its branches choose what is further down, too"
DELAYS_S: Final = (0.0, 1.0, 30.0, 1e7)


class Deed(NamedTuple):
    """What the user's code of a task instance does, each time."""

    failures: int  # so often it fails before it does the rest; 99: always
    outcome: str  # success, skipped, failed (for good)
    length: int | None
    seconds: float


LOOP_GATE = "loop_gate"


def deed(task: Task, map_index: int) -> Deed:
    chance = Random(zlib.crc32(f"{task.task_id}/{task.doc}/{map_index}".encode()))
    draw = chance.random()
    failures = 0 if draw < 0.75 else 1 if draw < 0.87 else 99
    draw = chance.random()
    outcome = "success" if draw < 0.88 else "skipped" if draw < 0.95 else "failed"
    length = chance.choice([0, 1, 2, 3]) if chance.random() < 0.9 else None
    return Deed(failures, outcome, length, chance.choice([0.0, 0.0, 0.5, 3.0, 12.0]))


def no_wait(*_: object) -> None:
    """What the user's code waits for before it goes on: nothing (in ``waits`` something)."""


def brings(task: Task, map_index: int) -> bool:
    """Whether a mapped instance returns something; what returns None is in nobody's list."""
    return task.mapping is None or draw(task, map_index, "brings") % 4 > 0


def follow(dag: Dag, task: Task, map_index: int, mood: str = "") -> list[str]:
    """The choice of a branch or of a loop's gate; in another mood another one."""
    if task.kind == LOOP_GATE:
        first = next(each.task_id for each in dag.tasks if each.loop == task.loop)
        return [first] if draw(task, map_index, f"again{mood}") % 8 else []
    below = [other.task_id for other in dag.tasks if task.task_id in other.upstream]
    if dag.description == FAR:
        for other in dag.tasks:  # upstream first
            if other.task_id not in below and set(below) & set(other.upstream):
                below.insert(0, other.task_id)
    which = task.doc if map_index < 0 and not mood else f"{task.doc}/{map_index}/{mood}"
    return below[: zlib.crc32(which.encode()) % (len(below) + 1)]


def length_in(task: Task, map_index: int, mood: str) -> int | None:
    """Of the result, where a clear may have brought another mood."""
    return draw(task, map_index, mood) % 4 if mood else deed(task, map_index).length


def told_of(task: Task, map_index: int) -> list[AssetEvent]:
    """What it says of its outlets: nothing, or some partitions of them."""
    count = (0, 0, 1, 2)[draw(task, map_index, "partitions") % 4] if task.outlets else 0
    return [AssetEvent(asset, b"{}", f"p{n}") for asset in task.outlets for n in range(count)]


def draw(task: Task, map_index: int, what: str) -> int:
    """Chance that takes nothing from the world's."""
    return zlib.crc32(f"{task.task_id}/{task.doc}/{map_index}/{what}".encode())


def random_dag(chance: Random, dag_id: str, now: datetime) -> Dag:
    flavour = f"{chance.randrange(1 << 30)}"
    tasks: list[Task] = []
    for index in range(chance.choice([1, 2, 2, 3, 3, 4, 4, 5, 6, 12])):
        tasks.append(random_task(chance, index, tasks, flavour))
    schedule = None
    if chance.random() < 0.3:
        schedule = {"interval_s": chance.choice([60.0, 600.0])}
    made = Dag(
        dag_id=dag_id,
        file=f"{dag_id}.py",
        tasks=tuple(tasks),
        schedule=schedule,
        start_date=now - timedelta(seconds=chance.choice([0, 100, 200])) if schedule else None,
        catchup=chance.random() < 0.5,
        max_active_runs=chance.choice([1, 1, 2, 16]),
        max_active_tasks=chance.choice([None, None, 1, 3]),
        dagrun_timeout_s=chance.choice([None, None, None, 40.0, 300.0]),
    )
    return with_watchers(made)


def with_queues(dag: Dag) -> Dag:
    """The same DAG, where some tasks need a queue. Takes nothing from the world's chance."""
    tasks = [
        replace(task, queue="gpu") if draw(task, -1, "queue") % 3 == 0 else task
        for task in dag.tasks
    ]
    return replace(dag, tasks=tuple(tasks))


def random_task(chance: Random, index: int, before: list[Task], flavour: str) -> Task:
    upstream = tuple(task.task_id for task in before if chance.random() < 1.5 / (len(before) + 1))
    rule = TriggerRule.ALL_SUCCESS if chance.random() < 0.6 else chance.choice(RULES)
    mapping = random_mapping(chance, upstream) if chance.random() < 0.3 else None
    reads = tuple(Input(task_id=name) for name in upstream if chance.random() < 0.3)
    made = Task(
        task_id=f"t{index}",
        upstream=upstream,
        trigger_rule=rule.value,
        retries=chance.choice([0, 0, 1, 2]),
        retry_delay_s=chance.choice(DELAYS_S) if chance.random() < 0.3 else 1.0,
        retry_exponential_backoff=chance.random() < 0.2,
        pool=chance.choice(POOLS),
        pool_slots=2 if chance.random() < 0.15 else 1,
        priority_weight=chance.choice([1, 1, 1, 5, -3]),
        max_active_tis_per_dagrun=1 if chance.random() < 0.1 else None,
        inputs=reads,
        mapping=mapping,
        branch=chance.random() < 0.15
        if mapping is None
        else zlib.crc32(f"{flavour}/{index}".encode()) % 5 == 0,
        doc=flavour,
    )
    return gated(made)


def with_watchers(dag: Dag) -> Dag:
    """The same DAG, where some tasks do not decide the outcome. Takes nothing from the world's chance."""
    tasks = [
        replace(task, decides_outcome=place == 0 or draw(task, -1, "decides") % 5 > 0)
        for place, task in enumerate(dag.tasks)
    ]
    return replace(dag, tasks=tuple(tasks))


def gated(task: Task) -> Task:
    """The same task, where a third of the branches skip all below. Takes nothing from the world's chance."""
    return replace(task, skips_all_below=task.branch and draw(task, -1, "gate") % 3 == 0)


def random_mapping(chance: Random, upstream: tuple[str, ...]) -> Mapping:
    axes = []
    for number in range(chance.choice([1, 1, 1, 2])):
        if upstream and chance.random() < 0.7:
            axes.append(Axis(argument=f"x{number}", task_id=chance.choice(upstream)))
        else:
            axes.append(Axis(argument=f"x{number}", length=chance.choice([0, 1, 2, 3])))
    return Mapping(axes=tuple(axes))
