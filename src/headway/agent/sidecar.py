"""``python -m headway.agent.sidecar``: the agent beside the container of a task that has nothing of Headway inside.

It is the agent of a pod (``agent.pod``). The process of its attempt writes the container's files, lets it begin, passes
its log on and tells its end (``authoring.containers``). Rules:
- Only the kubelet can end the container. It asks this agent whether the container may live (``alive``), each second:
  it may no longer once the attempt is cancelled or out of time, its lease is about to end, or nobody answers.
- So the attempt's process is not ended by a signal then: it tells the end when the container has ended.
- SIGTERM comes when the container has ended, so that there is nothing to stop but what is left to report.
"""

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from headway import clock
from headway.agent.__main__ import prepare, serve
from headway.agent.alive import Alive
from headway.agent.attempts import Attempt, End
from headway.agent.lease import Lease
from headway.agent.orders import Kind
from headway.agent.pod import Pod, PodAgent, taken
from headway.agent.protocol import CANCEL_GRACE_S
from headway.authoring.operators.container import BESIDE
from headway.paths import make_private

END_S_MAX: Final = 30.0  # for the kubelet to end the container
WIND_UP_S: Final = 20.0  # after SIGTERM, for the rest of the log and the report
TAKEN: Final = "stopped"  # the cause of an end that the cluster brought about


class Sidecar(Pod, frozen=True):
    """The settings in the environment of the sidecar. ``port``: where the kubelet asks, at ``ip``."""

    namespace: str
    ip: str
    port: str
    api: str
    files: str
    pending_s: str


class SidecarAgent(PodAgent):
    def __init__(self, pod: Sidecar, state: Path) -> None:
        self.lease = Lease(state / "lease", state / "granted")
        self.alive = Alive((pod.ip, int(pod.port)), self.may_live)
        super().__init__(pod)
        self.alive.open(self.loop)

    def begin_session(self) -> None:
        super().begin_session()
        self.session.extended = self.extended

    def extended(self, until: float) -> None:
        self.lease.extend(until)
        self.servers.fence(until)

    def may_live(self) -> bool:
        """Return whether the container may go on."""
        if self.session.over or any(e.stopping is not None for e in self.attempts.values()):
            return False
        return self.lease.holds(clock.monotonic())

    def stop(self, attempt: Attempt, end: End, grace_s: float = CANCEL_GRACE_S) -> None:
        """Let the kubelet end the container, and tell the end when it has."""
        child = attempt.child
        if child is None or attempt.stopping is not None or child.outcome is not None:
            super().stop(attempt, end, grace_s)
            return
        attempt.stopping = end
        # A process that still waits for the container to begin ends at once; later it takes no notice.
        child.server.send(Kind.SIGNAL, child.mark, signal.SIGTERM, 0.0)
        self.loop.at(clock.monotonic() + END_S_MAX, lambda: self.watch.kill(attempt, child))

    def end(self, attempt: Attempt, end: End, at: float | None = None) -> None:
        if end.outcome == "failed" and end.cause == TAKEN:  # the process itself cannot say so
            end = replace(end, outcome="lost")
        super().end(attempt, end, at)

    def wind_up(self) -> None:
        """End when what is left to report is stored, at the latest after some seconds."""
        self.loop.at(clock.monotonic() + WIND_UP_S, self.stop_all)


def main() -> int:
    pod = taken(Sidecar, "headway.agent.sidecar")
    state = Path(pod.data) / "container"
    make_private(state)
    told = {
        "namespace": pod.namespace,
        "pod": pod.name,
        "api": pod.api,
        "state": str(state),
        "files": pod.files,
        "pending_s": float(pod.pending_s),
    }
    os.environ[BESIDE] = json.dumps(told)
    prepare()
    agent = SidecarAgent(pod, state)
    return serve(agent, drain=agent.wind_up)


if __name__ == "__main__":
    sys.exit(main())
