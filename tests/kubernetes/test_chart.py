"""The Helm chart says what ``headway manifests`` prints."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import yaml  # type: ignore[import-untyped]

from headway.core.log_retention import Policy
from headway.core.pod_policy import PodPolicy
from headway.engine.janitor import audit_retention_from, retention_from
from headway.engine.log_retention import of_installation
from headway.executors.kubernetes import chart
from headway.executors.kubernetes.install import Install, objects_of
from headway.executors.kubernetes.objects import Object
from headway.executors.kubernetes.settings import Settings, read_settings
from headway.executors.kubernetes.values import camel
from tests.kubernetes import helm
from tests.kubernetes.helm import CHART
from tests.kubernetes.test_values import RIGHT, WRONG
from tests.tidy.tree import ROOT

FULL: dict[str, Any] = {
    "image": "registry.example.org/headway:1",
    "teams": ["default", "marketing"],
    "host": "headway.example.org",
    "ingressClass": "nginx",
    "dagsClaim": "dags",
    "storageClass": "fast",
    "logStore": "s3://logs/headway",
    "backupStore": "s3://backups/headway",
    "listenAddress": "postgres:5432",
    "signInSecret": "headway-sign-in",
    "metricsSecret": "headway-metrics",
    "trustedProxies": "10.0.0.0/8",
    "webhookNetworks": "10.1.0.0/16",
    "keytabSecret": "headway-keytab",
    "api": 3,
    "agents": 2,
    "databaseInstances": 3,
    "walStore": "s3://wal/headway",
    "walEndpoint": "https://s3.example.org",
    "policy": {"images": ["ghcr.io/acme/*"], "task_memory": "64Gi", "owner_required": True},
    "spot": {
        "node_selector": {"acme.com/lifecycle": "spot"},
        "preferred": {},
        "tolerations": [{"key": "acme.com/lifecycle", "operator": "Exists"}],
    },
    "resources": {"cpu": "1", "memory": "1Gi"},
    "sidecarResources": {"cpu": "250m", "memory": "128Mi"},
    "queues": ["default", "night"],
    "agentQueues": ["default", "gpu"],
    "pods": 40,
    "pendingDeadlineSeconds": 300,
    "pendingRequeues": 0,
    "drainSeconds": 1200,
    "runAsUser": 1001,
    "podMutation": "acme.pods:mutate",
    "egress": [
        {
            "to": [{"ipBlock": {"cidr": "10.2.0.0/16"}}],
            "ports": [{"port": 5432, "protocol": "TCP"}],
        },
        {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "lake"}}}]},
    ],
    "apiServers": ["10.0.0.1/32:443", "fd00::1/128:6443"],
    "apiRate": 50,
    "retentionDays": 30,
    "logDays": 14,
    "logLocalDays": 7,
    "auditDays": 400,
}
USUAL: dict[str, Any] = {"image": "headway:1"}
OWN_DATABASE = {"image": "headway:1", "databaseInstances": 2, "listenAddress": "headway-db-rw:5432"}
PODS_ONLY = {"image": "headway:1", "agents": 0, "host": "headway.example.org"}
GIVEN = {"full": FULL, "usual": USUAL, "own database": OWN_DATABASE, "pods only": PODS_ONLY}
EXAMPLES = sorted(CHART.glob("values-*.yaml"))


def install(values: dict[str, Any], namespace: str) -> Install:
    return msgspec.convert({**values, "namespace": namespace}, Install)


def plain(value: Any) -> Any:
    return [*value] if isinstance(value, tuple) else value


def comparable(objects: list[Object]) -> dict[tuple[str, str, str], Object]:
    """Leave out the namespace of the release, which Helm makes."""
    found = chart.by_key(objects)
    return {key: each for key, each in found.items() if key != ("Namespace", "", "flow")}


def test_the_files_of_the_chart_are_those_of_the_objects() -> None:
    for name, text in chart.files().items():
        assert (ROOT / name).read_text() == text, (
            "run: python -m headway.executors.kubernetes.chart"
        )


@pytest.mark.parametrize(
    "given",
    [FULL, USUAL, OWN_DATABASE, PODS_ONLY],
    ids=["full", "usual", "own database", "pods only"],
)
def test_the_chart_says_what_manifests_prints(given: dict[str, Any]) -> None:
    values = helm.values(**given)
    expected = comparable(objects_of(install(values, "flow")))
    found = comparable(helm.render(values, "flow"))
    assert found == expected


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.stem for file in EXAMPLES])
def test_examples_of_values_are_valid(file: Path) -> None:
    values = helm.values(image="headway:1", **yaml.safe_load(file.read_text()))
    jsonschema_rs.validate(chart.schema(chart.WHOLE), values)
    assert (
        comparable(helm.render(values, "flow")).keys()
        == comparable(objects_of(install(values, "flow"))).keys()
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"image": ""},
        {"image": 'a"b'},
        {"image": "a: {{ b }}"},
        {"teams": []},
        {"teams": ["A_B"]},
        {"api": 0},
        {"host": "a\nb"},
        {"replicas": 2},
        {"pods": None},
        *({camel(field): value} for field, value, _ in WRONG if field != "namespace"),
    ],
    ids=str,
)
def test_what_the_schema_refuses(wrong: dict[str, Any]) -> None:
    asked = {name: plain(value) for name, value in wrong.items()}
    given = helm.values(CHART, **{"image": "headway:1", **asked})
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(chart.schema(chart.WHOLE), given)


@pytest.mark.parametrize(("field", "value"), RIGHT)
def test_what_the_schema_takes_is_what_manifests_takes(field: str, value: Any) -> None:
    values = helm.values(**{"image": "headway:1", camel(field): plain(value)})
    jsonschema_rs.validate(chart.schema(chart.WHOLE), values)
    expected = comparable(objects_of(install(values, "flow")))
    assert comparable(helm.render(values, "flow")) == expected


def read(found: dict[tuple[str, str, str], Object], folder: Path) -> Settings:
    """Return the settings of the executor, as a scheduler of the install reads them."""
    text = found["ConfigMap", "flow", "headway"]["data"]["kubernetes.yaml"]
    ca = folder / "ca.crt"
    ca.write_text("a certificate")
    file = folder / "kubernetes.yaml"
    file.write_text(text.replace("/etc/headway-gateway/ca.crt", str(ca)))
    return read_settings(file)


def environment(found: dict[tuple[str, str, str], Object]) -> dict[str, str]:
    pod = found["Deployment", "flow", "headway-scheduler"]["spec"]["template"]["spec"]
    return {each["name"]: each["value"] for each in pod["containers"][0]["env"] if "value" in each}


def test_a_scheduler_reads_what_the_chart_says(tmp_path: Path) -> None:
    values = helm.values(**FULL)
    jsonschema_rs.validate(chart.schema(chart.WHOLE), values)
    found = comparable(helm.render(values, "flow"))
    settings = read(found, tmp_path)
    assert settings.policy == PodPolicy(
        images=("ghcr.io/acme/*",), task_memory="64Gi", owner_required=True
    )
    assert settings.spot.node_selector == {"acme.com/lifecycle": "spot"}
    assert (settings.spot.preferred, len(settings.spot.tolerations)) == ({}, 1)
    assert settings.resources == {"cpu": "1", "memory": "1Gi"}
    assert settings.sidecar_resources == {"cpu": "250m", "memory": "128Mi"}
    assert (settings.queues, settings.pods) == (("default", "night"), 40)
    assert (settings.pending_deadline_s, settings.pending_requeues) == (300, 0)
    assert (settings.drain_s, settings.run_as_user) == (1200, 1001)
    assert settings.pod_mutation == "acme.pods:mutate"
    told = environment(found)
    assert retention_from(told) == timedelta(days=30)
    assert audit_retention_from(told) == timedelta(days=400)
    assert of_installation(told) == Policy(14, 7)


def test_without_values_a_scheduler_has_its_own_defaults(tmp_path: Path) -> None:
    found = comparable(helm.render(helm.values(**USUAL), "flow"))
    settings = read(found, tmp_path)
    usual = Settings(image="headway:1", listen="", connect="")
    of_the_install = {"image", "listen", "connect", "certificate", "key", "ca"}
    of_the_install |= {"install", "namespaces", "identity", "manage_teams"}
    for name in set(Settings.__struct_fields__) - of_the_install:
        assert getattr(settings, name) == getattr(usual, name), name
    told = environment(found)
    assert retention_from(told) == retention_from({})
    assert (audit_retention_from(told), of_installation(told)) == (None, Policy())


def test_every_setting_of_the_executor_is_a_value_or_that_of_the_install() -> None:
    """A new setting is made a value, or is named in the table of the guide with the reason why not."""
    names = {"pending_deadline_s": "pending_deadline_seconds", "drain_s": "drain_seconds"}
    values = set(Install.__struct_fields__)
    without = {each for each in Settings.__struct_fields__ if names.get(each, each) not in values}
    guide = (ROOT / "docs/kubernetes.md").read_text()
    (table,) = [part for part in guide.split("\n### ") if part.startswith("What the chart fixes")]
    assert {each for each in without if f"`{each}`" not in table} == set()


def test_tasks_reach_what_egress_says_and_containers_the_api_server() -> None:
    found = comparable(helm.render(helm.values(**FULL), "flow"))
    for team in ("default", "marketing"):
        space = f"flow-{team}"
        rules = {
            name: found["NetworkPolicy", space, name]["spec"]["egress"]
            for name in ("headway-tasks", "headway-agent", "headway-tickets", "headway-containers")
        }
        for name in ("headway-tasks", "headway-agent", "headway-tickets"):
            assert all(rule in rules[name] for rule in FULL["egress"]), name
        assert rules["headway-containers"] == [
            {"to": [{"ipBlock": {"cidr": cidr}}], "ports": [{"port": port, "protocol": "TCP"}]}
            for cidr, port in (("10.0.0.1/32", 443), ("fd00::1/128", 6443))
        ]
        assert all(rule in rules["headway-tickets"] for rule in rules["headway-containers"])
    usual = comparable(helm.render(helm.values(**USUAL), "flow"))
    assert ("NetworkPolicy", "flow-default", "headway-containers") not in usual


@pytest.mark.skipif(not helm.IS_HERE, reason=helm.MISSING)
@pytest.mark.parametrize(
    "given",
    [FULL, USUAL, OWN_DATABASE, PODS_ONLY],
    ids=["full", "usual", "own database", "pods only"],
)
def test_helm_renders_the_same(given: dict[str, Any]) -> None:
    expected = comparable(objects_of(install(helm.values(**given), "flow")))
    assert comparable(helm.by_helm(given, "flow")) == expected
