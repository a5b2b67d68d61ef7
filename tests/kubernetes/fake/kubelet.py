"""A node: runs the command of each pod as a local process, and says how it goes.

Volumes become folders of this machine, and what a pod reads of their paths in its environment is made to fit.
Scripted: images that are missing, a node that is lost, pods that are evicted.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway import clock
from tests.kubernetes.fake import states
from tests.kubernetes.fake.kinds import POD
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.fake.status import Refused
from tests.kubernetes.fake.store import Object

LOOK_S = 0.05


@dataclass(slots=True)
class Running:
    process: subprocess.Popen[bytes]
    namespace: str
    name: str
    kill_at: float | None = None


@dataclass
class Kubelet:
    server: ApiServer
    folder: Path
    node: str = "node-1"
    pods_max: int = 1000
    missing_images: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.running: dict[str, Running] = {}  # by UID
        self.started: list[str] = []  # names of pods
        self.restarts: dict[str, int] = {}  # of containers, by the UID of their pod
        self.is_lost = False
        self.lock = threading.Lock()  # a node that is lost does not finish its turn
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, name=self.node, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def run(self) -> None:
        while not self.stopping.wait(LOOK_S):
            with self.lock:
                if not self.is_lost:
                    self.turn()

    def stop(self) -> None:
        self.stopping.set()
        self.thread.join()
        for each in self.running.values():
            each.process.kill()
            each.process.wait()

    # -- a turn

    def turn(self) -> None:
        pods, _ = self.server.store.every(POD, "")
        known = {pod["metadata"]["uid"]: pod for pod in pods}
        for uid in [uid for uid in self.running if uid not in known]:  # deleted by force
            self.end(self.running.pop(uid))
        for uid, pod in known.items():
            try:
                self.look(uid, pod)
            except Refused:  # it changed or went meanwhile: the next turn sees it
                continue

    def look(self, uid: str, pod: Object) -> None:
        where = pod["spec"].get("nodeName")
        if where not in (None, self.node):
            return
        is_over = pod["status"]["phase"] in ("Succeeded", "Failed")
        if uid in self.running:
            self.follow(uid, pod)
        elif "deletionTimestamp" in pod["metadata"]:
            self.let_go(pod)
        elif not is_over and len(self.running) < self.pods_max:
            self.begin(uid, pod)
        elif not is_over:
            self.change(pod, states.unschedulable("0/1 nodes are available: 1 Too many pods."))

    def begin(self, uid: str, pod: Object) -> None:
        self.change(pod, self.bind)
        if pod["spec"]["containers"][0]["image"] in self.missing_images:
            self.change(pod, states.waiting("ImagePullBackOff", "Back-off pulling image"))
            return
        meta = pod["metadata"]
        process = self.launch(uid, pod)
        self.running[uid] = Running(process, meta["namespace"], meta["name"])
        self.started.append(meta["name"])
        self.change(pod, states.running)

    def bind(self, pod: Object) -> None:
        """Take a pod. Raises Refused if another node has it."""
        if pod["spec"].get("nodeName", self.node) != self.node:
            raise Refused(409, "Conflict", "the pod is assigned to another node")
        states.scheduled(self.node)(pod)

    def launch(self, uid: str, pod: Object) -> subprocess.Popen[bytes]:
        container = pod["spec"]["containers"][0]
        places = self.mounts(uid, pod)
        command = [*container.get("command", []), *container.get("args", [])]
        command[0] = sys.executable if command[0] == "python" else command[0]
        environment = {"PATH": os.environ["PATH"]}
        for each in container.get("env", []):
            environment[each["name"]] = self.value(each, pod, places)
        log = self.folder / f"{uid}.log"
        self.server.logs[uid] = log
        with log.open("wb") as out:
            return subprocess.Popen(
                command,
                env=environment,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                cwd=self.folder,
            )

    def value(self, each: dict[str, Any], pod: Object, places: dict[str, str]) -> str:
        if "valueFrom" in each:
            path = each["valueFrom"]["fieldRef"]["fieldPath"].split(".")
            found: Any = pod
            for part in path:
                found = found[part]
            return str(found)
        text = str(each["value"])
        for mounted, real in places.items():
            if text == mounted or text.startswith(f"{mounted}/"):
                return real + text.removeprefix(mounted)
        return text

    def mounts(self, uid: str, pod: Object) -> dict[str, str]:
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
        found = {}
        for mount in pod["spec"]["containers"][0].get("volumeMounts", []):
            volume = volumes[mount["name"]]
            folder = self.folder / uid / mount["name"]
            folder.mkdir(parents=True, exist_ok=True)
            found[mount["mountPath"]] = str(folder)
            for source in volume.get("projected", {}).get("sources", []):
                self.project(folder, source, pod)
        return found

    def project(self, folder: Path, source: dict[str, Any], pod: Object) -> None:
        wanted, meta = source["serviceAccountToken"], pod["metadata"]
        token = self.server.tokens.issue(
            meta["namespace"],
            pod["spec"].get("serviceAccountName", "default"),
            (wanted["audience"],),
            meta["name"],
            meta["uid"],
        )
        (folder / wanted["path"]).write_text(token)

    # -- ends

    def follow(self, uid: str, pod: Object) -> None:
        each = self.running[uid]
        code = each.process.poll()
        if code is not None:
            del self.running[uid]
            self.end(each)
            if (
                pod["spec"].get("restartPolicy") == "Always"
                and "deletionTimestamp" not in pod["metadata"]
            ):
                self.restarts[uid] = self.restarts.get(uid, 0) + 1
                self.change(pod, states.waiting("CrashLoopBackOff" if code else "Completed"))
                return  # it is begun anew in the next turn; what it wrote to its volumes stays
            shutil.rmtree(self.folder / uid, ignore_errors=True)
            self.change(pod, states.ended(code if code >= 0 else 128 - code))
        elif "deletionTimestamp" in pod["metadata"]:
            grace_s = pod["metadata"].get("deletionGracePeriodSeconds", 0)
            if each.kill_at is None:
                each.process.send_signal(signal.SIGTERM)
                each.kill_at = clock.monotonic() + grace_s
            elif clock.monotonic() >= each.kill_at:
                self.end(each)

    def end(self, each: Running) -> None:
        """A container's processes end with its first."""
        with suppress(ProcessLookupError):
            os.killpg(each.process.pid, signal.SIGKILL)
        each.process.wait()

    def let_go(self, pod: Object) -> None:
        meta = pod["metadata"]
        self.server.store.delete(POD, meta["namespace"], meta["name"], 0)

    def change(self, pod: Object, edit: states.Edit) -> None:
        meta = pod["metadata"]
        self.server.store.change(POD, meta["namespace"], meta["name"], edit)

    # -- scripted

    def kill(self, name: str, edit: states.Edit) -> None:
        """End a pod's processes at once, and let its status say what ``edit`` says."""
        uid, each = next((u, e) for u, e in self.running.items() if e.name == name)
        del self.running[uid]
        self.end(each)
        self.server.store.change(POD, each.namespace, each.name, edit)

    def lose(self, *, kill: bool) -> None:
        """The node is heard of no more. ``kill``: it has no power; else its processes go on."""
        with self.lock:
            self.is_lost = True
            if kill:
                for each in self.running.values():
                    self.end(each)
                self.running.clear()
