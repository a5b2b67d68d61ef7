"""The places from which the server connects to something, and who sets the address: a team in one of them only.

What a team's people may name (hosts of connections, URLs of `http` tasks, hooks, triggers) is connected to by tasks,
triggers and connection tests, which are processes of the team's agents and reach what the team's machines reach.
"""

import ast
import re
import sys
from pathlib import Path
from typing import Any, Final

from tests.api.described import document

SOURCE: Final = Path(__file__).parents[2] / "src" / "headway"
# What runs with the server's rights. The rest: processes of a team (agent, probes, authoring, frontends), commands
# of people (cli, client), and what an administrator starts on the machine (up, pg).
SERVER: Final = (
    *("actions", "api", "blobs", "core", "engine", "events", "executors", "identity", "loader", "logs", "outbound"),
    *("runs", "secrets", "spec", "store", "wire"),
)  # fmt: skip
QUIET: Final = {
    *("headway", "msgspec", "litestar", "uvicorn", "cryptography", "joserfc", "argon2", "jinja2"),
    *("cronsim", "watchfiles", "typing_extensions", "regex"),
    "jsonschema",  # it gets no schema with a reference: see spec/json_schema
    *("psycopg", "psycopg_pool"),  # the database, whose address is a setting of the server
}  # fmt: skip
CALLS: Final = {
    "create_connection",
    "open_connection",
    "urlopen",
    "HTTPConnection",
    "HTTPSConnection",
}
# By module: what connects, and the file of the server's administrator that has the address.
CLIENTS: Final = {
    "blobs/base.py": ({"obstore"}, "log store: LogStore of the environment"),
    "blobs/local.py": ({"obstore"}, "a folder"),
    "blobs/s3.py": ({"obstore"}, "log store: the environment of the server"),
    "executors/kubernetes/cluster.py": ({"lightkube", "httpx2"}, "kubeconfig of the server"),
    "executors/kubernetes/connect.py": ({"lightkube", "httpx2"}, "kubeconfig of the server"),
    "executors/kubernetes/level.py": ({"lightkube"}, "kubeconfig of the server"),
    "executors/kubernetes/pool.py": ({"lightkube"}, "kubeconfig of the server"),
    "executors/kubernetes/views.py": ({"lightkube"}, "types only"),
    "identity/directory.py": ({"ldap"}, "the settings of sign-in"),
    "identity/kerberos.py": ({"gssapi"}, "krb5.conf and the keytab"),
    "identity/provider.py": (
        {"httpx"},
        "the issuer in the settings of sign-in, and what its document names",
    ),
    "outbound/post.py": (
        {"h11", "open_connection"},
        "a team: each address is checked when it is connected to (tests/outbound/test_post.py)",
    ),
    "secrets/backends/aws.py": ({"boto3", "botocore"}, "secrets.toml"),
    "secrets/backends/azure.py": ({"azure"}, "secrets.toml"),
    "secrets/backends/gcp.py": ({"google"}, "secrets.toml"),
    "secrets/backends/vault.py": ({"hvac", "requests"}, "secrets.toml"),
    "secrets/kms.py": ({"boto3", "botocore"}, "secrets.toml"),
}
OWN: Final = {
    "secrets/backends/builtin.py": {"open_connection"}
}  # decrypts a connection, and opens none
ADDRESS: Final = re.compile(
    r"ur[il]|host|addr|endpoint|server|hook|callback|redirect|issuer|proxy", re.IGNORECASE
)


def imported(path: Path) -> set[str]:
    """Return the packages from elsewhere that a module imports, and the calls in it that connect."""
    packages, calls = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import():
                packages |= {name.name for name in node.names}
            case ast.ImportFrom(module=str(name), level=0):
                packages.add(name)
            case ast.Call(func=ast.Name(id="import_module"), args=[ast.Constant(value=str(name))]):
                packages.add(name)
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in CALLS:
                calls.add(name)
    packages = {name.partition(".")[0] for name in packages}
    return (packages - sys.stdlib_module_names - QUIET) | calls


def test_each_place_that_connects_is_known_with_who_sets_its_address() -> None:
    """A new one stands in the table above, with a reason why no team chooses the address; or it is built for that.

    Then it runs in a process of its own, checks the address that it is connected to, follows no redirect, and limits
    size and time.
    """
    found = {
        str(path.relative_to(SOURCE)): names
        for folder in SERVER
        for path in sorted((SOURCE / folder).rglob("*.py"))
        if (names := imported(path))
    }
    assert found == {name: set(names) for name, (names, _) in CLIENTS.items()} | OWN


def test_no_request_gives_the_server_an_address_but_those_of_connections_and_outbound_webhooks() -> (
    None
):
    described = document()
    schemas = described["components"]["schemas"]
    named: set[tuple[str, str]] = set()

    def collect(part: Any, seen: set[str]) -> None:
        if isinstance(part, list):
            for each in part:
                collect(each, seen)
        elif isinstance(part, dict):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in seen:
                seen.add(name)
                named.update((name, field) for field in schemas[name].get("properties", ()))
                collect(schemas[name], seen)
            for each in part.values():
                collect(each, seen)

    for path, methods in described["paths"].items():
        for operation in methods.values():
            collect(operation.get("requestBody"), set())
            named.update((path, str(each.get("name"))) for each in operation.get("parameters", ()))
    addresses = {(place, name) for place, name in named if ADDRESS.search(str(name))}
    assert addresses == {
        ("ConnectionRequest", "host"),
        ("ConnectionRequest", "uri"),
        ("OutboundWebhookRequest", "url"),
        ("OutboundWebhookChange", "url"),
    }
