"""``capacity="spot"``: what the settings say of it, in the pod that is sent to the cluster."""

from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway.agent.protocol import AttemptKey
from headway.errors import UsageError
from headway.executors.kubernetes.manifest import pod
from headway.executors.kubernetes.settings import Settings, read_settings
from headway.executors.kubernetes.spot import Spot
from headway.spec.model import Task
from tests.executors.test_conformance import Bench
from tests.kubernetes.fake import admission, states
from tests.kubernetes.fake.kinds import POD
from tests.kubernetes.test_executor import begin, bench, counts, end_pod, until, workers
from tests.kubernetes.workers import KubernetesWorkers
from tests.scenarios.world import value

__all__ = ["bench", "workers"]

SETTINGS = Settings(image="i", listen="tcp:a:1", connect="tcp:a:1")
OWN = Spot(
    node_selector={"acme.com/lifecycle": "spot"},
    preferred={},
    tolerations=({"key": "acme.com/lifecycle", "operator": "Exists"},),
)
TEXT = "image: i\nlisten: tcp:a:1\nconnect: tcp:a:1\n"


def spec(settings: Settings, **options: Any) -> dict[str, Any]:
    task = Task(task_id="a", executor="kubernetes", **options)
    made = pod(settings, "t", "d", task, AttemptKey("r", "a", -1, 1))
    admission.check(POD, made)
    return dict(made["spec"])


def tolerates(spec: dict[str, Any], key: str, value: str, effect: str) -> bool:
    """Return whether a pod may run on nodes with a taint, as Kubernetes decides."""
    return any(
        each.get("key") == key
        and each.get("effect", "") in ("", effect)
        and (each.get("operator") == "Exists" or each.get("value") == value)
        for each in spec.get("tolerations", ())
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cloud.google.com/gke-spot", "true"),
        ("kubernetes.azure.com/scalesetpriority", "spot"),
        ("karpenter.sh/capacity-type", "spot"),
    ],
)
def test_spot_nodes_of_the_clouds_are_tolerated_and_preferred(key: str, value: str) -> None:
    found = spec(SETTINGS, capacity="spot")
    assert tolerates(found, key, value, "NoSchedule")
    assert "nodeSelector" not in found, "without spot nodes it runs elsewhere"
    terms = found["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    wanted = [{"key": key, "operator": "In", "values": [value]}]
    assert wanted in [each["preference"]["matchExpressions"] for each in terms]
    steady = spec(SETTINGS)
    assert not tolerates(steady, key, value, "NoSchedule")
    assert "affinity" not in steady


def test_an_installation_says_what_it_means_there() -> None:
    found = spec(
        Settings(image="i", listen="tcp:a:1", connect="tcp:a:1", spot=OWN), capacity="spot"
    )
    assert found["nodeSelector"] == {"acme.com/lifecycle": "spot"}
    assert found["tolerations"] == list(OWN.tolerations)
    assert "affinity" not in found


def test_what_a_task_says_besides_comes_on_top() -> None:
    own = {"nodeSelector": {"disk": "ssd"}, "tolerations": [{"key": "gpu", "operator": "Exists"}]}
    settings = Settings(image="i", listen="tcp:a:1", connect="tcp:a:1", spot=OWN)
    found = spec(settings, capacity="spot", pod={"spec": own})
    assert found["nodeSelector"] == {"acme.com/lifecycle": "spot", "disk": "ssd"}
    assert tolerates(found, "gpu", "x", "NoSchedule")
    assert tolerates(found, "acme.com/lifecycle", "spot", "NoSchedule")


def test_the_settings_are_read_and_refused_as_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "kubernetes.yaml"
    file.write_text(f"{TEXT}spot: {{node_selector: {{a: b}}, preferred: {{c: d}}}}\n")
    found = read_settings(file).spot
    assert (found.node_selector, found.preferred) == ({"a": "b"}, {"c": "d"})
    assert found.tolerations == Spot().tolerations
    for text, why in (
        ("{tolerations: [{operator: Exists}]}", "must have a key"),
        ("{tolerations: [{key: node.kubernetes.io/not-ready}]}", "are the cluster's own"),
        ("{node_selector: {a: 'b c'}}", "node_selector must be a valid value of a label: ['a']"),
        ("{preferred: {'a b': c}}", "preferred is not a valid key: ['a b']"),
        ("{selector: {}}", "unknown field `selector`"),
    ):
        file.write_text(f"{TEXT}spot: {text}\n")
        with pytest.raises(UsageError) as refused:
            read_settings(file)
        assert why in str(refused.value)


def test_a_spot_node_that_goes_takes_no_retry(
    conn: Connection[Any], bench: Bench, workers: KubernetesWorkers
) -> None:
    begin(conn, bench, capacity="spot")
    (sent,) = workers.pods()
    assert tolerates(sent["spec"], "karpenter.sh/capacity-type", "spot", "NoExecute")
    end_pod(workers, states.taken("Terminated", "Pod was terminated", "DeletionByTaintManager"))
    until(bench, lambda: value(conn, "SELECT state FROM attempt WHERE number = 1") == "lost")
    assert counts(conn) == (0, 1)
