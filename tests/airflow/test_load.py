"""From a file of Airflow to our spec; what does not run here, and what runs otherwise, is told with its line."""

from pathlib import Path
from typing import Any

import pytest

from headway import frontends
from headway.core.pod_words import CHOSEN_ELSEWHERE
from headway.frontends import airflow, python
from headway.frontends.airflow import installed
from headway.loader.check import Checked, check
from headway.spec import compile
from headway.spec.errors import BadSpec
from headway.spec.model import Axis, Dag, Param, Task
from tests.airflow.conftest import DAGS

SCHEDULES = """
from datetime import datetime, timedelta
from airflow.sdk import DAG, Asset, CronDataIntervalTimetable
from airflow.providers.standard.operators.empty import EmptyOperator

for name, schedule in {
    "none": None,
    "once": "@once",
    "daily": "@daily",
    "cron": "30 4 * * 1-5",
    "delta": timedelta(hours=6),
    "interval": CronDataIntervalTimetable("0 1 * * *", timezone="Europe/Paris"),
    "continuous": "@continuous",
    "asset": [Asset("s3://a")],
}.items():
    with DAG(name, schedule=schedule, start_date=datetime(2026, 1, 1), max_active_runs=1):
        EmptyOperator(task_id="a")
"""
TASKS = """
from datetime import datetime, timedelta
import pendulum
from airflow.sdk import DAG, Param, TaskGroup, task
from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.python import ShortCircuitOperator

with DAG(
    "all", start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"), end_date=datetime(2027, 1, 1),
    catchup=True, max_active_tasks=4, dagrun_timeout=timedelta(hours=1), description="says",
    params={"n": 3, "day": Param("2026-01-01", type="string", format="date", description="which"),
            "kind": Param("a", enum=["a", "b"]), "any": Param(None, type=["null", "string"]),
            "rows": Param(5, type="integer", minimum=1, maximum=9, title="Rows", section="Size", examples=[5, 7]),
            "who": Param(None, type="string", values_display={"a": "Ada"}),
            "odd": Param({"a": 1}, patternProperties={"a": {}}, description_md="**how**"),
            "mail": Param("", type="string", minLength=3, format="email"),
            "typed": Param(3, type="int")},
    default_args={"owner": "etl", "retries": 2, "retry_delay": timedelta(minutes=2)},
):
    a = BashOperator(
        task_id="a", bash_command="echo {{ ds }}", pool="db", pool_slots=2, queue="big", retries=0,
        execution_timeout=timedelta(minutes=5), max_active_tis_per_dagrun=3, doc_md="what for",
        max_active_tis_per_dag=5, wait_for_downstream=True, ignore_first_depends_on_past=False,
        retry_exponential_backoff=True, max_retry_delay=timedelta(hours=1),
    )
    with TaskGroup("group"):
        b = BashOperator(task_id="b", bash_command="x", trigger_rule="one_failed", weight_rule="absolute")

    @task
    def names(): return ["x"]

    @task
    def each(name, number): ...

    with TaskGroup("outer", tooltip="Tables"), TaskGroup("flat", prefix_group_id=False):
        BashOperator(task_id="f", bash_command="x")

    c = ShortCircuitOperator(task_id="c", python_callable=lambda: 1)
    d = ShortCircuitOperator(task_id="d", python_callable=lambda: 1, ignore_downstream_trigger_rules=False)
    a >> b >> c >> d
    mapped = each.expand(name=names(), number=[1, 2, 3])
    d >> mapped
    each.override(task_id="kwargs").expand_kwargs([{"name": 1, "number": 2}])
    other = names.override(task_id="other")()
    each.override(task_id="combined").partial(number=1).expand(
        name=names.override(task_id="first")().map(str).concat(other.zip(other, fillvalue=None)).zip(other))
"""
SETUPS = """
from airflow.sdk import DAG, setup, task, teardown

with DAG("setups"):
    @setup
    def create(): ...
    @task
    def work(): ...
    @teardown
    def delete(): ...
    @teardown(on_failure_fail_dagrun=True)
    def check(): ...
    @teardown
    def each(x): ...
    create() >> work() >> [delete(), check(), each.expand(x=[1, 2])]
"""
PODS = """
from airflow.sdk import DAG, task

class V1Pod:  # as the client library of Kubernetes makes its objects
    attribute_map = {"metadata": "metadata", "spec": "spec"}
    def __init__(self, spec):
        self.metadata, self.spec = None, spec

class V1PodSpec:
    attribute_map = {"node_selector": "nodeSelector", "containers": "containers"}
    def __init__(self, **fields):
        self.node_selector = self.containers = None
        vars(self).update(fields)

BASE = {"name": "base", "image": "ghcr.io/acme/model:3", "env": [{"name": "MODE", "value": "full"}],
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}}

def pod(**spec):
    return {"pod_override": V1Pod(V1PodSpec(**spec))}

with DAG("pods", fail_fast=True):
    @task(executor="KubernetesExecutor", executor_config=pod(node_selector={"disk": "ssd"}, containers=[BASE]))
    def model(): ...
    @task(executor="airflow.providers.cncf.kubernetes.executors.kubernetes_executor.KubernetesExecutor",
        executor_config={"pod_override": {"spec": {"containers": [{"name": "base", "image": "jobs:3"}]}}, "old": 1})
    def image(): ...
    @task(executor_config=pod(containers=[BASE]))
    def local(): ...
    model(), image(), local()

with DAG("account"):
    @task(executor="KubernetesExecutor", executor_config={"pod_override": {"spec": {"serviceAccountName": "admin"}}})
    def admin(): ...
    admin()
"""
DISK = """
from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, task

OUT = "/opt/airflow/out"

def kept(day):
    open(f"{OUT}/{day}.csv", "w").close()

def mapped(day):
    open("/data/x", "a").close()

CLAIM = {"volumes": [{"name": "out", "persistentVolumeClaim": {"claimName": "out"}}],
    "containers": [{"name": "base", "volumeMounts": [{"name": "out", "mountPath": "/opt/airflow/out"}]}]}

with DAG("disk", schedule=None):
    PythonOperator(task_id="kept", python_callable=kept, op_args=["a"], executor="KubernetesExecutor")
    PythonOperator.partial(task_id="mapped", python_callable=mapped,
        executor="KubernetesExecutor").expand(op_args=[["a"]])
    PythonOperator(task_id="volume", python_callable=kept, op_args=["a"], executor="KubernetesExecutor",
        executor_config={"pod_override": {"spec": CLAIM}})
    PythonOperator(task_id="agent", python_callable=kept, op_args=["a"])
    @task(executor="KubernetesExecutor")
    def decorated():
        with open("/srv/y", "w") as file:
            file.write("y")
    decorated()
"""
REFUSED = """
from airflow.sdk import DAG, task

ADMIN = {"pod_override": {"spec": {"serviceAccountName": "admin"}}}

with DAG("account"):
    @task(executor="KubernetesExecutor", executor_config=ADMIN)
    def admin(): ...
    admin()

with DAG("fine"):
    @task
    def one(): ...
    one()
"""
BRANCHES = """
from airflow.providers.standard.operators.python import BranchPythonOperator, ShortCircuitOperator
from airflow.sdk import DAG, task, task_group

with DAG("choices"):
    @task.branch
    def again(x): ...
    again.expand(x=[1])

with DAG("groups"):
    @task_group
    def both(x):
        @task.short_circuit
        def inner(y): ...
        @task
        def next(y): ...
        inner(x) >> next(x)
    both.expand(x=[1, 2])

with DAG("operators"):
    ShortCircuitOperator.partial(task_id="gate", python_callable=bool).expand(op_args=[[1]])
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checked]:
    folder = tmp_path_factory.mktemp("dags")
    texts = {
        "schedules.py": SCHEDULES,
        "tasks.py": TASKS,
        "setups.py": SETUPS,
        "pods.py": PODS,
        "disk.py": DISK,
        "refused.py": REFUSED,
        "only_refused.py": REFUSED.partition('with DAG("fine")')[0],
        "branches.py": BRANCHES,
        "broken.py": "from airflow.sdk import DAG\n\nwith DAG('x'):\n    1 / 0\n",
        "lacking.py": "import airflow\nimport airflow.providers.nosuch\n",
        "variable.py": "from airflow.sdk import Variable\nx = Variable.get('nosuch')\n",
        "helper.py": "x = 1\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {each.file: each for each in check(folder)}


def dag(checked: dict[str, Checked], file: str, dag_id: str) -> Dag:
    return next(dag for dag in checked[file].dags if dag.dag_id == dag_id)


def tasks(dag: Dag) -> dict[str, Task]:
    return {task.task_id: task for task in dag.tasks}


@pytest.mark.parametrize(
    ("dag_id", "schedule"),
    [
        ("none", None),
        ("once", {"once": True}),
        ("daily", {"cron": "0 0 * * *"}),
        ("cron", {"cron": "30 4 * * 1-5"}),
        ("delta", {"interval_s": 21600.0}),
        ("interval", {"cron": "0 1 * * *", "timezone": "Europe/Paris"}),
        ("continuous", {"continuous": True}),
        ("asset", {"assets": "s3://a"}),
    ],
)
def test_a_timetable_is_a_schedule(
    checked: dict[str, Checked], dag_id: str, schedule: dict[str, Any] | None
) -> None:
    assert dag(checked, "schedules.py", dag_id).schedule == schedule


def test_no_schedule_is_left_out(checked: dict[str, Checked]) -> None:
    assert checked["schedules.py"].warnings == ()


def test_a_dag_keeps_what_it_says(checked: dict[str, Checked]) -> None:
    found = dag(checked, "tasks.py", "all")
    (odd,) = checked["tasks.py"].warnings
    assert odd.message == (
        "all: the parameter odd is checked by tasks, not when a run is asked for: "
        '"patternProperties" is not a keyword that Headway checks'
    )
    assert (found.catchup, found.max_active_tasks, found.dagrun_timeout_s) == (True, 4, 3600.0)
    assert (found.timezone, found.description, found.owner) == ("Europe/Paris", "says", "etl")
    assert str(found.start_date) == "2025-12-31 23:00:00+00:00"
    assert found.line == 9
    assert found.params == (
        Param(name="n", default=3),
        Param(name="day", type="string", format="date", default="2026-01-01", description="which"),
        Param(name="kind", default="a", enum=("a", "b")),
        Param(name="any", type="string", schema={"type": ["null", "string"]}),
        Param(
            name="rows",
            type="integer",
            default=5,
            schema={"minimum": 1, "maximum": 9},
            title="Rows",
            section="Size",
            examples=(5, 7),
        ),
        Param(name="who", type="string", required=True, values_display={"a": "Ada"}),
        Param(name="odd", default={"a": 1}, description="**how**"),
        Param(
            name="mail",
            type="string",
            required=True,
            schema={"minLength": 3, "format": "email"},
        ),
        Param(name="typed", default=3),
    )


def test_a_task_keeps_what_it_says(checked: dict[str, Checked]) -> None:
    found = tasks(dag(checked, "tasks.py", "all"))
    whole = dag(checked, "tasks.py", "all")
    a, b = found["a"], found["group.b"]
    assert (a.kind, a.pool, a.pool_slots, a.queue) == ("BashOperator", "db", 2, "big")
    assert (a.retries, a.retry_delay_s, a.retry_exponential_backoff) == (0, 120.0, True)
    assert (a.max_retry_delay_s, a.execution_timeout_s) == (3600.0, 300.0)
    assert (a.max_active_tis_per_dagrun, a.doc, a.line) == (3, "what for", 21)
    assert (a.max_active_tis_per_dag, a.wait_for_downstream, a.depends_on_past) == (5, True, True)
    assert (a.ignore_first_depends_on_past, b.depends_on_past) == (False, False)
    assert a.arguments is not None
    assert a.arguments["bash_command"] == "echo {{ ds }}"
    assert (b.trigger_rule, b.upstream, b.retries, b.priority_weight) == (
        "one_failed",
        ("a",),
        2,
        1,
    )
    assert (a.weight_rule, b.weight_rule) == ("downstream", "absolute")
    weights = {node.task_id: node.weight for node in compile.graph(whole).nodes}
    assert (weights["a"], weights["group.b"]) == (5, 1)  # its own, and those of the four below it
    assert (found["c"].branch, found["c"].skips_all_below) == (True, True)
    assert (found["d"].branch, found["d"].skips_all_below) == (True, False)
    assert found["names"].function == "names"


def test_a_task_for_the_executor_of_kubernetes_has_its_pod(checked: dict[str, Checked]) -> None:
    whole = dag(checked, "pods.py", "pods")
    found = tasks(whole)
    model = found["model"]
    assert (model.executor, model.image) == ("kubernetes", "ghcr.io/acme/model:3")
    assert model.resources == {"cpu": "1", "memory": "2Gi"}
    env = [{"name": "MODE", "value": "full"}]
    spec = {"nodeSelector": {"disk": "ssd"}, "containers": [{"name": "task", "env": env}]}
    assert model.pod == {"spec": spec}
    image = found["image"]
    assert (image.executor, image.image, image.pod) == ("kubernetes", "jobs:3", {})
    assert (found["local"].executor, found["local"].image, found["local"].pod) == ("", "", {})
    assert whole.fail_fast
    assert [(each.dag_id, each.message) for each in checked["pods.py"].warnings] == [
        (
            "account",
            "account does not run here: admin has a pod_override whose spec.serviceAccountName is not allowed: "
            + CHOSEN_ELSEWHERE["serviceAccountName"],
        ),
        ("pods", "pods: old in the executor_config of image is ignored"),
        (
            "pods",
            'pods: the executor_config of local is ignored without executor="KubernetesExecutor"',
        ),
    ]


def test_a_pods_own_disk_is_no_place_for_files(checked: dict[str, Checked]) -> None:
    root = "and the root of its pod is read-only"
    assert sorted((each.line, each.message) for each in checked["disk.py"].warnings) == [
        (8, f"disk: kept writes to the local path /opt/airflow/out, {root}"),
        (11, f"disk: mapped writes to the local path /data/x, {root}"),
        (25, f"disk: decorated writes to the local path /srv/y, {root}"),
    ]


def test_groups_are_nested_as_in_the_file(checked: dict[str, Checked]) -> None:
    spec = dag(checked, "tasks.py", "all")
    found = tasks(spec)
    assert (found["group.b"].group, found["f"].group) == (None, "outer.flat")
    assert [(group.path, group.tooltip) for group in spec.groups] == [("outer", "Tables")]


def test_expand_is_a_mapping(checked: dict[str, Checked]) -> None:
    found = tasks(dag(checked, "tasks.py", "all"))
    mapping = found["each"].mapping
    assert mapping is not None
    assert [(axis.argument, axis.task_id, axis.length) for axis in mapping.axes] == [
        ("name", "names", None),
        ("number", None, 3),
    ]
    kwargs = found["kwargs"].mapping
    assert kwargs is not None
    assert [(axis.argument, axis.length) for axis in kwargs.axes] == [("", 1)]


def test_lists_that_are_combined_are_counted(checked: dict[str, Checked]) -> None:
    mapping = tasks(dag(checked, "tasks.py", "all"))["combined"].mapping
    assert mapping is not None
    other = Axis(argument="", task_id="other")
    pairs = Axis(argument="", combine="zip_longest", parts=(other, other))
    first = Axis(argument="", task_id="first")
    both = Axis(argument="", combine="concat", parts=(first, pairs))
    assert mapping.axes == (Axis(argument="name", combine="zip", parts=(both, other)),)


def test_setups_and_teardowns_are_such(checked: dict[str, Checked]) -> None:
    (dag,) = checked["setups.py"].dags
    told = {
        task.task_id: (task.setup, task.teardown, task.decides_outcome, task.trigger_rule)
        for task in dag.tasks
    }
    assert told == {
        "create": (True, False, True, "all_success"),
        "work": (False, False, True, "all_success"),
        "delete": (False, True, False, "all_done_setup_success"),
        "check": (False, True, True, "all_done_setup_success"),
        "each": (False, True, False, "all_done_setup_success"),
    }
    assert not checked["setups.py"].warnings


def test_a_dag_that_would_run_otherwise_is_left_out_with_the_reason(
    checked: dict[str, Checked],
) -> None:
    found = checked["refused.py"]
    assert [dag.dag_id for dag in found.dags] == ["fine"]
    (told,) = found.warnings
    assert (told.dag_id, told.line) == ("account", 8)
    assert told.message.startswith("account does not run here: admin has a pod_override whose")
    assert told.hint
    only = checked["only_refused.py"]
    assert only.error is not None
    assert (only.error.message, only.error.line) == (told.message, 8)


def test_mapped_branches_decide_by_index(checked: dict[str, Checked]) -> None:
    found = {
        name: task
        for dag_id in ("choices", "groups", "operators")
        for name, task in tasks(dag(checked, "branches.py", dag_id)).items()
    }
    assert {
        name: (task.branch, task.decides_by_index, task.skips_all_below)
        for name, task in found.items()
    } == {
        "again": (True, True, False),
        "both.inner": (True, True, True),
        "both.next": (False, False, False),
        "gate": (True, True, False),
    }
    bug = "Airflow 3.2 and 3.3 run what it does not choose, too (apache/airflow#67265)"
    assert [(each.line, each.message) for each in checked["branches.py"].warnings] == [
        (7, f"choices: again is a mapped branch, and decides for each index; {bug}"),
        (
            14,
            f"groups: both.inner is a branch in a mapped task group, and decides for each index; {bug}",
        ),
    ]


@pytest.mark.parametrize(
    ("file", "line", "told"),
    [
        ("broken.py", 4, "ZeroDivisionError"),
        ("lacking.py", 2, "No module named 'airflow.providers.nosuch'"),
        ("variable.py", 2, "nosuch"),
    ],
)
def test_an_error_has_its_line(
    checked: dict[str, Checked], file: str, line: int, told: str
) -> None:
    error = checked[file].error
    assert error is not None
    assert (error.line, told in error.message) == (line, True)


def test_a_file_belongs_to_whom_it_imports() -> None:
    cases = {
        "from airflow.sdk import DAG": airflow.FRONT_END,
        "    import airflow": airflow.FRONT_END,
        "import airflow  # unlike headway": airflow.FRONT_END,
        "from headway import dag  # no airflow": python.FRONT_END,
        "from headway import dag\nfrom airflow.sdk import Variable": python.FRONT_END,
        "# Airflow: DAGs of a factory\nfrom factory import load": airflow.FRONT_END,
        "# an asset of Airflow": airflow.FRONT_END,
        "# DAGs as in Airflow, written for headway": python.FRONT_END,
        "# import airflow": None,
        "import airflows": None,
    }
    for text, front_end in cases.items():
        assert frontends.claimant("a.py", text.encode()) is front_end, text


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (None, "which is not installed where Headway runs"),
        ("2.10.5", "Airflow 2.10.5 is installed; Headway runs DAG files with Airflow 3.2 and 3.3"),
    ],
)
def test_without_an_airflow_that_it_knows_the_command_is_told(
    version: str | None, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(installed, "found", lambda: version)
    (tmp_path / "a.py").write_text((DAGS / "flow.py").read_text())
    with pytest.raises(BadSpec, match=told) as caught:
        airflow.FRONT_END.load(tmp_path, "a.py")
    assert "pip install 'headway[airflow]'" in str(caught.value.hint)
    (tmp_path / "b.py").write_text("# a helper: no DAG of Airflow\n1 / 0")
    found = airflow.FRONT_END.load(tmp_path, "b.py").dags if version is None else []
    assert found == []
