"""An install of processes that nobody supervises: two API servers, two schedulers, a loader and an agent."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Final

import httpx

from headway import wire
from headway.client import Client
from headway.errors import HeadwayError
from headway.store.transact import connect
from tests.agent_tokens import SECRET, let_in
from tests.apart.balancer import balanced
from tests.certificates import authority
from tests.cli.conftest import PATIENCE_S, wait_until
from tests.ports import free_port

NAME: Final = "install of the tests"
DAGS: Final = """
import os
import time
from pathlib import Path

from headway import Run, dag, task


@dag()
def work(ledger: str = ""):
    @task
    def items() -> list[int]:
        return [1, 2, 3]

    @task(retries=0)
    def write(item: int, run: Run) -> int:
        line = f"{run.run_id} {item} {run.try_number}\\n"
        file = os.open(run.params["ledger"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, line.encode())
        os.close(file)
        time.sleep(0.2)
        return item

    @task
    def total(written: list[int]) -> int:
        return sum(written)

    total(write.expand(item=items()))
"""


class Install:
    def __init__(
        self, folder: Path, dsn: str, environment: Mapping[str, str] | None = None, slots: int = 8
    ) -> None:
        self.folder = folder
        self.dsn = dsn
        self.environment = environment or {}
        self.data = folder / "data"
        self.dags = folder / "dags"
        self.dags.mkdir()
        (self.dags / "work.py").write_text(DAGS)
        self.slots = slots
        self.authority = authority(folder)
        self.certificate, self.key = self.authority.sign("gateway", "127.0.0.1")
        self.ports = {
            name: free_port() for name in ("api-1", "api-2", "scheduler-1", "scheduler-2")
        }
        self.health = {name: free_port() for name in ("scheduler-1", "scheduler-2", "loader")}
        self.gateway = 0
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.options: dict[str, tuple[str, ...]] = {}  # of agents
        self.token = ""

    # -- life

    def run(self, *command: str, name: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command with the variables of a component, and some more."""
        return subprocess.run(
            self.command(*command),
            cwd=self.folder,
            env={**self.variables(name), **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def prepare(self, name: str = "") -> None:
        """Make database and data directory, as a component does before it starts."""
        done = self.run("migrate", "--prepare", name=name)
        assert done.returncode == 0, done.stderr
        self.token = (self.data / "run" / "token").read_text()
        with connect(self.dsn) as conn:
            let_in(conn)
        (self.folder / "token").write_text(SECRET)

    def start(self, name: str) -> None:
        """Start a component, as its Deployment does again and again."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                self.command(*self.arguments(name)),
                cwd=self.folder,
                env=self.variables(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def variables(self, name: str = "") -> Mapping[str, str]:
        """Return the environment of a component; all have the same one here."""
        ours = {
            "HEADWAY_DATABASE_URL": self.dsn,
            "HEADWAY_DATA": str(self.data),
            "HEADWAY_INSTALL": NAME,
            "NO_COLOR": "1",
        }
        return {**os.environ, **ours, **self.environment}

    @staticmethod
    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "headway", *arguments]

    def arguments(self, name: str) -> list[str]:
        kind, _, _ = name.partition("-")
        match kind:
            case "api":
                return ["api", "--port", str(self.ports[name])]
            case "scheduler":
                files = ("--certificate", str(self.certificate), "--key", str(self.key))
                at = ("--agents", f"tls://127.0.0.1:{self.ports[name]}")
                health = ("--health-port", str(self.health[name]))
                return ["scheduler", *at, *files, "--slots", str(self.slots), *health]
            case "loader":
                return [
                    "loader",
                    "--team",
                    "default",
                    "--dags",
                    "dags",
                    "--health-port",
                    str(self.health[name]),
                ]
            case _:
                to = ("--server", f"tls://127.0.0.1:{self.gateway}")
                given = ("--token-file", "token", "--ca", str(self.authority.ca))
                own = ("--data", str(self.folder / name), "--slots", str(self.slots))
                return ["agent", *to, *given, *own, *self.options.get(name, ())]

    def kill(self, name: str) -> None:
        self.running[name].kill()
        self.running[name].wait(PATIENCE_S)

    def end(self) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(PATIENCE_S)

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    # -- as its users see it

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def answers(self, name: str) -> bool:
        try:
            return httpx.get(f"{self.url(name)}/healthz", timeout=5.0).status_code == 200
        except httpx.TransportError:
            return False

    def is_alive(self, name: str) -> bool:
        address = f"http://127.0.0.1:{self.health[name]}/healthz"
        return httpx.get(address, timeout=5.0).status_code == 200

    def wait_until_ready(self, name: str = "api-1") -> None:
        wait_until(lambda: self.answers(name) or self.is_over(name), f"{name} does not answer")
        assert not self.is_over(name), self.said(name)
        with self.client(name) as client:
            wait_until(
                lambda: self.any_is_over() or (client.health().healthy and bool(client.dags())),
                "it is not healthy",
            )
        assert not self.any_is_over(), [self.said(each) for each in self.running]

    def any_is_over(self) -> bool:
        return any(map(self.is_over, self.running))

    def is_over(self, name: str) -> bool:
        return self.running[name].poll() is not None

    @contextmanager
    def client(self, name: str) -> Iterator[Client]:
        client = Client(self.url(name), self.token)
        try:
            yield client
        finally:
            client.close()

    def trigger(self, ledger: Path, key: str) -> str:
        """Trigger at any API server, and at the next one when it does not answer."""
        body = {"params": {"ledger": str(ledger)}}
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        for name in cycle(("api-1", "api-2")):
            try:
                answer = httpx.post(
                    f"{self.url(name)}/api/v1/dags/work/runs",
                    json=body,
                    headers=headers,
                    timeout=30.0,
                )
            except httpx.TransportError:
                continue
            if answer.status_code < 500:
                assert answer.status_code in (200, 201), answer.text
                return str(answer.json()["run_id"])
        raise AssertionError

    def go_on(self) -> bool:
        """Start what has ended again, as Deployments do."""
        for name in list(self.running):
            if self.is_over(name):
                self.start(name)
        return True

    def all_succeeded(self, run_ids: list[str]) -> bool:
        try:
            runs = self.ended(run_ids, "api-1")
        except HeadwayError:
            return False
        assert {run.state for run in runs} <= {"success"}
        return len(runs) == len(run_ids)

    def ended(self, run_ids: list[str], name: str) -> list[wire.Run]:
        with self.client(name) as client:
            runs = [client.run(run_id) for run_id in run_ids]
        return [run for run in runs if run.ended_at is not None]


@contextmanager
def meanwhile(step: Callable[[], None], pace_s: float) -> Iterator[None]:
    """Repeat a step in another thread until the block ends. Nothing of it may have failed."""
    wrong: list[BaseException] = []
    over = threading.Event()

    def repeat() -> None:
        try:
            while not over.wait(pace_s):
                step()
        except BaseException as error:  # told below
            wrong.append(error)

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        assert wrong == []


@contextmanager
def install(
    folder: Path, dsn: str, environment: Mapping[str, str] | None = None
) -> Iterator[Install]:
    found = Install(folder, dsn, environment)
    with ExitStack() as ends:
        ports = [found.ports["scheduler-1"], found.ports["scheduler-2"]]
        found.gateway = ends.enter_context(balanced(ports))
        found.prepare()
        ends.callback(found.end)
        for name in ("api-1", "api-2", "scheduler-1", "scheduler-2", "loader", "agent"):
            found.start(name)
        found.wait_until_ready("api-1")
        found.wait_until_ready("api-2")
        yield found
