"""The spec's own rules, for specs that no DAG file made, and their speed."""

from time import process_time

import msgspec
import pytest

from headway.errors import UsageError
from headway.spec.errors import BadSpec
from headway.spec.model import Axis, Dag, Input, Mapping, Param, Task
from headway.spec.params import check_params, params_from_text
from headway.spec.schema import PATH, main, text
from headway.spec.validate import validate


def dag(*tasks: Task, **more: object) -> Dag:
    return msgspec.structs.replace(Dag(dag_id="d", file="f.py", tasks=tasks, line=1), **more)


A = Task(task_id="a", line=2)
WRONG = [
    (
        dag(A, Task(task_id="b", line=3, upstream=("aa",))),
        'f.py:3: b waits for "aa", which is not a task of this DAG\n  did you mean "a"?',
    ),
    (
        dag(A, Task(task_id="a", line=3)),
        'f.py:3: two tasks are called "a", at lines 2 and 3\n  give one of them another task_id',
    ),
    (
        dag(
            Task(task_id="a", line=2, upstream=("c",)),
            Task(task_id="b", line=3, upstream=("a",)),
            Task(task_id="c", line=4, upstream=("b",)),
            Task(task_id="behind", line=1, upstream=("c",)),
        ),
        "f.py:2: the tasks form a cycle: a → b → c → a\n"
        "  remove one of these dependencies, for instance c → a",
    ),
    (
        dag(Task(task_id="a", line=2, upstream=("a",))),
        "f.py:2: the tasks form a cycle: a → a\n"
        "  remove one of these dependencies, for instance a → a",
    ),
    (
        dag(A, Task(task_id="b", line=3, inputs=(Input(task_id="a"),))),
        'f.py:3: b: it reads the result of "a" but does not wait for it',
    ),
    (
        dag(A, Task(task_id="b", line=3, mapping=Mapping(axes=(Axis(argument="x"),)))),
        'f.py:3: b: the axis "x" must be one of a literal, a result and a combination',
    ),
    (
        dag(A, params=(Param(name="__proto__"),)),
        "f.py:1: d: a parameter cannot be called __proto__, because browsers reserve that name",
    ),
    (
        dag(Task(task_id="a", line=2, trigger_rule="all_done"), fail_fast=True),
        'f.py:2: a: its trigger rule is "all_done", but with fail_fast nothing runs after a failure\n'
        "  use all_success, or remove fail_fast from the DAG; what must run at the end is a teardown",
    ),
    (dag(A, file="../f.py"), "../f.py:1: d: the file '../f.py' is not a path inside the bundle"),
    (
        dag(A, schedule={"cron": "* * * * *", "once": True}),
        "f.py:1: d: a schedule has one of interval_s, once, continuous, cron, dates, assets, partitions, and only one",
    ),
    (
        dag(A, schedule={"cron": "* * * * *", "timezone": "Mars/Base"}),
        'f.py:1: d: unknown time zone "Mars/Base": an IANA name such as Europe/Berlin is needed',
    ),
    (
        dag(Task(task_id="a", line=2, retry_delay_s=float("nan"))),
        "f.py:2: a: retry_delay is nan, it must be at least 0",
    ),
    (
        dag(A, params=(Param(name="x"), Param(name="x"))),
        'f.py:1: d: two parameters are called "x"',
    ),
]


@pytest.mark.parametrize(("spec", "told"), WRONG)
def test_wrong(spec: Dag, told: str) -> None:
    with pytest.raises(BadSpec) as raised:
        validate(spec)
    assert str(raised.value) == told


def cpu_s_of(tasks: list[Task]) -> float:
    """The least of some: what else the machine does can only add."""
    spec, spent = dag(*tasks), []
    for _ in range(3):
        started = process_time()
        validate(spec)
        spent.append(process_time() - started)
    return min(spent)


def test_the_largest_dags_take_linear_time() -> None:
    chain = [Task(task_id="t0")]
    chain += [Task(task_id=f"t{n}", upstream=(f"t{n - 1}",)) for n in range(1, 10_000)]
    assert cpu_s_of(chain) < 50 * cpu_s_of(chain[:1000])
    with pytest.raises(BadSpec, match="100,001 tasks are more than the limit of 100,000"):
        validate(dag(*[A] * 100_001))


def test_short_circuits_that_reach_too_many_tasks_are_refused_before_they_take_the_memory() -> None:
    gates = [Task(task_id="t0", branch=True, skips_all_below=True)]
    gates += [
        Task(task_id=f"t{n}", upstream=(f"t{n - 1}",), branch=True, skips_all_below=True)
        for n in range(1, 5000)
    ]
    validate(dag(*gates[:1000]))
    with pytest.raises(BadSpec, match="its short circuits reach too many tasks"):
        validate(dag(*gates))
    with pytest.raises(BadSpec, match="skips_all_below is set, but it is not a branch"):
        validate(dag(Task(task_id="a", skips_all_below=True)))
    with pytest.raises(BadSpec, match="decides_by_index is set, but it is not a mapped branch"):
        validate(dag(Task(task_id="a", branch=True, decides_by_index=True)))


PARAMS = dag(
    A,
    params=(
        Param(name="n", type="integer", default=1),
        Param(name="day", type="string", required=True),
        Param(name="rate", type="number", default=None),
    ),
)


def test_params() -> None:
    assert check_params(PARAMS, {"day": "x", "n": 2.0}) == {"n": 2, "day": "x", "rate": None}
    assert params_from_text(PARAMS, {"day": "5", "n": "5", "rate": "0.5"}) == {
        "n": 5,
        "day": "5",
        "rate": 0.5,
    }
    with pytest.raises(UsageError) as raised:
        check_params(PARAMS, {})
    assert str(raised.value) == 'd needs a value for the parameter "day"\n  give it with -p day=…'
    with pytest.raises(UsageError, match='"n" of d is an integer, not true'):
        check_params(PARAMS, {"day": "x", "n": True})
    with pytest.raises(UsageError, match='"n" of d is an integer, not "five"'):
        params_from_text(PARAMS, {"day": "x", "n": "five"})


def test_the_schema_is_up_to_date() -> None:
    assert PATH.read_text() == text()
    assert main(["--check"]) == 0
    assert main(["--what"]) == 2


def test_some_task_decides_the_outcome() -> None:
    alert = Task(task_id="alert", upstream=("a",), decides_outcome=False)
    validate(dag(A, alert))
    with pytest.raises(BadSpec, match="no task decides the outcome of a run"):
        validate(dag(msgspec.structs.replace(A, decides_outcome=False), alert))
