"""An OpenID provider over HTTP: what we send it, how long its answers are believed, and what its refusals mean."""

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import pytest

from headway.errors import NotReachable
from headway.identity import provider
from headway.identity.id_token import Refused
from headway.identity.provider import BYTES_MAX, FRESH_S, WELL_KNOWN, Metadata, Provider, error_of
from headway.identity.sections import Oidc
from tests.identity.test_id_token import KEY


class Idp(BaseHTTPRequestHandler):
    """By path a status and a body; it remembers what it was asked."""

    told: ClassVar[dict[str, tuple[int, Any]]] = {}
    asked: ClassVar[list[tuple[str, str, dict[str, str], dict[str, str]]]] = []

    def do_GET(self) -> None:
        self.say({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.say(dict(parse_qsl(body)))

    def say(self, form: dict[str, str]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.asked.append((self.command, self.path, headers, form))
        status, body = self.told.get(self.path, (404, {}))
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def issuer() -> Iterator[str]:
    Idp.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Idp)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    Idp.told = {
        WELL_KNOWN: (200, document(url)),
        "/keys": (200, {"keys": [KEY.as_dict(private=False)]}),
        "/token": (200, {"access_token": "a", "id_token": "i", "refresh_token": "r"}),
        "/info": (200, {"sub": "ann"}),
    }
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


def document(url: str, **more: Any) -> dict[str, Any]:
    given = {
        "issuer": url,
        "authorization_endpoint": f"{url}/auth",
        "token_endpoint": f"{url}/token",
        "jwks_uri": f"{url}/keys",
        "userinfo_endpoint": f"{url}/info",
    }
    return given | more


def of(issuer: str, **more: Any) -> Provider:
    settings = Oidc(
        issuer=issuer, client_id="a:b", client_secret_file="unread", label="Company", **more
    )
    return Provider("company", settings, "s/cret")


def run(work: Any) -> Any:
    return asyncio.run(work)


def paths() -> list[str]:
    return [path for _, path, *_ in Idp.asked]


def test_the_client_proves_itself_as_the_provider_wants(issuer: str) -> None:
    one = of(issuer)
    tokens = run(one.exchange("the code", "the verifier", "https://back"))
    assert (tokens.access_token, tokens.id_token, tokens.refresh_token) == ("a", "i", "r")
    method, path, headers, form = Idp.asked[-1]
    assert (method, path) == ("POST", "/token")
    assert form == {
        "grant_type": "authorization_code",
        "code": "the code",
        "redirect_uri": "https://back",
        "code_verifier": "the verifier",
    }
    assert headers["authorization"] == "Basic " + base64.b64encode(b"a%3Ab:s%2Fcret").decode()
    assert headers["accept-encoding"] == "identity"
    Idp.told[WELL_KNOWN] = (
        200,
        document(issuer, token_endpoint_auth_methods_supported=["client_secret_post"]),
    )
    run(of(issuer).refresh("the token"))
    _, _, headers, form = Idp.asked[-1]
    assert "authorization" not in headers
    assert form == {
        "grant_type": "refresh_token",
        "refresh_token": "the token",
        "client_id": "a:b",
        "client_secret": "s/cret",
    }


def test_the_user_info_is_asked_with_the_access_token(issuer: str) -> None:
    assert run(of(issuer).userinfo("access")) == {"sub": "ann"}
    assert Idp.asked[-1][:2] == ("GET", "/info")
    assert Idp.asked[-1][2]["authorization"] == "Bearer access"
    Idp.told[WELL_KNOWN] = (200, document(issuer, userinfo_endpoint=None))
    assert run(of(issuer).userinfo("access")) == {}


def test_an_issuer_may_end_with_a_slash(issuer: str) -> None:
    Idp.told[WELL_KNOWN] = (200, document(issuer, issuer=f"{issuer}/"))
    assert run(of(f"{issuer}/").metadata()).issuer == f"{issuer}/"
    assert paths() == [WELL_KNOWN]
    Idp.told[f"/x{WELL_KNOWN}"] = (200, document(issuer, issuer=f"{issuer}/x"))
    assert run(of(f"{issuer}/x").metadata()).issuer == f"{issuer}/x"


def test_the_document_and_keys_are_asked_for_when_they_are_old(issuer: str) -> None:
    one = of(issuer)
    assert run(one.keys()).keys[0].kid == "one"
    assert run(one.keys()) is run(one.keys())
    assert paths() == [WELL_KNOWN, "/keys"]
    run(one.keys(older_than_s=0.0))
    assert paths() == [WELL_KNOWN, "/keys", "/keys"], "a token of a new key came"
    assert one._keys is not None
    assert one._metadata is not None
    one._keys = (one._keys[0] - FRESH_S, one._keys[1])
    run(one.keys())
    assert paths()[3:] == ["/keys"]
    one._metadata = (one._metadata[0] - FRESH_S - 1, one._metadata[1])
    run(one.metadata())
    run(one.metadata())
    assert paths()[4:] == [WELL_KNOWN]


def test_a_document_of_another_issuer_is_not_believed(issuer: str) -> None:
    Idp.told[WELL_KNOWN] = (200, document(issuer, issuer="https://evil.example"))
    with pytest.raises(NotReachable, match=r"its issuer is 'https://evil.example'") as caught:
        run(of(issuer).metadata())
    assert "of Company cannot be used" in caught.value.message
    assert caught.value.hint == "an admin checks [oidc.company] in the settings of sign-in"


ENDPOINTS = (
    *("authorization_endpoint", "token_endpoint", "jwks_uri"),
    *("userinfo_endpoint", "end_session_endpoint"),
)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_no_endpoint_leaves_https(name: str) -> None:
    https = document("https://idp.example", end_session_endpoint="https://idp.example/end")
    read = of("https://idp.example").check
    read(Metadata(**https))
    with pytest.raises(NotReachable, match="is not an https address"):
        read(Metadata(**{**https, name: "http://idp.example/x"}))
    # A provider on this machine may be plain, and lead to one that is not.
    plain = {**document("http://localhost:1"), name: "https://idp.example/x"}
    of("http://localhost:1").check(Metadata(**plain))
    with pytest.raises(NotReachable, match="is not an https address"):
        of("http://localhost:1").check(Metadata(**{**plain, name: "ftp://idp.example/x"}))


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_is_one_of_the_person_and_of_a_form_only(issuer: str, status: int) -> None:
    Idp.told["/token"] = (status, {"error": "invalid_grant"})
    with pytest.raises(Refused, match=r"^the provider refused the code: invalid_grant$"):
        run(of(issuer).exchange("c", "v", "b"))
    with pytest.raises(Refused, match=r"^the provider refused the refresh: invalid_grant$"):
        run(of(issuer).refresh("t"))
    Idp.told["/info"] = (status, {})
    with pytest.raises(NotReachable, match=f"/info answered {status}"):
        run(of(issuer).userinfo("a"))


@pytest.mark.parametrize("status", [201, 204, 302, 402, 404, 429, 500])
def test_any_other_status_is_a_provider_of_no_use(issuer: str, status: int) -> None:
    Idp.told["/token"] = (status, {"access_token": "a"})
    with pytest.raises(NotReachable):
        run(of(issuer).refresh("t"))


def test_an_answer_may_be_as_long_as_the_bound(
    issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BYTES_MAX == 1 << 20
    body = json.dumps({"sub": "ann"}).encode()
    Idp.told["/info"] = (200, body + b" " * (1_000 - len(body)))
    monkeypatch.setattr(provider, "BYTES_MAX", 1_000)
    one = of(issuer)
    assert run(one.userinfo("a")) == {"sub": "ann"}
    Idp.told["/info"] = (200, body + b" " * (1_001 - len(body)))
    with pytest.raises(NotReachable, match=r"longer than 1,000 bytes"):
        run(of(issuer).userinfo("a"))


def test_a_provider_that_is_away_is_told_with_the_reason() -> None:
    with pytest.raises(NotReachable, match=r"cannot be used: .*(connection|attempts)"):
        run(of("http://127.0.0.1:9").metadata())


def test_a_certificate_is_verified_by_the_authority_of_the_settings(tmp_path: Any) -> None:
    client = of("https://idp.example").client()
    assert client.timeout.read == provider.TIME_OUT_S
    with pytest.raises(FileNotFoundError):
        of("https://idp.example", ca_file=str(tmp_path / "none")).client()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": "invalid_grant"}', "invalid_grant"),
        (b'{"error": 7}', "7"),
        (b"{}", "no reason given"),
        (b"<html>", "no reason given"),
        (b"[]", "?"),
        (b'{"error": "' + b"x" * 200 + b'"}', "x" * 100),
    ],
)
def test_a_reason_is_a_short_word(body: bytes, said: str) -> None:
    assert error_of(body) == said
