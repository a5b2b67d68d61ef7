"""A node: runs the containers of each pod as local processes, and says how it goes.

Volumes become folders of this machine, and what a pod reads of their paths in its environment is made to fit. Init
containers come first, one after the other; those that restart always (native sidecars) go on beside the others once
their startup probe has passed, and end after them. Each pod has an address of its own, where probes are answered.
Scripted: images that are missing, a node that is lost, pods that are evicted, containers that are killed.
"""

import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headway import clock
from tests.kubernetes.fake import states, volumes
from tests.kubernetes.fake.containers import Log, Started, environment_of, launch, passes
from tests.kubernetes.fake.kinds import POD
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.fake.status import Refused
from tests.kubernetes.fake.store import Object

LOOK_S = 0.05
REFRESH_S = 0.3  # between two looks at the secrets of a running pod
STARTUP_SHARE = 0.2  # of the time between two startup probes: tests wait for them


@dataclass(slots=True)
class Running:
    """A pod on this node. ``initialized``: init containers that have done their work."""

    namespace: str
    name: str
    address: str
    containers: dict[str, Started] = field(default_factory=dict)
    initialized: int = 0
    deadline: float | None = None  # of a pod that is deleted
    refreshed_at: float = float("-inf")


@dataclass
class Kubelet:
    server: ApiServer
    folder: Path
    node: str = "node-1"
    pods_max: int = 1000
    missing_images: set[str] = field(default_factory=set)
    patience: float = 1.0  # times the failures that a liveness probe may have

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
            end(each)

    # -- a turn

    def turn(self) -> None:
        pods, _ = self.server.store.every(POD, "")
        known = {pod["metadata"]["uid"]: pod for pod in pods}
        for uid in [uid for uid in self.running if uid not in known]:  # deleted by force
            end(self.running.pop(uid))
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
        first = [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]][0]
        if first["image"] in self.missing_images:
            self.change(pod, states.missing(first["name"]))
            return
        if not self.fill(uid, pod):
            self.change(pod, states.creating(first["name"]))
            return
        meta = pod["metadata"]
        address = self.server.address()
        self.change(pod, states.addressed(address))
        each = self.running[uid] = Running(meta["namespace"], meta["name"], address)
        self.started.append(meta["name"])
        self.advance(uid, self.server.store.get(POD, each.namespace, each.name))

    def bind(self, pod: Object) -> None:
        """Take a pod. Raises Refused if another node has it."""
        if pod["spec"].get("nodeName", self.node) != self.node:
            raise Refused(409, "Conflict", "the pod is assigned to another node")
        states.scheduled(self.node)(pod)

    def advance(self, uid: str, pod: Object) -> None:
        """Start the containers whose turn it is."""
        each = self.running[uid]
        first = pod["spec"].get("initContainers", [])
        while each.initialized < len(first):
            spec = first[each.initialized]
            started = each.containers.get(spec["name"])
            if started is None:
                self.start_one(uid, pod, spec)
            elif spec.get("restartPolicy") == "Always" and self.has_started(each, spec, started):
                self.change(pod, states.started(spec["name"]))
                each.initialized += 1
                continue
            elif spec.get("restartPolicy") != "Always" and started.code == 0:
                each.initialized += 1
                continue
            return
        for spec in pod["spec"]["containers"]:
            if spec["name"] in each.containers:
                continue
            if spec["image"] in self.missing_images:
                self.change(pod, states.missing(spec["name"]))
            else:
                self.start_one(uid, pod, spec)

    def start_one(self, uid: str, pod: Object, spec: dict[str, Any]) -> None:
        name = spec["name"]
        environment = environment_of(spec, pod, *self.server.inside)
        logs = self.server.logs.setdefault(uid, {})
        log = logs.get(name) or Log(self.folder / f"{uid}.{name}.log")
        logs[name] = log
        places = self.mounts(uid, pod, spec)
        self.running[uid].containers[name] = launch(spec, environment, places, log, self.folder)
        self.change(pod, states.begun(name, self.restarts.get(f"{uid}/{name}", 0)))

    def has_started(self, each: Running, spec: dict[str, Any], started: Started) -> bool:
        probe = spec.get("startupProbe")
        if probe is None or started.is_started:
            return True
        period_s = probe.get("periodSeconds", 10) * STARTUP_SHARE
        if started.code is None and is_due(started, period_s):
            started.is_started = passes(probe, started, each.address)
        return started.is_started

    def mounts(self, uid: str, pod: Object, spec: dict[str, Any]) -> dict[str, str]:
        mounts = spec.get("volumeMounts", [])
        return {each["mountPath"]: str(self.folder / uid / each["name"]) for each in mounts}

    def fill(self, uid: str, pod: Object) -> bool:
        """Fill the volumes of a pod. Return False if one of them is not to be had."""
        for volume in pod["spec"].get("volumes", []):
            folder = self.folder / uid / volume["name"]
            folder.mkdir(parents=True, exist_ok=True)
            try:
                files = volumes.contents(self.server, pod, volume)
            except volumes.Missing:
                return False
            if files:
                volumes.write(folder, files)
        return True

    def refresh(self, uid: str, pod: Object) -> None:
        """Look again at what may have changed, as a kubelet does each minute."""
        each = self.running[uid]
        now = clock.monotonic()
        if now - each.refreshed_at < REFRESH_S:
            return
        each.refreshed_at = now
        for volume in pod["spec"].get("volumes", []):
            if volumes.changes(volume):
                with suppress(volumes.Missing):
                    files = volumes.contents(self.server, pod, volume)
                    volumes.write(self.folder / uid / volume["name"], files)

    # -- ends

    def follow(self, uid: str, pod: Object) -> None:
        each = self.running[uid]
        if "deletionTimestamp" in pod["metadata"]:
            self.take_away(uid, pod)
            return
        for name in [n for n, started in each.containers.items() if started.code is not None]:
            self.ended(uid, pod, name)
        pod = self.server.store.get(POD, each.namespace, each.name)
        self.refresh(uid, pod)
        self.check_lives(each, pod)
        codes = codes_of(pod)
        if pod["status"].get("phase") == "Failed" or None not in codes:
            self.end_sidecars(uid, pod, codes)
        elif uid in self.running:
            self.advance(uid, pod)

    def ended(self, uid: str, pod: Object, name: str) -> None:
        """Say how a container ended, and start it again where it is to be."""
        each = self.running[uid]
        started = each.containers[name]
        code = started.code
        assert code is not None
        spec = spec_of(pod, name)
        is_first = spec in pod["spec"].get("initContainers", ())
        again = (spec if is_first else pod["spec"]).get("restartPolicy") == "Always"
        known = states.state_of(pod, name)
        if "terminated" in known and not again:
            return
        started.settle()
        if again and (not is_first or None in codes_of(pod)):
            del each.containers[name]
            key = uid if not is_first else f"{uid}/{name}"
            self.restarts[key] = self.restarts.get(key, 0) + 1
            why = "CrashLoopBackOff" if code else "Completed"
            self.change(pod, states.of(name, {"waiting": {"reason": why, "message": ""}}))
            if is_first:
                self.start_one(uid, self.server.store.get(POD, each.namespace, each.name), spec)
        elif "terminated" not in known:
            self.change(pod, states.terminated(name, code, started.reason))
            if is_first and code:
                self.change(pod, states.failed("", ""))

    def check_lives(self, each: Running, pod: Object) -> None:
        """Ask whether containers may live, and end those that may not."""
        for spec in pod["spec"]["containers"]:
            probe, started = spec.get("livenessProbe"), each.containers.get(spec["name"])
            if started is None or started.code is not None:
                continue
            started.insist()
            if probe is None or not is_due(started, probe.get("periodSeconds", 10)):
                continue
            started.failures = 0 if passes(probe, started, each.address) else started.failures + 1
            if started.failures >= probe.get("failureThreshold", 3) * self.patience:
                grace_s = probe.get("terminationGracePeriodSeconds", 30)
                started.ask_to_end(grace_s)

    def end_sidecars(self, uid: str, pod: Object, codes: list[int | None]) -> None:
        """End what is left of a pod whose containers have ended, and the pod with that."""
        each = self.running[uid]
        grace_s = pod["spec"].get("terminationGracePeriodSeconds", 30)
        left = [started for started in each.containers.values() if started.code is None]
        for started in left:
            started.ask_to_end(grace_s)
            started.insist()
        if left:
            return
        del self.running[uid]
        end(each)
        shutil.rmtree(self.folder / uid, ignore_errors=True)
        for name, started in each.containers.items():
            if started.code is not None:
                self.change(pod, states.terminated(name, started.code, started.reason))
        if pod["status"].get("phase") != "Failed":
            self.change(pod, states.over(all(code == 0 for code in codes)))

    def take_away(self, uid: str, pod: Object) -> None:
        """End a pod that is deleted: its sidecars after the others, all when its grace is over."""
        each = self.running[uid]
        grace_s = pod["metadata"].get("deletionGracePeriodSeconds", 0)
        if each.deadline is None:
            each.deadline = clock.monotonic() + grace_s
        left_s = each.deadline - clock.monotonic()
        names = [spec["name"] for spec in pod["spec"]["containers"]]
        live = {n: started for n, started in each.containers.items() if started.code is None}
        for name in names:
            started = each.containers.get(name)
            if started is None or started.code is None or is_told(pod, name):
                continue
            started.settle()
            self.change(pod, states.terminated(name, started.code, started.reason))
        mains = [started for name, started in live.items() if name in names]
        for started in mains or live.values():
            started.ask_to_end(max(0.0, left_s))
            started.insist()
        if live and left_s > 0:
            return
        del self.running[uid]
        end(each)
        shutil.rmtree(self.folder / uid, ignore_errors=True)
        if not mains and not live:
            codes = [each.containers[n].code or 0 for n in names if n in each.containers]
            self.change(pod, states.over(not any(codes)))

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
        end(each)
        self.server.store.change(POD, each.namespace, each.name, edit)

    def kill_container(self, name: str, container: str, reason: str = "") -> None:
        """Kill one container of a pod. ``reason``: what its status says of that."""
        with self.lock:
            each = next(e for e in self.running.values() if e.name == name)
            each.containers[container].reason = reason
            each.containers[container].kill()

    def lose(self, *, kill: bool) -> None:
        """The node is heard of no more. ``kill``: it has no power; else its processes go on."""
        with self.lock:
            self.is_lost = True
            if kill:
                for each in self.running.values():
                    end(each)
                self.running.clear()


def end(each: Running) -> None:
    for started in each.containers.values():
        started.settle()


def is_due(started: Started, period_s: float) -> bool:
    now = clock.monotonic()
    if now - started.probed_at < period_s:
        return False
    started.probed_at = now
    return True


def is_told(pod: Object, name: str) -> bool:
    return "terminated" in states.state_of(pod, name)


def codes_of(pod: Object) -> list[int | None]:
    """Return the exit codes of the containers, None of those that have not ended."""
    states_ = [states.state_of(pod, spec["name"]) for spec in pod["spec"]["containers"]]
    return [state.get("terminated", {}).get("exitCode") for state in states_]


def spec_of(pod: Object, name: str) -> dict[str, Any]:
    every = [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
    found: dict[str, Any] = next(spec for spec in every if spec["name"] == name)
    return found
