"""Names, manifests, settings and ends, without a cluster."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.agent.protocol import AttemptKey
from headway.core.cluster import ClusterSettings
from headway.core.reasons import PodRefused, QuotaFull
from headway.errors import UsageError
from headway.executors.kubernetes.cluster import Refusal
from headway.executors.kubernetes.manifest import pod
from headway.executors.kubernetes.names import labels, namespace_of, pod_name
from headway.executors.kubernetes.pods import Pod, end_of, stuck
from headway.executors.kubernetes.room import room, why_not_created
from headway.executors.kubernetes.settings import Settings, read_settings
from headway.executors.kubernetes.tally import Tally
from headway.spec.model import Task
from tests.kubernetes.fake import admission
from tests.kubernetes.fake.kinds import POD

SETTINGS = Settings(image="i", listen="tcp:a:1", connect="tcp:a:1")
KEYS = st.builds(
    AttemptKey,
    st.text("abcdef0123456789", min_size=12, max_size=12),
    st.text(min_size=1, max_size=250),
    st.integers(-1, 2**31 - 1),
    st.integers(1, 2**31 - 1),
)


@settings(max_examples=30)
@given(st.text(min_size=1, max_size=250), KEYS, KEYS)
def test_a_pod_has_a_valid_name_that_is_its_attempts_own(
    team: str, key: AttemptKey, other: AttemptKey
) -> None:
    made = pod(SETTINGS, team, "a dag", Task(task_id=key.task_id), key)
    admission.check(POD, made)
    name, namespace = made["metadata"]["name"], made["metadata"]["namespace"]
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", namespace)
    assert name == pod_name(SETTINGS, team, key)
    assert (name == pod_name(SETTINGS, team, other)) == (key == other)


@given(st.text(min_size=1, max_size=100), st.text(min_size=1, max_size=100))
def test_no_two_teams_share_a_namespace(one: str, other: str) -> None:
    assert (namespace_of(SETTINGS, one) == namespace_of(SETTINGS, other)) == (one == other)


def test_no_name_can_be_made_to_meet_another() -> None:
    """A team that is called as the namespace of another one is, gets another one."""
    taken = namespace_of(SETTINGS, "a--b")
    assert namespace_of(SETTINGS, taken.removeprefix("headway-")) != taken
    assert namespace_of(SETTINGS, "a-b") == "headway-a-b"


def test_labels_say_whose_pod_it_is() -> None:
    key = AttemptKey("r1", "load all", -1, 2)
    found = labels(SETTINGS, "marketing", "sales", key)
    assert found["headway.dev/team"] == "marketing"
    assert found["headway.dev/dag"] == "sales"
    assert found["headway.dev/run"] == "r1"
    assert found["headway.dev/task"].startswith("load-all-")
    assert found["headway.dev/try"] == "2"


def test_a_pod_is_restricted() -> None:
    """As the Pod Security Standard *restricted* demands it."""
    spec = pod(SETTINGS, "t", "d", Task(task_id="a"), AttemptKey("r", "a", -1, 1))["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert "initContainers" not in spec
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()


def ended(**facts: Any) -> tuple[str, str] | None:
    found = end_of(Pod(namespace="n", name="p", uid="u", **facts))
    return None if found is None else (found.outcome, found.cause)


@pytest.mark.parametrize(
    ("facts", "end"),
    [
        ({"phase": "Running"}, None),
        ({"phase": "Failed", "ended": ("OOMKilled", 137)}, ("failed", "memory")),
        ({"phase": "Failed", "ended": ("Error", 137)}, ("lost", "pod_ended")),
        ({"phase": "Failed", "ended": ("Error", 137), "reason": "Evicted"}, ("lost", "evicted")),
        (
            {"phase": "Failed", "ended": ("OOMKilled", 137), "disruption": "PreemptionByScheduler"},
            ("lost", "preempted"),
        ),
        ({"phase": "Failed", "disruption": "DeletionByTaintManager"}, ("lost", "node_lost")),
        ({"phase": "Failed", "reason": "NodeShutdown"}, ("lost", "node_lost")),
        ({"phase": "Failed", "reason": "DeadlineExceeded"}, ("failed", "timeout")),
        ({"phase": "Succeeded", "ended": ("Completed", 0)}, ("lost", "pod_ended")),
    ],
)
def test_an_end_is_told_by_its_reason(facts: dict[str, Any], end: tuple[str, str] | None) -> None:
    assert ended(**facts) == end


def test_a_pod_waits_until_its_deadline() -> None:
    waits = Pod(
        namespace="n",
        name="p",
        uid="u",
        unschedulable="0/3 nodes are available: 3 Insufficient cpu.",
    )
    assert stuck(waits, 899.0, 900.0) is None
    found = stuck(waits, 900.0, 900.0)
    assert found is not None
    assert (found.outcome, found.cause) == ("lost", "not_started")
    assert found.detail == (
        "its pod did not start in 900 s: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu."
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("image: i", "missing required field"),
        (
            "image: i\nlisten: tcp:a:1\nconnect: tcp:a:1\nteam: x",
            "unknown field `team`",
        ),
        ("image: i\nlisten: unix:/x\nconnect: tcp:a:1", "listen must be tls:HOST:PORT"),
        ("image: i\nlisten: tls:a:1\nconnect: tcp:a:1", "both begin with tls:"),
        ("image: i\nlisten: tls:a:1\nconnect: tls:a:1", "needs certificate and key"),
        (
            "image: i\nlisten: tcp:a:1\nconnect: tcp:a:1\npending_requeues: 9",
            "pending_requeues must be 0 to 5",
        ),
        (
            "image: i\nlisten: tcp:a:1\nconnect: tcp:a:1\nnamespaces: all",
            "namespaces must have {team} once",
        ),
    ],
)
def test_settings_that_are_wrong_are_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "kubernetes.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=re.escape(why)):
        read_settings(file)
    with pytest.raises(UsageError, match="cannot read the settings"):
        read_settings(tmp_path / "missing")


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_file_of_certificates_is_told(tmp_path: Path, text: str) -> None:
    """Pods would trust all authorities of their image in its place."""
    (tmp_path / "ca.crt").write_text(text)
    file = tmp_path / "kubernetes.yaml"
    file.write_text(f"image: i\nlisten: tcp:a:1\nconnect: tcp:a:1\nca: {tmp_path / 'ca.crt'}\n")
    with pytest.raises(UsageError, match="the file of ca has no certificates"):
        read_settings(file)
    (tmp_path / "ca.crt").write_text("PEM")
    assert read_settings(file).ca == "PEM"


def sized(name: str, dag: str, cpu: str, phase: str = "Running") -> Pod:
    return Pod(namespace="n", name=name, uid=name, phase=phase, dag=dag, asks={"cpu": Decimal(cpu)})


def test_the_room_of_a_team_is_what_its_quota_leaves() -> None:
    usual = {"cpu": "500m", "memory": "512Mi"}
    team = ClusterSettings(cpu="4", memory="2Gi")
    pods = [
        sized("a", "flights", "2"),
        sized("b", "daily", "1"),
        sized("c", "flights", "9", "Failed"),
    ]
    held = {"flights": 1, "daily": 1}
    assert room(team, 100, Tally.of(pods), 0, usual) == (
        2,
        QuotaFull("cpu", "4", "4", held_by=held),
    )
    assert room(team, 100, Tally.of(pods), 1, usual) == (
        1,
        QuotaFull("cpu", "4", "4", held_by=held),
    )
    assert room(team, 2, Tally.of(pods), 0, usual) == (0, QuotaFull("pods", "2", "2", held_by=held))
    assert room(team, 100, Tally(), 0, usual) == (4, QuotaFull("memory", "2Gi", "2Gi"))
    assert room(ClusterSettings(), 7, Tally(), 0, usual)[0] == 7


def test_what_a_quota_refuses_is_read_from_the_answer() -> None:
    said = (
        'pods "a" is forbidden: exceeded quota: headway, requested: limits.cpu=1,requests.cpu=1, '
    )
    said += "used: limits.cpu=64,requests.cpu=64, limited: limits.cpu=64,requests.cpu=64"
    found = why_not_created(
        Refusal(403, "Forbidden", said), Tally.of([sized("a", "flights", "64")])
    )
    assert found == QuotaFull("cpu", "64", "64", "1", {"flights": 1})
    assert why_not_created(Refusal(500, "", "boom"), Tally()) == PodRefused("boom")
