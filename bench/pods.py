"""W15: pods before the API server of the tests, and W16: an agent elsewhere, as in a warm pool.

W15 creates pods that no node starts: one after the other, from the decision to the request; then 900 at once. Then the
agents of 1,000, 5,000 and 10,000 pods connect and only beat, from this process: what does the scheduler need for them?
Before, pods that a node of the tests runs as processes start one after the other, and each start is told by its parts.

W16 measures from the grant of a task to its first line, on an agent that is connected by TLS and shares nothing.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psycopg
from tests.certificates import authority
from tests.kubernetes.cluster import FakeCluster, fake_cluster
from tests.kubernetes.fake.deployments import Deployments
from tests.kubernetes.fake.kinds import POD
from tests.kubernetes.fake.kubelet import Kubelet
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.fake.store import Object

from bench.postgres import free_port
from bench.processes import cpu_seconds, descendants, running
from bench.product import WORKLOADS, Headway, up, wait_until
from bench.standing_pods import StandingPods

SINGLE: Final = 40
BURST: Final = 900
STANDING: Final = (1_000, 5_000, 10_000)
STILL_S: Final = 30.0
SETTLED_S: Final = 10.0
TIMEOUT_S: Final = 1_200.0
LINES: Final = 60

STARTS: Final = 20
STARTED: Final = """
    SELECT extract(epoch FROM run.created_at)::double precision,
        extract(epoch FROM attempt.queued_at)::double precision,
        extract(epoch FROM attempt.started_at)::double precision
    FROM attempt JOIN run USING (team_id, run_id)
    WHERE run_id = %s
"""
DECIDED: Final = """
    SELECT extract(epoch FROM queued_at)::double precision FROM attempt
    WHERE run_id = %s AND task_id = 'hold'
"""
GRANTED: Final = """
    SELECT extract(epoch FROM queued_at)::double precision FROM attempt WHERE run_id = %s
"""


def w15(_repeats: int) -> Iterator[tuple[str, float]]:
    yield from starts()
    with TemporaryDirectory(prefix="headway-bench-") as folder, cluster_at(Path(folder)) as cluster:
        created = watched(cluster.server)
        listen = f"tcp:127.0.0.1:{free_port()}"
        settings = cluster.settings(
            listen=listen, connect=listen, certificate=None, key=None, ca=None,
            pods=2 * max(STANDING), resources={"cpu": "1m", "memory": "1Mi"},
        )  # fmt: skip
        with up(Path(folder, "data"), WORKLOADS, "--kubernetes", str(settings)) as headway:
            headway.api.call("PUT", "/pools/default", {"slots": 2 * max(STANDING)})
            wait_until(lambda: headway.api.knows("w15"), "DAG w15", TIMEOUT_S)
            yield from creation(headway, created)
            with StandingPods(cluster.server, listen) as pods:
                yield from standing(headway, pods, created)


def starts() -> Iterator[tuple[str, float]]:
    """How long each part of the start of a pod takes, from the trigger of its run to the first line of its task."""
    with TemporaryDirectory(prefix="headway-bench-") as name, fake_cluster(Path(name)) as cluster:
        created, mark = watched(cluster.server), Path(name, "mark")
        begun = launches(cluster.node)
        with up(Path(name, "data"), WORKLOADS, "--kubernetes", str(cluster.settings())) as headway:
            wait_until(lambda: headway.api.knows("w15_start"), "DAG w15_start", TIMEOUT_S)
            with psycopg.connect(headway.database, autocommit=True) as conn:
                for number in range(STARTS + 1):
                    run_id = headway.api.trigger("w15_start", {"mark": str(mark)})
                    headway.api.finish(run_id, TIMEOUT_S)
                    (asked, decided, bound) = conn.execute(STARTED, [run_id]).fetchall()[0]
                    at_api, at_node, line = created[-1][0], begun[-1], float(mark.read_text())
                    if number:
                        yield "start_decide_ms", 1000 * (decided - asked)
                        yield "start_create_ms", 1000 * (at_api - decided)
                        yield "start_node_ms", 1000 * (at_node - at_api)  # no image is pulled
                        yield "start_handshake_ms", 1000 * (bound - at_node)
                        yield "start_process_ms", 1000 * (line - at_node)
                        yield "start_ms", 1000 * (line - asked)
                    mark.unlink()


def launches(node: Kubelet) -> list[float]:
    """When the node started each container."""
    begun: list[float] = []
    start_one = node.start_one

    def noted(uid: str, pod: Object, spec: dict[str, Any]) -> None:
        begun.append(time.time())
        start_one(uid, pod, spec)

    node.start_one = noted  # type: ignore[method-assign]
    return begun


@contextmanager
def cluster_at(folder: Path) -> Iterator[FakeCluster]:
    """A cluster without nodes."""
    server = ApiServer()
    server.start()
    try:
        yield FakeCluster(server, Kubelet(server, folder), folder, Deployments(server))
    finally:
        server.stop()


def watched(server: ApiServer) -> list[tuple[float, Object]]:
    """The pods that are created, and when each was."""
    created: list[tuple[float, Object]] = []
    create = server.store.create

    def noted(kind: Any, given: Object) -> Object:
        made = create(kind, given)
        if kind is POD:
            created.append((time.time(), made))
        return made

    server.store.create = noted  # type: ignore[method-assign]
    return created


def creation(headway: Headway, created: list[tuple[float, Object]]) -> Iterator[tuple[str, float]]:
    """One pod after the other, from its decision; then many at once."""
    with psycopg.connect(headway.database, autocommit=True) as conn:
        for number in range(SINGLE + 1):
            run_id = headway.api.trigger("w15", {"count": 1})
            wait_until(lambda n=number: len(created) > n, "a pod", TIMEOUT_S)  # type: ignore[misc]
            ((decided,),) = conn.execute(DECIDED, [run_id]).fetchall()
            if number:
                yield "decided_to_created_ms", 1000 * (created[-1][0] - decided)
    before = len(created)
    headway.api.trigger("w15", {"count": BURST})
    wait_until(lambda: len(created) == before + BURST, f"{BURST} pods", TIMEOUT_S)
    yield "ms_a_pod", 1000 * (created[-1][0] - created[before][0]) / (BURST - 1)


def standing(
    headway: Headway, pods: StandingPods, created: list[tuple[float, Object]]
) -> Iterator[tuple[str, float]]:
    """What the scheduler needs while so many pods only beat, in percent of a core."""
    scheduler = scheduler_of(headway)
    added = 0
    for count in STANDING:
        if count > len(created):
            headway.api.trigger("w15", {"count": count - len(created)})
            wait_until(lambda c=count: len(created) == c, f"{count} pods", TIMEOUT_S)  # type: ignore[misc]
        pods.add([pod for _, pod in created[added:count]])
        added = count
        wait_until(lambda c=count: pods.running() == c, f"{count} running", TIMEOUT_S)  # type: ignore[misc]
        time.sleep(SETTLED_S)
        spent = cpu_seconds([scheduler])
        time.sleep(STILL_S)
        yield f"scheduler_percent_of_{count}", 100 * (cpu_seconds([scheduler]) - spent) / STILL_S


def scheduler_of(headway: Headway) -> int:
    (found,) = (
        pid
        for pid in descendants(headway.pid)
        if b"engine.scheduler" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    return found


def w16(_repeats: int) -> Iterator[tuple[str, float]]:
    with TemporaryDirectory(prefix="headway-bench-") as name:
        folder = Path(name)
        url = f"tls://127.0.0.1:{free_port()}"
        trusted = authority(folder)
        certificate, key = trusted.sign("gateway", "127.0.0.1")
        options = ("--agents", url, "--certificate", str(certificate), "--key", str(key))
        with up(folder / "data", WORKLOADS, *options) as headway:
            wait_until(lambda: headway.api.knows("w16"), "DAG w16", TIMEOUT_S)
            made = headway.api.call("POST", "/tokens", {"name": "far", "scope": "agent"})
            (folder / "token").write_text(made["token"])
            command = [
                sys.executable,
                "-m",
                "headway",
                "agent",
                "--server",
                url,
                "--ca",
                str(trusted.ca),
            ]
            command += ["--token-file", str(folder / "token"), "--data", str(folder / "far")]
            command += ["--queue", "far", "--slots", "4"]
            with running(command, folder / "agent.log"):
                yield from first_lines(headway, folder / "mark")


def first_lines(headway: Headway, mark: Path) -> Iterator[tuple[str, float]]:
    with psycopg.connect(headway.database, autocommit=True) as conn:
        for number in range(LINES + 1):
            run_id = headway.api.trigger("w16", {"mark": str(mark)})
            headway.api.finish(run_id, TIMEOUT_S)
            ((granted,),) = conn.execute(GRANTED, [run_id]).fetchall()
            if number:  # the first one starts the fork server
                yield "granted_to_first_line_ms", 1000 * (float(mark.read_text()) - granted)
            mark.unlink()
