"""Task groups: ids, defaults, descriptions, and the order that arrows to them give, at any depth."""

from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from headway import DAG, Run, TaskGroup, bash, task, task_group
from headway.authoring.graph import Node
from headway.spec import model
from headway.spec.outline import outline
from headway.testing import run_dag
from tests.authoring.files import mistake, spec_of

NESTED = """
from headway import DAG, TaskGroup, bash, task_group
with DAG("nested", default_args={"retries": 1, "pool": "a", "owner": "all"}):
    bash("before", command="true")
    with TaskGroup("load", default_args={"retries": 2, "pool": "b"}, tooltip="What comes in"):
        bash("one", command="true")
        with TaskGroup("deep", default_args={"retries": 3}):
            bash("two", command="true")
            bash("three", command="true", retries=4)
        bash("four", command="true")
    with TaskGroup("plain", prefix_group_id=False, tooltip="No prefix") as plain:
        bash("five", command="true")
        with TaskGroup("inner"):
            bash("six", command="true")
    @task_group(default_args={"retries": 5})
    def again(name):
        \"\"\"Done twice.\"\"\"
        bash(name, command="true")
    again("x"); again("y")
    with TaskGroup("outer"):
        with TaskGroup("flat", prefix_group_id=False):
            bash("seven", command="true")
"""


def test_ids_are_those_of_airflow_and_defaults_are_inherited(tmp_path: Path) -> None:
    dag = spec_of(tmp_path, NESTED)
    assert {task.task_id: (task.retries, task.pool, task.owner) for task in dag.tasks} == {
        "before": (1, "a", "all"),
        "load.one": (2, "b", "all"),
        "load.deep.two": (3, "b", "all"),
        "load.deep.three": (4, "b", "all"),
        "load.four": (2, "b", "all"),
        "five": (1, "a", "all"),
        "inner.six": (1, "a", "all"),
        "again.x": (5, "a", "all"),
        "again__1.y": (5, "a", "all"),
        "seven": (1, "a", "all"),
    }


def test_a_group_without_a_prefix_is_one_all_the_same(tmp_path: Path) -> None:
    dag = spec_of(tmp_path, NESTED)
    assert {task.task_id: task.group for task in dag.tasks if task.group is not None} == {
        "five": "plain",
        "inner.six": "plain.inner",
        "seven": "outer.flat",
    }
    shown = outline(dag)
    assert [(group.group_id, group.parent, group.tooltip) for group in shown.groups] == [
        ("load", "", "What comes in"),
        ("load.deep", "load", ""),
        ("plain", "", "No prefix"),
        ("plain.inner", "plain", ""),
        ("again", "", "Done twice."),
        ("again__1", "", "Done twice."),
        ("outer", "", ""),
        ("outer.flat", "outer", ""),
    ]
    rows = {row.task.task_id: (row.group, row.label, row.depth) for row in shown.rows}
    assert rows["inner.six"] == ("plain.inner", "six", 2)
    assert rows["load.deep.two"] == ("load.deep", "two", 2)
    assert rows["seven"] == ("outer.flat", "seven", 2)
    assert rows["before"] == ("", "before", 0)


def test_what_an_older_spec_says_by_its_ids_alone() -> None:
    dag = model.Dag(dag_id="d", file="d.py", tasks=(model.Task(task_id="a.b.c"),))
    assert [(g.group_id, g.parent) for g in outline(dag).groups] == [("a", ""), ("a.b", "a")]


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ('TaskGroup("g", tooltips="x")', 'has no option "tooltips"\n  did you mean "tooltip"?'),
        ('TaskGroup("g", tooltip=3)', "tooltip must be a string, not 3"),
        ('TaskGroup("g", default_args={"retry": 3})', 'default_args has no option "retry"'),
        ('TaskGroup("g", prefix_group_id="no")', "prefix_group_id must be True or False"),
        ('task_group("g", parent_group=None)', "open the group inside the other one"),
    ],
)
def test_mistakes_are_told_with_what_was_meant(tmp_path: Path, group: str, told: str) -> None:
    text = f'from headway import *\nwith DAG("d"):\n    {group}\n'
    said = mistake(tmp_path, text)
    assert told in said
    assert "flow.py:3" in said


def test_defaults_of_a_group_reach_tasks_that_run() -> None:
    with DAG("d") as dag:

        @task
        def flaky(run: Run) -> int:
            if run.try_number < 3:
                raise OSError
            return run.try_number

        with task_group("g", default_args={"retries": 2}):
            flaky()
        flaky()
    result = run_dag(dag)
    assert (result["g.flaky"].value, result["flaky"].state) == (3, "failed")


class Made(NamedTuple):
    """A random DAG with groups, and the order that its arrows mean."""

    dag: DAG
    meant: dict[str, set[str]]  # by task: all that it waits for, however far up
    drawn: list[str]


def random_groups(seed: int) -> Made:
    """Groups are nested up to three deep and often empty; arrows are drawn while they are open, or later."""
    chance = Random(seed)
    nodes: dict[str, Node] = {}
    within: dict[str, list[str]] = {}  # the groups around each, with itself
    order: dict[str, set[str]] = {}  # of starts and ends: what comes right before
    drawn: list[str] = []

    def began(name: str, around: list[str], node: Node) -> None:
        nodes[name], within[name] = node, [*around, name]
        order.setdefault(f"{name}<", set()).update(f"{g}<" for g in around[-1:])
        order.setdefault(f"{name}>", set()).add(f"{name}<")
        for group in around[-1:]:
            order[f"{group}>"].add(f"{name}>")

    def draw() -> None:
        if len(nodes) < 2:
            return
        one, two = chance.sample(sorted(nodes), 2)
        if one in within[two] or two in within[one] or f"{two}>" in above(order, f"{one}<"):
            return
        trial = {name: set(before) for name, before in order.items()}
        trial[f"{two}<"].add(f"{one}>")
        if any(name in above(trial, name) for name in trial):
            return
        order[f"{two}<"].add(f"{one}>")
        drawn.append(f"{one} >> {two}")
        nodes[one].set_downstream(nodes[two])

    def fill(around: list[str], depth: int) -> None:
        for _ in range(chance.choice([0, 0, 1, 2, 3]) if around else 4):
            name = f"n{len(nodes)}"
            if depth < 3 and chance.random() < 0.6:
                with TaskGroup(name, prefix_group_id=False) as group:
                    began(name, around, group)
                    fill([*around, name], depth + 1)
            else:
                began(name, around, bash(name, command="true"))
            while chance.random() < 0.5:
                draw()

    with DAG("d") as dag:
        fill([], 0)
        for _ in range(8):
            draw()
    meant = {
        name: {each[:-1] for each in above(order, f"{name}<") if each[:-1] in dag.tasks}
        for name in dag.tasks
    }
    return Made(dag, meant, drawn)


def above(order: dict[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    stack = list(order[name])
    while stack:
        at = stack.pop()
        if at not in found:
            found.add(at)
            stack += order[at]
    return found


def test_arrows_between_random_groups_mean_what_they_say() -> None:
    """A task waits, at any distance, for all that an arrow puts before it or before a group around it, and no other."""
    arrows = 0
    for seed in range(400):
        made = random_groups(seed)
        arrows += len(made.drawn)
        spec = made.dag.spec("d.py")
        direct = {task.task_id: set(task.upstream) for task in spec.tasks}
        found = {name: above(direct, name) for name in direct}
        assert found == made.meant, f"seed {seed}: {made.drawn}"
    assert arrows > 1000
