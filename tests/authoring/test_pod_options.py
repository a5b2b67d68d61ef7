"""What a task says of its pod: the words of its options, and the overlay in the spec."""

from pathlib import Path

import pytest

from headway.errors import UsageError
from headway.spec.params import check_params, params_from_text
from tests.authoring.files import mistake, spec_of

DAG = """\
from headway import Param, dag, task
@dag(params={{"memory": "4Gi"}})
def flow():
    @task(executor="kubernetes", {options})
    def work(): ...
    work()
flow()
"""


def overlay(folder: Path, options: str) -> object:
    return spec_of(folder, DAG.format(options=options)).tasks[0].pod


@pytest.mark.parametrize(
    ("options", "pod"),
    [
        ("labels=None", {}),
        ('node_selector={"disk": "ssd"}', {"spec": {"nodeSelector": {"disk": "ssd"}}}),
        (
            'tolerations=[{"key": "spot", "operator": "Exists"}]',
            {"spec": {"tolerations": [{"key": "spot", "operator": "Exists"}]}},
        ),
        (
            'labels={"a": "b"}, annotations={"example.com/c": "d"}',
            {"metadata": {"labels": {"a": "b"}, "annotations": {"example.com/c": "d"}}},
        ),
        ('priority_class="batch-low"', {"spec": {"priorityClassName": "batch-low"}}),
        (
            'secrets={"PASSWORD": "warehouse/password"}',
            {
                "spec": {
                    "containers": [
                        {
                            "name": "task",
                            "env": [
                                {
                                    "name": "PASSWORD",
                                    "valueFrom": {
                                        "secretKeyRef": {"name": "warehouse", "key": "password"}
                                    },
                                }
                            ],
                        }
                    ]
                }
            },
        ),
        (
            'volumes={"/models": {"claim": "models", "read_only": True}, "/cache": {"empty_dir": "1Gi"}, '
            '"/etc/a": {"config_map": "a", "sub_path": "b"}, "/keys": {"secret": "keys"}}',
            {
                "spec": {
                    "volumes": [
                        {"name": "volume-1", "persistentVolumeClaim": {"claimName": "models"}},
                        {"name": "volume-2", "emptyDir": {"sizeLimit": "1Gi"}},
                        {"name": "volume-3", "configMap": {"name": "a"}},
                        {"name": "volume-4", "secret": {"secretName": "keys"}},
                    ],
                    "containers": [
                        {
                            "name": "task",
                            "volumeMounts": [
                                {"name": "volume-1", "mountPath": "/models", "readOnly": True},
                                {"name": "volume-2", "mountPath": "/cache"},
                                {"name": "volume-3", "mountPath": "/etc/a", "subPath": "b"},
                                {"name": "volume-4", "mountPath": "/keys"},
                            ],
                        }
                    ],
                }
            },
        ),
        (
            'labels={"a": "b"}, pod_override={"metadata": {"labels": {"a": "c"}}}',
            {"metadata": {"labels": {"a": "c"}}},
        ),
        (
            'pod_override={"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "base", "env": []}]}}',
            {"spec": {"containers": [{"name": "task", "env": []}]}},
        ),
    ],
)
def test_the_words_become_an_overlay(tmp_path: Path, options: str, pod: object) -> None:
    assert overlay(tmp_path, options) == pod


def test_objects_of_the_client_library_are_taken_as_airflow_does(tmp_path: Path) -> None:
    """As those of ``kubernetes.client``: each says which field has which name in JSON."""
    text = """
        class V1:
            def __init__(self, **given):
                names = {"node_selector": "nodeSelector", "host_network": "hostNetwork", "spec": "spec"}
                self.attribute_map = names
                for name in names:
                    setattr(self, name, given.get(name))
        from headway import dag, task
        @dag
        def flow():
            @task(executor="kubernetes", pod_override=V1(spec=V1(node_selector={"a": "b"})))
            def work(): ...
            work()
        flow()
        """
    assert spec_of(tmp_path, text).tasks[0].pod == {"spec": {"nodeSelector": {"a": "b"}}}
    wrong = text.replace('node_selector={"a": "b"}', "host_network=True")
    assert "spec.hostNetwork is not allowed: a task shares nothing with its node" in mistake(
        tmp_path, wrong
    )


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ('volumes=["/data"]', "volumes must be a dict of mount paths"),
        ('volumes={"/a": {"host_path": "/"}}', "each has one of claim, empty_dir"),
        ('volumes={"/a": {"claim": "a", "secret": "b"}}', "each has one of claim, empty_dir"),
        ('secrets={"A": "b"}', "(secret/key)"),
        ('tolerations={"key": "a"}', "tolerations must be a list of dicts"),
        ('labels={"a": 1}', "labels must be a dict of texts"),
        ("pod_override=7", "pod_override must be a part of a pod"),
        ('memory_after_oom="2"', "memory_after_oom must be a number"),
        ('capacity="spott"', "capacity must be \"spot\", not 'spott'"),
        ("memory_after_oom=0.5", "memory_after_oom is 0.5, it must be between 1 and 100"),
        ('volumes={"/headway/x": {"claim": "a"}}', "/headway is not for volumes of a task"),
        ('labels={"headway.dev/team": "x"}', "belong to Headway and the platform"),
        (
            'pod_override={"spec": {"serviceAccountName": "admin"}}',
            "spec.serviceAccountName is not allowed: the service account is that of the team",
        ),
        (
            'pod_override={"spec": {"containers": [{"name": "base", "image": "x"}]}}',
            'containers[0].image is not allowed: write image="…" among the options of the task',
        ),
        (
            'resources={"memory": "{{ params.memroy }}"}',
            "memory is the parameter memroy, which the DAG does not have",
        ),
        ('resources={"memory": "{{ 1 + 1 }}"}', "it must be an amount above 0"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, options: str, why: str) -> None:
    told = mistake(tmp_path, DAG.format(options=options))
    assert why in told
    assert told.startswith("flow.py:4: ")


def test_only_an_executor_with_pods_reads_them(tmp_path: Path) -> None:
    for options in ('labels={"a": "b"}', "memory_after_oom=2", 'capacity="spot"'):
        text = DAG.format(options=options).replace('executor="kubernetes", ', "")
        assert "only an executor with containers reads" in mistake(tmp_path, text)


def test_default_args_of_a_dag_reach_its_pods(tmp_path: Path) -> None:
    text = DAG.format(options="retries=1").replace(
        "@dag(", '@dag(default_args={"node_selector": {"disk": "ssd"}}, '
    )
    assert spec_of(tmp_path, text).tasks[0].pod == {"spec": {"nodeSelector": {"disk": "ssd"}}}


def test_capacity_is_a_word_of_tasks_containers_and_default_args(tmp_path: Path) -> None:
    text = """
        from headway import container, dag, task
        @dag(default_args={"executor": "kubernetes", "capacity": "spot"})
        def flow():
            @task
            def work(): ...
            @task(capacity=None)
            def steady(): ...
            work() >> steady() >> container("load", image="load:1", command=["load"])
        flow()
        """
    found = {each.task_id: each.capacity for each in spec_of(tmp_path, text).tasks}
    assert found == {"work": "spot", "steady": "", "load": "spot"}
    alone = text.replace('"capacity": "spot"', "").replace(
        '"load:1",', '"load:1", capacity="spot",'
    )
    found = {each.task_id: each.capacity for each in spec_of(tmp_path, alone).tasks}
    assert found == {"work": "", "steady": "", "load": "spot"}


def test_amounts_may_be_parameters_of_the_run(tmp_path: Path) -> None:
    """As a template, or as the parameter itself. A value that is none is refused when the run is triggered."""
    dag = spec_of(tmp_path, DAG.format(options='resources={"memory": "{{ params.memory }}"}'))
    assert check_params(dag, {}) == {"memory": "4Gi"}
    assert params_from_text(dag, {"memory": "8Gi"}) == {"memory": "8Gi"}
    with pytest.raises(UsageError) as refused:
        check_params(dag, {"memory": "a lot"})
    assert 'the parameter "memory" of flow is the memory of the task work, not "a lot"' in str(
        refused.value
    )
    text = """
        from headway import dag, task
        @dag
        def flow(memory="4Gi"):
            @task(executor="kubernetes", resources={"memory": memory})
            def work(): ...
            work()
        flow()
        """
    assert spec_of(tmp_path, text).tasks[0].resources == {"memory": "{{ params['memory'] }}"}
    assert "the default of the parameter memory" in mistake(tmp_path, text.replace("4Gi", "x"))
