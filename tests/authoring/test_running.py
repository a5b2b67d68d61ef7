"""DAGs run in process: arguments, mapping, branches, retries, operators, and their mistakes."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headway import (
    DAG,
    Fail,
    Param,
    Run,
    Skip,
    TaskGroup,
    bash,
    dag,
    empty,
    get_current_context,
    python,
    task,
)
from headway.errors import HeadwayError, UsageError
from headway.testing import RunResult, run_dag

AT = datetime(2013, 1, 2, 5, tzinfo=UTC)


def test_values_params_and_context() -> None:
    @dag(schedule="0 5 * * *")
    def flow(country: str = "us", limit: int = 3) -> None:
        @task
        def first(run: Run, ds: str, params: dict[str, object], where: str) -> object:
            return [run.try_number, ds, params["limit"], where, run.data_interval.start]

        @task
        def second(values: dict[str, list[object]], **context: object) -> object:
            return (*values["inner"], context["run_id"])

        second({"inner": [first(where=country), limit]})

    result = run_dag(flow, logical_date=AT, params={"country": "de"})
    begin = datetime(2013, 1, 1, 5, tzinfo=UTC)
    assert result["first"].value == [1, "2013-01-02", 3, "de", begin]
    assert result["second"].value == ([1, "2013-01-02", 3, "de", begin], 3, "test")


def test_mapping_over_a_product_with_a_skip_and_items_of_results() -> None:
    @dag
    def flow() -> None:
        @task
        def source() -> dict[str, list[int]]:
            return {"a": [1, 2], "b": [3]}

        @task
        def pair(x: list[object], y: int, part: list[int]) -> object:
            if y == 20:
                raise Skip("not this one")
            return [x, y, part]

        @task(trigger_rule="none_failed")
        def total(rows: list[object]) -> int:
            return len(rows)

        s = source()
        total(pair.partial(part=s["b"]).expand(x=s, y=[10, 20]))

    result = run_dag(flow)
    assert result["pair"].values == [[("a", [1, 2]), 10, [3]], [("b", [3]), 10, [3]]]
    assert [i.state for i in result["pair"].instances] == [
        "success",
        "skipped",
        "success",
        "skipped",
    ]
    assert result["total"].value == 2


def test_expand_kwargs_and_mapping_over_nothing() -> None:
    @dag
    def flow() -> None:
        @task
        def add(a: int, b: int = 1) -> int:
            return a + b

        @task
        def nothing() -> list[int]:
            return []

        add.partial(b=5).expand_kwargs([{"a": 1}, {"a": 2, "b": 0}])
        add.override(task_id="none").expand(a=nothing())

    result = run_dag(flow)
    assert result["add"].values == [6, 2]
    assert (result["none"].state, result.state) == ("skipped", "success")


def test_mapping_over_what_is_no_list_fails() -> None:
    @dag
    def flow() -> None:
        @task
        def source() -> str:
            return "abc"

        @task
        def each(x: str) -> None: ...

        each.expand(x=source())

    result = run_dag(flow)
    assert result["each"].state == "failed"
    assert result.state == "failed"


def test_retries_and_fail() -> None:
    with DAG("flow", default_args={"retries": 2}) as flow:

        @task
        def third_time(try_number: int) -> int:
            if try_number < 3:
                raise ValueError("again")
            return try_number

        @task
        def hopeless() -> None:
            raise Fail("no use")

        @task
        def leaves() -> None:
            raise SystemExit(4)

        @task(trigger_rule="one_failed")
        def clean_up() -> str:
            return "done"

        [third_time(), hopeless(), leaves()] >> clean_up()

    result = run_dag(flow)
    assert (result["third_time"].value, result["third_time"].attempts) == (3, 3)
    assert (result["hopeless"].attempts, str(result["hopeless"].error)) == (1, "no use")
    assert isinstance(result["leaves"].error, SystemExit)
    assert result["clean_up"].value == "done"
    assert "hopeless: failed Fail: no use" in repr(result)


@pytest.mark.parametrize(("ignores", "end"), [(True, "skipped"), (False, "success")])
def test_a_short_circuit_skips_all_below_unless_trigger_rules_count(
    ignores: bool, end: str
) -> None:
    with DAG("flow") as flow:

        @task.short_circuit(ignore_downstream_trigger_rules=ignores)
        def stop() -> bool:
            return False

        @task(trigger_rule="all_done")
        def publish() -> None: ...

        stop() >> empty("load") >> publish()
    result = run_dag(flow)
    assert (result["load"].state, result["publish"].state) == ("skipped", end)


def branching(target: object) -> RunResult:
    with DAG("flow") as flow:

        @task.branch
        def choose() -> object:
            return target

        chosen = choose()
        ends = [python(name, python_callable=lambda: 1) for name in ("left", "right")]
        chosen >> ends

        @task.short_circuit
        def stop() -> bool:
            return False

        stop() >> python("never", python_callable=lambda: 1)
    return run_dag(flow)


def test_branch_and_short_circuit() -> None:
    result = branching(["right"])
    assert [result[t].state for t in ("left", "right", "never")] == [
        "skipped",
        "success",
        "skipped",
    ]
    assert branching(None)["right"].state == "skipped"


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (
            "rihgt",
            "choose branches to 'rihgt', which is not a task or group downstream of it; "
            'did you mean "right"?',
        ),
        (5, "a branch must return a task id, a list of task ids or None, not 5"),
    ],
)
def test_a_wrong_branch(target: object, told: str) -> None:
    assert str(branching(target)["choose"].error) == told


def test_bash(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with DAG("flow", params={"name": "O'Hara; exit 1"}) as flow:
        hello = bash(
            "hello",
            command='echo first; printf "%s|%s|%s" {{ params.name | quote }} "$X" $HEADWAY_TASK_ID',
            env={"X": "{{ ds }}"},
            cwd=str(tmp_path),
        )
        bash.partial("each", env={"UP": hello}).expand(command=["echo $UP", "exit 99", "exit 3"])

        @task.bash
        def made() -> str:
            return "echo {{ run.dag_id }}; sleep 600 &"

        made()

    result = run_dag(flow, logical_date=AT)
    assert result["hello"].value == "O'Hara; exit 1|2013-01-02|hello"
    assert [i.state for i in result["each"].instances] == ["success", "skipped", "failed"]
    assert str(result["each"].error) == "the command ended with exit code 3"
    assert result["made"].value == "flow"
    assert capfd.readouterr().out.startswith("first\n")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            "echo {{ dss }}",
            "the template 'echo {{ dss }}' cannot be rendered: 'dss' is undefined",
        ),
        (
            "{{ ''.__class__.__mro__ }}",
            "the template \"{{ ''.__class__.__mro__ }}\" cannot be rendered: "
            "access to attribute '__class__' of 'str' object is unsafe.",
        ),
        (
            "{% for x in range(10**9) %}{% endfor %}",
            "the template '{% for x in range(10**9) %}{% endfor %}' cannot be rendered: "
            "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).",
        ),
        ("kill -9 $$", "the command was ended by signal 9"),
    ],
)
def test_a_wrong_command(command: str, told: str) -> None:
    with DAG("flow") as flow:
        bash("say", command=command)
    assert str(run_dag(flow)["say"].error) == told


@pytest.mark.parametrize("given", ["{{ 7 * 7 }}", "{{ ''.__class__ }}", "{% for x in run %}"])
def test_a_parameter_that_is_passed_on_is_data_and_no_template(given: str) -> None:
    """Whoever may start a run gives it: not only the author."""
    with DAG("flow", params={"word": Param("")}) as flow:
        bash("say", command="printf %s {{ params.word | quote }}")
    assert run_dag(flow, params={"word": given})["say"].value == given


def test_a_result_that_cannot_be_stored_or_lacks_an_item() -> None:
    with DAG("flow") as flow:

        @task
        def opaque() -> object:
            return object()

        @task
        def short() -> object:
            return {"a": 1}

        @task
        def reads(x: object) -> None: ...

        opaque()
        reads(short()["b"])

    result = run_dag(flow)
    assert str(result["opaque"].error).startswith("the result is of type object")
    assert str(result["short"].error) == (
        "another task reads result[\"b\"] of short, but the result has only 'a'"
    )
    assert result["reads"].state == "upstream_failed"


def test_only_some_tasks() -> None:
    with DAG("flow") as flow, TaskGroup("g"):
        one, two, three = (python(n, python_callable=lambda: 1) for n in ("one", "two", "three"))
        one >> two >> three
    assert list(run_dag(flow, tasks=["g.two"]).tasks) == ["g.one", "g.two"]


def test_wrong_use_of_a_run() -> None:
    @dag
    def flow(n: int = 1, country: Param = Param("de", enum=["de", "fr"])) -> None:  # noqa: B008
        python("one", python_callable=lambda: 1)

    told = []
    for wrong in (
        lambda: run_dag(flow, params={"m": 1}),
        lambda: run_dag(flow, params={"n": "1"}),
        lambda: run_dag(flow, params={"country": "fra"}),
        lambda: run_dag(flow, tasks=["onne"]),
        lambda: run_dag(flow)["tow"],
    ):
        with pytest.raises(UsageError) as raised:
            wrong()
        told.append(str(raised.value))
    assert told == [
        'flow has no parameter "m"\n  it has n, country',
        'the parameter "n" of flow is an integer, not "1"',
        'the parameter "country" of flow is one of "de", "fr", not "fra"\n  did you mean "fr"?',
        'the DAG has no task "onne"\n  did you mean "one"?',
        'the DAG has no task "tow"',
    ]


def test_a_run_is_frozen_and_tells_its_parameters() -> None:
    run = Run(
        run_id="r",
        dag_id="d",
        task_id="t",
        logical_date=AT,
        data_interval=(AT, AT),
        params={"x": 1},
    )
    assert (run.ds, run.ts, run.params.x) == ("2013-01-02", "2013-01-02T05:00:00+00:00", 1)
    with pytest.raises(AttributeError, match="cannot be changed"):
        run.task_id = "other"
    with pytest.raises(AttributeError, match="no parameter 'y'"):
        _ = run.params.y


def test_a_year_has_four_digits() -> None:
    early = datetime(1, 1, 2, 5, tzinfo=UTC)
    run = Run(run_id="r", dag_id="d", task_id="t", logical_date=early, data_interval=(early, early))
    assert (run.ds, run.ds_nodash, run.ts_nodash) == ("0001-01-02", "00010102", "00010102T050000")


def test_import_is_light() -> None:
    """Neither the package nor its words pull in what a DAG file does not need."""
    code = "import sys, headway; from headway import dag, task, Run; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"msgspec", "asyncio", "inspect", "dataclasses", "zoneinfo", "jinja2", "cronsim"}
    assert heavy.isdisjoint(ran.stdout.split())


def test_errors_are_of_one_tree() -> None:
    with pytest.raises(HeadwayError, match="outside a DAG"):
        bash("x", command="y")


def test_an_async_function_is_awaited() -> None:
    @dag
    def flow() -> None:
        @task
        async def first() -> int:
            await asyncio.sleep(0)
            return 1

        @task
        async def second(n: int) -> None:
            raise ValueError(n)

        second(first())

    result = run_dag(flow)
    assert result["first"].value == 1
    assert isinstance(result["second"].error, ValueError)


def test_the_run_is_known_anywhere_inside_of_a_task() -> None:
    def deep_inside() -> object:
        return Run.current().task_id, get_current_context()["ds"]

    @dag
    def flow() -> None:
        @task
        def ask() -> object:
            return deep_inside()

        ask()

    assert run_dag(flow, logical_date=AT)["ask"].value == ("ask", "2013-01-02")
    with pytest.raises(RuntimeError, match="no task is running here"):
        deep_inside()


def test_an_empty_task_gathers_arrows() -> None:
    with DAG("flow") as flow:
        [bash(f"b{n}", command="echo") for n in range(2)] >> empty("both") >> empty("end")
    assert run_dag(flow)["end"].state == "success"


def test_results_that_are_several_or_none() -> None:
    @dag(default_args={"depends_on_past": False, "email_on_failure": False})
    def flow() -> None:
        @task(multiple_outputs=True)
        def both() -> dict[str, int]:
            return {"a": 1, "b": 2}

        @task(do_xcom_push=False)
        def huge() -> object:
            return object()  # which could not be stored

        @task(multiple_outputs=True)
        def one() -> int:
            return 1

        @task
        def add(a: int, b: int) -> int:
            return a + b

        @task(multiple_outputs=True)
        def odd(keys: object) -> object:
            return dict.fromkeys(keys, 1) if isinstance(keys, list) else {n: n for n in range(2)}

        odd.override(task_id="path")(["../x"])
        odd.override(task_id="many")([f"k{n}" for n in range(101)])
        odd.override(task_id="numbers")(2)
        odd.override(task_id="own")(["return_value"])
        found = both()
        huge() >> add(found["a"], found["b"])
        one()

    result = run_dag(flow)
    assert result["add"].value == 3
    assert result["huge"].state == "success"
    assert "must return a dict with strings as keys, not int" in str(result["one"].error)
    assert "of letters, digits and _, not '../x'" in str(result["path"].error)
    assert "at most 100 of them, not 101" in str(result["many"].error)
    assert "not 0" in str(result["numbers"].error)
    assert "not 'return_value'" in str(result["own"].error)


def test_a_result_that_is_not_stored_cannot_be_read() -> None:
    @dag
    def flow() -> None:
        @task(do_xcom_push=False)
        def first() -> int:
            return 1

        @task
        def second(n: int) -> None:
            pass

        second(first())

    with pytest.raises(HeadwayError, match='reads the result of "first", which is not stored'):
        run_dag(flow)
