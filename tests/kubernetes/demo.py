"""``make kubernetes-demo``: the flights example of two teams in pods, before the fake API server, with faults.

Prints a line for each step, and ends with 1 if something is not as it must be. Nothing leaves this machine.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from headway import clock, wire
from headway.client import Client, client_of
from headway.config import Layout, read_server_file
from headway.errors import HeadwayError
from tests.kubernetes.cluster import FakeCluster, fake_cluster
from tests.kubernetes.fake import states
from tests.kubernetes.fake.kinds import NAMESPACE, POD
from tests.kubernetes.fake.kubelet import Kubelet

ROOT: Final = Path(__file__).parents[2]
TEAMS: Final = ("marketing", "science")
DAYS: Final = (1, 2)  # of January 2013
PATIENCE_S: Final = 200.0
QUOTA: Final = "1"  # CPUs: two pods


class Failed(Exception):
    """A step did not have the outcome that it must have."""


def tell(text: str) -> None:
    print(f"  {text}", flush=True)


def until(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = clock.monotonic() + PATIENCE_S
    while not condition():
        if clock.monotonic() > deadline:
            raise Failed(otherwise)
        clock.sleep(0.1)


def check(condition: bool, otherwise: str) -> None:
    if not condition:
        raise Failed(otherwise)


def write_teams(folder: Path) -> Path:
    """Give each team a copy of the example whose tasks run in pods."""
    for team in TEAMS:
        place = folder / "teams" / team
        shutil.copytree(ROOT / "examples" / "flights", place)
        file = place / "flights.py"
        text = file.read_text()
        wanted = "@dag(\n    schedule"
        assert wanted in text
        in_pods = '@dag(\n    default_args={"executor": "kubernetes"},\n    schedule'
        file.write_text(text.replace(wanted, in_pods))
    (folder / "teams" / "headway-teams.yaml").touch()
    return folder / "teams"


@contextmanager
def serving(folder: Path, cluster: FakeCluster) -> Iterator[subprocess.Popen[bytes]]:
    data, log = folder / "data", folder / "up.log"
    data.mkdir()
    command = [sys.executable, "-m", "headway", "up", "--dags", str(write_teams(folder))]
    command += ["--data", str(data), "--port", "0", "--kubernetes", str(cluster.settings())]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL
        )
    try:
        yield process
    except (Failed, HeadwayError):
        tell(f"the last lines of the server:\n{log.read_text()[-3000:]}")
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


class Demo:
    def __init__(
        self, folder: Path, cluster: FakeCluster, process: subprocess.Popen[bytes]
    ) -> None:
        self.folder, self.cluster, self.process = folder, cluster, process
        self.layout = Layout(folder / "data")
        self.first = cluster.node
        self.second = Kubelet(cluster.server, cluster.folder, "node-2")
        self.clients: dict[str, Client] = {}
        self.runs: dict[str, tuple[str, int]] = {}  # team and day, by run

    def play(self) -> None:
        for step in (
            self.make_teams,
            self.fill_the_cluster,
            self.give_room,
            self.lose_a_node,
            self.kill_the_scheduler,
            self.finish,
            self.look_at_the_outcome,
            self.delete_a_team,
        ):
            step()

    def close(self) -> None:
        for client in self.clients.values():
            client.close()

    def has_team(self, team: str) -> bool:
        """Return whether the loader has found the team's folder, with its DAG."""
        try:
            if read_server_file(self.layout) is None:
                return False
            client = client_of(self.layout, team)
            if not any(dag.dag_id == "flights" for dag in client.dags()):
                client.close()
                return False
        except (HeadwayError, OSError):
            return False
        self.clients[team] = client
        return True

    # -- steps

    def make_teams(self) -> None:
        for team in TEAMS:
            until(partial(self.has_team, team), f"the DAG of {team} was not loaded")
            change = wire.ClusterChange(cpu=QUOTA)
            self.clients[team].change_team(team, wire.TeamChange(cluster=change))
            until(partial(self.is_ready, team), f"{team} has no namespace")
        names = [each["metadata"]["name"] for each in self.every(NAMESPACE)]
        ours = [f"headway-{team}" for team in TEAMS]
        check(set(ours) <= set(names), f"namespaces are missing: {names}")
        tell(f"two teams, each with a namespace and a quota of {QUOTA} CPU: {', '.join(ours)}")

    def is_ready(self, team: str) -> bool:
        cluster = self.clients[team].team(team).cluster
        return cluster is not None and [each.state for each in cluster.found] == ["ready"]

    def fill_the_cluster(self) -> None:
        self.first.pods_max = 0
        for team in TEAMS:
            for day in DAYS:
                at = datetime(2013, 1, day, tzinfo=UTC)
                out = str(self.folder / "out" / team)
                request = wire.TriggerRequest(logical_date=at.isoformat(), params={"out": out})
                run = self.clients[team].trigger("flights", request)
                self.runs[run.run_id] = (team, day)
        for team in TEAMS:
            why = self.waited_for(team, "quota cpu")
            tell(f"{team} waits for its quota: {why}")
            why = self.waited_for(team, "Unschedulable")
            tell(f"{team} waits for a node: {why}")

    def waited_for(self, team: str, words: str) -> str:
        found: list[str] = []

        def is_said() -> bool:
            found[:] = [
                f"{task.task_id}: {task.blocked_reason}"
                for run_id, (owner, _) in self.runs.items()
                if owner == team
                for task in self.clients[team].tasks(run_id)
                if words in (task.blocked_reason or "")
            ]
            return bool(found)

        until(is_said, f"no task of {team} waits because of {words}")
        return found[0]

    def give_room(self) -> None:
        self.first.pods_max = 2
        self.second.pods_max = 2
        self.second.start()
        until(lambda: bool(self.second.running), "no pod came to the second node")
        tell("two nodes have room: pods start")

    def lose_a_node(self) -> None:
        names = [each.name for each in self.second.running.values()]
        self.second.lose(kill=True)
        self.first.pods_max = 4
        for pod in self.every(POD):  # as the node controller does when a node is silent
            if pod["spec"].get("nodeName") == self.second.node:
                meta = pod["metadata"]
                edit = states.taken("NodeLost", "Node node-2 is unresponsive")
                self.cluster.server.store.change(POD, meta["namespace"], meta["name"], edit)
        tell(f"node-2 lost its power, with {len(names)} running")

    def kill_the_scheduler(self) -> None:
        until(lambda: bool(self.first.running), "no pod runs on the first node")
        pid = self.scheduler()
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.scheduler() not in (0, pid), "the scheduler was not started again")
        tell(f"the scheduler was killed with {len(self.first.running)} running, and is back")

    def scheduler(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        for pid in children.split():
            try:
                if b"engine.scheduler" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
            except OSError:  # it ended
                continue
        return 0

    def finish(self) -> None:
        for run_id, (team, day) in self.runs.items():
            until(partial(self.is_over, team, run_id), f"{run_id} of {team} did not end")
            run = self.clients[team].run(run_id)
            check(run.state == "success", f"the run of day {day} of {team} is {run.state}")
        tell(f"all {len(self.runs)} runs succeeded")

    def is_over(self, team: str, run_id: str) -> bool:
        try:
            return self.clients[team].run(run_id).state in ("success", "failed", "cancelled")
        except HeadwayError:  # the API may be slow on a busy machine: it is asked again
            return False

    def look_at_the_outcome(self) -> None:
        attempts, lost = 0, 0
        for run_id, (team, _) in self.runs.items():
            for task in self.clients[team].instances(run_id):
                check(task.state == "success", f"{task.task_id} of {team} is {task.state}")
                history = self.clients[team].instance(run_id, task.task_id, task.map_index).history
                attempts += len(history)
                lost += sum(each.state == "lost" for each in history)
                failed = [each.cause for each in history if each.state not in ("success", "lost")]
                check(not failed, f"{task.task_id} of {team} failed: {failed}")
        check(lost > 0, "the lost node took nothing with it")
        started = [*self.first.started, *self.second.started]
        check(len(started) == len(set(started)), "a pod was started twice")
        until(lambda: not self.every(POD), "pods were left")
        tell(
            f"{attempts} attempts in {len(started)} pods, {lost} lost and repeated, none failed, none twice"
        )
        tables = {team: self.partitions(team) for team in TEAMS}
        check(len(tables["marketing"]) == len(DAYS), f"results are missing: {tables}")
        check(tables["marketing"] == tables["science"], f"the teams' results differ: {tables}")
        tell("both teams have the same flights of the same days")

    def partitions(self, team: str) -> dict[str, int]:
        import duckdb

        found = {}
        folder = self.folder / "out" / team
        for file in sorted(folder.glob("year=*/month=*/day=*/flights.parquet")):
            with duckdb.connect() as conn:
                row = conn.execute("SELECT count(*) FROM read_parquet(?)", [str(file)]).fetchone()
            found[file.parent.name] = 0 if row is None else int(row[0])
        return found

    def delete_a_team(self) -> None:
        shutil.rmtree(self.folder / "teams" / "science")
        with closing(client_of(self.layout, "marketing")) as client:  # the other was idle
            client.delete_team("science", confirm="science")

        def is_gone() -> bool:
            return "headway-science" not in [n["metadata"]["name"] for n in self.every(NAMESPACE)]

        until(is_gone, "the namespace of science was left")
        tell("team science was deleted, and its namespace with it")

    def every(self, kind: Any) -> list[dict[str, Any]]:
        return self.cluster.server.store.every(kind, "")[0]


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="headway-kubernetes-"))
    print("Headway on a fake Kubernetes cluster", flush=True)
    try:
        (folder / "cluster").mkdir()
        with (
            fake_cluster(folder / "cluster") as cluster,
            serving(folder, cluster) as process,
        ):
            demo = Demo(folder, cluster, process)
            try:
                demo.play()
            finally:
                demo.close()
                if demo.second.thread.is_alive():
                    demo.second.stop()
    except (Failed, HeadwayError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("nothing was lost", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
