"""Every backend of the registry, against a real server of its kind where one can be had."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest
from moto.server import ThreadedMotoServer

from headway.errors import HeadwayError, NotAllowed, NotReachable, UsageError
from headway.secrets.backends import environment, files
from headway.secrets.backends.base import FOLDERS, Backend, Question
from headway.secrets.keys import LocalKeys
from headway.secrets.service import backends_of
from headway.secrets.settings import settings_of
from tests.secrets.clouds import Cloud, Google, Vault, served

URI = "postgres://u:pw-canary@h/db"


def ask(backend: Backend, name: str, team: str = "a", kind: str = "connection") -> Any:
    found = backend.get(Question(1, team, frozenset({"d"}), kind, name))
    if found is None or kind == "variable":
        return found and (found.text, found.secrets)
    return json.loads(found.text)["password"], found.secrets


def opened(settings: dict[str, Any]) -> list[Backend]:
    def read(*_: object) -> None:
        raise AssertionError("only the builtin one reads the database")

    return backends_of(settings, LocalKeys(None, KEY), read)


KEY = "k AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_files(tmp_path: Path) -> None:
    for team in ("a", "b"):
        for folder in FOLDERS.values():
            (tmp_path / team / folder).mkdir(parents=True)
    (tmp_path / "a/connections/w").write_text(URI + "\n")
    (tmp_path / "a/variables/v").write_text("text\n")
    (tmp_path / "b/connections/theirs").write_text(URI)
    (tmp_path / "a/connections/link").symlink_to(tmp_path / "b/connections/theirs")
    (backend,) = opened({"order": ["files"], "files": {"folder": str(tmp_path)}})
    assert ask(backend, "w") == ("pw-canary", ["pw-canary"])
    assert ask(backend, "v", kind="variable") == ("text", ["text"])
    assert ask(backend, "theirs") is None
    assert ask(backend, "w", team="none") is None
    with pytest.raises(NotAllowed, match="leads out"):
        ask(backend, "link")
    (tmp_path / "a/connections/bad").write_text("hunter2")
    with pytest.raises(HeadwayError) as caught:
        ask(backend, "bad")
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_kubernetes_mounts_and_changes(tmp_path: Path) -> None:
    """A file of a mounted secret is a link into ..data, a link that is replaced when the secret changes."""
    mounted = tmp_path / "a/connections"
    mounted.mkdir(parents=True)
    (mounted / "w").symlink_to("..data/w")

    def publish(version: str, password: str) -> None:
        (mounted / version).mkdir()
        (mounted / version / "w").write_text(f"postgres://u:{password}@h/db")
        (mounted / "..data_tmp").symlink_to(version)
        (mounted / "..data_tmp").rename(mounted / "..data")

    publish("..2026_11_28", "first")
    (backend,) = opened({"order": ["files"], "files": {"folder": str(tmp_path)}})
    assert ask(backend, "w") == ("first", ["first"])
    publish("..2026_11_29", "second")
    assert ask(backend, "w") == ("second", ["second"])


@pytest.fixture
def nobody() -> Iterator[None]:
    """Root may read every file, so it is somebody else for a moment."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


@pytest.fixture
def unreadable(tmp_path: Path) -> Path:
    (tmp_path / "a/connections").mkdir(parents=True)
    (tmp_path / "a/connections/w").touch(0o000)
    return tmp_path


def test_a_file_that_may_not_be_read_is_a_refusal(unreadable: Path, nobody: None) -> None:
    with pytest.raises(NotAllowed, match=r"backend files refused .*: Permission denied"):
        ask(files.Files(unreadable), "w")


def test_the_environment_of_the_scheduler() -> None:
    backend = environment.Environment(
        {"HEADWAY_CONN__A__W": URI, "HEADWAY_CONN__X__B__KEY": URI, "HEADWAY_VAR__A__V": "text"}
    )
    assert ask(backend, "w") == ("pw-canary", ["pw-canary"])
    assert ask(backend, "v", kind="variable") == ("text", ["text"])
    for team, name in (("x", "b__key"), ("x__b", "key"), ("a", "W"), ("A", "w"), ("a", "x.w")):
        assert ask(backend, name, team=team) is None


class VaultContract(BaseHTTPRequestHandler):
    """The answers that Vault's documentation gives for reading a secret of KV version 2."""

    secrets: ClassVar[dict[str, dict[str, str]]] = {
        "/v1/secret/data/headway/a/connections/w": {"value": URI},
        "/v1/secret/data/headway/a/connections/fields": {"conn_type": "x", "password": "pw-canary"},
        "/v1/secret/data/headway/a/variables/v": {"value": "text"},
    }
    status: ClassVar[int] = 0

    def do_GET(self) -> None:
        data = self.secrets.get(self.path)
        if self.status or self.headers["X-Vault-Token"] != "good":
            self.say(self.status or 403, {"errors": ["permission denied"]})
        elif data is None:
            self.say(404, {"errors": []})
        else:
            self.say(200, {"data": {"data": data, "metadata": {"version": 1}}})

    def say(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def vault() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), VaultContract)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_vault(vault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    token.write_text("good\n")
    settings = {"order": ["vault"], "vault": {"url": vault, "token_file": str(token)}}
    (backend,) = opened(settings)
    assert ask(backend, "w") == ask(backend, "fields") == ("pw-canary", ["pw-canary"])
    assert ask(backend, "v", kind="variable") == ("text", ["text"])
    assert ask(backend, "none") is None
    assert ask(backend, "w", team="b") is None
    token.write_text("expired")
    with pytest.raises(NotAllowed, match="vault refused"):
        ask(backend, "w")
    token.write_text("good")
    for status, error in (
        (401, NotAllowed),
        (403, NotAllowed),
        (429, NotReachable),
        (503, NotReachable),
    ):
        monkeypatch.setattr(VaultContract, "status", status)
        with pytest.raises(error):
            ask(backend, "w")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.mark.parametrize("service", ["secretsmanager", "ssm"])
def test_aws(cloud: str, service: str) -> None:
    where = {"service": service, "endpoint": cloud, "region": "eu-west-1"}
    (backend,) = opened({"order": ["aws"], "aws": where})
    client = import_module("boto3").client(service, endpoint_url=cloud, region_name="eu-west-1")
    for name, text in (("a/connections/w", URI), ("a/variables/v", "text")):
        if service == "ssm":
            client.put_parameter(Name=f"/headway/{name}", Value=text, Type="SecureString")
        else:
            client.create_secret(Name=f"/headway/{name}", SecretString=text)
    assert ask(backend, "w") == ("pw-canary", ["pw-canary"])
    assert ask(backend, "v", kind="variable") == ("text", ["text"])
    assert ask(backend, "none") is None
    assert ask(backend, "w", team="b") is None


def refuses(backend: Backend, cloud: type[Cloud], monkeypatch: pytest.MonkeyPatch) -> None:
    for status, error in (
        (401, NotAllowed),
        (403, NotAllowed),
        (429, NotReachable),
        (503, NotReachable),
    ):
        monkeypatch.setattr(cloud, "status", status)
        with pytest.raises(error):
            ask(backend, "w")
    monkeypatch.setattr(cloud, "status", 0)


def test_gcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = "/v1/projects/p/secrets/headway_a_{}/versions/latest:access"
    held = {place.format("connections_w"): URI, place.format("variables_v"): "text"}
    with served(Google, held) as url:
        file = tmp_path / "account.json"
        file.write_text(Google.key_file())
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        (backend,) = opened({"order": ["gcp"], "gcp": {"project": "p", "endpoint": url}})
        assert ask(backend, "w") == ("pw-canary", ["pw-canary"])
        assert ask(backend, "v", kind="variable") == ("text", ["text"])
        assert ask(backend, "none") is ask(backend, "w", team="b") is ask(backend, "w.x") is None
        refuses(backend, Google, monkeypatch)
        file.write_text("{}")
        (stranger,) = opened({"order": ["gcp"], "gcp": {"project": "p", "endpoint": url}})
        with pytest.raises(NotAllowed, match="DefaultCredentialsError"):
            ask(stranger, "w")
    with pytest.raises(NotReachable):
        ask(backend, "w")


def test_azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {
        "/secrets/headway-a-connections-my-conn/": URI,
        "/secrets/headway-a-variables-v/": "text",
        "/secrets/headway-a--connections-connections-x/": URI,
    }
    with served(Vault, held, tmp_path) as url, served(Vault, held) as machine:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{machine}/identity")
        monkeypatch.setenv("IDENTITY_HEADER", "of the machine")
        (stranger,) = opened({"order": ["azure"], "azure": {"url": url}})
        with pytest.raises(NotReachable):  # its certificate is of nobody whom the system trusts
            ask(stranger, "w")
        settings = {"url": url, "ca_file": str(tmp_path / "ca.pem")}
        (backend,) = opened({"order": ["azure"], "azure": settings})
        assert ask(backend, "my_conn") == ask(backend, "my-conn") == ("pw-canary", ["pw-canary"])
        assert ask(backend, "v", kind="variable") == ("text", ["text"])
        assert ask(backend, "none") is ask(backend, "v", team="b") is ask(backend, "w.x") is None
        # The words of another team's name are not those between.
        assert ask(backend, "x", team="a-connections") == ("pw-canary", ["pw-canary"])
        assert ask(backend, "connections-x") is None
        refuses(backend, Vault, monkeypatch)
    with pytest.raises(NotReachable):
        ask(backend, "w")


def test_a_vault_gets_no_token_of_another_domain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where an authority of one's own signs its certificate: a machine between could ask for any token."""
    Vault.asked_for.clear()
    monkeypatch.setattr(Vault, "resource", "https://management.azure.com")
    with served(Vault, {}, tmp_path) as url, served(Vault, {}) as machine:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{machine}/identity")
        monkeypatch.setenv("IDENTITY_HEADER", "of the machine")
        settings = {"url": url, "ca_file": str(tmp_path / "ca.pem")}
        (backend,) = opened({"order": ["azure"], "azure": settings})
        with pytest.raises(NotAllowed, match="it asks for a token of another domain"):
            ask(backend, "w")
    assert Vault.asked_for == []


def test_a_cloud_that_does_not_answer_is_no_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    where = {"endpoint": "http://127.0.0.1:9", "region": "eu-west-1"}
    (backend,) = opened({"order": ["aws"], "aws": where})
    with pytest.raises(NotReachable):
        ask(backend, "w")


@pytest.mark.parametrize(
    "text",
    [
        *('order = ["vualt"]', "order = []", "order = [", 'order = ["files"]', 'order = ["vault"]'),
        *('order = ["gcp"]', 'order = ["azure"]', 'order = ["azure"]\n[azure]\nurl = "http://v"'),
    ],
)
def test_wrong_settings_are_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.toml").write_text(text)
    with pytest.raises(UsageError):
        opened(settings_of(tmp_path))
