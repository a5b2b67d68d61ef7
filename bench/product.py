"""Headway from outside: `headway up` as a process of its own, and its public HTTP API."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from bench.postgres import free_port
from bench.processes import running
from headway.pg import Server

WORKLOADS: Final = Path(__file__).parent / "workloads"
START_TIMEOUT_S: Final = 60.0
IDLE_S: Final = 2.0
REQUEST_TIMEOUT_S: Final = 120.0
WAIT_S: Final = 30.0
POLL_S: Final = 0.01


class ProductError(Exception):
    """Headway refused a request, failed a run, or took longer than it was given."""


@dataclass(slots=True)
class Api:
    """One connection, kept open, as a client that means to be quick would do it."""

    url: str
    token: str
    team: str = ""  # the default one
    connection: http.client.HTTPConnection = field(init=False)
    used_at: float = 0.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        self.connection = http.client.HTTPConnection(
            parts.hostname, parts.port, timeout=REQUEST_TIMEOUT_S
        )

    def send(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        headers |= {"Headway-Team": self.team} if self.team else {}
        payload = None if body is None else json.dumps(body).encode()
        if time.monotonic() - self.used_at > IDLE_S:
            self.connection.close()  # the server may have closed its end; a request opens it anew
        self.connection.request(method, path, payload, headers)
        response = self.connection.getresponse()
        answer = response.read()
        self.used_at = time.monotonic()
        return response.status, answer

    def call(self, method: str, path: str, body: object = None) -> Any:
        status, answer = self.send(method, f"/api/v1{path}", body)
        if status >= 400:
            raise ProductError(f"{method} {path}: {status} {answer[:500]!r}")
        return json.loads(answer) if answer else None

    def trigger(self, dag_id: str, params: Mapping[str, object] | None = None) -> str:
        run_id: str = self.call("POST", f"/dags/{dag_id}/runs", {"params": params or {}})["run_id"]
        return run_id

    def trigger_many(self, dag_id: str, count: int) -> list[str]:
        body = {"count": count}
        run_ids: list[str] = self.call("POST", f"/dags/{dag_id}/runs/bulk", body)["run_ids"]
        return run_ids

    def finish(self, run_id: str, timeout_s: float) -> Mapping[str, Any]:
        """The run once it has ended well; the server answers the moment it has."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            run: Mapping[str, Any] = self.call("GET", f"/runs/{run_id}?wait_s={WAIT_S:.0f}")
            if run["state"] == "success":
                return run
            if run["state"] in ("failed", "cancelled"):
                raise ProductError(f"run {run_id} of {run['dag_id']}: {run['state']}")
        raise ProductError(f"run {run_id} took longer than {timeout_s:.0f} s")

    def has_runs(self, dag_id: str, state: str) -> bool:
        query = urlencode({"dag_id": dag_id, "state": state, "limit": 1})
        return bool(self.call("GET", f"/runs?{query}")["items"])

    def all_items(self, path: str) -> Iterator[Any]:
        """Every item of a listing, page after page."""
        cursor = None
        while True:
            query = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
            page = self.call("GET", f"{path}?{urlencode(query)}")
            yield from page["items"]
            if (cursor := page["next_cursor"]) is None:
                return

    def knows(self, dag_id: str) -> bool:
        return self.send("GET", f"/api/v1/dags/{dag_id}")[0] == 200

    def is_ready(self) -> bool:
        return self.send("GET", "/readyz")[0] == 200


@dataclass(frozen=True, slots=True)
class Headway:
    api: Api
    pid: int
    data: Path
    up_s: float

    @property
    def database(self) -> str:
        """For counting and seeding only: what is measured goes through the API."""
        return Server(self.data).dsn


@contextmanager
def fresh(dags: Path = WORKLOADS) -> Iterator[Headway]:
    """A Headway on an empty data directory, its logs shown when it does not come up."""
    with TemporaryDirectory(prefix="headway-bench-") as folder:
        data = Path(folder, "data")
        with up(data, dags) as headway:
            yield headway


@contextmanager
def up(data: Path, dags: Path, *options: str) -> Iterator[Headway]:
    log = data.with_suffix(".log")
    note = data / "run" / "server.json"
    note.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name("headway")), "up", "--data", str(data)]
    command += ["--dags", str(dags), "--port", str(free_port()), *options]
    begun = time.monotonic()
    with running(command, log, env=dict(os.environ)) as process:
        wait_until(note.exists, "server.json", START_TIMEOUT_S, lambda: check(process, log))
        server = json.loads(note.read_text())
        api = Api(server["url"], server["token"])
        wait_until(api.is_ready, "readiness", START_TIMEOUT_S, lambda: check(process, log))
        yield Headway(api, process.pid, data, time.monotonic() - begun)


def check(process: subprocess.Popen[bytes], log: Path) -> None:
    if process.poll() is not None:
        raise ProductError(f"`headway up` ended with {process.returncode}: {tail(log)}")


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def wait_until(
    holds: Callable[[], bool],
    what: str,
    timeout_s: float,
    check: Callable[[], None] = lambda: None,
) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        check()
        if time.monotonic() > deadline:
            raise ProductError(f"{what} took longer than {timeout_s:.0f} s")
        time.sleep(POLL_S)
