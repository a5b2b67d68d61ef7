"""A mistake in a DAG file gives one sentence with its place and what was probably meant."""

import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest

from tests.authoring.files import mistake

IN_DAG = """\
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo
from headway import DAG, Param, TaskGroup, bash, chain, dag, python, task
@dag(schedule="@daily", start_date=datetime(2024, 1, 1))
def flow(country="de"):
    @task
    def one(): return [1]
    @task
    def two(x): pass
{body}
"""

BODY = [
    (
        "a = one(); b = two(a); a << b",
        "flow.py:6: the tasks form a cycle: one → two → one\n"
        "  remove one of these dependencies, for instance two → one",
    ),
    (
        "two(y=1)",
        'flow.py:10: two() has no argument "y"\n  it has x',
    ),
    (
        "two()",
        "flow.py:10: two() needs x\n  give it in the call, or a default in the function",
    ),
    ("two(1, 2)", "flow.py:10: two() takes 1 positional arguments but 2 were given"),
    ("two(1, x=2)", 'flow.py:10: two() got "x" twice'),
    (
        "two.expand(x='abc')",
        "flow.py:10: two can be mapped over a list, tuple, dict or the result of a task, "
        "but x='abc' is str\n  put it in a list: x=['abc']",
    ),
    (
        "two.expand(x=country)",
        "flow.py:10: two can be mapped over a list, tuple, dict or the result of a task, "
        "but x=<parameter country> is a parameter\n  let a task return the list",
    ),
    (
        "two.expand(x=one()['a'])",
        "flow.py:10: two can be mapped over a whole result, not over <result of one['a']>\n"
        "  let the upstream task return only that list",
    ),
    (
        "two.expand()",
        "flow.py:10: two.expand() needs the argument to map over\n"
        "  for instance two.expand(item=[1, 2, 3])",
    ),
    (
        "two.partial(x=1).expand(x=[1])",
        'flow.py:10: two got the argument "x" from both partial() and expand()',
    ),
    (
        "two.expand_kwargs([{'x': 1}, 2])",
        "flow.py:10: two.expand_kwargs() needs dicts of arguments, but item 1 is 2",
    ),
    (
        "a = one()\n    if a: pass",
        "flow.py:11: the result of one is not known while the file is read, so it cannot be tested here\n"
        "  decide inside a task, with @task.branch or @task.short_circuit",
    ),
    (
        "for item in one(): pass",
        "flow.py:10: the result of one is not known while the file is read, so it cannot be "
        "looped over or unpacked here\n"
        '  use .expand(argument=result) to map over it, or result["key"]',
    ),
    (
        "bash('say', command=f'echo {one()}')",
        "flow.py:10: the result of one is not known while the file is read, "
        "so it cannot be converted to a string here\n"
        "  pass it to a task as an argument and format it there",
    ),
    (
        "one() >> two",
        "flow.py:10: >> and << need tasks on both sides, not <task function two>: "
        "it was not called\n  call the task function inside the DAG: extract() >> load()",
    ),
    (
        "bash('a', command='x')\n    bash('a', command='y')",
        'flow.py:11: two tasks are called "a", at lines 10 and 11\n'
        "  give one of them another task_id",
    ),
    (
        "bash('a', comand='x')",
        'flow.py:10: bash("a") needs command\n  give it in the call, or a default in the function',
    ),
    (
        "bash('a', command='x', retrys=1)",
        'flow.py:10: bash("a") has no option "retrys"\n  did you mean "retries"?',
    ),
    (
        "one.override(retrys=1)()",
        'flow.py:10: one.override() has no option "retrys"\n  did you mean "retries"?',
    ),
    (
        "one.override(trigger_rule='all_sucess')()",
        'flow.py:6: one: unknown trigger rule "all_sucess"\n  did you mean "all_success"?',
    ),
    (
        "one.override(retries=-1)()",
        "flow.py:6: one: retries is -1, it must be at least 0",
    ),
    (
        "one.override(retries='2')()",
        "flow.py:10: one.override(): retries must be a whole number, not '2'",
    ),
    (
        "one.override(execution_timeout=timedelta(0))()",
        "flow.py:6: one: execution_timeout is 0 seconds, it must be longer than 0",
    ),
    (
        "one.override(pool_slots=0)()",
        "flow.py:6: one: pool_slots is 0, it must be at least 1",
    ),
    (
        "one.override(priority_weight=1001)()",
        "flow.py:6: one: priority_weight is 1001, it must be between -1000 and 1000",
    ),
    (
        "one.override(weight_rule='downstreams')()",
        'flow.py:6: one: unknown weight rule "downstreams"\n  did you mean "downstream"?',
    ),
    (
        "one.override(memory_limit='lots')()",
        "flow.py:10: one.override(): memory_limit must be a number of MB or a size like "
        '"512MB" or "2G", not \'lots\'',
    ),
    (
        "one.override(task_id='../etc')()",
        "flow.py:6: the task_id '../etc' is not allowed\n"
        "  use letters, digits, _, - and ., and begin with a letter, a digit or _",
    ),
    (
        "one.override(task_id='x' * 251)()",
        f"flow.py:6: the task_id '{'x' * 40}...' is 251 bytes long; the limit is 250\n"
        "  use letters, digits, _, - and ., and begin with a letter, a digit or _",
    ),
    (
        "one.override(depends_on_past='yes')()",
        "flow.py:10: one.override(): depends_on_past must be True or False, not 'yes'",
    ),
    (
        "one.override(max_active_tis_per_dag=0)()",
        "flow.py:6: one: max_active_tis_per_dag is 0, it must be at least 1",
    ),
    (
        "task.short_circuit(ignore_downstream_trigger_rules=1)(print)",
        "flow.py:10: @task.short_circuit: ignore_downstream_trigger_rules must be True or False, not 1",
    ),
    (
        "task.branch(ignore_downstream_trigger_rules=True)(print)",
        'flow.py:10: @task.branch has no option "ignore_downstream_trigger_rules"\n'
        "  only @task.short_circuit has it",
    ),
    (
        "chain([one(), one()], [one()])",
        "flow.py:10: chain() pairs the items of adjacent lists, but one has 2 tasks and the next 1\n"
        "  use cross_downstream(first, second) to connect all with all",
    ),
]


@pytest.mark.parametrize(("body", "told"), BODY)
def test_in_the_body_of_a_dag(body: str, told: str, tmp_path: Path) -> None:
    assert mistake(tmp_path, IN_DAG.format(body=f"    {body}")) == told


IN_HEAD = """\
from datetime import datetime, timedelta
from headway import DAG, Param, dag, task
{head}
def flow():
    @task
    def one(): pass
    one()
"""

HEAD = [
    (
        '@dag(shedule="@daily")',
        'flow.py:3: @dag has no option "shedule"\n  did you mean "schedule"?',
    ),
    (
        '@dag(schedule_interval="@daily")',
        'flow.py:3: @dag has no option "schedule_interval"\n  use schedule instead',
    ),
    (
        '@dag(schedule="@dayly")',
        'flow.py:3: flow: unknown preset "@dayly": did you mean @daily?',
    ),
    (
        '@dag(schedule="0 25 * * *")',
        'flow.py:3: flow: cron "0 25 * * *": hour "25" is not valid: 0 to 23; '
        "also *, lists (1,2), ranges (1-5) and steps (*/2)",
    ),
    (
        "@dag(schedule=timedelta(hours=1))",
        "flow.py:3: flow: an interval schedule needs a start_date to count from",
    ),
    (
        '@dag(timezone="Europe/Pariss")',
        'flow.py:3: unknown time zone "Europe/Pariss"\n  did you mean "Europe/Paris"?',
    ),
    (
        '@dag(dag_id="a/b")',
        "flow.py:3: the dag_id 'a/b' is not allowed\n"
        "  use letters, digits, _, - and ., and begin with a letter, a digit or _",
    ),
    (
        '@dag(dag_id="a\\0b")',
        "flow.py:3: the dag_id 'a\\x00b' is not allowed\n"
        "  use letters, digits, _, - and ., and begin with a letter, a digit or _",
    ),
    ("@dag(max_active_runs=0)", "flow.py:3: flow: max_active_runs is 0, it must be at least 1"),
    (
        "@dag(start_date='2024-01-01')",
        "flow.py:3: @dag: start_date must be a datetime, not '2024-01-01'",
    ),
    (
        "@dag(start_date=datetime.min)",
        "flow.py:3: @dag: start_date must be between 0001-01-02 and 9999-12-30, "
        "not datetime.datetime(1, 1, 1, 0, 0)",
    ),
    (
        "@dag(end_date=datetime.max.date())",
        "flow.py:3: @dag: end_date must be between 0001-01-02 and 9999-12-30, "
        "not datetime.date(9999, 12, 31)",
    ),
    (
        "@dag(start_date=datetime(2024, 1, 2), end_date=datetime(2024, 1, 1))",
        "flow.py:3: flow: end_date is before start_date",
    ),
    (
        "@dag(params={'x': Param(5, type='int')})",
        'flow.py:3: the type of the parameter x has no option "int"\n  did you mean "integer"?',
    ),
    (
        "@dag(params={'x': Param('5', type='integer')})",
        'flow.py:3: the parameter "x" of flow is an integer, not "5" (its default)',
    ),
    (
        "@dag(params={'x': Param(0, type='integer', minimum=1)})",
        'flow.py:3: the parameter "x" of flow is 0, but must be at least 1 (its default)',
    ),
    (
        "@dag(params={'x': Param(5, minimun=1)})",
        'flow.py:3: the parameter x has no option "minimun"\n  did you mean "minimum"?',
    ),
    (
        "@dag(params={'x': Param('a', format='datetime')})",
        'flow.py:3: the format of the parameter x has no option "datetime"\n  did you mean "date-time"?',
    ),
    (
        "@dag(params={\n'y': 1,\n'x': Param('a', pattern='(')})",
        "flow.py:5: flow: the parameter x cannot be checked: the pattern is not a regular expression: "
        "missing ) at position 1",
    ),
    (
        "@dag(params={'x': object})",
        "flow.py:3: a value of the parameter x is a type, which JSON cannot represent\n"
        "  use a string, number, boolean, list, dict, date, datetime or None",
    ),
    (
        "@dag(default_args={'retry': 2})",
        'flow.py:3: DAG("flow"): default_args has no option "retry"\n  did you mean "retries"?',
    ),
]


@pytest.mark.parametrize(("head", "told"), HEAD)
def test_in_the_head_of_a_dag(head: str, told: str, tmp_path: Path) -> None:
    assert mistake(tmp_path, IN_HEAD.format(head=head)) == told


FILES = [
    ("def f(:\n  pass", "flow.py:1: SyntaxError: invalid syntax"),
    ("import sys\nsys.exit(3)", None),
    (
        "x = 1\nimport no_such_package.deep",
        "flow.py:2: ModuleNotFoundError: No module named 'no_such_package'\n"
        "  install it in the environment that Headway's agent runs in: "
        f"{sys.executable} -m pip install no_such_package, "
        "or put no_such_package.py next to the DAG file",
    ),
    (
        "from airflow import DAG",
        "flow.py:1: ModuleNotFoundError: No module named 'airflow'\n"
        "  import from headway instead: from headway import DAG, dag, task",
    ),
    ("x = 1\nx.y", "flow.py:2: AttributeError: 'int' object has no attribute 'y'"),
    ("raise BaseException('so')", "flow.py:1: BaseException: so"),
    (
        "from headway import DAG\nDAG('a')\n\nDAG('a')",
        'flow.py:4: two DAGs are called "a", made at lines 2 and 4\n'
        '  give each DAG its own id: @dag(dag_id=f"report_{country}"), '
        "or function.override(dag_id=…)()",
    ),
    (
        "from headway import task\n@task\ndef f(): pass\nf()",
        "flow.py:4: f() is called outside a DAG\n"
        "  call it in the body of a @dag function or in `with DAG(…):`; "
        "f.function(…) calls the plain function",
    ),
    (
        "from headway import dag, task\n@dag\ndef d():\n    @task\n    def a(): pass\n\n"
        "    @task\n    def b(x): pass\n\n    b(a)",
        "flow.py:10: the argument a is a task function, not its result\n"
        "  call it: a(); a.function is the plain function",
    ),
    (
        "from headway import task\n@task.bahs\ndef f(): pass",
        'flow.py:2: @task has no option "bahs"\n  did you mean "bash"?',
    ),
    (
        "from headway import DAG, task\nwith DAG('a'):\n"
        "  @task(task_id='t')\n  def f(): pass\n"
        "  @task(task_id='t')\n  def g(): pass\n  f()\n  g()",
        'flow.py:5: two tasks are called "t", at lines 3 and 5\n  give one of them another task_id',
    ),
]


class NoAirflow(MetaPathFinder):
    """As where it is not installed."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == "airflow":
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


@pytest.mark.parametrize(("text", "told"), FILES)
def test_in_a_file(
    text: str, told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "meta_path", [NoAirflow(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "airflow", raising=False)
    assert mistake(tmp_path, text) == (
        told
        or "flow.py:2: the file ends the process: sys.exit(3)\n"
        "  a DAG file must only define DAGs; do the work in tasks"
    )


def test_a_mistake_in_a_module_beside_the_file_names_both(tmp_path: Path) -> None:
    (tmp_path / "beside_broken.py").write_text("def go():\n    return 1 / 0\n")
    told = mistake(tmp_path, "import beside_broken\nbeside_broken.go()")
    assert told == "flow.py:2: ZeroDivisionError: division by zero (in beside_broken.py:2)"
