"""The rules for the settings of an install: which ones ``headway manifests`` takes, from options and from a file."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml  # type: ignore[import-untyped]

from headway.core.log_retention import Policy
from headway.engine.janitor import retention_from
from headway.engine.log_retention import of_installation
from headway.errors import UsageError
from headway.executors.kubernetes.given import install_of
from headway.executors.kubernetes.install import Install, objects_of
from headway.executors.kubernetes.values import trouble
from tests.cli.conftest import headway

# Settings that no cluster takes, and a part of what is said of them: also for the schema of the chart.
WRONG: list[tuple[str, Any, str]] = [
    ("image", "", "name of an image"),
    ("image", "two words", "name of an image"),
    ("image", "headway:", "name of an image"),
    ("image", "headway@sha256:12", "name of an image"),
    ("namespace", "Flow", "single hyphens"),
    ("namespace", "a--b", "single hyphens"),
    ("namespace", "f" * 41, "at most 40"),
    ("teams", (), "at least one"),
    ("teams", ("A_B",), "not a valid team name"),
    ("teams", ("a--b",), "single hyphens"),
    ("teams", ("t" * 21,), "at most 20"),
    ("teams", ("system",), "reserved"),
    ("teams", ("a", "b", "a"), "given twice"),
    ("host", "https://a", "a name of small letters"),
    ("host", "a..b", "a name of small letters"),
    ("storage_class", "Fast", "a name of small letters"),
    ("keys_secret", "a b", "a name of small letters"),
    ("ingress_secret", "-a", "a name of small letters"),
    ("storage", "lots", "an amount above 0"),
    ("storage", "0Gi", "an amount above 0"),
    ("storage", "-1Gi", "an amount above 0"),
    ("log_store", "logs", "s3://bucket/prefix"),
    ("log_store", "s3://", "s3://bucket/prefix"),
    ("backup_store", "backups", "s3://bucket/prefix"),
    ("backups", 0, "from 1 to"),
    ("listen_address", "postgres", "HOST:PORT"),
    ("listen_address", "postgres:0", "HOST:PORT"),
    ("listen_address", "postgres:65536", "HOST:PORT"),
    ("database_instances", 1, "at least 2"),
    ("database_instances", 10, "from 0 to"),
    ("database_instances", 3, "headway-db-rw:5432"),
    ("database_storage", "much", "an amount above 0"),
    ("wal_store", "file:///wal", "s3://bucket/prefix"),
    ("wal_store", "s3://wal", "database-instances"),
    ("wal_endpoint", "s3.example.org", "https://HOST"),
    ("trusted_proxies", "everybody", "addresses or networks"),
    ("webhook_networks", "*", "addresses or networks"),
    ("keytab_secret", "Keys", "a name of small letters"),
    ("keytab_secret", "headway-tickets", "not of the keytab"),
    ("api", 0, "from 1 to"),
    ("schedulers", -1, "from 1 to"),
    ("agents", -1, "from 0 to"),
    ("agents", 1001, "from 0 to"),
    ("agent_slots", 0, "from 1 to"),
    ("slots", 2**31, "from 1 to"),
    ("pods", 0, "from 1 to"),
    ("pending_deadline_seconds", 0, "from 1 to"),
    ("pending_requeues", 6, "from 0 to"),
    ("drain_seconds", 0, "from 1 to"),
    ("run_as_user", 0, "from 1 to"),
    ("api_rate", 0, "from 1 to"),
    ("retention_days", 6, "from 7 to"),
    ("log_days", 0, "from 1 to"),
    ("log_local_days", 36_501, "from 1 to"),
    ("audit_days", 29, "from 30 to"),
    ("pod_mutation", "acme.pods", "MODULE:FUNCTION"),
    ("policy", {"image": ["a"]}, "unknown field `image`"),
    ("policy", {"images": [""]}, "not a pattern of images"),
    ("policy", {"task_cpu": 8}, "`$.policy.task_cpu`"),
    ("policy", {"task_memory": "much"}, "an amount above 0"),
    ("policy", {"task_gpu": -1}, "at least 0"),
    ("policy", {"owner_required": "yes"}, "`$.policy.owner_required`"),
    ("spot", {"nodes": {}}, "unknown field `nodes`"),
    ("spot", {"node_selector": {"two words": "a"}}, "not a valid key"),
    ("spot", {"tolerations": [{"operator": "Exists"}]}, "must have a key"),
    ("resources", {"cpu": "0"}, "an amount above 0"),
    ("resources", {"cpu": 1}, "`$.resources[...]`"),
    ("sidecar_resources", {"Memory": "1Gi"}, "name of a resource"),
    ("queues", (), "[] should be non-empty"),
    ("queues", ("two words",), "name of a queue"),
    ("agent_queues", ("a", "a"), "non-unique"),
    ("egress", ({"from": []},), "'from' was unexpected"),
    ("egress", ({"to": [{"ipBlock": {"cidr": "10.0.0.0"}}]},), "10.0.0.0/8"),
    ("egress", ({"ports": [{"port": 70000}]},), "70000"),
    ("api_servers", ("10.0.0.1/32",), "NETWORK:PORT"),
    ("api_servers", ("10.0.0.1:443",), "10.0.0.1/32:443"),
]
RIGHT: list[tuple[str, Any]] = [
    ("image", "registry.example.org:5000/acme/headway:1.0@sha256:" + "0" * 64),
    ("image", "headway"),
    ("teams", ("1a", "b-2", "t" * 20)),
    ("host", "flow.example.org"),
    ("storage", "1.5Ti"),
    ("log_store", "file:///data/archive"),
    ("log_store", "s3://logs"),
    ("listen_address", "[::1]:65535"),
    ("trusted_proxies", "10.0.0.0/8, fd00::1"),
    ("agents", 0),
    ("policy", {"images": ["*"], "task_cpu": "8", "task_gpu": 0, "priority_classes": ["batch-*"]}),
    ("policy", {}),
    ("spot", {"preferred": {}, "tolerations": []}),
    ("resources", {"cpu": "250m", "memory": "1.5Gi", "nvidia.com/gpu": "1"}),
    ("queues", ("default", "gpu-a100")),
    ("egress", ({},)),
    ("egress", ({"to": [{"podSelector": {"matchLabels": {"app": "proxy"}}}]},)),
    ("egress", ({"ports": [{"port": 9000, "endPort": 9100, "protocol": "TCP"}]},)),
    ("api_servers", ("172.16.0.0/28:443", "fd00::/64:6443")),
    ("pod_mutation", "acme.pods:mutate"),
    ("log_days", 1),
]


@pytest.mark.parametrize(("field", "value", "why"), WRONG)
def test_what_no_cluster_would_take_is_refused_with_its_name(
    field: str, value: Any, why: str
) -> None:
    given = msgspec.structs.replace(Install(image="headway:1"), **{field: value})
    named = {"teams": "team"}.get(field, field.replace("_", "-"))
    found = trouble(given) or ""
    assert found.startswith(f"{named}: "), found
    assert why in found


@pytest.mark.parametrize(("field", "value"), RIGHT)
def test_what_a_cluster_takes_is_no_trouble(field: str, value: Any) -> None:
    given = msgspec.structs.replace(Install(image="headway:1"), **{field: value})
    assert trouble(given) is None
    if field == "teams":
        spaces = [e["metadata"]["name"] for e in objects_of(given) if e["kind"] == "Namespace"]
        assert spaces == ["headway", *(f"headway-{team}" for team in value)]


def test_the_command_names_the_option(tmp_path: Path) -> None:
    for options, why in (
        (("--agents", "-1"), "--agents: -1 must be from 0 to 1000"),
        (("--team", "a", "--team", "a"), "--team: 'a' is given twice"),
        (("--team", "a--b"), "--team: 'a--b' must be small letters"),
        (("--listen-address", "db:70000"), "--listen-address: 'db:70000' must be HOST:PORT"),
    ):
        done = headway("manifests", "--image", "headway:1", *options, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert why in done.stderr.replace("1,000", "1000"), done.stderr


def test_the_command_takes_the_values_of_the_chart(tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "image": "headway:1",
        "teams": ["a"],
        "host": "",
        "api": 3,
        "agents": 0,
        "databaseSecret": "db",
        "policy": {"images": ["ghcr.io/acme/*"], "owner_required": True},
    }
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    done = headway("manifests", "--values", str(file), "--agents", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    policy = values["policy"]
    expected = Install(
        image="headway:1", teams=("a",), api=3, agents=2, database_secret="db", policy=policy
    )
    assert list(yaml.safe_load_all(done.stdout)) == msgspec.to_builtins(objects_of(expected))


def test_an_address_with_bits_behind_the_network_is_refused() -> None:
    """A pattern cannot say it, and Kubernetes takes it: the chart does, too."""
    found = trouble(Install(image="headway:1", api_servers=("10.0.0.1/8:443",)))
    assert found == "api-servers: 10.0.0.1/8:443 must be a network, such as 10.0.0.0/28:443"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("api: 0", "api: 0 must be from 1 to"),
        ("api: two", "Expected `int`, got `str` - at `$.api`"),
        ("replicas: 2", "unknown field `replicas`"),
        ("namespace: flow", "without a namespace"),
        ("- a", "must be a dict of settings"),
        ("{", "not valid YAML"),
        ("policy: {image: [a]}", "policy: Object contains unknown field `image`"),
        ("sidecarResources: {cpu: much}", "sidecarResources: 'much' must be an amount above 0"),
        ("image: ''", "an image is needed"),
        ("teams: []", "teams: there must be at least one"),
        ("egress: &rules [*rules]", "the values are nested too deeply"),
    ],
)
def test_the_command_names_the_value_that_is_wrong(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(text)
    image = None if "image" in text.partition(":")[0] else "headway:1"
    with pytest.raises(UsageError) as raised:
        install_of("headway", {} if image is None else {"image": image}, file)
    assert why in str(raised.value)


def test_the_usual_install_is_no_trouble() -> None:
    assert trouble(Install(image="registry.example.org/headway:1", host="flow.example.org")) is None


def test_api_and_schedulers_keep_runs_and_logs_for_as_long() -> None:
    """The API says how long runs are kept, and imports no older ones; schedulers remove them."""
    given = Install(image="headway:1", retention_days=400, log_days=30, log_local_days=7)
    for name in ("headway-api", "headway-scheduler"):
        (found,) = (
            each
            for each in objects_of(given)
            if (each["kind"], each["metadata"]["name"]) == ("Deployment", name)
        )
        (container,) = found["spec"]["template"]["spec"]["containers"]
        said = {each["name"]: each.get("value") for each in container["env"]}
        assert retention_from(said) == timedelta(days=400)
        assert of_installation(said) == Policy(30, 7)
