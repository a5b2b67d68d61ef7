"""A real scheduler and its gateway on a real socket; the agent's part is spoken by the test."""

import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec
import pytest
from psycopg import Connection

from headway.agent.frames import FrameReader, frame
from headway.agent.protocol import (
    FRAME_BYTES_MAX,
    AttemptKey,
    Ended,
    GatewayMessage,
    Grants,
    Heartbeat,
    HeartbeatAck,
    Hello,
    Welcome,
)
from headway.engine.opening import executors_of
from headway.engine.scheduler import Scheduler
from headway.executors.agents import gateway
from headway.spec import model
from headway.store import limits as limits_of_team
from tests.agent_tokens import SECRET, let_in
from tests.scenarios.world import deploy, run_state, trigger
from tests.simulation.process import gateway_of

DECODER = msgspec.msgpack.Decoder(GatewayMessage)

M = TypeVar("M", bound=msgspec.Struct)


class Peer:
    """An agent with nothing behind it."""

    all: ClassVar[list["Peer"]] = []

    def __init__(self, scheduler: Scheduler, path: str) -> None:
        self.scheduler = scheduler
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.reader = FrameReader(FRAME_BYTES_MAX)
        self.heard: list[msgspec.Struct] = []
        self.all.append(self)

    def say(self, message: msgspec.Struct) -> None:
        self.sock.sendall(frame(msgspec.msgpack.encode(message)))
        self.scheduler.wait(1.0)

    def listen(self) -> None:
        self.sock.setblocking(False)
        try:
            for body in self.reader.feed(self.sock.recv(1 << 20)):
                self.heard.append(DECODER.decode(body))
        except BlockingIOError:
            pass
        finally:
            self.sock.setblocking(True)

    def of(self, kind: type[M]) -> list[M]:
        self.listen()
        return [message for message in self.heard if isinstance(message, kind)]


@pytest.fixture
def scheduler(dsn: str, tmp_path: Path) -> Iterator[Scheduler]:
    scheduler = Scheduler(dsn, executors_of(f"unix:{tmp_path}/g.sock", None))
    scheduler.register()
    let_in(scheduler.conn)
    yield scheduler
    # Both ends of each connection.
    for peer in Peer.all:
        peer.sock.close()
    Peer.all.clear()
    gateway_of(scheduler).close()
    scheduler.conn.close()
    scheduler.ears.close()
    scheduler.selector.close()


def test_an_end_that_waits_for_its_tick_takes_no_place(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    deploy(conn, model.Task(task_id="a"))
    (run_id,) = trigger(conn)
    agent = Peer(scheduler, f"{tmp_path}/g.sock")
    scheduler.wait(1.0)
    agent.say(Hello("s1", "local", SECRET, 4, 4, "host", 1, []))
    scheduler.serve()
    assert agent.of(Welcome)
    scheduler.tick()
    (grants,) = agent.of(Grants)
    (grant,) = grants.grants
    agent.say(Ended(1, grant.key, grant.token, "success", ""))
    scheduler.sweep()  # before the tick that absorbs the end
    scheduler.tick()
    assert run_state(conn, run_id) == "success"
    assert len(agent.of(Grants)) == 1
    (places,) = gateway_of(scheduler).places()[1]
    assert places.free == 4


def test_an_attempt_that_is_over_takes_no_place(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    agent = Peer(scheduler, f"{tmp_path}/g.sock")
    scheduler.wait(1.0)
    agent.say(Hello("s1", "local", SECRET, 4, 4, "host", 1, [AttemptKey("gone", "a", -1, 1)]))
    scheduler.serve()
    (places,) = gateway_of(scheduler).places()[1]
    assert places.free == 4


def test_without_a_descriptor_left_nobody_is_let_in_until_there_is_one(
    scheduler: Scheduler, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    agent = Peer(scheduler, f"{tmp_path}/g.sock")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, hard))
    try:
        scheduler.wait(1.0)
        scheduler.wait(0.0)  # it does not ask again and again
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert caplog.text.count("cannot accept agents: Too many open files") == 1
    scheduler.sweep()
    scheduler.wait(1.0)
    agent.say(Hello("s1", "local", SECRET, 4, 4, "host", 1, []))
    scheduler.serve()
    assert agent.of(Welcome)


def test_who_does_not_say_hello_is_dropped_and_keeps_nobody_out(
    scheduler: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "STRANGERS_MAX", 3)
    silent = []
    for _ in range(5):
        silent.append(Peer(scheduler, f"{tmp_path}/g.sock"))
        scheduler.wait(1.0)
    assert len(gateway_of(scheduler).strangers) == 3
    assert silent[0].sock.recv(1) == silent[1].sock.recv(1) == b""
    agent = Peer(scheduler, f"{tmp_path}/g.sock")
    scheduler.wait(1.0)
    agent.say(Hello("s1", "local", SECRET, 4, 4, "host", 1, []))
    scheduler.serve()
    assert agent.of(Welcome)
    scheduler.sweep()
    assert len(gateway_of(scheduler).strangers) == 2  # they have time yet
    monkeypatch.setattr(gateway, "HELLO_S", 0.0)
    scheduler.sweep()
    assert gateway_of(scheduler).strangers == {}
    assert list(gateway_of(scheduler).links) == ["s1"]


def test_a_limit_of_log_bytes_is_divided_among_the_agents_of_the_team(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    agents = [Peer(scheduler, f"{tmp_path}/g.sock") for _ in range(2)]
    for number, agent in enumerate(agents):
        scheduler.wait(1.0)
        agent.say(Hello(f"s{number}", "local", SECRET, 4, 4, "host", 1, []))
        scheduler.serve()
    told = []
    for seq, limits in enumerate(("{}", '{"log_bytes_per_minute": 1001}')):
        conn.execute("UPDATE team SET limits = %s::jsonb", [limits])
        for agent in agents:
            agent.say(Heartbeat(seq, 300 + seq))
        scheduler.renew()
        told.append([agent.of(HeartbeatAck)[-1].log_bytes for agent in agents])
    assert told == [[None, None], [500, 500]]
    assert limits_of_team.log_bytes(conn, 1) == 602
