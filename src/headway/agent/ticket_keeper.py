"""``python -m headway.agent.ticket_keeper``: keeps the Kerberos tickets of a team's pods in a secret of its namespace.

It runs in a pod of its own, which alone has the keytab. It gets a new ticket after a third of the life of the last one
(``agent.tickets``) and patches the secret with it: pods of tasks mount that, and the kubelet replaces its files there
as a whole. Rules:
- It may read and change this one secret, and neither create nor list any.
- While the KDC gives no ticket, the last one stays in the secret, beside the reason: the scheduler tells people.
- What somebody did to the secret is undone at the next look.
"""

import argparse
import base64
import http.client
import os
import signal
import ssl
import sys
from contextlib import closing
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from headway import clock
from headway.agent.tickets import AGAIN_S, NoTicket, renewed, wait_s

CACHE: Final = "krb5cc"  # keys of the secret, which become files
CONFIG: Final = "krb5.conf"
UNTIL: Final = "headway.dev/tickets-until"  # its annotations
TROUBLE: Final = "headway.dev/tickets-trouble"
LOOK_S: Final = 5.0
TIMEOUT_S: Final = 10.0
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
TROUBLE_CHARS_MAX: Final = 500
MERGE: Final = "application/merge-patch+json"


class NotTold(Exception):
    """The API server did not take the tickets, and why."""


class Secret:
    """The secret, by way of the API server. ``folder``: with ``token`` and ``ca.crt``, which the kubelet replaces."""

    def __init__(self, folder: Path, namespace: str, name: str) -> None:
        self.folder = folder
        self.path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
        self.host = os.environ.get("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc").strip("[]")
        self.port = int(os.environ.get("KUBERNETES_SERVICE_PORT", "443"))

    def read(self) -> dict[str, Any]:
        return self.ask("GET")

    def patch(self, change: dict[str, Any]) -> None:
        self.ask("PATCH", msgspec.json.encode(change))

    def ask(self, method: str, body: bytes | None = None) -> dict[str, Any]:
        """Return the answer. Raises NotTold."""
        try:
            with closing(self.connection()) as connection:
                token = (self.folder / "token").read_text().strip()
                headers = {"Authorization": f"Bearer {token}", "Content-Type": MERGE}
                connection.request(method, self.path, body, headers)
                answer = connection.getresponse()
                found = answer.read(ANSWER_BYTES_MAX)
            if answer.status != http.HTTPStatus.OK:
                raise NotTold(f"{answer.status}: {found[:300].decode(errors='replace')}")
            decoded: dict[str, Any] = msgspec.json.decode(found)
        except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
            raise NotTold(f"{type(error).__name__}: {error}") from None
        return decoded

    def connection(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        return http.client.HTTPSConnection(self.host, self.port, timeout=TIMEOUT_S, context=context)


class Keeper:
    """``ready``: a file that exists while all is well; ``alive``: one that is touched at each turn, for the kubelet."""

    def __init__(self, secret: Secret, keytab: Path, work: Path) -> None:
        self.secret = secret
        self.keytab = keytab
        self.config = keytab.with_name(CONFIG)
        self.cache = work / CACHE
        self.ready = work / "ready"
        self.alive = work / "alive"
        self.due = float("-inf")  # when the next ticket is
        self.until = ""
        self.trouble = ""
        self.told = ""

    def turn(self) -> float:
        """Get a ticket if it is time, and bring the secret level. Returns how long to wait."""
        self.alive.touch()
        if clock.monotonic() >= self.due:
            self.renew()
        untold = ""
        try:
            self.publish()
        except NotTold as error:
            untold = f"the secret {self.secret.path} is not changed: {error}"
        self.tell(untold or self.trouble)
        return max(0.0, min(LOOK_S, self.due - clock.monotonic()))

    def renew(self) -> None:
        try:
            life_s = renewed(self.keytab, self.cache)
        except NoTicket as error:
            self.trouble = str(error)[:TROUBLE_CHARS_MAX]
            self.due = clock.monotonic() + AGAIN_S
            return
        self.trouble = ""
        self.until = (clock.now().astimezone(UTC) + timedelta(seconds=life_s)).isoformat(
            timespec="seconds"
        )
        self.due = clock.monotonic() + wait_s(life_s)

    def publish(self) -> None:
        """Change the secret where it is not as it should be. Raises NotTold."""
        found = self.secret.read()
        data, notes = self.wanted()
        known = found.get("data") or {}
        noted = (found.get("metadata") or {}).get("annotations") or {}
        data = {key: value for key, value in data.items() if known.get(key) != value}
        notes = {key: value for key, value in notes.items() if noted.get(key) != value}
        if data or notes:
            self.secret.patch({"data": data, "metadata": {"annotations": notes}})

    def wanted(self) -> tuple[dict[str, str | None], dict[str, str | None]]:
        """Return files and annotations of the secret; None: it has none. Without a ticket the last one stays."""
        notes: dict[str, str | None] = {TROUBLE: self.trouble or None}
        data: dict[str, str | None] = {}
        if self.until:
            notes[UNTIL] = self.until
            data[CACHE] = encoded(self.cache)
            data[CONFIG] = encoded(self.config) if self.config.exists() else None
        return data, notes

    def tell(self, trouble: str) -> None:
        if trouble:
            self.ready.unlink(missing_ok=True)
        else:
            self.ready.touch()
        if trouble != self.told:
            say(trouble or f"tickets until {self.until}")
        self.told = trouble


def encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def say(text: str) -> None:
    sys.stderr.write(f"headway.agent.ticket_keeper: {text}\n")
    sys.stderr.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="headway.agent.ticket_keeper")
    for name in ("keytab", "api", "work"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    for name in ("namespace", "secret"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    os.umask(0o077)
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(0)
    )  # the first process of a container has no usual one
    secret = Secret(options.api, options.namespace, options.secret)
    keeper = Keeper(secret, options.keytab, options.work)
    while True:
        clock.sleep(keeper.turn())


if __name__ == "__main__":
    sys.exit(main())
