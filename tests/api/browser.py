"""A browser as far as the server can tell: keeps its cookie, says where its requests come from."""

import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

API = "/api/v1"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Browser:
    url: str
    cookie: str | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"Sec-Fetch-Site": "same-origin"})

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        read: bool = True,
    ) -> Answer:
        """``body`` is sent as JSON, or as it is when it is bytes. Do not ``read`` what never ends."""
        sent = {"Host": urlsplit(self.url).netloc} | self.headers
        sent |= {"Cookie": self.cookie} if self.cookie else {}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(self.url).port, timeout=20)
        try:
            connection.request(method, path, content, sent | (headers or {}))
            response = connection.getresponse()
            answer = Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read() if read or response.status >= 400 else b"",
            )
        finally:
            connection.close()
        if (given := answer.headers.get("set-cookie")) is not None:
            self.cookie = given.partition(";")[0]
        return answer

    def ask_raw(self, method: str, path: str, headers: list[tuple[str, str]]) -> int:
        """With headers as they are, also twice the same; the status."""
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(self.url).port, timeout=20)
        try:
            connection.putrequest(method, path)
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders()
            return connection.getresponse().status
        finally:
            connection.close()

    def sign_in(self, name: str, password: str) -> Answer:
        return self.ask("POST", f"{API}/session", {"name": name, "password": password})

    def sign_in_by(self, link: str) -> Answer:
        return self.ask("POST", f"{API}/session/link", {"token": link.partition("#")[2]})
