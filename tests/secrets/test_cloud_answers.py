"""What clouds and Vault answer: a refusal, a failure or a miss, and where they are asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from headway.errors import HeadwayError, NotAllowed, NotReachable, UsageError
from headway.secrets.backends import aws, azure, gcp, vault
from headway.secrets.backends.base import VARIABLE, Found
from tests.secrets.test_backend_answers import KEYS, asked, read
from tests.secrets.test_backends import URI

# -- AWS


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


NOWHERE = {"region": "eu-west-1", "endpoint": "http://127.0.0.1:9"}


class Answering:
    """A client that answers with what it is told to."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.places: list[str] = []

    def get_parameter(self, Name: str, WithDecryption: bool) -> Any:
        assert WithDecryption
        return self.told(Name)

    def get_secret_value(self, SecretId: str) -> Any:
        return self.told(SecretId)

    def told(self, place: str) -> Any:
        self.places.append(place)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def error(status: int, code: str) -> Exception:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    failed: Exception = import_module("botocore.exceptions").ClientError(answer, "Get")
    return failed


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "Odd", NotAllowed),
        (403, "Odd", NotAllowed),
        (400, "AccessDeniedException", NotAllowed),
        (400, "ExpiredTokenException", NotAllowed),
        (400, "InternalServiceError", NotReachable),
        (402, "Odd", NotReachable),
        (404, "Odd", NotReachable),
        (500, "InternalServiceError", NotReachable),
        (400, "ResourceNotFoundException", None),
        (400, "ParameterNotFound", None),
        (403, "ParameterNotFound", None),
    ],
)
def test_aws_refuses_fails_or_has_it_not(
    amazon: None, status: int, code: str, expected: type[HeadwayError] | None
) -> None:
    backend = aws.opened(NOWHERE, KEYS, read)
    backend.client = Answering(error(status, code))
    if expected is None:
        assert backend.get(asked()) is None
        return
    with pytest.raises(expected, match=f"backend aws .*{code}"):
        backend.get(asked())


def test_aws_without_words_fails(amazon: None) -> None:
    backend = aws.opened(NOWHERE, KEYS, read)
    backend.client = Answering(import_module("botocore.exceptions").ClientError({}, "Get"))
    with pytest.raises(NotReachable, match="aws cannot"):
        backend.get(asked())


def test_aws_is_asked_once_below_its_prefix_at_the_service_of_the_settings(amazon: None) -> None:
    where = {**NOWHERE, "service": "ssm", "prefix": "/my/box/"}
    backend = aws.opened(where, KEYS, read)
    assert backend.client.meta.service_model.service_name == "ssm"
    assert backend.client.meta.endpoint_url == NOWHERE["endpoint"]
    assert backend.client.meta.config.retries["total_max_attempts"] == 2
    backend.client = Answering({"Parameter": {"Value": "text"}})
    assert backend.get(asked(kind=VARIABLE)) == Found("text", ["text"])
    assert backend.client.places == ["/my/box/a/variables/w"]
    with pytest.raises(UsageError, match="needs service"):
        aws.opened({"service": "s3"}, KEYS, read)
    with pytest.raises(NotReachable, match="backend aws cannot"):
        aws.opened(NOWHERE, KEYS, read).get(asked())


def test_aws_is_asked_below_headway_at_the_secrets_manager_where_nothing_else_is_said(
    amazon: None,
) -> None:
    backend = aws.opened(NOWHERE, KEYS, read)
    backend.client = Answering({"SecretString": URI})
    told = backend.get(asked())
    assert told is not None
    assert told.secrets == ["pw-canary"]
    assert backend.client.places == ["/headway/a/connections/w"]


def test_what_aws_holds_in_bytes_is_no_connection(amazon: None) -> None:
    backend = aws.opened(NOWHERE, KEYS, read)
    backend.client = Answering({"SecretBinary": b"canary"})
    with pytest.raises(
        NotReachable, match=r"backend aws cannot .*it holds bytes, no text"
    ) as caught:
        backend.get(asked())
    assert "canary" not in str(caught.value)


# -- Vault


class Answers(BaseHTTPRequestHandler):
    """Of Vault: by path a status and a body."""

    told: ClassVar[dict[str, tuple[int, dict[str, Any]]]] = {}
    asked: ClassVar[list[tuple[str, str | None, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append(
            (self.path, self.headers["X-Vault-Token"], self.headers["X-Vault-Namespace"])
        )
        status, body = self.told.get(self.path, (404, {"errors": []}))
        text = json.dumps(body).encode()
        self.send_response(status)
        if status == 307:
            self.send_header("Location", body["to"])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def serving() -> Iterator[str]:
    Answers.told, Answers.asked = {}, []
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def address() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture
def strongbox(address: str, tmp_path: Path) -> vault.Vault:
    (tmp_path / "token").write_text("good\n")
    where = {"url": address, "token_file": str(tmp_path / "token")}
    more = {"mount": "kv", "path": "of/us", "namespace": "ours"}
    return vault.opened({**where, **more}, KEYS, read)


def tell(fields: dict[str, Any] | None, status: int = 200, kind: str = "connections") -> None:
    body = {"data": {"data": fields, "metadata": {"version": 1, "deletion_time": "2026-01-01"}}}
    Answers.told[f"/v1/kv/data/of/us/a/{kind}/w"] = (status, body)


def test_vault_is_asked_where_the_settings_say(strongbox: vault.Vault) -> None:
    assert strongbox.get(asked()) is None
    assert Answers.asked == [("/v1/kv/data/of/us/a/connections/w", "good", "ours")]


@pytest.mark.parametrize(
    "fields", [{"value": URI}, {"conn_uri": URI}, {"value": 7, "conn_uri": URI}]
)
def test_vault_holds_a_connection_in_one_field(
    strongbox: vault.Vault, fields: dict[str, Any]
) -> None:
    tell(fields)
    told = strongbox.get(asked())
    assert told is not None
    assert told.secrets == ["pw-canary"]


def test_a_secret_of_vault_without_a_value_is_told(strongbox: vault.Vault) -> None:
    tell({"password": "canary"}, kind="variables")
    with pytest.raises(NotReachable, match=r"vault cannot .* no field value") as caught:
        strongbox.get(asked(kind=VARIABLE))
    assert "canary" not in str(caught.value)


def test_a_deleted_secret_of_vault_is_missing(strongbox: vault.Vault) -> None:
    tell(None, status=404)
    assert strongbox.get(asked()) is None


def test_the_token_of_vault_follows_no_redirect(strongbox: vault.Vault) -> None:
    """Whoever answers in Vault's place would be given the token, and say what the secret is."""
    Answers.told["/elsewhere"] = (200, {"data": {"data": {"value": URI}, "metadata": {}}})
    Answers.told["/v1/kv/data/of/us/a/connections/w"] = (307, {"to": "/elsewhere"})
    with pytest.raises(NotReachable, match="backend vault cannot"):
        strongbox.get(asked())
    assert [path for path, *_ in Answers.asked] == ["/v1/kv/data/of/us/a/connections/w"]


def test_a_vault_that_is_away_or_a_token_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("good")
    where = {"url": "http://127.0.0.1:9", "token_file": str(tmp_path / "token")}
    with pytest.raises(NotReachable, match="backend vault cannot"):
        vault.opened(where, KEYS, read).get(asked())
    (tmp_path / "token").unlink()
    with pytest.raises(NotReachable, match=r"backend vault cannot .*FileNotFoundError"):
        vault.opened(where, KEYS, read).get(asked())
    with pytest.raises(UsageError, match="needs token_file"):
        vault.opened({"url": "x"}, KEYS, read)


# -- Azure and Google


class Holding:
    """A client of Azure or Google that holds one secret, or fails."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.places: list[str] = []

    def get_secret(self, place: str) -> Any:
        self.places.append(place)
        if isinstance(self.answer, Exception):
            raise self.answer
        return SimpleNamespace(value=self.answer)

    def access_secret_version(self, name: str, **_: object) -> Any:
        self.places.append(name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return SimpleNamespace(payload=SimpleNamespace(data=self.answer))


def of_azure(name: str, status: int = 0) -> Exception:
    core: Any = import_module("azure.core.exceptions")
    failed: Exception = getattr(core, name)("no")
    if status:
        failed.status_code = status  # type: ignore[attr-defined]
    return failed


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        (of_azure("ClientAuthenticationError"), NotAllowed),
        (of_azure("HttpResponseError", 401), NotAllowed),
        (of_azure("HttpResponseError", 403), NotAllowed),
        (of_azure("HttpResponseError", 500), NotReachable),
        (of_azure("ServiceRequestError"), NotReachable),
        (ValueError("the challenge"), NotAllowed),
        (of_azure("ResourceNotFoundError", 404), None),
    ],
)
def test_azure_refuses_fails_or_has_it_not(
    failed: Exception, expected: type[HeadwayError] | None
) -> None:
    backend = azure.opened({"url": "https://v.vault.azure.net", "prefix": "box"}, KEYS, read)
    backend.client = Holding(failed)
    if expected is None:
        assert backend.get(asked()) is None
    else:
        with pytest.raises(expected, match="backend azure "):
            backend.get(asked())
    assert backend.client.places == ["box-a-connections-w"]


def test_azure_has_no_names_with_dots_and_an_empty_secret_is_one() -> None:
    backend = azure.opened({"url": "https://v.vault.azure.net"}, KEYS, read)
    backend.client = Holding(None)
    assert backend.get(asked("w.y", VARIABLE)) is None
    assert backend.client.places == []
    assert backend.get(asked("a_b", VARIABLE)) == Found("", [""])
    assert backend.client.places == ["headway-a-variables-a-b"]


def of_google(name: str) -> Exception:
    core: Any = import_module("google.api_core.exceptions")
    failed: Exception = getattr(core, name)("no")
    return failed


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        (of_google("Forbidden"), NotAllowed),
        (of_google("Unauthorized"), NotAllowed),
        (of_google("TooManyRequests"), NotReachable),
        (OSError("no route"), NotReachable),
        (of_google("NotFound"), None),
    ],
)
def test_google_refuses_fails_or_has_it_not(
    failed: Exception, expected: type[HeadwayError] | None
) -> None:
    backend = gcp.opened({"project": "p", "prefix": "box"}, KEYS, read)
    backend.client = Holding(failed)
    if expected is None:
        assert backend.get(asked()) is None
    else:
        with pytest.raises(expected, match="backend gcp "):
            backend.get(asked())
    assert backend.client.places == ["projects/p/secrets/box_a_connections_w/versions/latest"]


def test_google_has_no_names_with_dots_and_odd_bytes_are_replaced() -> None:
    backend = gcp.opened({"project": "p"}, KEYS, read)
    backend.client = Holding(b"t\xff")
    assert backend.get(asked("w.y", VARIABLE)) is None
    assert backend.client.places == []
    assert backend.get(asked(kind=VARIABLE)) == Found("t\ufffd", ["t\ufffd"])


@pytest.mark.parametrize("settings", [{}, {"project": ""}, {"project": 7}])
def test_google_needs_a_project(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="needs project"):
        gcp.opened(settings, KEYS, read)
