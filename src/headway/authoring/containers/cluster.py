"""The API server as the process beside a container asks it: for its own pod, and for the log of that.

The token that the kubelet mounts allows nothing else. Plain HTTP of the standard library, because a DAG file's process
imports this.
"""

import http.client
import os
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

TIMEOUT_S: Final = 10.0
IDLE_S: Final = 60.0  # of a log: then it is asked for anew
READ_BYTES: Final = 64 * 1024


class Refused(Exception):
    """The API server answers with another code than 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Unreachable(Exception):
    """The API server does not answer, or the connection broke."""


class Cluster:
    """``folder``: with the files ``token``, which the kubelet replaces, and ``ca.crt``."""

    def __init__(self, folder: Path, namespace: str, pod: str) -> None:
        self.folder = folder
        self.path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
        host = os.environ.get("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc")
        self.host = host.strip("[]")
        self.port = int(os.environ.get("KUBERNETES_SERVICE_PORT", "443"))
        self.context = ssl.create_default_context(cafile=str(folder / "ca.crt"))

    def pod(self) -> dict[str, Any]:
        """Return the pod. Raises Refused or Unreachable."""
        found: dict[str, Any] = msgspec.json.decode(b"".join(self.ask(self.path, TIMEOUT_S)))
        return found

    def log(self, container: str, since: str | None, *, follow: bool) -> Iterator[bytes]:
        """Yield the log with the time of each line, from lines of the second ``since`` on. Raises as ``pod``.

        With ``follow`` it goes on until the container has ended, or the connection.
        """
        asked = {"container": container, "timestamps": "true", "follow": str(follow).lower()}
        if since is not None:
            asked["sinceTime"] = since
        yield from self.ask(f"{self.path}/log?{urlencode(asked)}", IDLE_S if follow else TIMEOUT_S)

    def ask(self, path: str, timeout_s: float) -> Iterator[bytes]:
        connection = http.client.HTTPSConnection(
            self.host, self.port, timeout=timeout_s, context=self.context
        )
        with closing(connection):
            try:
                token = (self.folder / "token").read_text().strip()
                connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
                answer = connection.getresponse()
                if answer.status != 200:
                    raise Refused(answer.status, message_of(answer.read(READ_BYTES)))
                while data := answer.read1(READ_BYTES):
                    yield data
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable(f"{type(error).__name__}: {error}") from None


def message_of(body: bytes) -> str:
    """Return what a refusal says."""
    try:
        return str(msgspec.json.decode(body)["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return body.decode(errors="replace")[:200]
