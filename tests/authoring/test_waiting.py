"""Tasks that end their process and go on in another one: with a function, or from the top."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from headway import (
    Asset,
    AssetUpdated,
    DateTime,
    Fail,
    FileExists,
    HttpReady,
    Run,
    RunEnd,
    Skip,
    TimeDelta,
    Trigger,
    aconnection,
    avariable,
    connection,
    dag,
    defer,
    get_current_context,
    sleep_until,
    task,
    wait_for_asset,
    wait_for_run,
)
from headway.authoring.execute import Inputs, execute
from headway.authoring.run import Deferral, Deferred, entered
from headway.authoring.secrets import SecretNotFound
from headway.testing import RunResult, run_dag
from tests.authoring.files import load, mistake

AT = datetime(2026, 1, 2, tzinfo=UTC)
CALLS: list[object] = []


def finish(found: object, job: int, at: datetime, run: Run) -> object:
    return [found, job, at, run.try_number]


def outcome(function: Any) -> RunResult:
    @dag
    def flow() -> None:
        task(function)()

    return run_dag(flow, logical_date=AT)


def test_a_function_goes_on_with_its_arguments() -> None:
    def start() -> None:
        defer(TimeDelta(hours=1), then=finish, job=7, at=AT)

    result = outcome(start)["start"]
    assert (result.state, result.value, result.attempts) == ("success", [None, 7, AT, 1], 1)


def test_from_the_top_a_task_sees_what_was_found() -> None:
    def start(run: Run) -> object:
        CALLS.append(run.found)
        if run.found is None:
            defer(RunEnd("other", states=["success", "failed"]))
        return get_current_context()["run"].found  # type: ignore[attr-defined]

    CALLS.clear()
    assert outcome(start)["start"].value == {
        "dag_id": "other",
        "run_id": "test",
        "state": "success",
    }
    assert len(CALLS) == 2


def test_no_except_of_a_task_catches_it() -> None:
    def start(run: Run) -> str:
        try:
            if run.resumed is None:
                defer(DateTime(AT))
        except Exception:
            return "caught"
        return "gone on"

    assert outcome(start)["start"].value == "gone on"


def test_operators_wait_and_no_process_ends_them() -> None:
    @dag
    def flow() -> None:
        @task
        def says(brought: Any) -> str:
            return str(brought["state"])

        sleep_until(task_id="later", at="{{ ts }}")
        sleep_until(task_id="pause", delta=timedelta(minutes=5))
        other = wait_for_run(task_id="other", dag_id="flights", offset=timedelta(days=1))
        says(other.output)

    result = run_dag(flow, logical_date=AT)
    assert result.state == "success"
    assert result["says"].value == "success"
    assert [result[name].attempts for name in ("later", "pause", "other")] == [1, 1, 1]


def test_an_asset_that_is_waited_for_is_an_inlet() -> None:
    orders = Asset("orders", uri="s3://shop/orders")

    @dag
    def flow() -> None:
        @task
        def says(brought: Any) -> str:
            return f"{brought['asset']} {brought['partition']}"

        day = wait_for_asset("day", asset=orders, partition="{{ ds }}", inlets=Asset("rates"))
        says(day.output)
        wait_for_asset("any", asset="@shop/orders", since=timedelta(hours=-1))

    result = run_dag(flow, logical_date=AT)
    assert result["says"].value == "orders 2026-01-02"
    spec = flow().spec("flow.py")
    inlets = {each.task_id: each.inlets for each in spec.tasks}
    assert inlets == {"says": (), "day": ("rates", "orders"), "any": ("@shop/orders",)}
    assert [each.uri for each in spec.assets if each.name == "orders"] == ["s3://shop/orders"]


def test_since_when_an_event_of_an_asset_counts() -> None:
    def asked(**given: Any) -> object:
        return waiting(lambda run: defer(AssetUpdated(**given))).facts

    assert asked(asset="a") == {"asset": "a", "since": AT.isoformat()}
    assert asked(asset=Asset("a"), partition="eu") == {"asset": "a", "partition": "eu"}
    assert asked(asset="a", partition="eu", since=AT) == {
        "asset": "a",
        "partition": "eu",
        "since": AT.isoformat(),
    }


def test_an_asset_of_another_team_that_the_dag_does_not_name_is_told_at_once() -> None:
    """No event of it would ever come: it would wait until its time-out, without a word."""

    def waits(schedule: Any = None, **options: Any) -> Deferral:
        @dag(schedule=schedule)
        def flow() -> None:
            @task(**options)
            def work() -> None:
                defer(AssetUpdated("@shop/orders"))

            work()

        run = Run(run_id="r", dag_id="d", task_id="work", logical_date=AT, data_interval=(AT, AT))
        with pytest.raises(Deferred) as raised:
            execute(flow(), "work", run, Inputs())
        return raised.value.deferral

    with pytest.raises(
        Fail, match=r"add it to the inlets of work: inlets=\[Asset\('@shop/orders'\)\]"
    ):
        waits(inlets=[Asset("orders"), Asset("@shop/rates")])
    assert waits(inlets=[Asset("@shop/orders")]).facts["asset"] == "@shop/orders"
    scheduled = waits(schedule=Asset("a") | Asset("@shop/orders"))
    assert scheduled.facts["asset"] == "@shop/orders"


def waiting(function: Any) -> Deferral:
    """What the operator asks for, in a run of that date."""
    run = Run(run_id="r", dag_id="d", task_id="t", logical_date=AT, data_interval=(AT, AT))
    with entered(run), pytest.raises(Deferred) as raised:
        function(run)
    return raised.value.deferral


def test_the_date_of_the_other_run() -> None:
    def asked(**given: Any) -> object:
        from headway.authoring.operators import operator
        from headway.authoring.operators.base import Call

        work = operator("wait_for_run").run
        found = waiting(lambda run: work(Call(None, (), {"dag_id": "other", **given}, run)))
        return found.facts["date"]

    assert asked() == AT.isoformat()
    assert asked(offset=timedelta(days=1)) == "2026-01-01T00:00:00+00:00"
    assert asked(logical_date="2025-12-31T01:00:00+01:00") == "2025-12-31T00:00:00+00:00"
    assert asked(logical_date=lambda run: run.logical_date.replace(day=5)) == (
        "2026-01-05T00:00:00+00:00"
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: defer(TimeDelta(hours=1), job=1), "only for `then`"),
        (lambda: defer(TimeDelta(hours=1), then=lambda: 1), "top level of the DAG file"),
        (lambda: defer(DateTime(datetime(2026, 1, 1))), "must have a time zone"),  # noqa: DTZ001
        (lambda: defer(TimeDelta(hours=1), on_timeout="x"), "must be"),  # type: ignore[arg-type]
        (lambda: defer(TimeDelta(hours=1), then=finish, x="y" * 300_000), "the limit is 262,144"),
        (lambda: defer(RunEnd("other", states=["done"])), "'done' is not a state of a run"),
        (lambda: defer(RunEnd("other", task="t", states=["x"])), "not a state of a task instance"),
        (lambda: defer(AssetUpdated(7)), "must be an Asset or its name"),  # type: ignore[arg-type]
        (lambda: defer(AssetUpdated(" a")), "begins or ends with a space"),
        (lambda: defer(AssetUpdated("a", partition="")), "is empty"),
        (lambda: defer(AssetUpdated("a", since=datetime(2026, 1, 1))), "must have a time zone"),  # noqa: DTZ001
    ],
)
def test_mistakes(wrong: Any, message: str) -> None:
    def start() -> None:
        wrong()

    result = outcome(start)["start"]
    assert isinstance(result.error, Fail)
    assert message in str(result.error)


def test_outside_of_a_task_nothing_can_be_deferred() -> None:
    with pytest.raises(RuntimeError, match="no task is running"):
        defer(TimeDelta(hours=1))


def test_a_function_that_is_gone(tmp_path: Path) -> None:
    (flow,) = load(
        tmp_path,
        """
        from headway import *

        @dag
        def flow():
            @task
            def start():
                defer(TimeDelta(seconds=1), then="nobody")
            start()

        flow()
        """,
    )
    error = run_dag(flow)["start"].error
    assert "its file has no function with that name" in str(error)


LOOKS: list[int] = []


@pytest.mark.parametrize(
    ("options", "gaps"),
    [
        ({"poke_interval": 10}, [10, 10, 10]),
        ({"poke_interval": 10, "exponential_backoff": True}, [10, 20, 40]),
        ({"poke_interval": 10, "exponential_backoff": True, "max_wait": 15}, [10, 15, 15]),
    ],
)
def test_a_sensor_looks_until_it_finds(options: dict[str, Any], gaps: list[float]) -> None:
    elapsed: list[float] = []

    def arrived(run: Run) -> str | None:
        elapsed.append(0.0 if run.resumed is None else run.resumed.elapsed_s)
        return "day.csv" if len(elapsed) == 4 else None

    @dag
    def flow() -> None:
        task.sensor(**options)(arrived)()

    result = run_dag(flow, logical_date=AT)["arrived"]
    assert (result.state, result.value, result.attempts) == ("success", "day.csv", 1)
    assert [round(b - a) for a, b in pairwise(elapsed)] == gaps


@pytest.mark.parametrize(("soft", "state"), [(False, "failed"), (True, "skipped")])
def test_a_sensor_gives_up_after_its_timeout_over_all_looks(soft: bool, state: str) -> None:
    LOOKS.clear()

    @dag
    def flow() -> None:
        @task.sensor(poke_interval=40, timeout=100, soft_fail=soft, retries=3)
        def arrived() -> None:
            LOOKS.append(1)

        arrived()

    result = run_dag(flow, logical_date=AT)["arrived"]
    assert (result.state, result.attempts, len(LOOKS)) == (state, 1, 4)  # the last one at its end


def test_a_look_that_raises() -> None:
    @dag
    def flow() -> None:
        @task.sensor(silent_fail=True)
        def patient(run: Run) -> bool:
            if run.resumed is None:
                raise ConnectionError("away")
            return True

        @task.sensor
        def plain() -> bool:
            raise ConnectionError("away")

        patient()
        plain()

    result = run_dag(flow, logical_date=AT)
    assert (result["patient"].state, result["plain"].state) == ("success", "failed")


def test_an_async_sensor_looks_in_a_triggerer() -> None:
    """First in its own process, then as a trigger; where that raises, its own process looks again."""
    LOOKS.clear()

    @dag
    def flow() -> None:
        @task
        def folder() -> str:
            return "in"

        @task.sensor(poke_interval=10)
        async def arrived(run: Run, folder: str) -> list[str] | None:
            LOOKS.append(1)
            assert run.resumed is None
            return [folder, run.ds] if len(LOOKS) == 3 else None

        @task.sensor(poke_interval=10, retries=1)
        async def raises() -> None:
            LOOKS.append(1)
            if len(LOOKS) in (5, 6):
                raise Skip("no flights today")

        arrived(folder=folder()) >> raises()

    result = run_dag(flow, logical_date=AT)
    assert result["arrived"].value == ["in", "2026-01-02"]
    assert (result["raises"].state, result["raises"].attempts) == ("skipped", 1)


@pytest.mark.parametrize(("soft", "state"), [(False, "failed"), (True, "skipped")])
def test_an_async_sensor_gives_up_after_its_timeout(soft: bool, state: str) -> None:
    @dag
    def flow() -> None:
        @task.sensor(poke_interval=40, timeout=100, soft_fail=soft, retries=3)
        async def arrived() -> None: ...

        arrived()

    result = run_dag(flow, logical_date=AT)["arrived"]
    assert (result.state, result.attempts) == (state, 1)


def test_a_trigger_finds_raises_or_takes_too_long() -> None:
    @dag
    def flow() -> None:
        @task
        def finds() -> None:
            defer(Trigger(three, n=3), then=doubled)

        @task
        def raises() -> None:
            defer(Trigger(three, n=4))

        @task
        def late(run: Run) -> bool:
            if run.resumed is None:
                defer(Trigger(never, every=60), timeout=600, on_timeout="resume")
            return run.resumed.timed_out

        finds()
        raises()
        late()

    result = run_dag(flow, logical_date=AT)
    assert (result["finds"].value, result["late"].value) == (6, True)
    assert result["raises"].state == "failed"


async def three(n: int) -> int:
    if n != 3:
        raise ValueError(f"{n} is not 3")
    return n


async def never() -> None: ...


def doubled(found: int) -> int:
    return 2 * found


@pytest.mark.parametrize(
    ("wait", "message"),
    [
        (lambda: Trigger(lambda: None), "at the top level of a module"),
        (lambda: Trigger(doubled), "must be an async function"),
        (lambda: Trigger(three, every=0), "every must be"),
        (lambda: Trigger(three, n="x" * 200_000), "the limit is 131072"),
        (lambda: Trigger(three, n=object()), "cannot be stored"),
        (lambda: FileExists("in/x.csv"), "an absolute path"),
        (lambda: HttpReady("ftp://x"), "http:// or https://"),
    ],
)
def test_mistakes_of_triggers(wait: Any, message: str) -> None:
    @dag
    def flow() -> None:
        @task
        def start() -> None:
            defer(wait())

        start()

    assert message in str(run_dag(flow)["start"].error).replace(",", "")


def test_in_poke_mode_one_process_looks() -> None:
    LOOKS.clear()

    @dag
    def flow() -> None:
        @task.sensor(mode="poke", poke_interval=0.001)
        def arrived(run: Run) -> bool:
            LOOKS.append(1)
            assert run.resumed is None
            return len(LOOKS) == 3

        arrived()

    assert run_dag(flow)["arrived"].value is True


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ('mode="x"', 'mode must be "deferred", "reschedule" or "poke", not'),
        ("poke_interval=0", "poke_interval must be a timedelta or a number of seconds above 0"),
        ("soft_fail=1", "soft_fail must be"),
        ("poke=3", 'has no option "poke"'),
    ],
)
def test_mistakes_of_sensors(tmp_path: Path, given: str, message: str) -> None:
    text = f"""
    @dag
    def flow():
        @task.sensor({given})
        def arrived(): pass
        arrived()
    flow()
    """
    assert message in mistake(tmp_path, "from headway import *\n" + dedent(text))


async def of_a_connection(conn_id: str) -> list[str | None]:
    return [connection(conn_id).host, (await aconnection(conn_id)).host, await avariable("v")]


def test_a_trigger_has_connections_and_variables_without_a_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As tasks have them in a test: from the environment."""

    @dag
    def flow() -> None:
        @task
        def asks(run: Run) -> object:
            if run.found is None:
                defer(Trigger(of_a_connection, conn_id="lake"))
            return run.found

        asks()

    lacks = run_dag(flow)["asks"]
    assert isinstance(lacks.error, SecretNotFound)
    monkeypatch.setenv("HEADWAY_CONN_LAKE", "http://u:p@lake")
    monkeypatch.setenv("HEADWAY_VAR_V", "7")
    assert run_dag(flow)["asks"].value == ["lake", "lake", "7"]
