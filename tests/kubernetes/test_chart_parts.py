"""Charts of parts: agents of a server elsewhere, and a PostgreSQL, each installed alone."""

from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import msgspec
import pytest

from headway.cli.app import tree
from headway.executors.kubernetes import chart, parts
from headway.executors.kubernetes.chart import AGENT, POSTGRESQL, Chart
from headway.executors.kubernetes.install import Install, objects_of
from headway.executors.kubernetes.objects import Object
from tests.kubernetes import helm
from tests.tidy.tree import ROOT

AGENTS: Final = {"image": "headway:1", "server": "headway.example.org"}
OTHER_AGENTS: Final = {
    **AGENTS,
    "serverPort": 443,
    "agents": 3,
    "agentSlots": 16,
    "agentSecret": "token-of-marketing",
    "agentQueues": ["gpu"],
    "egress": [{"to": [{"ipBlock": {"cidr": "10.2.0.0/16"}}]}],
}
DATABASE: Final[dict[str, Any]] = {}
WITH_ARCHIVE: Final = {
    "databaseInstances": 2,
    "storageClass": "fast",
    "walStore": "s3://wal/headway",
    "walEndpoint": "https://s3.example.org",
}
GIVEN: Final = [
    pytest.param(AGENT, AGENTS, id="agents"),
    pytest.param(AGENT, OTHER_AGENTS, id="other agents"),
    pytest.param(POSTGRESQL, DATABASE, id="database"),
    pytest.param(POSTGRESQL, WITH_ARCHIVE, id="database with archive"),
]


def folder(of: Chart) -> Path:
    return ROOT / of.folder


def install(of: Chart, values: dict[str, Any]) -> Any:
    return msgspec.convert({"image": "", "namespace": "flow", **values}, of.kind)


@pytest.mark.parametrize(("of", "given"), GIVEN)
def test_a_chart_says_what_its_objects_are(of: Chart, given: dict[str, Any]) -> None:
    values = helm.values(folder(of), **given)
    jsonschema_rs.validate(chart.schema(of), values)
    expected = chart.by_key(of.objects(install(of, values)))
    assert chart.by_key(helm.render(values, "flow", folder(of))) == expected
    assert {space for _, space, _ in expected} == {"flow"}  # the namespace of its release alone


@pytest.mark.skipif(not helm.IS_HERE, reason=helm.MISSING)
@pytest.mark.parametrize(("of", "given"), GIVEN)
def test_helm_renders_the_same(of: Chart, given: dict[str, Any]) -> None:
    values = helm.values(folder(of), **given)
    expected = chart.by_key(of.objects(install(of, values)))
    assert chart.by_key(helm.by_helm(given, "flow", folder(of))) == expected


@pytest.mark.parametrize(
    ("of", "wrong"),
    [
        (AGENT, {"image": "headway:1"}),
        (AGENT, {"server": "headway.example.org"}),
        (AGENT, {**AGENTS, "server": "https://headway.example.org"}),
        (AGENT, {**AGENTS, "server": 'a"b'}),
        (AGENT, {**AGENTS, "serverPort": 0}),
        (AGENT, {**AGENTS, "agents": 0}),
        (AGENT, {**AGENTS, "databaseInstances": 3}),
        (POSTGRESQL, {"databaseInstances": 1}),
        (POSTGRESQL, {"databaseInstances": 0}),
        (POSTGRESQL, {"walStore": "file:///wal"}),
        (POSTGRESQL, {"image": "headway:1"}),
    ],
    ids=lambda given: given.folder.rpartition("/")[2] if isinstance(given, Chart) else str(given),
)
def test_what_the_schema_refuses(of: Chart, wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(chart.schema(of), helm.values(folder(of), **wrong))


def test_agents_are_those_of_the_whole_but_for_their_server_and_account() -> None:
    whole = objects_of(Install(image="headway:1", namespace="flow"))
    (usual,) = (
        e for e in whole if e["metadata"]["name"] == "headway-agent" and e["kind"] == "Deployment"
    )
    (alone,) = deployments(
        parts.agents(parts.Agents(image="headway:1", namespace="flow", server="h"))
    )
    pods = [
        msgspec.json.decode(msgspec.json.encode(e["spec"]["template"]["spec"]))
        for e in (usual, alone)
    ]
    servers = [pod["containers"][0]["command"].pop(3) for pod in pods]
    accounts = [pod.pop("serviceAccountName") for pod in pods]
    assert pods[0] == pods[1]
    assert servers == ["tls://headway-gateway.flow.svc:7078", "tls://h:7078"]
    assert accounts == ["headway-task", "headway-agent"]


def test_agents_alone_have_no_rights_and_one_way_out() -> None:
    found = parts.agents(parts.Agents(image="headway:1", server="h"))
    assert not any(each["kind"] in ("Role", "ClusterRole", "RoleBinding") for each in found)
    (account,) = (each for each in found if each["kind"] == "ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    (policy,) = (each["spec"] for each in found if each["kind"] == "NetworkPolicy")
    (deployed,) = deployments(found)
    assert policy["podSelector"]["matchLabels"] == deployed["spec"]["selector"]["matchLabels"]
    assert [port["port"] for rule in policy["egress"] for port in rule["ports"]] == [53, 53, 7078]
    assert "ingress" not in policy
    assert policy["policyTypes"] == ["Ingress", "Egress"]


def test_agents_alone_take_the_options_that_they_are_given() -> None:
    (deployed,) = deployments(parts.agents(parts.Agents(image="headway:1", server="h")))
    (container,) = deployed["spec"]["template"]["spec"]["containers"]
    _, command, *options = container["command"]
    commands: Any = tree([command])
    known = {word for p in commands.commands[command].params for word in p.opts}
    asked = {word.partition("=")[0] for word in options if word.startswith("--")}
    assert asked <= known


def test_the_database_alone_is_that_of_the_whole() -> None:
    given = Install(image="", namespace="flow", database_instances=3, wal_store="s3://wal/x")
    whole = chart.by_key(objects_of(given))
    alone = chart.by_key(parts.database(given))
    assert alone
    assert alone.items() <= {key: each for key, each in whole.items() if key in alone}.items()


def deployments(found: list[Object]) -> list[Object]:
    return [each for each in found if each["kind"] == "Deployment"]
