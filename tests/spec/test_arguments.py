"""Arguments in a spec: what is refused, and how two versions differ in them."""

import msgspec
import pytest

from headway.spec import model
from headway.spec.arguments import TASK_BYTES_MAX, absent, is_whole, param, result
from headway.spec.diff import Change, changes
from headway.spec.errors import BadSpec
from headway.spec.model import Dag, Param, Task
from headway.spec.validate import validate

A = Task(task_id="a")


def dag(arguments: dict[str, object] | None, *, upstream: tuple[str, ...] = ("a",)) -> Dag:
    task = Task(task_id="b", kind="bash", upstream=upstream, arguments=arguments)
    return Dag(dag_id="d", file="f.py", tasks=(A, task), params=(Param(name="day"),))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"command": "a\0b"}, r"its arguments\['command'\] contains the character NUL"),
        ({"x": float("inf")}, "is inf, which JSON cannot represent"),
        ({"x\udc80": 1}, "lone surrogate"),
        ({"x": "y" * TASK_BYTES_MAX}, "its arguments take 32,776 bytes as JSON"),
        ({"x": [result("c")]}, "is the result of 'c', not a task it waits for"),
        ({"x": {"__headway__": "result"}}, "is the result of 'None'"),
        ({"x": param("month")}, "is the parameter 'month', which the DAG does not have"),
    ],
)
def test_what_cannot_be_carried_is_refused(arguments: dict[str, object], told: str) -> None:
    with pytest.raises(BadSpec, match=told):
        validate(dag(arguments))


@pytest.mark.parametrize(
    "arguments",
    [{"x": [result("a", "k"), param("day"), absent("object"), 10**400, None]}, {}, None],
)
def test_what_can_be_carried_comes_back_as_it_was(arguments: dict[str, object] | None) -> None:
    spec = dag(arguments)
    validate(spec)
    assert model.decode(model.encode(spec)) == spec


def test_a_spec_without_arguments_is_one_of_an_earlier_headway() -> None:
    old = '{"dag_id":"d","file":"f.py","tasks":[{"task_id":"a","kind":"bash"}]}'
    spec = model.decode(old)
    assert spec.tasks[0].arguments is None
    assert model.encode(spec).decode() == old  # and its hash is what it was
    assert not is_whole(spec.tasks[0])
    assert is_whole(msgspec.structs.replace(spec.tasks[0], arguments={"command": "x"}))


def test_a_changed_argument_is_a_change_by_its_name() -> None:
    before = dag({"command": "echo 1", "cwd": "/", "env": None})
    after = dag({"command": "echo 2", "cwd": "/"})
    assert changes(before, after) == [
        Change("task changed", "b.arguments.command", "echo 1", "echo 2"),
        Change("task changed", "b.arguments.env", None, None),
    ]
    assert changes(dag(None), after) == []  # nobody says what they were
