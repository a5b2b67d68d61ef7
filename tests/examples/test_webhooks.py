"""The examples of webhooks: a scheduler starts a run, and hears of its end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from headway import wire
from headway.authoring.loading import load_file
from headway.client import Client
from headway.secrets.keys import local_keys
from headway.store.transact import Session
from headway.testing import run_dag
from headway.up.address import url_of
from tests.api.conftest import TOKEN, served
from tests.api.test_webhooks import hook
from tests.outbound.world import World
from tests.scenarios.test_assets import runs_of
from tests.scenarios.world import Scheduler, deploy, task

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "webhooks"


@contextmanager
def hearing(secret: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Yield the receiver and its port."""
    with subprocess.Popen(
        [sys.executable, "hear.py", "0"],
        cwd=EXAMPLES,
        env={**os.environ, "SECRET": secret},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline().split()[-1])
        finally:
            process.kill()


def test_the_dag_runs() -> None:
    (made,) = load_file(EXAMPLES / "nightly.py", EXAMPLES)
    assert run_dag(made, params={"day": "2026-02-01"})["load"].value == "loaded 2026-02-01"


@pytest.fixture
def client(database: str, tmp_path: Path) -> Iterator[Client]:
    with served(database, tmp_path) as server:
        client = Client(url_of(server.listener, "127.0.0.1"), TOKEN)
        yield client
        client.close()


def test_a_scheduler_starts_a_run_and_hears_of_its_end(
    client: Client, conn: Session, app_conn: Session, tmp_path: Path
) -> None:
    world = World(conn, app_conn, local_keys(tmp_path, None))
    deploy(conn, task("load"), dag_id="nightly", open_params=True)
    inbound = hook(client, asset=None, dag_id="nightly", fields={"day": "day"}, key_path="job")
    secret = "the secret of the scheduler"
    with hearing(secret) as (process, port):
        client.create_outbound_webhook(
            wire.OutboundWebhookRequest(
                name="scheduler", url=f"http://127.0.0.1:{port}/", dags=["nightly"], secret=secret
            )
        )
        started = [start(inbound) for _ in range(2)]
        assert started == runs_of(conn, "nightly") * 2
        Scheduler(conn).play()
        for _ in range(2):  # the first answer is lost
            lost = world.sender()
            lost.record = lambda *_: None  # type: ignore[method-assign]
            world.send(lost)
            world.later()
        world.send()
        with pytest.raises(HTTPError, match="401"):
            urlopen(Request(f"http://127.0.0.1:{port}/", b"{}"))
        process.kill()
        assert process.stdout is not None
        assert process.stdout.read() == (
            f"nightly ended: success {client.url}/t/default/runs/{started[0]}\n"
        )
    (sent,) = client.outbound_deliveries("scheduler", 10)
    assert (sent.status, sent.tries, sent.code) == ("delivered", 3, 204)


def start(inbound: wire.NewWebhook) -> str:
    return subprocess.run(
        [sys.executable, "start.py", "job-4711", "2026-01-31"],
        cwd=EXAMPLES,
        env={**os.environ, "ADDRESS": inbound.url, "SECRET": inbound.secret},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
