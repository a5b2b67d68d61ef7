"""The objects that ``headway manifests`` prints: of Kubernetes' own types, and with no more rights than are needed."""

import types
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml  # type: ignore[import-untyped]
from lightkube import codecs

from headway.executors.kubernetes.install import DATA, Install, objects_of, trouble
from headway.executors.kubernetes.settings import read_settings
from tests.cli.conftest import headway

FULL = Install(
    image="registry.example.org/headway:1",
    namespace="flow",
    teams=("default", "Ärger & Co"),
    host="headway.example.org",
    ingress_class="nginx",
    dags_claim="dags",
    storage_class="fast",
)


@pytest.fixture(params=[FULL, Install(image="headway:1")], ids=["full", "usual"])
def found(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return objects_of(request.param)


def unknown(given: Any, kind: Any, where: str) -> list[str]:
    """Return the fields that a type of Kubernetes' OpenAPI document does not have."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return unknown(given, next(a for a in arguments if a is not type(None)), where)
    if origin is list:
        return [each for one in given for each in unknown(one, arguments[0], where)]
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return []
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    wrong = [f"{where}.{name}" for name in given if name not in fields]
    wrong += [
        f"{where}.{name} is missing"
        for name, field in fields.items()
        if field.required and name not in given
    ]
    deeper = [
        each
        for name in given.keys() & fields.keys()
        for each in unknown(given[name], fields[name].type, f"{where}.{name}")
    ]
    return wrong + deeper


def test_every_object_is_of_a_type_of_kubernetes(found: list[dict[str, Any]]) -> None:
    for each in found:
        kind = type(codecs.from_dict(each))
        assert unknown(each, kind, each["kind"]) == []
    bad = {"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": {"port": 1}}
    assert unknown(bad, type(codecs.from_dict(bad)), "Service") == ["Service.spec.port"]
    names = [(e["kind"], e["metadata"].get("namespace"), e["metadata"]["name"]) for e in found]
    assert len(set(names)) == len(names)


def test_nobody_gets_more_than_needed(found: list[dict[str, Any]]) -> None:
    rules = [rule for each in found for rule in each.get("rules", ())]
    allowed = {(r, v) for rule in rules for r in rule["resources"] for v in rule["verbs"]}
    pods = {("pods", verb) for verb in ("get", "list", "watch", "create", "delete")}
    assert allowed == pods | {("tokenreviews", "create")}
    wide = [each for each in found if each["kind"] == "ClusterRole"]
    assert [rule["resources"] for each in wide for rule in each["rules"]] == [["tokenreviews"]]
    for each in found:
        if each["kind"] == "Namespace":
            assert each["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        assert each["kind"] != "Secret"


def test_the_server_is_restricted_and_says_how_it_is(found: list[dict[str, Any]]) -> None:
    (server,) = [each for each in found if each["kind"] == "Deployment"]
    pod = server["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory", "ephemeral-storage"} <= container["resources"]["requests"].keys()
    assert {"livenessProbe", "readinessProbe", "startupProbe"} <= container.keys()
    writable = {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")}
    assert writable == {DATA, "/tmp"}
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    secrets = [e for e in container["env"] if "secretKeyRef" in e.get("valueFrom", {})]
    assert [e["name"] for e in secrets] == ["HEADWAY_DATABASE_URL"]


def test_the_command_prints_what_the_server_reads(tmp_path: Path) -> None:
    done = headway("manifests", "--image", "headway:1", "--team", "a", "--team", "b", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    printed = list(yaml.safe_load_all(done.stdout))
    assert printed == objects_of(Install(image="headway:1", teams=("a", "b")))
    spaces = [e["metadata"]["name"] for e in printed if e["kind"] == "Namespace"]
    assert spaces == ["headway", "headway-a", "headway-b"]
    (text,) = [e["data"]["kubernetes.yaml"] for e in printed if e["kind"] == "ConfigMap"]
    ca = tmp_path / "ca.crt"
    ca.write_text("a certificate")
    file = tmp_path / "kubernetes.yaml"
    file.write_text(text.replace("/etc/headway-gateway/ca.crt", str(ca)))
    settings = read_settings(file)
    assert settings.ca == "a certificate"
    assert not settings.manage_teams


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (Install(image=""), "is not the name of an image"),
        (Install(image="two words"), "is not the name of an image"),
        (Install(image="a", namespace="Flow"), "cannot be the namespace"),
        (Install(image="a", namespace="f" * 41), "cannot be the namespace"),
        (Install(image="a", teams=("A_B",)), "not a valid team name"),
        (Install(image="a", host="https://a"), "host cannot be 'https://a'"),
        (Install(image="a", storage_class="Fast"), "storage-class cannot be 'Fast'"),
        (Install(image="a", storage="lots"), "storage is 'lots'"),
    ],
)
def test_what_no_cluster_would_take_is_refused(given: Install, why: str) -> None:
    assert why in (trouble(given) or "")


def test_the_usual_install_is_no_trouble() -> None:
    assert trouble(Install(image="registry.example.org/headway:1", host="flow.example.org")) is None
