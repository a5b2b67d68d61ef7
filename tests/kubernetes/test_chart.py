"""The Helm chart says what ``headway manifests`` prints."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml  # type: ignore[import-untyped]

from headway.executors.kubernetes import chart
from headway.executors.kubernetes.install import Install, objects_of
from headway.executors.kubernetes.objects import Object
from tests.kubernetes import helm
from tests.kubernetes.helm import CHART
from tests.kubernetes.test_install import RIGHT, WRONG
from tests.tidy.tree import ROOT

FULL = {
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
}
USUAL = {"image": "headway:1"}
OWN_DATABASE = {"image": "headway:1", "databaseInstances": 2, "listenAddress": "headway-db-rw:5432"}
PODS_ONLY = {"image": "headway:1", "agents": 0, "host": "headway.example.org"}
GIVEN = {"full": FULL, "usual": USUAL, "own database": OWN_DATABASE, "pods only": PODS_ONLY}
EXAMPLES = sorted(CHART.glob("values-*.yaml"))


def install(values: dict[str, Any], namespace: str) -> Install:
    names = {chart.camel(field): field for field in Install.__struct_fields__}
    given = {names[name]: value for name, value in values.items()}
    return Install(**{**given, "namespace": namespace, "teams": tuple(given["teams"])})


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
        *({chart.camel(field): value} for field, value, _ in WRONG if field != "namespace"),
    ],
    ids=str,
)
def test_what_the_schema_refuses(wrong: dict[str, Any]) -> None:
    asked: dict[str, Any] = {name: [*v] if isinstance(v, tuple) else v for name, v in wrong.items()}
    given = helm.values(CHART, **{"image": "headway:1", **asked})
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(chart.schema(chart.WHOLE), given)


@pytest.mark.parametrize(("field", "value"), RIGHT)
def test_what_the_schema_takes_is_what_manifests_takes(field: str, value: Any) -> None:
    values = helm.values(**{"image": "headway:1", chart.camel(field): value})
    jsonschema_rs.validate(chart.schema(chart.WHOLE), {**values, "teams": list(values["teams"])})
    expected = comparable(objects_of(install(values, "flow")))
    assert comparable(helm.render(values, "flow")) == expected


@pytest.mark.skipif(not helm.IS_HERE, reason=helm.MISSING)
@pytest.mark.parametrize(
    "given",
    [FULL, USUAL, OWN_DATABASE, PODS_ONLY],
    ids=["full", "usual", "own database", "pods only"],
)
def test_helm_renders_the_same(given: dict[str, Any]) -> None:
    expected = comparable(objects_of(install(helm.values(**given), "flow")))
    assert comparable(helm.by_helm(given, "flow")) == expected
