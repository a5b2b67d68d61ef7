"""What an author and the platform's hook may make of a pod, and that Headway has the last word."""

import asyncio
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from headway.agent.protocol import AttemptKey
from headway.core import pod_overlay
from headway.core.cluster import ClusterSettings
from headway.core.pod_overlay import merged
from headway.core.pod_policy import PodPolicy, Wish, matches, of_team, violation
from headway.core.quantities import amount
from headway.errors import UsageError
from headway.executors.kubernetes.demands import resources, smaller
from headway.executors.kubernetes.final import Denied, finished
from headway.executors.kubernetes.manifest import draft, own, pod
from headway.executors.kubernetes.mutation import HANGING_MAX, Mutation, hook_of
from headway.executors.kubernetes.settings import Settings, flaw, read_settings
from headway.spec.errors import BadSpec
from headway.spec.model import Dag, Task
from headway.spec.validate import validate
from tests.kubernetes.fake import admission
from tests.kubernetes.fake.kinds import POD
from tests.kubernetes.hostile import OVERLAYS, in_task

SETTINGS = Settings(image="i", listen="tcp:a:1", connect="tcp:a:1")
KEY = AttemptKey("r", "a", -1, 1)
ALLOWED: dict[str, Any] = {
    "metadata": {"labels": {"cost-center": "12"}, "annotations": {"example.com/note": "for Ann"}},
    "spec": {
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "affinity": {"nodeAffinity": {"x": [{"weight": 1}]}},
        "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
        "priorityClassName": "batch-low",
        "volumes": [
            {"name": "models", "persistentVolumeClaim": {"claimName": "models", "readOnly": True}},
            {"name": "cache", "emptyDir": {"sizeLimit": "10Gi"}},
            {"name": "settings", "configMap": {"name": "settings"}},
            {"name": "keys", "secret": {"secretName": "keys"}},
        ],
        "containers": [
            {
                "name": "task",
                "env": [
                    {"name": "LEVEL", "value": "debug"},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "a"}}},
                ],
                "envFrom": [{"configMapRef": {"name": "settings"}}],
                "volumeMounts": [
                    {"name": "models", "mountPath": "/models", "readOnly": True},
                    {"name": "cache", "mountPath": "/cache"},
                    {"name": "settings", "mountPath": "/etc/settings", "subPath": "a/b"},
                    {"name": "keys", "mountPath": "/keys"},
                ],
            }
        ],
    },
}


def task(**options: Any) -> Task:
    return Task(task_id="a", executor="kubernetes", line=7, **options)


def ours() -> dict[str, Any]:
    return own(SETTINGS, "marketing", "d", KEY)


def is_as_always(made: dict[str, Any]) -> None:
    """What nobody changes, compared with the pod of a task that says nothing."""
    usual = pod(SETTINGS, "marketing", "d", task(), KEY)
    meta, spec = made["metadata"], made["spec"]
    for word in ("name", "namespace"):
        assert meta[word] == usual["metadata"][word]
    assert {k: v for k, v in meta["labels"].items() if "headway" in k} == {
        k: v for k, v in usual["metadata"]["labels"].items() if "headway" in k
    }
    assert meta["annotations"].items() >= usual["metadata"]["annotations"].items()
    for word in usual["spec"].keys() - {"containers", "volumes"}:
        assert spec[word] == usual["spec"][word], word
    assert not {"hostNetwork", "hostPID", "hostIPC", "nodeName", "serviceAccount"} & spec.keys()
    for volume in usual["spec"]["volumes"]:
        assert spec["volumes"].count(volume) == 1
    (container,) = (each for each in spec["containers"] if each["name"] == "task")
    (as_usual,) = usual["spec"]["containers"]
    assert container["command"] == as_usual["command"]
    assert "args" not in container
    assert container["securityContext"] == as_usual["securityContext"]
    for part in ("env", "volumeMounts"):
        assert container[part][: len(as_usual[part])] == as_usual[part]
        names = [each["name"] for each in container["env"]]
        assert len(names) == len(set(names))


def test_what_an_author_may_say_is_in_the_pod_and_nothing_else_changes() -> None:
    validate(Dag(dag_id="d", file="d.py", tasks=(task(pod=ALLOWED),)))
    made = pod(SETTINGS, "marketing", "d", task(pod=ALLOWED), KEY)
    admission.check(POD, made)
    is_as_always(made)
    assert made["metadata"]["labels"]["cost-center"] == "12"
    assert made["metadata"]["annotations"]["example.com/note"] == "for Ann"
    for word in ("nodeSelector", "affinity", "tolerations", "priorityClassName"):
        assert made["spec"][word] == ALLOWED["spec"][word]
    names = [each["name"] for each in made["spec"]["volumes"]]
    assert names[:4] == ["models", "cache", "settings", "keys"]
    (container,) = made["spec"]["containers"]
    asked = ALLOWED["spec"]["containers"][0]
    assert container["env"][-2:] == asked["env"]
    assert container["volumeMounts"][-4:] == asked["volumeMounts"]
    assert container["envFrom"] == asked["envFrom"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_author_cannot_ask_for_what_is_not_the_authors(name: str) -> None:
    """At load, with the line of the task; and when the pod is made, should a spec have it nevertheless."""
    overlay = OVERLAYS[name]
    with pytest.raises(BadSpec, match=r"its pod: .+") as refused:
        validate(Dag(dag_id="d", file="d.py", tasks=(task(pod=overlay),)))
    assert refused.value.line == 7
    with pytest.raises(Denied):
        pod(SETTINGS, "marketing", "d", task(pod=overlay), KEY)


@pytest.mark.parametrize("name", OVERLAYS)
def test_what_slips_through_is_written_over_or_refused(name: str) -> None:
    """The last step alone: it also comes after the platform's hook."""
    author = merged(draft(SETTINGS, task(), ours()), OVERLAYS[name])
    try:
        made = finished(author, ours())
    except Denied:
        return
    is_as_always(made)
    for each in made["spec"]["volumes"]:
        assert not {"hostPath", "nfs"} & each.keys()
        if each["name"] != "headway-token":
            assert "serviceAccountToken" not in str(each)
    for each in [*made["spec"]["containers"], *made["spec"].get("initContainers", ())]:
        security = each["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert not security.get("privileged")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"hostNetwork": True}, "spec.hostNetwork is not allowed"),
        ({"nodeName": "n"}, "spec.nodeName is not allowed"),
        ({"containers": []}, "must have one container called task"),
        (
            {"initContainers": [{"name": "i", "image": "i", "securityContext": {"runAsUser": 0}}]},
            "not allowed to run with rights of the node",
        ),
        (
            {"initContainers": [{"name": "i", "image": "i", "ports": [{"hostPort": 1}]}]},
            "not allowed to have a port of its node",
        ),
        (
            {
                "initContainers": [
                    {
                        "name": "i",
                        "image": "i",
                        "volumeMounts": [{"name": "headway-token", "mountPath": "/t"}],
                    }
                ]
            },
            "not allowed to mount headway-token",
        ),
        ({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "the volume v must be one of"),
        ({"containers": "none"}, "it is not a manifest of a pod"),
    ],
)
def test_a_hook_gains_nothing_that_a_task_may_not_have(change: dict[str, Any], why: str) -> None:
    found = draft(SETTINGS, task(), ours())
    with pytest.raises(Denied, match=why):
        finished({**found, "spec": {**found["spec"], **change}}, ours())


def test_a_sidecar_of_the_platform_is_restricted() -> None:
    found = draft(SETTINGS, task(), ours())
    found["spec"]["containers"].append({"name": "mesh", "image": "mesh:1"})
    made = finished(found, ours())
    sidecar = made["spec"]["containers"][1]
    assert sidecar["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    is_as_always(made)


def mutated(hook: Any, patience_s: float = 30.0) -> dict[str, Any]:
    return asyncio.run(Mutation(hook, patience_s).of({"spec": {"containers": []}}))


def test_a_hook_returns_the_pod_or_changes_it() -> None:
    def changes(found: dict[str, Any]) -> None:
        found["spec"]["runtimeClassName"] = "gvisor"

    assert mutated(changes)["spec"]["runtimeClassName"] == "gvisor"
    assert mutated(lambda found: {**found, "x": 1})["x"] == 1
    assert mutated(None) == {"spec": {"containers": []}}


@pytest.mark.parametrize(
    ("hook", "why"),
    [
        (lambda found: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda found: exit(1), "raised SystemExit: 1"),
        (lambda found: object(), "raised TypeError"),
        (lambda found: [found], "returned no pod"),
    ],
)
def test_a_hook_that_fails_is_told(hook: Any, why: str) -> None:
    with pytest.raises(Denied, match=why):
        mutated(hook)


def test_a_hook_that_hangs_is_left_behind_and_not_called_forever() -> None:
    never, calls = Event(), []

    def hangs(found: dict[str, Any]) -> None:
        calls.append(found)
        never.wait()

    mutation = Mutation(hangs, patience_s=0.0)

    async def all_of_them() -> list[str]:
        told = []
        for _ in range(HANGING_MAX + 2):
            with pytest.raises(Denied) as denied:
                await mutation.of({})
            told.append(str(denied.value))
        return told

    told = asyncio.run(all_of_them())
    never.set()
    assert len(calls) <= HANGING_MAX
    assert "did not return within 0 s" in told[0]
    assert "has hung 20 times" in told[-1]


def test_a_hook_is_named_in_the_settings() -> None:
    assert hook_of("copy:deepcopy") is deepcopy
    for name in ("copy:nothing", "no_such_module:f", "copy:error.__doc__"):
        with pytest.raises(UsageError, match="pod_mutation"):
            hook_of(name)
    said: dict[str, Any] = {"image": "i", "listen": "tcp:a:1", "connect": "tcp:a:1"}
    assert flaw(Settings(**said, pod_mutation="a b")) == "pod_mutation must be MODULE:FUNCTION"
    wrong = PodPolicy(task_memory="much")
    assert "policy: task_memory is 'much'" in str(flaw(Settings(**said, policy=wrong)))
    assert "task_gpu must be at least 0, not -1" in str(
        flaw(Settings(**said, policy=PodPolicy(task_gpu=-1)))
    )
    assert flaw(Settings(**said, policy=PodPolicy(task_gpu=0))) is None
    assert "is not a pattern of images" in str(
        flaw(Settings(**said, policy=PodPolicy(images=("",))))
    )


def test_a_policy_with_a_word_that_it_does_not_have_is_refused(tmp_path: Path) -> None:
    """It would be ignored, and the policy would allow what it seems to forbid."""
    file = tmp_path / "kubernetes.yaml"
    file.write_text("image: i\nlisten: tcp:a:1\nconnect: tcp:a:1\npolicy: {owner_require: true}\n")
    with pytest.raises(UsageError, match=r"unknown field `owner_require` - at `\$.policy`"):
        read_settings(file)


def wish(**fields: Any) -> Wish:
    return Wish(**{"asks": {}, **fields})


@pytest.mark.parametrize(
    ("policy", "asked", "why"),
    [
        ({}, wish(images=("x",), asks={"cpu": amount("999")}, owner=""), None),
        ({"images": ("ghcr.io/acme/*",)}, wish(images=("ghcr.io/acme/jobs:7",)), None),
        (
            {"images": ("ghcr.io/acme/*",)},
            wish(images=("ghcr.io/acme.evil/jobs",)),
            "the image ghcr.io/acme.evil/jobs is not allowed here; allowed are ghcr.io/acme/*",
        ),
        ({"task_cpu": "8"}, wish(asks={"cpu": amount("8000m")}), None),
        (
            {"task_cpu": "8"},
            wish(asks={"cpu": amount("8001m")}),
            "it asks for more cpu than one task may have here: the limit is 8",
        ),
        (
            {"task_memory": "64Gi"},
            wish(asks={"memory": amount("65Gi")}),
            "it asks for more memory than one task may have here: the limit is 64Gi",
        ),
        (
            {"task_gpu": 0},
            wish(asks={"amd.com/gpu": amount("1")}),
            "it asks for 1 GPUs; the limit of one task is 0 here",
        ),
        ({"task_gpu": 1}, wish(asks={"amd.com/gpu": amount("1")}), None),
        (
            {},
            wish(priority_class="system-node-critical"),
            "the priority class system-node-critical is not allowed here; allowed: none",
        ),
        ({"priority_classes": ("batch-*",)}, wish(priority_class="batch-low"), None),
        (
            {"owner_required": True},
            wish(owner=""),
            "it has no owner, and tasks must have one here",
        ),
        ({"owner_required": True}, wish(owner="ann"), None),
    ],
)
def test_a_policy_says_what_it_does_not_allow(
    policy: dict[str, Any], asked: Wish, why: str | None
) -> None:
    assert violation(PodPolicy(**policy), asked) == why


def test_images_are_compared_as_kubernetes_reads_them() -> None:
    assert matches("python:3", ["docker.io/library/*"])
    assert matches("acme/jobs:3", ["docker.io/acme/*"])
    assert not matches("ghcr.io/acme/jobs:3", ["docker.io/*"])
    assert not matches("evil.io/docker.io/acme/jobs", ["docker.io/*"])
    assert not matches("ghcr.io/acmeXjobs", ["ghcr.io/acme.jobs"])  # a dot is a dot
    for host in ("localhost", "registry:5000"):
        assert matches(f"{host}/jobs", [f"{host}/*"])
        assert not matches(f"{host}/jobs", ["docker.io/*"])


def test_settings_of_a_team_hold_in_place_of_the_platforms() -> None:
    platform = PodPolicy(images=("a/*",), task_cpu="8", owner_required=True)
    team = ClusterSettings(images=("b/*",), task_memory="4Gi", owner_required=False)
    assert of_team(platform, team) == PodPolicy(images=("b/*",), task_cpu="8", task_memory="4Gi")
    assert of_team(platform, ClusterSettings()) == platform
    own: dict[str, Any] = {"task_cpu": "2", "task_gpu": 0, "priority_classes": ("batch-*",)}
    assert of_team(platform, ClusterSettings(**own)) == replace(platform, **own)


@pytest.mark.parametrize(
    ("times", "most", "memory"),
    [
        (0, None, "1Gi"),
        (1, None, "2048Mi"),
        (2, None, "4096Mi"),
        (2, "3Gi", "3Gi"),
        (1000, "3Gi", "3Gi"),
        (1, "512Mi", "1Gi"),  # never less than what was asked for
    ],
)
def test_memory_grows_after_it_was_too_little(times: int, most: str | None, memory: str) -> None:
    found = resources(
        {"cpu": "1"}, {"memory": "1Gi"}, {}, factor=2.0, out_of_memory=times, memory_most=most
    )
    assert found == {"cpu": "1", "memory": memory}


def test_amounts_come_from_parameters() -> None:
    wanted = {"memory": "{{ params.memory }}", "cpu": "{{ params['cpu'] }}"}
    assert resources({}, wanted, {"memory": "8Gi", "cpu": 2}) == {"memory": "8Gi", "cpu": "2"}
    for params in ({"memory": "much", "cpu": 2}, {"memory": "8Gi"}, {"memory": True, "cpu": 1}):
        with pytest.raises(Denied, match="it must be an amount above 0"):
            resources({}, wanted, params)


def test_the_smaller_bound_holds() -> None:
    assert smaller("64Gi", None, "256Gi") == "64Gi"
    assert smaller(None, None) is None


def test_entries_of_lists_are_merged_by_their_names() -> None:
    base = in_task(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    made = merged(base, in_task(env=[{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]))
    (container,) = made["spec"]["containers"]
    assert [each["value"] for each in container["env"]] == ["1", "3", "4"]
    assert base == in_task(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])


def test_an_overlay_is_bounded() -> None:
    deep: dict[str, Any] = {}
    for _ in range(50):
        deep = {"x": deep}
    for overlay in (
        {"spec": {"affinity": {"nodeAffinity": deep}}},
        {"metadata": {"labels": {f"k{n}": "v" for n in range(60)}}},
        {"metadata": {"annotations": {"a": "x" * 20_000}}},
        in_task(env=[{"name": f"V{n}", "value": ""} for n in range(60)]),
        "no dict",
    ):
        assert pod_overlay.flaw(overlay) is not None
