"""A gateway of a few lines, and an agent process to talk to it."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from headway import clock
from headway.agent.frames import FrameReader, frame
from headway.agent.protocol import (
    FRAME_BYTES_MAX,
    Ack,
    AgentMessage,
    Answer,
    Ask,
    AttemptKey,
    Ended,
    Fetch,
    Found,
    GatewayMessage,
    Grant,
    Grants,
    Heartbeat,
    HeartbeatAck,
    Hello,
    Look,
    Looked,
    RunContext,
    Started,
    Stored,
    Values,
    Watch,
    Watches,
    Welcome,
    XComRef,
)
from headway.agent.watchers import Fired, Standing, Stopped, WatcherKey, Watchers

TOKEN = "correct-horse-battery"
DAY = datetime(2026, 1, 1, tzinfo=UTC)
WAIT_S = 60.0
DECODER: msgspec.msgpack.Decoder[AgentMessage] = msgspec.msgpack.Decoder(AgentMessage)
M = TypeVar("M")


class Gateway:
    """Accepts one agent, keeps what it says, acknowledges what it is told to."""

    def __init__(self, folder: Path, fence_s: float = 10.0, kind: str = "unix") -> None:
        self.data = folder / "data"
        self.fence_s = fence_s
        if kind == "unix":
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(folder / "gateway.sock"))
            self.address = f"unix:{folder / 'gateway.sock'}"
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.address = f"tcp:127.0.0.1:{self.listener.getsockname()[1]}"
        self.listener.listen()
        self.line: socket.socket | None = None
        self.said: list[AgentMessage] = []
        self.stored: list[tuple[str, Stored]] = []  # with the run
        self.fetches: list[Fetch] = []
        self.beats = True  # answer heartbeats
        self.acks = True
        self.contexts: dict[str, RunContext] = {}
        self.secrets: Callable[[Ask], Answer | None] = lambda _: None  # None: no answer yet
        self.process: subprocess.Popen[bytes] | None = None

    # -- the agent's process

    def start_agent(self, processes: int = 4, **environment: str) -> None:
        command = [
            sys.executable, "-m", "headway.agent", "--connect", self.address,
            "--data", str(self.data), "--slots", "64", "--processes", str(processes),
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, env={**os.environ, "HEADWAY_AGENT_TOKEN": TOKEN, **environment}
        )
        self.accept()

    def signal_agent(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop_agent(self) -> None:
        if self.process is not None:
            self.hang_up()
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None
        self.listener.close()

    # -- the line

    def accept(self) -> Hello:
        self.listener.settimeout(WAIT_S)
        self.line, _ = self.listener.accept()
        self.reader = FrameReader(FRAME_BYTES_MAX)
        hello = self.wait(lambda: self.last(Hello))
        self.send(Welcome(15.0, self.fence_s))
        return hello

    def hang_up(self) -> None:
        if self.line is not None:
            self.line.close()
            self.line = None

    def send(self, message: GatewayMessage) -> None:
        assert self.line is not None
        self.line.sendall(frame(msgspec.msgpack.encode(message)))

    def listen(self, timeout_s: float) -> bool:
        """Hear what the agent says next; False: nothing, or it hung up."""
        assert self.line is not None
        if not select.select([self.line], [], [], timeout_s)[0]:
            return False
        data = self.line.recv(1 << 20)
        for body in self.reader.feed(data):
            message = DECODER.decode(body)
            self.said.append(message)
            self.answer(message)
        return bool(data)

    def until_written(self, path: Path) -> str:
        """Return what is in the file once it has a text, and answer the agent meanwhile."""
        deadline = clock.monotonic() + WAIT_S
        # Who writes it again empties it first.
        while not (path.exists() and (text := path.read_text())):
            assert clock.monotonic() < deadline, f"nothing is written to {path.name}"
            self.listen(0.02)
        return text

    def answer(self, message: AgentMessage) -> None:
        match message:
            case Heartbeat(seq) if self.beats:
                self.send(HeartbeatAck(seq))
            case Ended():
                self.stored += [
                    (
                        message.key.run_id,
                        Stored(message.key.task_id, message.key.map_index, xcom),
                    )
                    for xcom in message.xcoms
                ]
                if self.acks:
                    self.send(Ack(message.seq))
            case Found() if self.acks:
                self.send(Ack(message.seq))
            case Ask():
                if (answer := self.secrets(message)) is not None:
                    self.send(answer)
            case Fetch(request, run_id, refs):
                self.fetches.append(message)
                of_run = [one for run, one in self.stored if run == run_id]
                found = [one for one in of_run if any(wanted(one, ref) for ref in refs)]
                self.send(Values(request, found, []))

    def wait(self, found: Callable[[], M | None]) -> M:
        deadline = clock.monotonic() + WAIT_S
        while (answer := found()) is None:
            left_s = deadline - clock.monotonic()
            assert self.listen(max(left_s, 0.0)), f"the agent said only {self.said[-5:]}"
        return answer

    def last(self, kind: type[M]) -> M | None:
        return next((one for one in reversed(self.said) if isinstance(one, kind)), None)

    # -- what it is asked to do

    def bundle(self, source: str, version: str = "v1", file: str = "flow.py") -> None:
        path = self.data / "bundles" / version / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)

    def grant(
        self, *grants: Grant, version: str = "v1", reuse: int = 1, params: bytes = b"{}"
    ) -> None:
        runs = sorted({one.key.run_id for one in grants})
        for run_id in runs:  # what a run was granted first is true of all of it
            self.contexts.setdefault(run_id, context(run_id, version, reuse, params))
        self.send(Grants([self.contexts[run_id] for run_id in runs], list(grants)))

    def ended(self, key: AttemptKey) -> Ended:
        def found() -> Ended | None:
            of_key = (one for one in self.said if isinstance(one, Ended) and one.key == key)
            return next(of_key, None)

        return self.wait(found)

    def started(self, key: AttemptKey) -> Started:
        def found() -> Started | None:
            of_key = (one for one in self.said if isinstance(one, Started) and one.key == key)
            return next(of_key, None)

        return self.wait(found)

    def run(self, task_id: str, **options: Any) -> Ended:
        grant = grant_of(task_id, **options)
        self.grant(grant)
        return self.ended(grant.key)

    def watch(
        self, name: str, *, run_id: str, map_index: int = -1, version: str = "v1", **facts: Any
    ) -> AttemptKey:
        """Let a triggerer look after a wait. ``name``: of a function of the DAG file, or of a module."""
        trigger = name if ":" in name else f"flow:{name}"
        key = AttemptKey(run_id, "waits", map_index, 1, 1)
        body = msgspec.json.encode({"trigger": trigger, **facts})
        self.send(Watches([Watch(key, context(run_id, version, 1), body)]))
        return key

    def stand(
        self,
        name: str,
        *,
        life: int = 1,
        cursor: object = None,
        version: str = "v1",
        **facts: Any,
    ) -> WatcherKey:
        """Let a triggerer look after a watcher. ``name``: as for ``watch``."""
        trigger = name if ":" in name else f"flow:{name}"
        key = WatcherKey(f"{trigger}{facts}", life)
        facts["shared"] = trigger.startswith("headway.")
        body = msgspec.json.encode({"trigger": trigger, **facts})
        carried = None if cursor is None else msgspec.json.encode(cursor)
        self.send(Watchers([Standing(key, "flow", version, "flow.py", body, carried)]))
        return key

    def fired(self, key: WatcherKey, batch: int) -> Fired:
        def fired() -> Fired | None:
            of_key = (one for one in self.said if isinstance(one, Fired) and one.key == key)
            return next((one for one in of_key if one.batch == batch), None)

        return self.wait(fired)

    def stopped(self, key: WatcherKey) -> Stopped:
        def stopped() -> Stopped | None:
            of_key = (one for one in self.said if isinstance(one, Stopped) and one.key == key)
            return next(of_key, None)

        return self.wait(stopped)

    def found(self, key: AttemptKey) -> Found:
        def found() -> Found | None:
            of_key = (one for one in self.said if isinstance(one, Found) and one.key == key)
            return next(of_key, None)

        return self.wait(found)

    def looked(self, key: AttemptKey) -> Look:
        def looked() -> Look | None:
            told = (one.looks for one in self.said if isinstance(one, Looked))
            return next((look for looks in told for look in looks if look.key == key), None)

        return self.wait(looked)

    def asked(self, name: str, times: int = 1) -> Ask:
        """Return a question for this name, once there are so many."""

        def asked() -> Ask | None:
            of_name = [one for one in self.said if isinstance(one, Ask) and one.name == name]
            return of_name[-1] if len(of_name) >= times else None

        return self.wait(asked)

    def log(self, key: AttemptKey) -> str:
        folder = self.data / "logs" / key.run_id / key.task_id / str(key.map_index)
        return (folder / f"{key.number}.log").read_text()


def wanted(one: Stored, ref: XComRef) -> bool:
    same = (one.task_id, one.xcom.key) == (ref.task_id, ref.key)
    return same and ref.map_index in (None, one.map_index)


def context(run_id: str, version: str, reuse: int, params: bytes = b"{}") -> RunContext:
    return RunContext(
        run_id, "default", "flow", 1, version, "flow.py", DAY, DAY, DAY, "manual", params, reuse
    )


def grant_of(
    task_id: str,
    *,
    run_id: str = "r1",
    map_index: int = -1,
    number: int = 1,
    deferrals: int = 0,
    **options: Any,
) -> Grant:
    key = AttemptKey(run_id, task_id, map_index, number, deferrals)
    return Grant(key, f"t-{task_id}", **{"kind": "python", "inputs": [], **options})
