"""A real OpenID provider (``oidc-provider`` on Node), and a browser that visits it."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

UI: Final = Path(__file__).parents[2] / "ui"
CLIENT: Final = "headway"
ONCE: Final = httpx.Limits(max_keepalive_connections=0)  # so that nobody must close anything
NO_NODE: Final = 69  # ui/with-node says so
SECRET: Final = "of the client, for the tests"


@dataclass
class Idp:
    issuer: str

    def control(self, **asked: Any) -> None:
        httpx.post(f"{self.issuer}/control", json=asked, timeout=30).raise_for_status()

    def serve(
        self,
        *backs: str,
        kid: str = "first",
        leaves: Sequence[str] = (),
        refreshes: bool = False,
        told: str | None = None,
    ) -> None:
        """Begin anew with a client that may send browsers back to these pages, and new keys.

        ``told``: the address that is told when somebody signs out.
        """
        grants = ["authorization_code", *(["refresh_token"] if refreshes else [])]
        client: dict[str, Any] = {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "redirect_uris": backs,
            "post_logout_redirect_uris": leaves,
            "grant_types": grants,
        }
        if told is not None:
            client |= {"backchannel_logout_uri": told, "backchannel_logout_session_required": True}
        self.control(clients=[client], kid=kid)

    def knows(self, account: str, **claims: Any) -> None:
        """Let whoever comes next be this person."""
        self.control(account=account, people={account: claims})


@contextmanager
def running() -> Iterator[Idp]:
    command = ["./with-node", "node", "e2e/provider.mjs"]
    process = subprocess.Popen(command, cwd=UI, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("http"):
                yield Idp(line.strip())
                return
        assert process.wait(30) == NO_NODE, "the provider did not start"
        pytest.skip("there is no Node.js, which runs the provider")
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


@dataclass
class Visitor:
    """A browser that visits both, with cookies for each, and says where its requests come from."""

    url: str
    ours: httpx.Client = field(init=False)
    theirs: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        headers = {"Sec-Fetch-Site": "same-origin"}
        self.ours = httpx.Client(
            base_url=f"{self.url}/api/v1", headers=headers, timeout=60, limits=ONCE
        )
        self.theirs = httpx.Client(timeout=60, limits=ONCE)

    def start(self, way: str = "company") -> httpx.Response:
        return self.ours.post("/session/redirect", json={"way": way})

    def visit(self, address: str) -> dict[str, str]:
        """Follow the provider's redirects; return what it added to the address of our page."""
        for _ in range(10):
            answer = self.theirs.get(address)
            assert answer.status_code in (302, 303), answer.text
            address = str(answer.next_request.url) if answer.next_request else ""
            if address.startswith(f"{self.url}/login/"):
                break
        return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}

    def come_back(self, came: dict[str, str], way: str = "company") -> httpx.Response:
        wanted = {name: came[name] for name in ("code", "state", "iss") if name in came}
        return self.ours.post("/session/code", json={"way": way, **wanted})

    def leave(self, issuer: str) -> None:
        """Sign out at the provider."""
        page = self.theirs.get(f"{issuer}/session/end")
        assert page.status_code == 200, page.text
        found = re.search(r'name="xsrf" value="([^"]+)"', page.text)
        assert found is not None, page.text
        form = {"xsrf": found[1], "logout": "yes"}
        answer = self.theirs.post(f"{issuer}/session/end/confirm", data=form)
        assert answer.status_code in (200, 302, 303), answer.text

    def sign_in(self) -> httpx.Response:
        begun = self.start()
        assert begun.status_code == 200, begun.text
        return self.come_back(self.visit(begun.json()["url"]))
