"""The pod of a task with any image, as data: what is the author's, what is Headway's, and what neither may change."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from lightkube import codecs
from lightkube.resources.core_v1 import Pod as PodObject

from headway.agent.pod import pod_of, variable
from headway.agent.protocol import AttemptKey
from headway.agent.sidecar import Sidecar
from headway.core.cluster import ClusterSettings
from headway.core.pod_policy import PodPolicy
from headway.executors.kubernetes.drafts import Draft, wish_of
from headway.executors.kubernetes.final import Denied, finished
from headway.executors.kubernetes.foreign import PORT, SIDECAR, beside, told
from headway.executors.kubernetes.images import pinned
from headway.executors.kubernetes.manifest import draft
from headway.executors.kubernetes.objects import network_policies
from headway.executors.kubernetes.pods import Pod, end_of_container
from headway.executors.kubernetes.settings import Settings, flaw
from headway.executors.kubernetes.views import view
from headway.spec.model import Axis, Dag, Mapping, Param, Task
from headway.store.runs import Claimed
from tests.kubernetes.fake import admission, states
from tests.kubernetes.fake.kinds import POD
from tests.kubernetes.test_install import unknown

SETTINGS = Settings(image="headway:1", listen="tcp:a:1", connect="tcp:a:1")
IMAGE = "ghcr.io/acme/load:2.1"
KEY = AttemptKey("r1", "load", -1, 2)
AT = datetime(2026, 3, 1, 5, tzinfo=UTC)
TIME = Param(name="since", type="string", format="date-time", default=None)


def task(**options: Any) -> Task:
    given = {
        "image": IMAGE,
        "executor": "kubernetes",
        "arguments": {
            "command": ["load", "--day", "{{ ds }}"],
            "env": {"MODE": "{{ params.mode }}"},
        },
    }
    return Task(task_id="load", kind="container", **{**given, **options})


def row(**params: Any) -> Claimed:
    given: dict[str, Any] = dict.fromkeys(Claimed.__struct_fields__)
    given |= {"team_id": 1, "run_id": "r1", "dag_id": "d", "team": "marketing", "logical_date": AT}
    given |= {"interval_start": AT, "interval_end": AT, "partition": None}
    given["params"] = msgspec.json.encode(params or {"mode": "full"}).decode()
    return Claimed(**given)


def ours(one: Task | None = None, key: AttemptKey = KEY, **params: Any) -> dict[str, Any]:
    dag = Dag(dag_id="d", file="d.py", tasks=(), params=(TIME,))
    words = told(dag, one or task(), key, row(**params))
    return beside(SETTINGS, "marketing", "d", key, words)


def made(one: Task | None = None, **params: Any) -> dict[str, Any]:
    part = ours(one, **params)
    return finished(draft(SETTINGS, one or task(), part), part)


def main(pod: dict[str, Any]) -> dict[str, Any]:
    (found,) = pod["spec"]["containers"]
    return dict(found)


def agent(pod: dict[str, Any]) -> dict[str, Any]:
    (found,) = pod["spec"]["initContainers"]
    return dict(found)


def env(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in container["env"]}


def test_the_authors_container_has_the_authors_words() -> None:
    pod = made(task(resources={"cpu": "2", "memory": "1Gi"}))
    admission.check(POD, pod)
    found = main(pod)
    assert (found["name"], found["image"]) == ("task", IMAGE)
    assert found["command"] == ["load", "--day", "2026-03-01"]
    assert "args" not in found
    assert (
        found["resources"]["requests"]
        == found["resources"]["limits"]
        == {"cpu": "2", "memory": "1Gi"}
    )
    assert env(found)["MODE"] == "full"
    assert env(found)["HEADWAY_TRY_NUMBER"] == "2"
    assert not [name for name in env(found) if name.startswith(variable(""))]
    assert [each["name"] for each in found["volumeMounts"]] == ["headway-files", "headway-task-tmp"]
    assert "token" not in str(found).lower()


def test_every_field_is_one_of_kubernetes() -> None:
    given = made()
    kind = type(codecs.from_dict(given))
    found = kind.from_dict(given).to_dict()
    assert found == given  # what its types do not know is gone


def test_both_containers_are_restricted() -> None:
    pod = made()
    security = pod["spec"]["securityContext"]
    assert security["runAsNonRoot"]
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["spec"]["automountServiceAccountToken"]
    for each in (main(pod), agent(pod)):
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_the_agent_comes_first_stays_and_alone_has_tokens() -> None:
    pod = made()
    found = agent(pod)
    assert (found["name"], found["image"], found["restartPolicy"]) == (
        SIDECAR,
        "headway:1",
        "Always",
    )
    assert found["startupProbe"]["exec"]["command"][-1] == "/headway/data/container/granted"
    mounts = {each["name"] for each in found["volumeMounts"]}
    assert mounts >= {"headway-token", "headway-api", "headway-data", "headway-files"}
    api = next(v for v in pod["spec"]["volumes"] if v["name"] == "headway-api")
    token, ca = api["projected"]["sources"]
    assert "audience" not in token["serviceAccountToken"]  # that of the API server
    assert ca["configMap"]["name"] == "kube-root-ca.crt"
    given = {each["name"]: each.get("value", "x") for each in found["env"]}
    assert pod_of(given, Sidecar).port == str(PORT)
    probe = main(pod)["livenessProbe"]
    assert (probe["httpGet"]["port"], probe["periodSeconds"]) == (PORT, 1)


def test_the_words_of_an_item() -> None:
    many = task(
        arguments={"args": [["a"], ["b"]], "env": [{"X": "1"}, {"X": "2"}, {"X": "3"}]},
        mapping=Mapping(axes=(Axis(argument="args", length=2), Axis(argument="env", length=3))),
    )
    words = [
        (main(finished(draft(SETTINGS, many, part), part)))
        for index in range(6)
        for part in [ours(many, AttemptKey("r1", "load", index, 1))]
    ]
    found = [(each["args"][0], env(each)["X"]) for each in words]
    assert found == [(a, x) for a in "ab" for x in "123"]
    dicts = task(
        arguments={"": [{"command": ["x"]}, {"args": ["y"]}]},
        mapping=Mapping(axes=(Axis(argument="", length=2),)),
    )
    part = ours(dicts, AttemptKey("r1", "load", 1, 1))
    assert main(part)["args"] == ["y"]
    assert "command" not in main(part)


def test_values_of_a_run_are_literal_and_times_are_times() -> None:
    one = task(arguments={"args": ["$(HOME)", "{{ params.a }}", "{{ params.since }}", 7]})
    pod = made(one, a="$(HOME)", since="2026-03-01T05:00:00+00:00")
    assert main(pod)["args"] == ["$(HOME)", "$$(HOME)", "2026-03-01 05:00:00+00:00", "7"]
    with pytest.raises(Denied, match="no value for"):
        made(one, since="2026-03-01T05:00:00+00:00")


def test_a_pod_is_not_made_of_half_a_command() -> None:
    with pytest.raises(Denied, match="does not know its command"):
        made(task(arguments=None))
    with pytest.raises(Denied, match="not text"):
        made(task(arguments={"args": [{"__headway__": "result", "task_id": "a", "key": "k"}]}))


def test_what_a_hook_writes_does_not_survive_where_headway_has_a_say() -> None:
    part = ours()
    given = draft(SETTINGS, task(), part)
    container = given["spec"]["containers"][0]
    container |= {
        "command": ["evil"],
        "args": ["evil"],
        "livenessProbe": {"exec": {"command": ["x"]}},
    }
    container["volumeMounts"] += [{"name": "headway-token", "mountPath": "/t"}]
    given["spec"]["initContainers"] = [
        {"name": SIDECAR, "image": "evil"},
        {"name": "mesh", "image": "mesh:1", "restartPolicy": "Always"},
    ]
    pod = finished(given, part)
    assert main(pod) == main(finished(draft(SETTINGS, task(), part), part))
    mesh, found = pod["spec"]["initContainers"]  # the network comes first
    assert (mesh["name"], found["image"]) == ("mesh", "headway:1")
    assert not mesh["securityContext"]["allowPrivilegeEscalation"]
    given["spec"]["initContainers"][1]["volumeMounts"] = [
        {"name": "headway-api", "mountPath": "/t"}
    ]
    with pytest.raises(Denied, match="mesh is not allowed to mount headway-api"):
        finished(given, part)


def test_the_policy_is_about_the_authors_image_and_amounts() -> None:
    pod = made(task(resources={"cpu": "2", "memory": "1Gi"}))
    wish = wish_of(pod, SETTINGS.image)
    assert wish.images == (IMAGE,)
    assert {name: str(size) for name, size in wish.asks.items()} == {
        "cpu": "2",
        "memory": str(2**30),
    }
    part = ours()
    policy = PodPolicy(images=("ghcr.io/other/*",))
    with pytest.raises(Denied, match=f"the image {IMAGE} is not allowed here"):
        Draft(made(), part, policy, SETTINGS.image, {}).check(made())
    Draft(made(), part, replace(policy, images=("ghcr.io/acme/*",)), SETTINGS.image, {}).check(
        made()
    )


def test_the_digest_of_a_run_is_that_of_the_authors_image() -> None:
    digest = f"sha256:{'0' * 64}"
    pod = pinned(made(), {IMAGE: digest})
    assert main(pod)["image"] == f"{IMAGE}@{digest}"
    assert agent(pod)["image"] == "headway:1"


def test_the_network_leads_to_the_api_server_for_these_pods_alone() -> None:
    usual = network_policies(SETTINGS, ClusterSettings())
    assert [each["metadata"]["name"] for each in usual] == ["headway-default-deny", "headway-tasks"]
    named = msgspec.structs.replace(SETTINGS, api_servers=("10.0.0.1/32:443",))
    *_, policy = network_policies(named, ClusterSettings())
    labels = policy["spec"]["podSelector"]["matchLabels"]
    assert labels.items() <= made()["metadata"]["labels"].items()
    assert policy["spec"]["egress"] == [
        {"to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}], "ports": [{"port": 443, "protocol": "TCP"}]}
    ]
    wrong = msgspec.structs.replace(named, listen="tcp:a:1", api_servers=("everywhere",))
    assert flaw(wrong) == "api_servers has 'everywhere', it must be such as 10.0.0.1/32:443"
    assert unknown(policy, type(codecs.from_dict(policy)), "NetworkPolicy") == []


def seen(*edits: states.Edit) -> Pod:
    pod = {**made(), "status": {"phase": "Pending"}}
    pod["metadata"] |= {"uid": "u"}
    for edit in edits:
        edit(pod)
    found = codecs.from_dict(pod)
    assert isinstance(found, PodObject)
    return view(found)


def test_how_the_executor_sees_it() -> None:
    pod = seen(states.missing(SIDECAR))
    assert pod.is_foreign
    assert pod.waiting[0] == "ImagePullBackOff"
    assert {name: str(size) for name, size in pod.asks.items()} == {
        "cpu": "1.000",
        "memory": str(768 * 2**20),
    }
    begun = [states.begun(SIDECAR), states.started(SIDECAR), states.begun("task")]
    told_of = seen(*begun, states.terminated("task", 3))
    assert not told_of.is_over  # the agent beside it has a word to say
    assert seen(*begun, states.terminated("task", 3), states.over(well=False)).is_over


@pytest.mark.parametrize(
    ("edits", "outcome", "cause"),
    [
        ([states.terminated("task", 0), states.over(well=True)], "success", ""),
        ([states.terminated("task", 3), states.over(well=False)], "failed", "exit_code"),
        ([states.terminated("task", 137), states.over(well=False)], "lost", "pod_ended"),
        (
            [states.terminated("task", 137, "OOMKilled"), states.over(well=False)],
            "failed",
            "memory",
        ),
        (
            [states.terminated("task", 143), states.taken("Evicted", "low on memory")],
            "lost",
            "evicted",
        ),
        ([states.over(well=False)], "lost", "pod_ended"),
    ],
)
def test_the_end_of_one_whose_agent_says_nothing(
    edits: list[states.Edit], outcome: str, cause: str
) -> None:
    end = end_of_container(seen(states.begun(SIDECAR), *edits))
    assert end is not None
    assert (end.outcome, end.cause) == (outcome, cause)
