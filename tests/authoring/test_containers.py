"""``container(…)`` in a DAG file: what becomes of its words, and what is told at its line."""

from pathlib import Path

import pytest

from headway.authoring.operators.container import NOWHERE
from headway.frontends.runnable import runnable
from headway.spec import model
from headway.testing import run_dag
from tests.authoring.files import load, mistake, spec_of

DAG = """\
from headway import DAG, RetryRule, TaskGroup, container, dag, task
@dag(params={{"day": "monday"}})
def flow(day: str = "monday"):
    @task
    def extract() -> list[str]: ...
    {before}
    {call}
flow()
"""
IMAGE = 'image="ghcr.io/acme/load:2.1"'


def made(folder: Path, call: str, before: str = "pass") -> model.Task:
    return next(
        t
        for t in spec_of(folder, DAG.format(call=call, before=before)).tasks
        if t.kind == "container"
    )


def test_its_words_are_in_the_spec(tmp_path: Path) -> None:
    task = made(
        tmp_path,
        f'container("load", {IMAGE}, command=["load", "--day", "{{{{ ds }}}}", 7], args=[day], env={{"MODE": "full"}}, '
        'files={"target": "{{ conn.x.host }}"}, cpu=2, memory="1Gi", retries=2, execution_timeout=60, pool="default", '
        'node_selector={"disk": "ssd"}, trigger_rule="all_done", retry_policy=RetryRule(exit_code=3, retries=0))',
    )
    assert (task.kind, task.executor, task.image) == (
        "container",
        "kubernetes",
        "ghcr.io/acme/load:2.1",
    )
    assert task.resources == {"cpu": "2", "memory": "1Gi"}
    assert (task.retries, task.execution_timeout_s, task.trigger_rule) == (2, 60.0, "all_done")
    assert task.pod == {"spec": {"nodeSelector": {"disk": "ssd"}}}
    assert task.arguments is not None
    assert task.arguments["command"] == ["load", "--day", "{{ ds }}", 7]
    assert task.arguments["args"] == [{"__headway__": "param", "name": "day"}]
    assert task.arguments["env"] == {"MODE": "full"}


def test_another_executor_of_pods_may_be_named(tmp_path: Path) -> None:
    assert made(tmp_path, f'container("load", {IMAGE}, executor="far")').executor == "far"


def test_it_may_be_in_a_group_and_mapped(tmp_path: Path) -> None:
    call = f'container.partial("load", {IMAGE}, cpu=1).expand(args=[["a"], ["b"]])'
    task = made(tmp_path, call, 'g = TaskGroup("g"); g.__enter__()')
    assert task.task_id == "g.load"
    assert task.mapping is not None
    assert task.resources == {"cpu": "1"}


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("container('load')", "load: it has no image"),
        (
            f"container('load', {IMAGE}, command='load --day 1')",
            "command must be a list, one item for each word",
        ),
        (
            f"container('load', {IMAGE}, command=[None])",
            "command[0] must be a text or a number, not None",
        ),
        (
            f"container('load', {IMAGE}, env={{'T': '{{{{ conn.x.host }}}}'}})",
            'env["T"]: {{ conn.x.host }} is a connection, and many may read the object of a pod',
        ),
        (
            f"container('load', {IMAGE}, args=['{{{{ var.value.token }}}}'])",
            "args[0]: {{ var.value.token }} is a variable, and many may read the object of a pod",
        ),
        (
            f"container('load', {IMAGE}, args=[extract()])",
            "args[0] has the result of extract, and many may read the object of a pod",
        ),
        (f"container('load', {IMAGE}, args=extract())", "args has the result of extract"),
        (
            f"container.partial('load', {IMAGE}).expand(args=extract())",
            "args of a container is mapped over a result, and the pod is made without it",
        ),
        (
            f"container.partial('load', {IMAGE}).expand(args=[['a']], files=extract())",
            "args of a container is mapped over a list together with a result",
        ),
        (
            f"container('load', {IMAGE}, args=['{{{{ ds | upper }}}}'])",
            "{{ ds | upper }} is an expression",
        ),
        (
            f"container('load', {IMAGE}, args=['{{{{ params.week }}}}'])",
            "the parameter week, which the DAG does not have",
        ),
        (f"container('load', {IMAGE}, args=[object()])", "args is not text in the DAG file"),
        (
            f"container('load', {IMAGE}, env={{'HEADWAY_X': '1'}})",
            "variables that begin with HEADWAY_ are Headway's",
        ),
        (
            f"container('load', {IMAGE}, env={{'a b': '1'}})",
            "env has 'a b', which is not the name of a variable",
        ),
        (f"container('load', {IMAGE}, env=['A=1'])", "env must be a dict of variables"),
        (
            f"container('load', {IMAGE}, memory_limit='1G')",
            "memory_limit is for processes of agents",
        ),
        (f"container('load', {IMAGE}, cpu=1, resources={{'cpu': 2}})", "cpu is given twice"),
        (
            f"container('load', {IMAGE}, memory='much')",
            "memory is 'much', it must be an amount above 0",
        ),
        (f"container('load', {IMAGE}, executor=None)", "only an executor with containers reads"),
        (f"container('load', {IMAGE}, comand=['x'])", 'has no option "comand"'),
    ],
)
def test_a_mistake_is_told_at_its_line(tmp_path: Path, call: str, why: str) -> None:
    found = mistake(tmp_path, DAG.format(call=call, before="pass"))
    assert why in found
    assert "flow.py:7" in found


def test_what_the_loader_has_from_its_environment_stays_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_LOADER", "private-value")
    call = f"container('load', {IMAGE}, env={{'A': __import__('os').environ['OF_THE_LOADER']}})"
    found = mistake(tmp_path, DAG.format(call=call, before="pass"))
    assert "env holds a value from the environment of the process that reads the file" in found


def test_run_dag_says_that_it_runs_no_containers(tmp_path: Path) -> None:
    (dag,) = load(tmp_path, DAG.format(call=f"container('load', {IMAGE})", before="pass"))
    result = run_dag(dag)
    assert result.state == "failed"
    assert str(result["load"].error) == NOWHERE


def test_it_can_be_made_from_its_spec_alone(tmp_path: Path) -> None:
    """Front ends whose files are data make their tasks so."""
    spec = spec_of(
        tmp_path, DAG.format(call=f"container('load', {IMAGE}, command=['x'])", before="pass")
    )
    only = model.Dag(
        dag_id="d", file="d.py", tasks=tuple(t for t in spec.tasks if t.kind == "container")
    )
    assert runnable([only])["d"].tasks["load"].operator.word == "container"
