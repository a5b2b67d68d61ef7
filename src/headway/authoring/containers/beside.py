"""The process beside a task's container, from the grant of its attempt to the end of the container.

Rule 1: the container begins when ``granted`` exists, which is written last: a pod that is refused runs nothing of it.
Rule 2: nothing of the log is lost or doubled by a connection that breaks. A process that is killed may repeat the last
lines: it goes on from the second that it noted.
Rule 3: whatever the API server does, the container's end is waited for: only its pod's absence is an end, too.
"""

import codecs
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec

from headway import clock
from headway.authoring.containers.cluster import Cluster, Refused, Unreachable
from headway.authoring.containers.ends import (
    Over,
    Running,
    State,
    Waiting,
    end_of,
    state_of,
)
from headway.authoring.containers.files import write_all
from headway.authoring.containers.lines import Lines
from headway.authoring.operators.container import ContainerFailed
from headway.core.pod_states import AT_ONCE, STUCK

PAUSE_S_MIN: Final = 0.2
PAUSE_S_MAX: Final = 5.0
ARRIVAL_S: Final = 60.0  # within which the API server must answer before the container begins
LATE_S: Final = 5.0  # after which a container that has not begun will not
REST_S: Final = 30.0  # within which the rest of the log must come after the end
NOTED_S: Final = 1.0  # between two notes of how far the log was read
LONG_S: Final = 5.0  # of a connection that was worth something


@dataclass(frozen=True, slots=True)
class Beside:
    """``state``: the folder for what must outlive this process; ``files``: that of the container's files."""

    namespace: str
    pod: str
    api: str
    state: str
    files: str
    pending_s: float


def beside(told: str) -> Beside:
    return msgspec.json.decode(told, type=Beside)


def accompany(place: Beside, files: object) -> None:
    """Let the container run, and return when it has ended well. Raises ContainerFailed."""
    state = Path(place.state)
    granted = state / "granted"
    resumed = granted.exists()
    follower = Follower(place, Cluster(Path(place.api), place.namespace, place.pod))
    if not resumed:
        follower.arrive()
        write_all(Path(place.files), files)
        granted.touch()
    follower.wait()
    end = end_of(follower.follow(), resumed=resumed)
    if end.outcome != "success":
        raise ContainerFailed(end.detail, end.cause, end.exit_code)


class Asked(BaseException):
    """Raised by SIGTERM. The agent that sends it lets the kubelet end the container, too."""


def ask(number: int, frame: FrameType | None) -> None:
    raise Asked


class Pause:
    """A pause that grows."""

    def __init__(self) -> None:
        self.seconds = PAUSE_S_MIN

    def take(self) -> None:
        clock.sleep(self.seconds)
        self.seconds = min(self.seconds * 1.5, PAUSE_S_MAX)


class Follower:
    def __init__(self, place: Beside, cluster: Cluster) -> None:
        self.place = place
        self.cluster = cluster
        self.note = Path(place.state) / "since"
        self.lines = Lines(self.note.read_text() if self.note.exists() else None)
        self.noted_at = clock.monotonic()
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.said = ""

    # -- before the container begins

    def arrive(self) -> None:
        """Ask for the pod, so that nothing begins that could not be followed."""
        deadline, pause = clock.monotonic() + ARRIVAL_S, Pause()
        while True:
            try:
                self.cluster.pod()
                return
            except (Refused, Unreachable) as error:
                if isinstance(error, Refused) and error.code == 404:
                    raise gone() from None
                if clock.monotonic() > deadline:
                    raise ContainerFailed(unheard(error), "container") from None
            pause.take()

    def wait(self) -> None:
        """Wait until the container has begun, or has ended. From then on only its end is the end."""
        try:
            signal.signal(signal.SIGTERM, ask)
            self.wait_for_start()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        except Asked:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            self.wait_for_late_start()

    def wait_for_late_start(self) -> None:
        """Wait for a container that may be beginning at this moment. Raises ContainerFailed if it is not."""
        deadline, pause = clock.monotonic() + LATE_S, Pause()
        while isinstance(state := self.look(), Waiting):
            if state.reason in STUCK or clock.monotonic() > deadline:
                raise ContainerFailed("the container has not begun", "signal")
            pause.take()

    def wait_for_start(self) -> None:
        begun, pause = clock.monotonic(), Pause()
        while isinstance(state := self.look(), Waiting):
            cause = STUCK.get(state.reason)
            said = f"{state.reason}: {state.message}" if state.message else state.reason
            late = clock.monotonic() - begun > self.place.pending_s
            if cause and (late or state.reason in AT_ONCE):
                raise ContainerFailed(said, cause)
            if cause and state.reason != self.said:
                self.said = state.reason
                sys.stdout.write(f"headway: the container has not begun: {said}\n")
                sys.stdout.flush()
            pause.take()

    def look(self) -> State:
        """Return the state of the container, as soon as the API server tells it."""
        pause = Pause()
        while True:
            try:
                return state_of(self.cluster.pod())
            except Refused as error:
                if error.code == 404:
                    raise gone() from None
            except Unreachable:
                pass
            pause.take()

    # -- while it runs

    def follow(self) -> Over:
        """Pass the log on until the container has ended."""
        pause = Pause()
        while True:
            begun = clock.monotonic()
            self.read(follow=True)
            if clock.monotonic() - begun > LONG_S:
                pause = Pause()
            state = self.look()
            if isinstance(state, Over):
                self.read_rest()
                return state
            assert isinstance(state, (Running, Waiting))
            pause.take()

    def read_rest(self) -> None:
        """Read all that follows on what was read, once nothing more is written."""
        deadline, pause = clock.monotonic() + REST_S, Pause()
        while not self.read(follow=False):
            if clock.monotonic() > deadline:
                sys.stdout.write("headway: the rest of the container's log could not be read\n")
                break
            pause.take()
        rest = self.lines.feed(b"\n") if self.lines.rest else b""
        self.write(rest.removesuffix(b"\n"), final=True)

    def read(self, *, follow: bool) -> bool:
        """Pass on what the log has. Returns whether it was read to its end."""
        self.lines.begin()
        try:
            for data in self.cluster.log("task", self.lines.since, follow=follow):
                self.write(self.lines.feed(data))
                self.keep()
        except Refused as error:
            return error.code == 400  # it never had any
        except Unreachable:
            return False
        return True

    def write(self, data: bytes, *, final: bool = False) -> None:
        sys.stdout.write(self.decoder.decode(data, final))
        sys.stdout.flush()

    def keep(self) -> None:
        """Note how far the log was read, for the process that may come after this one."""
        since, now = self.lines.since, clock.monotonic()
        if since is not None and now - self.noted_at > NOTED_S:
            self.noted_at = now
            draft = self.note.with_suffix(".new")
            draft.write_text(since)
            os.replace(draft, self.note)


def gone() -> ContainerFailed:
    return ContainerFailed("its pod was deleted", "stopped")


def unheard(error: Refused | Unreachable) -> str:
    if isinstance(error, Refused):
        return (
            f"the API server does not show the agent its pod ({error}); its service account may "
            "get pods and pods/log by the role headway-task of the team's namespace"
        )
    return (
        f"the agent beside the container cannot reach the API server ({error}); where network "
        "policies hold, name its address in the settings: api_servers: [10.0.0.1/32:443]"
    )
