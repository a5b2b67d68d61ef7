"""What of a task's arguments a spec carries as data, and what it never does."""

from pathlib import Path
from typing import Any, Final

import pytest

from headway.authoring import arguments as writer
from headway.spec.arguments import TASK_BYTES_MAX, absent, is_whole, param, result
from headway.spec.model import Task, decode, encode
from headway.spec.params import size_of
from tests.authoring.files import spec_of

HEAD: Final = "from datetime import datetime\nfrom headway import bash, dag, task\n"


def tasks_of(folder: Path, body: str, head: str = "") -> dict[str, Task]:
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    text = f"{HEAD}{head}\n@dag\ndef flow(day: str = 'x'):\n{lines}"
    spec = spec_of(folder, text)
    assert decode(encode(spec)) == spec
    return {task.task_id: task for task in spec.tasks}


def of_bash(folder: Path, given: str, head: str = "") -> dict[str, Any]:
    found = tasks_of(folder, f"bash(task_id='b', {given})", head)["b"].arguments
    assert found is not None
    return found


def test_data_is_carried_as_it_is_written(tmp_path: Path) -> None:
    found = tasks_of(
        tmp_path,
        """
@task
def first(x, *more, y=None): ...
one = first(1, [2.5, (True, None)], day, y={"a": datetime(2013, 1, 1), "b": one_more()})
bash(task_id="b", command=f"echo {day} {{{{ ds }}}}", env={"GIVEN": one["k"], "DAY": f"<{day}>"}, cwd="/tmp")
""",
        "@task\ndef one_more(): ...\n",
    )
    assert found["first"].function == "first"
    assert found["first"].arguments == {
        "x": 1,
        "*": [[2.5, {"__headway__": "tuple", "value": [True, None]}], param("day")],
        "y": {
            "a": {"__headway__": "datetime", "value": "2013-01-01T00:00:00"},
            "b": result("one_more"),
        },
    }
    assert found["one_more"].arguments == {}
    assert found["b"].arguments == {
        "command": "echo {{ params['day'] }} {{ ds }}",
        "env": {"GIVEN": result("first", "k"), "DAY": "<{{ params['day'] }}>"},
        "cwd": "/tmp",
    }
    assert is_whole(found["b"])
    assert not is_whole(found["first"])


def test_what_is_mapped_over_is_carried(tmp_path: Path) -> None:
    found = tasks_of(
        tmp_path,
        """
@task
def items(): ...
bash.partial(task_id="b", cwd="/").expand(command=["echo 1", "echo 2"])
bash.partial(task_id="c").expand_kwargs([{"command": "echo", "env": {"A": "1"}}])
bash.partial(task_id="d").expand(command=items())
""",
    )
    assert found["b"].arguments == {"cwd": "/", "command": ["echo 1", "echo 2"]}
    assert found["c"].arguments == {"": [{"command": "echo", "env": {"A": "1"}}]}
    assert found["d"].arguments == {"command": result("items")}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("command=object()", "object"),
        ("command=['x', {1: 2}]", "object"),
        ("command={'__headway__': 'result', 'task_id': 'a', 'key': 'k'}", "object"),
        ("command='a' + chr(0)", "object"),
        ("command='a' + chr(0xdc80)", "object"),
        ("command=datetime(2013, 1, 1, tzinfo=Zone())", "object"),
        ("command=type('Text', (str,), {})('x')", "object"),
        ("command=f'echo {object()}'", "unstable"),
        ("command='cat ' + __file__", "place"),
        ("command='x' * 40_000", "size"),
        ("command=list(range(100_000))", "size"),
        ("command=chr(1) * 10_000", "size"),  # six bytes each in JSON
        ("command=deep", "size"),
        ("command=wide", "size"),
    ],
)
def test_what_is_no_data_says_why(tmp_path: Path, given: str, why: Any) -> None:
    head = (
        "from datetime import tzinfo\n"
        "class Zone(tzinfo):\n    def utcoffset(self, at): raise ValueError\n"
        "deep = wide = 1\n"
        "for _ in range(20): deep = [deep]\n"
        "for _ in range(14): wide = [wide, wide]\n"
    )
    assert of_bash(tmp_path, given, head) == {"command": absent(why)}


def test_what_a_file_has_from_its_environment_stays_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "hunter2hunter2")
    monkeypatch.setenv("SHELL", "/bin/bash")
    head = "import os\nsecret = os.environ['PASSWORD']\n"
    assert of_bash(tmp_path, "command=f'login {secret}'", head) == {"command": absent("private")}
    assert of_bash(tmp_path, "command='x', env={'A': secret[:3]}", head)["env"] == absent("private")
    mapped = "bash.partial(task_id='b').expand_kwargs([{'command': 'x', 'env': {'A': secret[:3]}}])"
    assert tasks_of(tmp_path, mapped, head)["b"].arguments == {"": absent("private")}
    # What is written in the file may be read there.
    written = of_bash(
        tmp_path, "command='/bin/bash x', env={'PASSWORD': 'known', 'PORT': 80}", head
    )
    assert written == {"command": "/bin/bash x", "env": {"PASSWORD": "known", "PORT": 80}}


def test_there_is_room_for_many_and_an_end_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = of_bash(tmp_path, "command='x', env={'A': A}", f"A = {'y' * 32_700!r}")
    assert found["command"] == "x"
    assert size_of(found) <= TASK_BYTES_MAX
    many = "@task\ndef f(**kwargs): ...\nf(**{f'{n}' * 100: object() for n in range(1000)})"
    assert tasks_of(tmp_path, many)["f"].arguments == {"*": absent("size")}
    monkeypatch.setattr(writer, "DAG_BYTES_MAX", 1000)
    loop = "for n in range(100): bash(task_id=f'b{n}', command='echo ' * 10)"
    tasks = tasks_of(tmp_path, loop).values()
    whole = [task for task in tasks if is_whole(task)]
    assert 0 < len(whole) < 20
    assert size_of({task.task_id: task.arguments for task in whole}) < 1500
