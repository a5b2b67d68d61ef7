"""Google's Secret Manager and Azure's Key Vault as their documentation describes them over HTTP: the contract of the
backends, because neither has a server that can be installed. Their own clients speak to it.
"""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.certificates import authority

TOKEN = "a token of the cloud"
HOST = "127.0.0.1"


class Cloud(BaseHTTPRequestHandler):
    """``status``: what every question gets; 0: what is right."""

    secrets: ClassVar[dict[str, str]] = {}
    status: ClassVar[int] = 0

    def say(self, status: int, body: dict[str, Any], **headers: str) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    @property
    def is_signed_in(self) -> bool:
        return self.headers["Authorization"] == f"Bearer {TOKEN}"

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class Google(Cloud):
    """The client signs its requests itself, with the key of its service account."""

    account: ClassVar[RSAKey] = RSAKey.generate_key(2048)
    email: ClassVar[str] = "headway@p.iam.gserviceaccount.com"

    @classmethod
    def key_file(cls) -> str:
        """Return the key of the account, as Google's console hands it out."""
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "p",
                "client_email": cls.email,
                "private_key_id": "1",
                "private_key": cls.account.as_pem(private=True).decode(),
                "token_uri": "https://oauth2.googleapis.com/token",
            }
        )

    @property
    def is_signed_in(self) -> bool:
        scheme, _, text = (self.headers["Authorization"] or "").partition(" ")
        claims = jwt.decode(text, self.account, algorithms=["RS256"]).claims
        return scheme == "Bearer" and claims["iss"] == claims["sub"] == self.email

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        text = self.secrets.get(path)
        if self.status or not self.is_signed_in:
            self.fail(self.status or 401)
        elif text is None:
            self.fail(404)
        else:
            data = base64.b64encode(text.encode()).decode()
            self.say(200, {"name": path.removesuffix(":access"), "payload": {"data": data}})

    def fail(self, code: int) -> None:
        self.say(code, {"error": {"code": code, "message": "no", "status": "OF_THE_CLOUD"}})


class Vault(Cloud):
    """It asks for a token first, as Key Vault does: by a challenge that names the authority and the domain of its host.

    ``resource``: another domain, for which it wants a token that is of use elsewhere.
    """

    resource = ""
    asked_for: ClassVar[list[str]] = []  # what tokens the identity of the machine was asked for

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/identity":  # of the machine: an App Service has it so
            assert self.headers["X-IDENTITY-HEADER"] == "of the machine"
            self.asked_for.append(parse_qs(query)["resource"][0])
            token = {"access_token": TOKEN, "expires_on": "4102444800", "token_type": "Bearer"}
            self.say(200, {**token, "resource": parse_qs(query)["resource"][0]})
            return
        text = self.secrets.get(path)
        if not self.is_signed_in:
            resource = self.resource or f"https://{self.headers['Host'].partition('.')[2]}"
            self.say(401, {}, WWW_Authenticate=CHALLENGE.format(resource))
        elif self.status:
            self.say(self.status, {"error": {"code": "Forbidden", "message": "no"}})
        elif text is None:
            self.say(404, {"error": {"code": "SecretNotFound", "message": "no"}})
        else:
            where = f"https://{self.headers['Host']}{path}"
            self.say(200, {"value": text, "id": f"{where}/1", "attributes": {"enabled": True}})


CHALLENGE = 'Bearer authorization="https://login.microsoftonline.com/tenant", resource="{}"'


@contextmanager
def served(answers: type[Cloud], secrets: dict[str, str], tls: Path | None = None) -> Iterator[str]:
    """Serve ``secrets`` by path. ``tls``: a folder, in which the authority's certificate is ``ca.pem``."""
    answers.secrets, answers.status = secrets, 0
    server = HTTPServer((HOST, 0), answers)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority(tls).sign("vault", HOST))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
