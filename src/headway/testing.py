"""Run a DAG inside a unit test: no server, no database, no other process, no waiting.

    def test_delays():
        result = run_dag(daily_delays, logical_date=datetime(2013, 1, 1, tzinfo=UTC))
        assert result.state == "success"
        assert result["carriers"].value == ["AA", "UA"]

What a task asks a person is answered by ``answers={"release": "Approve"}``. What it is deferred for otherwise is
there at once: time is skipped, and a run of another DAG is in the first of the states that it is waited for.

The scheduler's own core decides what runs, and every value goes through the encoding it would
travel in, so a result that cannot be stored fails here too.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from headway import clock
from headway.authoring.dag import DAG, DagFunction
from headway.authoring.exceptions import classes_of, exit_code_of
from headway.authoring.execute import Inputs, execute
from headway.authoring.params import carried
from headway.authoring.run import Deferral, Deferred, Fail, Resumption, Run, Skip
from headway.authoring.values import from_json, item_at, length_of, to_json
from headway.core import answering, mapping, plan
from headway.core.cron import instant
from headway.core.gates import Gate
from headway.core.partitions import BadKey
from headway.core.questions import Answer, Question, default_answer, flaw_of_options, question_of
from headway.core.reasons import Granted
from headway.core.reports import Ended, Found, Outcome, Report
from headway.core.run import Attempt, Instance
from headway.core.run import Run as Model
from headway.core.states import Event, RunState, State
from headway.core.timetable import interval
from headway.core.waits.deferral import Awaited, Overdue
from headway.core.waits.deferral import Deferral as Wait
from headway.core.wording import said
from headway.errors import UsageError
from headway.spec import compile, model
from headway.spec.errors import did_you_mean, listing
from headway.spec.params import check_form, check_params

RUN_ID: Final = "test"
Given = (
    str | Sequence[str] | Mapping[str, object] | tuple[str | Sequence[str], Mapping[str, object]]
)
# Of a mapped task's instances, the first of these that occurs is the task's.
WORST: Final = [state for state in State if state.is_final]


@dataclass(frozen=True, slots=True)
class InstanceResult:
    map_index: int  # -1: not mapped
    state: State
    value: Any
    error: BaseException | None
    attempts: int


@dataclass(frozen=True, slots=True)
class TaskResult:
    """``value`` of a task; ``values`` of a mapped one, in the order of its items."""

    task_id: str
    instances: tuple[InstanceResult, ...]

    @property
    def state(self) -> State:
        states = {instance.state for instance in self.instances}
        return next(state for state in WORST if state in states)

    @property
    def values(self) -> list[Any]:
        """The results of successful instances that returned something, as a downstream task receives them."""
        return [i.value for i in self.instances if i.state is State.SUCCESS and i.value is not None]

    @property
    def value(self) -> Any:
        if len(self.instances) == 1 and self.instances[0].map_index < 0:
            return self.instances[0].value
        raise UsageError(f"{self.task_id} is mapped; use .values")

    @property
    def error(self) -> BaseException | None:
        return next((i.error for i in self.instances if i.error is not None), None)

    @property
    def attempts(self) -> int:
        return sum(instance.attempts for instance in self.instances)


@dataclass(frozen=True, slots=True)
class RunResult:
    state: RunState
    reason: str
    tasks: Mapping[str, TaskResult]

    def __getitem__(self, task_id: str) -> TaskResult:
        if task_id not in self.tasks:
            raise no_task(task_id, self.tasks)
        return self.tasks[task_id]

    def __repr__(self) -> str:
        lines = [f"<run {self.state}: {self.reason}>"]
        for task in self.tasks.values():
            error = f" {type(task.error).__name__}: {task.error}" if task.error else ""
            lines.append(f"  {task.task_id}: {task.state}{error}")
        return "\n".join(lines)


def run_dag(
    dag: DAG | DagFunction,
    *,
    logical_date: datetime | None = None,
    partition: str | None = None,
    params: Mapping[str, object] | None = None,
    tasks: Iterable[str] | None = None,
    answers: Mapping[str, Given] | None = None,
) -> RunResult:
    """Run ``dag`` to its end; with ``tasks``, only those and what they wait for.

    ``answers``: by task id, or ``task[0]`` of a mapped one: an option, a list of options, a dict of values, or a tuple
    of both. A question without an answer takes its defaults when its time is over; without them it is an error.

    ``logical_date`` is the start date, or now, if it is not given; ``partition`` is the key of the data that the run is
    about. Raises UsageError for a wrong DAG, parameter, partition or task; what tasks raise is in the result.
    """
    made = dag.make_itself() if isinstance(dag, DagFunction) else dag
    spec = made.spec(Path(made.site.file).name)
    if tasks is not None:
        spec = only(spec, tasks)
    at = logical_date or spec.start_date or clock.now()
    at = at.astimezone(UTC) if at.tzinfo else instant(at, spec.zone)
    given = {name: carried(name, value, made.site) for name, value in (params or {}).items()}
    span = interval_of(spec, at, partition)
    checked = check_params(spec, given)
    return Bench(made, spec, at, span, partition, checked, dict(answers or {})).run()


def interval_of(spec: model.Dag, at: datetime, partition: str | None) -> tuple[datetime, datetime]:
    try:
        return interval(compile.schedule(spec, at), at, partition)
    except BadKey as error:
        raise UsageError(f"the DAG has no such partition: {error}") from None


def only(spec: model.Dag, wanted: Iterable[str]) -> model.Dag:
    by_id = {task.task_id: task for task in spec.tasks}
    keep: set[str] = set()
    stack = list(wanted)
    while stack:
        task_id = stack.pop()
        if task_id not in by_id:
            raise no_task(task_id, by_id)
        if task_id not in keep:
            keep.add(task_id)
            stack += by_id[task_id].upstream
            stack += [loop.gate for loop in spec.loops if loop.path == by_id[task_id].loop]
    kept = tuple(task for task in spec.tasks if task.task_id in keep)
    loops = tuple(loop for loop in spec.loops if loop.gate in keep)
    return msgspec.structs.replace(spec, tasks=kept, loops=loops)


def no_task(task_id: str, known: Iterable[str]) -> UsageError:
    return UsageError(f'the DAG has no task "{task_id}"', hint=did_you_mean(task_id, known))


@dataclass(slots=True)
class Bench:
    """One run in this process: the scheduler, the store and the agent in one."""

    dag: DAG
    spec: model.Dag
    at: datetime
    interval: tuple[datetime, datetime]
    partition: str | None
    params: Mapping[str, Any]
    answers: Mapping[str, Given] = field(default_factory=dict)
    stored: dict[tuple[str, str], dict[int, bytes]] = field(default_factory=dict)
    errors: dict[tuple[str, int], BaseException] = field(default_factory=dict)

    def run(self) -> RunResult:
        # Time stands still, so that neither a retry's delay nor dagrun_timeout takes part.
        graph = replace(compile.graph(self.spec), timeout_s=None)
        state = RunState.QUEUED
        run = Model(team_id=0, run_id=RUN_ID, graph=graph, state=state, now=self.at)
        run.gates = {node.index: Gate() for node in graph.gated()}  # there are no other runs
        plan.begin(run)
        plan.settle(run)
        while run.state is RunState.RUNNING:
            instance = first_ready(run)
            if instance is not None:
                plan.absorb(run, self.attempt(run, instance), lambda: 0.0)
            elif self.answered(run):
                pass
            elif (report := self.found(run)) is not None:
                plan.absorb(run, report, lambda: 0.0)
            else:
                assert run.due_at is not None, (
                    "the run is stuck: no task is ready and none is running"
                )
                run.now = run.due_at
            plan.settle(run)
            self.keep(run)
        return self.result(run)

    def attempt(self, run: Model, instance: Instance) -> Ended:
        if instance.attempt is not None:
            attempt = run.resume(instance, "token", "test")
        else:
            attempt = Attempt(instance.attempts + 1, "token", "test", run.now)
        run.move(instance, Event.GRANT, Granted(instance.node.pool, "test"), attempt=attempt)
        ended = Ended(
            task_id=instance.node.task_id,
            map_index=instance.map_index,
            number=instance.attempts,
            token="token",
            outcome=Outcome.SUCCESS,
        )
        key = (instance.node.task_id, instance.map_index)
        self.errors.pop(key, None)
        try:
            return replace(ended, **self.execute(run, instance))
        except KeyboardInterrupt:
            raise
        except Skip as skip:
            return replace(ended, outcome=Outcome.SKIPPED, detail=str(skip))
        except Deferred as deferred:
            wait = wait_of(deferred.deferral)
            return replace(ended, outcome=Outcome.DEFERRED, deferral=wait)
        except BaseException as error:  # a task may raise anything, also SystemExit
            self.errors[key] = error
            detail = f"{type(error).__name__}: {error}"
            return replace(
                ended,
                outcome=Outcome.FAILED,
                cause="exit_code" if isinstance(error, SystemExit) else "exception",
                detail=detail,
                retry=not isinstance(error, Fail),
                exceptions=tuple(classes_of(error)),
                exit_code=exit_code_of(error),
            )

    def execute(self, run: Model, instance: Instance) -> dict[str, Any]:
        """Execute a task instance. Returns the report that an agent would send."""
        task_id = instance.node.task_id
        context = self.context(instance, resumption(run, instance.attempt))
        result = execute(self.dag, task_id, context, self.inputs(run, instance))
        encoded = {key: to_json(value) for key, value in result.xcoms.items()}
        for key, data in encoded.items():
            self.stored.setdefault((task_id, key), {})[instance.map_index] = data
        return {
            "follow": None if result.follow is None else frozenset(result.follow),
            "length": length_of(result.value),
            "item": model.RESULT_KEY in encoded,
        }

    def context(self, instance: Instance, resumed: Resumption | None) -> Run:
        return Run(
            run_id=RUN_ID,
            dag_id=self.spec.dag_id,
            task_id=instance.node.task_id,
            map_index=instance.map_index,
            try_number=instance.attempts,
            max_tries=instance.node.retry.most + 1,
            logical_date=self.at,
            data_interval=self.interval,
            partition=self.partition,
            params=self.params,
            resumed=resumed,
        )

    def answered(self, run: Model) -> bool:
        """Give the first answer that is there. Raises UsageError for a question that nobody will answer."""
        for instance in run.asleep.values():
            wait = answering.open_question(instance)
            if wait is None:
                continue
            question = question_of(wait.facts)
            given = self.answers.get(str(instance), self.answers.get(instance.node.task_id))
            if given is not None:
                answer = answer_of(instance.node.task_id, question, given, run.now)
                answering.take(run, instance, answer)
                self.keep(run)
                return True
            if wait.ends_at is None or default_answer(question, run.now, "") is None:
                raise UsageError(
                    f'"{instance}" asks a person: {question.subject}',
                    hint=f'give an answer: run_dag(…, answers={{"{instance}": {question.options[0]!r}}})',
                )
        return False

    def keep(self, run: Model) -> None:
        """Store the results that answers left."""
        for given in run.changes.given:
            for key, value in given.values.items():
                place = self.stored.setdefault((given.instance.node.task_id, key), {})
                place[given.instance.map_index] = to_json(value)
        run.changes.given.clear()

    def found(self, run: Model) -> Report | None:
        """Return that the first thing that is waited for, and that no clock ends, is there."""
        for instance in run.asleep.values():
            attempt = instance.attempt
            wait = None if attempt is None else attempt.deferral
            if attempt is None or wait is None or wait.kind in (Awaited.TIME, Awaited.ANSWER):
                continue
            task_id, index = instance.node.task_id, instance.map_index
            if wait.kind is Awaited.TRIGGER:
                return self.triggered(instance, attempt, wait)
            there = found_of(wait, run.now)
            found = to_json(there)
            if wait.finishes:
                self.stored.setdefault((task_id, model.RESULT_KEY), {})[index] = found
            return Found(
                task_id=task_id,
                map_index=index,
                number=attempt.number,
                deferrals=attempt.deferrals,
                found=found.decode(),
                xcom=found,
                length=len(there),
            )
        return None

    def triggered(self, instance: Instance, attempt: Attempt, wait: Wait) -> Found | None:
        """Return what a trigger finds, or that it raised. It is called, and time between looks passes."""
        import asyncio  # no other wait needs it

        from headway.authoring import looking

        facts = msgspec.convert(wait.facts, looking.Facts)
        limit_s = float("inf") if wait.timeout_s is None else wait.timeout_s
        dags = {self.dag.dag_id: self.dag}
        given = looking.Given(facts, self.context(instance, None), dags, limit_s)
        found = Found(
            task_id=instance.node.task_id,
            map_index=instance.map_index,
            number=attempt.number,
            deferrals=attempt.deferrals,
        )

        async def work() -> object:
            return await asyncio.wait_for(looking.awaited(given), wait.timeout_s)

        try:
            return replace(found, found=to_json(asyncio.run(work())).decode())
        except TimeoutError:  # the clock ends it
            return None
        except Exception as error:
            self.errors[instance.node.task_id, instance.map_index] = error
            return replace(found, error=f"{type(error).__name__}: {error}")

    def inputs(self, run: Model, instance: Instance) -> Inputs:
        task = self.spec.tasks[instance.node.index]
        whole = {
            (wanted.task_id, wanted.key): value
            for wanted in task.inputs
            for value in self.received(run, instance, wanted)
        }
        positions = mapping.positions(run, instance)
        axes = task.mapping.axes if task.mapping else ()
        lists = [leaf for axis in axes for leaf in axis.leaves()]
        items = [
            None
            if leaf.task_id is None or position < 0
            else item_at(self.read(leaf.task_id, leaf.key), position)
            for leaf, position in zip(lists, positions, strict=True)
        ]
        return Inputs(whole, positions, items, self.previous(instance))

    def previous(self, instance: Instance) -> Callable[[], object] | None:
        """Return what reads the result of the iteration before, if there was one."""
        loop = instance.node.loop
        if loop is None or instance.map_index == 0:
            return None
        by_index = self.stored.get((self.spec.tasks[loop.result].task_id, model.RESULT_KEY), {})
        data = by_index.get(instance.map_index - 1)
        return None if data is None else lambda: from_json(data)

    def received(self, run: Model, instance: Instance, wanted: model.Input) -> list[object]:
        """Return the value of an input, if there is one. In a mapped group it is that of the own index."""
        by_index = self.stored.get((wanted.task_id, wanted.key), {})
        if run.graph.by_id[wanted.task_id] not in instance.node.peers:
            return [self.read(wanted.task_id, wanted.key)] if by_index else []
        data = by_index.get(instance.map_index)
        return [] if data is None else [from_json(data)]

    def read(self, task_id: str, key: str) -> object:
        by_index = self.stored[task_id, key]
        if -1 in by_index:
            return from_json(by_index[-1])
        return [from_json(by_index[index]) for index in sorted(by_index)]

    def result(self, run: Model) -> RunResult:
        tasks = {
            node.task_id: TaskResult(
                node.task_id,
                tuple(
                    self.instance_result(instance)
                    for _, instance in sorted(run.instances[node.index].items())
                ),
            )
            for node in run.graph.nodes
        }
        return RunResult(run.state, said(run.reason) if run.reason else "", tasks)

    def instance_result(self, instance: Instance) -> InstanceResult:
        key = (instance.node.task_id, instance.map_index)
        data = self.stored.get((key[0], model.RESULT_KEY), {}).get(key[1])
        value = None if data is None else from_json(data)
        return InstanceResult(
            key[1], instance.state, value, self.errors.get(key), instance.attempts
        )


def answer_of(task_id: str, question: Question, given: Given, at: datetime) -> Answer:
    """Return an answer as a person would give it. Raises UsageError for one that does not fit."""
    both: Any = given
    if isinstance(given, Mapping):
        both = (question.options if len(question.options) == 1 else (), given)
    elif not isinstance(given, tuple):
        both = (given, {})
    options, values = both
    chosen = [options] if isinstance(options, str) else list(options)
    if (flaw := flaw_of_options(question, chosen)) is not None:
        raise UsageError(
            f'the answer of "{task_id}": {flaw}',
            hint=f"the options are {listing(question.options)}",
        )
    form = msgspec.convert(question.params, list[model.Param])
    params = check_form(f"the question of {task_id}", form, values)
    return Answer(chosen=tuple(chosen), params=params, by="user:test", at=at)


def found_of(wait: Wait, at: datetime) -> dict[str, object]:
    """Return what the scheduler would find: in a test it is there."""
    facts: Any = wait.facts
    if wait.kind is Awaited.RUN:
        return {"dag_id": facts["dag"], "run_id": RUN_ID, "state": facts["states"][0]}
    partition, date = facts.get("partition"), at.isoformat()
    return {"asset": facts["asset"], "partition": partition, "at": date, "extra": {}}


def wait_of(given: Deferral) -> Wait:
    """Return what the scheduler would be told of a wait."""
    return Wait(
        kind=Awaited(given.kind),
        facts=given.facts,
        until=given.until,
        delay_s=given.delay_s,
        timeout_s=given.timeout_s,
        overdue=Overdue(given.overdue),
        method=given.method,
        kwargs=None if given.kwargs is None else given.kwargs.decode(),
        reschedules=given.reschedules,
        finishes=given.finishes,
    )


def resumption(run: Model, attempt: Attempt | None) -> Resumption | None:
    if attempt is None or attempt.deferral is None:
        return None
    wait = attempt.deferral
    kwargs: Any = {} if wait.kwargs is None else from_json(wait.kwargs)
    found = None if wait.found is None else from_json(wait.found)
    began = attempt.started_at or run.now
    elapsed_s = (run.now - began).total_seconds()
    return Resumption(wait.method, kwargs, found, wait.timed_out, elapsed_s)


def first_ready(run: Model) -> Instance | None:
    """Return the first ready instance by rank over all pools, which have room for everything here."""
    queues = run.queues
    heads = [head for line in queues.by_need if (head := queues.first(*line)) is not None]
    return min(heads, key=lambda head: (head.rank, head.key), default=None)
