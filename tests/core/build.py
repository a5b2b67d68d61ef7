"""Runs in memory for tests of the core: build one, let things happen to it, look at its states."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from headway.core import admission, plan
from headway.core.admission import Pool, Session, Share
from headway.core.gates import Gate
from headway.core.reports import Ended, Outcome, Started
from headway.core.run import NOT_MAPPED, Changes, Instance, Run
from headway.core.states import RunState
from headway.spec import compile, model

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLENTY = 1_000_000


def task(
    task_id: str, *upstream: str, over: Iterable[str | int] | None = None, **options: Any
) -> model.Task:
    """``over``: what each mapped argument maps over, a task's result or a literal's length."""
    mapping = None
    if over is not None:
        mapping = model.Mapping(axes=tuple(axis(n, source) for n, source in enumerate(over)))
        upstream = (*upstream, *(s for s in over if isinstance(s, str) and s not in upstream))
    return model.Task(task_id=task_id, upstream=tuple(sorted(upstream)), mapping=mapping, **options)


def axis(number: int, source: str | int) -> model.Axis:
    if isinstance(source, str):
        return model.Axis(argument=f"x{number}", task_id=source)
    return model.Axis(argument=f"x{number}", length=source)


def chain(length: int) -> list[model.Task]:
    return [task(f"t{n}", *([f"t{n - 1}"] if n else [])) for n in range(length)]


class Story:
    """One run, with pools and an agent of its own."""

    def __init__(self, *tasks: model.Task, backfill: bool = False, **options: Any) -> None:
        dag = model.Dag(dag_id="d", file="d.py", tasks=tasks, **options)
        self.run = Run(
            team_id=1,
            run_id="r",
            graph=compile.graph(dag),
            state=RunState.QUEUED,
            now=NOON,
            backfill=backfill,
        )
        self.run.gates = {node.index: Gate() for node in self.run.graph.gated()}
        self.pools = {"default": Pool("default", PLENTY, 0)}
        self.share: Share | None = None
        self.places = PLENTY
        self.tokens = count()

    # -- what a tick does

    def begin(self) -> "Story":
        plan.begin(self.run)
        return self.tick()

    def tick(self) -> "Story":
        """Settle, grant, write: as the scheduler does."""
        plan.settle(self.run)
        for name, slots in self.run.changes.released.items():
            self.pools[name].used -= slots
        session = Session("s1", "local", self.places - self.run.live)
        admission.grant([self.run], self.pools, [session], self.token, share=self.share)
        return self.write()

    def token(self) -> str:
        return f"token{next(self.tokens)}"

    def write(self) -> "Story":
        for instance in self.run.changes.touched.values():
            instance.stored = instance.state
        self.run.changes = Changes()
        return self

    def pass_time(self, seconds: float) -> "Story":
        self.run.now += timedelta(seconds=seconds)
        return self.tick()

    # -- what agents say

    def at(self, name: str) -> Instance:
        """``task`` or ``task[3]``."""
        task_id, _, index = name.partition("[")
        found = self.run.get(task_id, int(index[:-1]) if index else NOT_MAPPED)
        assert found is not None, f"there is no {name}: {self.states()}"
        return found

    def start(self, name: str, **values: Any) -> bool:
        instance = self.at(name)
        assert instance.attempt is not None, f"{name} has no live attempt"
        given = {"token": instance.attempt.token, "number": instance.attempts, "age_s": 0.0}
        key = {"task_id": instance.node.task_id, "map_index": instance.map_index}
        return plan.absorb(self.run, Started(**{**given, **key, **values}), lambda: 0.5)

    def end(self, name: str, outcome: Outcome = Outcome.SUCCESS, **values: Any) -> bool:
        """An end without the tick that follows."""
        instance = self.at(name)
        assert instance.attempt is not None, f"{name} has no live attempt: it is {instance.state}"
        given = {"token": instance.attempt.token, "number": instance.attempts, "outcome": outcome}
        key = {"task_id": instance.node.task_id, "map_index": instance.map_index}
        return plan.absorb(self.run, Ended(**{**given, **key, **values}), lambda: 0.5)

    def succeed(self, *names: str, **values: Any) -> "Story":
        for name in names:
            assert self.end(name, Outcome.SUCCESS, **values)
        return self.tick()

    def fail(self, *names: str, **values: Any) -> "Story":
        for name in names:
            assert self.end(name, Outcome.FAILED, **{"detail": "ValueError: no", **values})
        return self.tick()

    # -- what is to be seen

    def states(self) -> dict[str, str]:
        return {str(instance): instance.state.value for instance in self.run.all()}

    def state(self, name: str) -> str:
        return self.at(name).state.value

    def indexes(self, task_id: str) -> list[int]:
        return sorted(self.run.instances[self.run.graph.by_id[task_id]])

    def everything_counts(self) -> None:
        """The counts kept are those of the instances."""
        run = self.run
        assert run.open == sum(i.ended_at is None for i in run.all())
        assert run.live == sum(i.state in ("queued", "running") for i in run.all())
        assert run.ready == sum(i.state == "ready" for i in run.all())
        assert run.queues.ranked_total == sum(i.rank is not None for i in run.all())
        for node, by_index in enumerate(run.instances):
            found: dict[str, int] = {}
            for instance in by_index.values():
                found[instance.state] = found.get(instance.state, 0) + 1
            assert {s: n for s, n in run.counts[node].items() if n} == found
        for below in run.graph.nodes:
            kept, run.above[below.index] = run.above[below.index], None
            assert kept in (None, run.above_of(below))
