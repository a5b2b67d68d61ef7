"""Callbacks of a DAG file: what the spec has of them, and how one is called."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headway import DAG, Asset, PartitionedAssets, Run, StartOfHourMapper, dag, task
from headway.authoring.callbacks import Companion, with_companions
from headway.authoring.execute import Inputs
from headway.authoring.loading import load_file
from headway.authoring.run import Fail
from headway.frontends.python import FRONT_END
from headway.spec import callbacks as spec_callbacks
from headway.spec.errors import BadSpec
from headway.testing import run_dag

AT = datetime(2026, 1, 31, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[2] / "examples" / "callbacks" / "alerts.py"


def companion_run(when: str, task_id: str | None, **more: Any) -> Run:
    facts = {
        "key": "callback:7:0",
        "when": when,
        "index": 0,
        "dag_id": "flow",
        "run_id": "r1",
        "task_id": task_id,
        "map_index": -1,
        "try_number": 2,
        "state": "failed",
        "reason": "attempt 2 failed: ValueError: no",
        "actor": "scheduler",
        "at": AT.isoformat(),
        "trigger": "schedule",
        "params": {"n": 3},
        **more,
    }
    return Run(
        run_id="c1",
        dag_id="flow.callbacks",
        task_id="call",
        logical_date=AT,
        data_interval=(AT, AT),
        params={"callback": facts},
    )


def call(made: DAG, run: Run) -> None:
    Companion(made).execute("call", run, Inputs())


def test_a_callback_gets_the_context_or_what_it_asks_for_by_name() -> None:
    told: list[Any] = []

    def with_context(context: dict[str, Any]) -> None:
        names = ("task_id", "run_id", "ds", "try_number", "exception", "reason", "key", "when")
        told.append([context[name] for name in names])

    def by_name(run: Run, key: str, reason: str) -> None:
        told.append([run.task_id, run.params.n, key, reason])

    async def later(context: dict[str, Any]) -> None:
        told.append(context["run"].dag_id)

    def nothing() -> None:
        told.append("called")

    @dag
    def flow() -> None:
        @task(on_failure_callback=[with_context, by_name, later, nothing])
        def work() -> None: ...

        work()

    made = flow()
    for index in range(4):
        call(made, companion_run("failure", "work", index=index))
    reason = "attempt 2 failed: ValueError: no"
    assert told == [
        ["work", "r1", "2026-01-31", 2, reason, reason, "callback:7:0", "failure"],
        ["work", 3, "callback:7:0", reason],
        "flow",
        "called",
    ]


def test_the_spec_counts_functions_and_has_a_companion() -> None:
    def tell(context: dict[str, Any]) -> None: ...

    @dag(on_failure_callback=tell, default_args={"on_retry_callback": [tell, tell]})
    def flow() -> None:
        @task(on_success_callback=tell, on_execute_callback=tell)
        def first() -> None: ...

        @task(on_retry_callback=None)
        def second() -> None: ...

        first()
        second()

    spec = flow().spec("flow.py")
    assert spec.callbacks == {"failure": 1}
    assert {each.task_id: each.callbacks for each in spec.tasks} == {
        "first": {"retry": 2, "success": 1},
        "second": {},
    }
    assert set(with_companions([flow()])) == {"flow", "flow.callbacks"}


def test_on_execute_is_called_before_the_task_and_hurts_nobody(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def note(context: dict[str, Any]) -> None:
        print("before", context["task_id"])

    def broken(context: dict[str, Any]) -> None:
        raise ValueError("no")

    @dag
    def flow() -> None:
        @task(on_execute_callback=[broken, note])
        def work() -> str:
            print("work")
            return "done"

        work()

    assert run_dag(flow)["work"].value == "done"
    said = capsys.readouterr()
    assert said.out.splitlines() == ["before work", "work"]
    assert "on_execute_callback broken failed" in said.err
    assert "ValueError: no" in said.err


@pytest.mark.parametrize(("when", "task_id"), [("failure", "gone"), ("success", "work")])
def test_a_function_that_is_gone_is_told(when: str, task_id: str) -> None:
    @dag
    def flow() -> None:
        @task
        def work() -> None: ...

        work()

    with pytest.raises(Fail, match=f"{task_id} has no such on_{when}_callback any more"):
        call(flow(), companion_run(when, task_id))
    bare = Run(
        run_id="c", dag_id="flow.callbacks", task_id="call", logical_date=AT, data_interval=(AT, AT)
    )
    with pytest.raises(Fail, match="are made by events of flow only"):
        call(flow(), bare)


CLICKS = Asset("clicks")
HOURS = PartitionedAssets(CLICKS, StartOfHourMapper(), due=timedelta(hours=2))


def test_a_callback_is_told_of_an_overdue_partition() -> None:
    told: list[Any] = []

    def by_name(run: Run, reason: str, due_at: datetime) -> None:
        told.append([run.dag_id, run.run_id, run.partition, reason, due_at])

    def with_context(context: dict[str, Any]) -> None:
        told.append([context["partition_key"], context["when"], context["exception"]])

    @dag(schedule=HOURS, on_overdue_callback=[by_name, with_context])
    def flow() -> None:
        @task
        def work() -> None: ...

        work()

    made = flow()
    assert made.spec("flow.py").callbacks == {"overdue": 2}
    facts = {"run_id": None, "partition": "2026-01-31T05", "due_at": AT.isoformat()}
    for index in range(2):
        call(made, companion_run("overdue", None, index=index, **facts))
    assert told == [
        ["flow", "", "2026-01-31T05", "attempt 2 failed: ValueError: no", AT],
        ["2026-01-31T05", "overdue", None],
    ]


@pytest.mark.parametrize(
    "schedule", [None, "@daily", CLICKS, PartitionedAssets(CLICKS, StartOfHourMapper())]
)
def test_nothing_is_overdue_that_is_not_due(schedule: Any) -> None:
    @dag(schedule=schedule, on_overdue_callback=print)
    def flow() -> None:
        @task
        def work() -> None: ...

        work()

    with pytest.raises(BadSpec, match="no partition of this DAG is due by a time") as error:
        spec_callbacks.with_companions([flow().spec("flow.py")])
    assert "due=timedelta(hours=2)" in str(error.value.hint)


def test_on_overdue_is_an_option_of_dags_only() -> None:
    with pytest.raises(BadSpec, match='no option "on_overdue_callback"'):
        task(on_overdue_callback=print)(lambda: None)  # type: ignore[call-overload]


def test_what_is_not_a_function_is_refused() -> None:
    told = "on_failure_callback must be a function or a list of functions"
    with pytest.raises(BadSpec, match=told):
        DAG("flow", on_failure_callback="mail")  # type: ignore[arg-type]


def test_the_example_loads_with_its_companion(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loaded = FRONT_END.load(EXAMPLE.parent, "alerts.py")
    assert [each.dag_id for each in loaded.dags] == ["alerts", "alerts.callbacks"]
    (made,) = load_file(EXAMPLE, EXAMPLE.parent)
    call(made, companion_run("failure", "load", dag_id="alerts", params={}))
    assert "load of run r1 failed" in capsys.readouterr().out
