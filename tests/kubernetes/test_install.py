"""The objects that ``headway manifests`` prints: of Kubernetes' own types, and with no more rights than are needed."""

import json
import types
import typing
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import yaml  # type: ignore[import-untyped]
from lightkube import codecs

from headway.cli.app import tree
from headway.core.cluster import TICKETS
from headway.executors.kubernetes.components import DATA
from headway.executors.kubernetes.install import Install, objects_of
from headway.executors.kubernetes.settings import read_settings
from headway.executors.kubernetes.tickets import WORK
from tests.cli.conftest import headway
from tests.kubernetes import crds
from tests.tidy.tree import ROOT

FULL = Install(
    image="registry.example.org/headway:1",
    namespace="flow",
    teams=("default", "Ärger & Co"),
    host="headway.example.org",
    ingress_class="nginx",
    dags_claim="dags",
    storage_class="fast",
    log_store="s3://logs/headway",
    backup_store="s3://backups/headway",
    listen_address="postgres:5432",
    sign_in_secret="headway-sign-in",
    metrics_secret="headway-metrics",
    trusted_proxies="10.0.0.0/8",
    webhook_networks="10.1.0.0/16",
    keytab_secret="headway-keytab",
    api=3,
    agents=2,
    database_instances=3,
    wal_store="s3://wal/headway",
    wal_endpoint="https://s3.example.org",
    policy={"images": ["ghcr.io/acme/*"], "owner_required": True},
    spot={"node_selector": {"acme.com/lifecycle": "spot"}},
    resources={"cpu": "1", "memory": "1Gi"},
    queues=("default", "night"),
    agent_queues=("default", "gpu"),
    pods=40,
    run_as_user=1001,
    pod_mutation="acme.pods:mutate",
    egress=({"to": [{"ipBlock": {"cidr": "10.2.0.0/16"}}], "ports": [{"port": 5432}]},),
    api_servers=("10.0.0.1/32:443",),
    log_days=14,
    audit_days=400,
)
# Not of Kubernetes itself: without types to compare with, and with those of another operator (``crds``).
OTHERS = {"ServiceMonitor"}
TYPES = json.loads(crds.FILE.read_text())


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
        if each["kind"] in OTHERS:
            continue
        if (schema := TYPES.get(f"{each['apiVersion']} {each['kind']}")) is not None:
            jsonschema_rs.validate(schema, {"spec": each["spec"]})
            continue
        kind = type(codecs.from_dict(each))
        assert unknown(each, kind, each["kind"]) == []
    bad = {"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": {"port": 1}}
    assert unknown(bad, type(codecs.from_dict(bad)), "Service") == ["Service.spec.port"]
    names = [(e["kind"], e["metadata"].get("namespace"), e["metadata"]["name"]) for e in found]
    assert len(set(names)) == len(names)


def test_a_commit_of_its_own_database_is_on_two_instances_and_goes_by_the_pooler() -> None:
    found = {(e["kind"], e["metadata"]["name"]): e.get("spec", {}) for e in objects_of(FULL)}
    cluster, pooler = found["Cluster", "headway-db"], found["Pooler", "headway-db-pooler"]
    assert cluster["instances"] == 3
    assert cluster["postgresql"]["synchronous"]["dataDurability"] == "required"
    assert pooler["cluster"]["name"] == found["ScheduledBackup", "headway-db"]["cluster"]["name"]
    assert pooler["pgbouncer"]["poolMode"] == "transaction"
    (plugin,) = cluster["plugins"]
    assert ("ObjectStore", plugin["parameters"]["barmanObjectName"]) in found
    without = msgspec.structs.replace(FULL, wal_store=None, wal_endpoint=None)
    kinds = {e["kind"] for e in objects_of(without)}
    assert "Pooler" in kinds
    assert not kinds & {"ObjectStore", "ScheduledBackup"}


def test_its_own_database_gets_what_an_administrator_is_told_to_run() -> None:
    """The statements of the guide, with the names of this install."""
    (cluster,) = (e for e in objects_of(FULL) if e["kind"] == "Cluster")
    asked = cluster["spec"]["bootstrap"]["initdb"]
    guide = (ROOT / "docs/operating.md").read_text()
    for each in [*asked["postInitSQL"][:2], *asked["postInitApplicationSQL"]]:
        assert each.replace("DATABASE headway", 'DATABASE "the database"') in guide


def test_two_installs_have_no_object_in_common() -> None:
    def keys(namespace: str) -> set[tuple[str, str, str]]:
        made = objects_of(msgspec.structs.replace(FULL, namespace=namespace))
        return {
            (e["kind"], e["metadata"].get("namespace", ""), e["metadata"]["name"]) for e in made
        }

    assert not keys("flow") & keys("flow-b")


def test_nobody_gets_more_than_needed(found: list[dict[str, Any]]) -> None:
    rules = [rule for each in found for rule in each.get("rules", ())]
    of_tickets = [rule for rule in rules if rule.get("resourceNames") == [TICKETS]]
    assert {verb for rule in of_tickets for verb in rule["verbs"]} <= {"get", "patch", "update"}
    rules = [rule for rule in rules if rule not in of_tickets]
    allowed = {(r, v) for rule in rules for r in rule["resources"] for v in rule["verbs"]}
    pods = {("pods", verb) for verb in ("get", "list", "watch", "create", "patch", "delete")}
    pods |= {("deployments", verb) for verb in ("get", "create", "patch", "delete")}
    of_tasks = {("pods/log", "get")}  # and their own pods
    assert allowed == pods | of_tasks | {("tokenreviews", "create")}
    wide = [each for each in found if each["kind"] == "ClusterRole"]
    assert [rule["resources"] for each in wide for rule in each["rules"]] == [["tokenreviews"]]
    for each in found:
        if each["kind"] == "Namespace":
            assert each["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        assert each["kind"] != "Secret" or "data" not in each


def pods_of(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the pods of Deployments, by namespace and name."""
    return {
        f"{each['metadata']['namespace']}/{each['metadata']['name']}": each["spec"]["template"]
        for each in found
        if each["kind"] == "Deployment"
    }


def test_every_pod_is_restricted_and_says_how_it_is(found: list[dict[str, Any]]) -> None:
    for name, template in pods_of(found).items():
        pod = template["spec"]
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        is_keeper = name.endswith(f"/{TICKETS}")  # of tickets: it has no server to be asked at
        assert {"livenessProbe", "readinessProbe"} <= container.keys()
        assert ("startupProbe" in container) != is_keeper
        for each in (container, *pod.get("initContainers", ())):
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"cpu", "memory", "ephemeral-storage"} <= each["resources"]["requests"].keys()
            writable = {m["mountPath"] for m in each["volumeMounts"] if not m.get("readOnly")}
            assert writable == ({WORK} if is_keeper else {DATA, "/tmp"})
            mounted = {mount["name"] for mount in each["volumeMounts"]}
            assert mounted <= {volume["name"] for volume in pod["volumes"]}


def test_backups_are_made_and_tried(found: list[dict[str, Any]]) -> None:
    jobs = {e["metadata"]["name"]: e["spec"] for e in found if e["kind"] == "CronJob"}
    if not any(e["metadata"].get("namespace") == "flow" for e in found):
        assert jobs == {}, "nobody asked for backups"
        return
    assert jobs.keys() == {"headway-backup", "headway-drill"}
    for spec in jobs.values():
        assert spec["concurrencyPolicy"] == "Forbid"
        pod = spec["jobTemplate"]["spec"]["template"]["spec"]
        assert (pod["restartPolicy"], pod["securityContext"]["runAsNonRoot"]) == ("Never", True)
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        program, command, *options = container["command"]
        commands: Any = tree([command])
        known = {word for p in commands.commands[command].params for word in p.opts}
        assert program == "headway"
        assert {word for word in options if word.startswith("--")} <= known
        given = {each["name"] for each in container["env"]}
        assert {"HEADWAY_DATABASE_URL", "HEADWAY_BACKUP_STORE", "AWS_ACCESS_KEY_ID"} <= given
        assert not {"HEADWAY_SECRETS_KEY", "HEADWAY_API_DATABASE_URL"} & given


def test_secrets_are_given_to_what_needs_them(found: list[dict[str, Any]]) -> None:
    given = {
        name: {e["name"] for e in container["env"] if "valueFrom" in e}
        for name, template in pods_of(found).items()
        for container in template["spec"]["containers"]
    }
    database, keys = "HEADWAY_DATABASE_URL", "HEADWAY_SECRETS_KEY"
    for name, variables in given.items():
        kind = name.split("/headway-")[1].split("-")[0]
        ours = {each for each in variables if each.startswith("HEADWAY_")}
        assert (
            ours
            == {
                "api": {database, keys, "HEADWAY_API_DATABASE_URL"},
                "scheduler": {database, keys},
                "loader": {database},
                "shipper": set(),
                "agent": set(),
                "tickets": set(),
            }[kind]
        ), name
        assert bool(variables - ours) <= (kind in ("api", "shipper")), "variables of the log store"


def test_only_schedulers_speak_to_the_cluster(found: list[dict[str, Any]]) -> None:
    accounts = [each for each in found if each["kind"] == "ServiceAccount"]
    for each in accounts:
        mounted = each.get("automountServiceAccountToken", True)
        assert mounted == (each["metadata"]["name"] == "headway-scheduler")
    bound = {s["name"]: each["roleRef"]["name"] for each in found for s in each.get("subjects", ())}
    bound.pop(TICKETS, None)  # which speaks to it of one secret
    assert bound.keys() == {"headway-scheduler", "headway-task"}
    assert bound["headway-task"] == "headway-task"  # for who has a token: agents beside containers


def test_one_can_be_lost(found: list[dict[str, Any]]) -> None:
    deployments = {e["metadata"]["name"]: e for e in found if e["kind"] == "Deployment"}
    budgets = {e["metadata"]["name"]: e for e in found if e["kind"] == "PodDisruptionBudget"}
    for name in ("headway-api", "headway-scheduler"):
        spec = deployments[name]["spec"]
        assert spec["replicas"] >= 2
        labels = spec["selector"]["matchLabels"]
        assert budgets[name]["spec"]["selector"]["matchLabels"] == labels
        affinity = spec["template"]["spec"]["affinity"]["podAntiAffinity"]
        (term,) = affinity["preferredDuringSchedulingIgnoredDuringExecution"]
        assert term["podAffinityTerm"]["labelSelector"]["matchLabels"] == labels


def test_each_component_is_reached_by_its_peers_alone(found: list[dict[str, Any]]) -> None:
    policies = {
        (e["metadata"]["namespace"], e["metadata"]["name"]): e["spec"]
        for e in found
        if e["kind"] == "NetworkPolicy"
    }
    opened = {
        (name, port["port"], tuple(sorted(str(peer) for peer in rule.get("from", ["anybody"]))))
        for (_, name), spec in policies.items()
        for rule in spec.get("ingress", ())
        for port in rule["ports"]
    }
    spaces = tuple(
        sorted(
            str({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}})
            for name in [e["metadata"]["name"] for e in found if e["kind"] == "Namespace"][1:]
        )
    )
    database = (
        str({"podSelector": {"matchLabels": {"app.kubernetes.io/name": "headway"}}}),
        str({"podSelector": {"matchLabels": {"cnpg.io/cluster": "headway-db"}}}),
    )
    of_database = {("headway-db", 5432, database), ("headway-db", 8000, ("anybody",))}
    assert opened == {
        ("headway-api", 8080, ("anybody",)),
        ("headway-scheduler", 7077, spaces),
        ("headway-scheduler", 7078, spaces),
        *(of_database if any(e["kind"] == "Cluster" for e in found) else ()),
    }
    for name, template in pods_of(found).items():
        space = name.partition("/")[0]
        labels = template["metadata"]["labels"]
        covering = [
            policy
            for (namespace, _), policy in policies.items()
            if namespace == space
            and policy["podSelector"].get("matchLabels", {}).items() <= labels.items()
        ]
        assert any("Ingress" in policy["policyTypes"] for policy in covering), name


@pytest.mark.parametrize("install", [FULL, Install(image="headway:1")], ids=["full", "usual"])
def test_components_take_the_options_that_they_are_given(install: Install) -> None:
    """The commands of pods are commands of Headway, with options that exist."""
    for name, template in pods_of(objects_of(install)).items():
        pod = template["spec"]
        for each in (*pod["containers"], *pod.get("initContainers", ())):
            program, command, *options = each["command"]
            if name.endswith(f"/{TICKETS}"):
                assert (program, command) == ("python", "-m")
                continue
            assert program == "headway"
            commands: Any = tree([command])
            known = {word for p in commands.commands[command].params for word in p.opts}
            asked = {word.partition("=")[0] for word in options if word.startswith("--")}
            assert asked <= known, (name, asked - known)


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
