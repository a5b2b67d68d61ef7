"""From the words of a DAG file to its spec."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headway.authoring.loading import LoadError
from headway.spec.model import Axis, Input, Param
from tests.authoring.files import load, spec_of

FLIGHTS = """
from datetime import datetime, timedelta
from headway import Run, dag, task

@dag(schedule="0 5 * * *", start_date=datetime(2013, 1, 1), max_active_runs=4, tags=["flights"],
     timezone="Europe/Berlin")
def daily_delays(country: str = "us", limit: int | None = None):
    '''Delays by carrier.'''
    @task(retries=2, retry_delay=timedelta(seconds=30), execution_timeout=timedelta(minutes=5))
    def extract(run: Run, country) -> str: ...

    @task
    def carriers(path: str) -> list[str]: ...

    @task(pool="etl", priority_weight=5, memory_limit="2G")
    def summarise(path: str, carrier: str) -> dict: ...

    @task(trigger_rule="none_failed")
    def report(rows: list[dict]) -> str: ...

    path = extract(country=country)
    report(summarise.partial(path=path).expand(carrier=carriers(path)))
"""


def test_the_example_of_the_readme(tmp_path: Path) -> None:
    dag = spec_of(tmp_path, FLIGHTS)
    assert dag.schedule == {"cron": "0 5 * * *", "timezone": "Europe/Berlin"}
    assert dag.start_date == datetime(2012, 12, 31, 23, tzinfo=UTC)  # midnight in Berlin
    assert (dag.doc, dag.line, dag.tags) == ("Delays by carrier.", 4, ("flights",))
    assert dag.params == (
        Param(name="country", type="string", default="us"),
        Param(name="limit", type="integer", default=None),
    )
    extract, carriers, summarise, report = dag.tasks
    assert (extract.retries, extract.retry_delay_s, extract.execution_timeout_s) == (2, 30, 300)
    assert carriers.inputs == (Input(task_id="extract"),)
    assert summarise.mapping is not None
    assert summarise.mapping.axes == (Axis(argument="carrier", task_id="carriers"),)
    assert summarise.inputs == (Input(task_id="extract"),)
    assert summarise.upstream == ("carriers", "extract")
    assert (summarise.pool, summarise.priority_weight, summarise.memory_limit_mb) == (
        "etl",
        5,
        2048,
    )
    assert report.upstream == ("summarise",)
    assert [task.line for task in dag.tasks] == [8, 11, 14, 17]


ARROWS = """
from headway import DAG, TaskGroup, bash, chain, cross_downstream, python, task, task_group
with DAG("arrows"):
    a, b, c, d, e, f = (bash(name, command="true") for name in "abcdef")
    a >> [b, c] >> d << e
    chain([a, b], [e, f])
    cross_downstream([a], [d, f])
    with TaskGroup("g") as g:
        one = python("one", python_callable=print)
        with TaskGroup("h"):
            two = python("two", python_callable=print, op_args=[one])
    f >> g
    @task_group
    def again():
        return python("x", python_callable=print)
    again(); again()
"""


def test_arrows_and_groups(tmp_path: Path) -> None:
    upstream = {task.task_id: task.upstream for task in spec_of(tmp_path, ARROWS).tasks}
    assert upstream == {
        "a": (),
        "b": ("a",),
        "c": ("a",),
        "d": ("a", "b", "c", "e"),
        "e": ("a",),
        "f": ("a", "b"),
        "g.one": ("f",),
        "g.h.two": ("g.one",),
        "again.x": (),
        "again__1.x": (),
    }


AROUND_NOTHING = """
from headway import DAG, TaskGroup, bash, chain, task_group
with DAG("around"):
    create, publish, last, late = (bash(name, command="true") for name in ("create", "publish", "last", "late"))
    with TaskGroup("tables") as tables:
        for name in ():
            bash(name, command="true")
    create >> tables >> publish
    with TaskGroup("outer") as outer:
        with TaskGroup("inner") as inner:
            pass
    @task_group
    def nothing(): pass
    chain(publish, outer, nothing(), [inner, TaskGroup("never")], last)
    late >> outer
    filled = TaskGroup("filled")
    create >> filled >> late
    with filled:
        a = bash("a", command="true")
        a >> bash("b", command="true")
    round1, round2 = TaskGroup("r1"), TaskGroup("r2")
    round1 >> round2 >> round1
    last >> round1
"""


def test_an_empty_group_keeps_the_order_of_what_is_around_it(tmp_path: Path) -> None:
    upstream = {task.task_id: task.upstream for task in spec_of(tmp_path, AROUND_NOTHING).tasks}
    assert upstream == {
        "create": (),
        "publish": ("create",),
        "last": ("late", "publish"),
        "late": ("create", "filled.b"),
        "filled.a": ("create",),
        "filled.b": ("filled.a",),
    }


def test_a_task_called_again_is_numbered(tmp_path: Path) -> None:
    dag = spec_of(
        tmp_path,
        """
        from headway import dag, task
        @dag
        def twice():
            @task
            def f(x): ...
            f(f(f.override(task_id="first")(1)))
        """,
    )
    assert [(t.task_id, t.upstream) for t in dag.tasks] == [
        ("first", ()),
        ("f", ("first",)),
        ("f__1", ("f",)),
    ]


def test_results_inside_lists_and_dicts_and_items_of_results(tmp_path: Path) -> None:
    dag = spec_of(
        tmp_path,
        """
        from headway import dag, task
        @dag
        def nested():
            @task
            def f(x=None): ...
            a, b, c = f(), f(), f()
            f([a["k"], {"x": (b,)}])
            f.expand(x=[1, c])
            f.expand_kwargs([{"x": 1}, {"x": 2}])
        """,
    )
    by_id = {t.task_id: t for t in dag.tasks}
    nested, mapped, by_kwargs = by_id["f__3"], by_id["f__4"], by_id["f__5"]
    assert nested.inputs == (Input(task_id="f", key="k"), Input(task_id="f__1"))
    assert mapped.inputs == (Input(task_id="f__2"),)
    assert mapped.mapping is not None
    assert mapped.mapping.axes == (Axis(argument="x", length=2),)
    assert by_kwargs.mapping is not None
    assert by_kwargs.mapping.axes == (Axis(argument="", length=2),)


def test_default_args_and_both_kinds_of_branch(tmp_path: Path) -> None:
    dag = spec_of(
        tmp_path,
        """
        from datetime import datetime, timedelta
        from headway import dag, task
        @dag(default_args={"retries": 3, "owner": "data", "start_date": datetime(2024, 1, 1)})
        def defaults():
            @task.branch
            def choose(): ...
            @task.short_circuit(retries=0)
            def go_on(): ...
            @task.bash
            def say(): return "echo hi"
            choose() >> go_on() >> say()
        """,
    )
    assert [(t.task_id, t.kind, t.branch, t.retries, t.owner) for t in dag.tasks] == [
        ("choose", "python", True, 3, "data"),
        ("go_on", "python", True, 0, "data"),
        ("say", "bash", False, 3, "data"),
    ]
    assert (dag.owner, dag.start_date) == ("data", datetime(2024, 1, 1, tzinfo=UTC))


def test_every_way_to_define_a_dag_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "other_file.py").write_text(
        "from headway import DAG, dag\nwith DAG('of_other_file'): pass\n@dag\ndef not_here(): ...\n"
    )
    (tmp_path / "factory_beside.py").write_text(
        "from headway import DAG\ndef make(name):\n    with DAG(name) as made:\n"
        "        return made\n"
    )
    dags = load(
        tmp_path,
        """
        import other_file
        from factory_beside import make
        from headway import DAG, dag
        @dag
        def uncalled(): ...
        @dag("called")
        def f(country="de"): ...
        f()
        for country in "fr", "us":
            f.override(dag_id=f"of_{country}")(country=country)
        make("from_factory")
        with DAG("block"): pass
        if __name__ == "__main__":
            raise SystemExit("not when it is loaded")
        """,
    )
    assert {d.dag_id: d.spec("flow.py").line for d in dags} == {
        "called": 6,
        "of_fr": 6,
        "of_us": 6,
        "from_factory": 11,
        "block": 12,
        "uncalled": 4,
    }
    assert [d.params["country"].default for d in dags if d.params] == ["de", "fr", "us"]


def test_a_file_in_a_folder_finds_its_neighbours_and_the_root(tmp_path: Path) -> None:
    (tmp_path / "at_the_root.py").write_text("x = 1")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "next_to_it.py").write_text("y = 2")
    text = "import at_the_root, next_to_it\nfrom headway import DAG\nDAG('a')\n"
    (dag,) = load(tmp_path, text, "sub/flow_in_sub.py")
    assert dag.site.module == "flow_in_sub"


@pytest.mark.parametrize("name", ["statistics.py", "dotted.name.py", "headway.py", "__main__.py"])
def test_a_name_that_means_something_else_is_left_to_that(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", sys.path[:])
    before = sys.modules.get(name.removesuffix(".py"))
    (dag,) = load(tmp_path, "from headway.authoring.dag import DAG\nDAG('a')\n", name)
    assert dag.site.module.startswith("headway_dags_")
    assert sys.modules.get(name.removesuffix(".py")) is before
    __import__(dag.site.module)  # as pickle does


def test_a_relative_import_is_explained(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="relative import") as caught:
        load(tmp_path, "from . import near\n", "sub/flow.py")
    assert (caught.value.line, caught.value.hint) == (
        1,
        "relative imports do not work in DAG files; import from the DAG folder: `from package import module`",
    )


def test_two_files_of_one_name_do_not_meet(tmp_path: Path) -> None:
    text = "from headway import DAG\nX = __file__\nDAG('a')\n"
    (first,) = load(tmp_path, text, "a/twice_there.py")
    (second,) = load(tmp_path, text, "b/twice_there.py")
    assert first.site.module == "twice_there"
    assert second.site.module.startswith("headway_dags_twice_there_")
    assert str(tmp_path / "b" / "twice_there.py") == sys.modules[second.site.module].X


def test_a_file_without_dags(tmp_path: Path) -> None:
    assert load(tmp_path, "x = 1") == []
