"""The agents of many pods, in one thread of the bench: they connect, take their attempt, and beat from then on."""

import selectors
import socket
import threading
import time
from collections import deque
from typing import Final, Self

import msgspec
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.fake.store import Object
from tests.kubernetes.pod_agent import attempt_of, hello_of, run

from bench.product import ProductError
from headway.agent.frames import FrameReader, frame
from headway.agent.protocol import (
    FRAME_BYTES_MAX,
    HEARTBEAT_S,
    GatewayMessage,
    Grants,
    Heartbeat,
    Refused,
    Started,
    Welcome,
)

DECODER: Final = msgspec.msgpack.Decoder(GatewayMessage)
READ_BYTES: Final = 1 << 16
TURN_S: Final = 0.02
AT_ONCE: Final = 100  # that are connecting


class Agent:
    def __init__(self, address: tuple[str, int], pod: Object, token: str) -> None:
        self.key = attempt_of(pod)
        self.pod = pod
        self.reader = FrameReader(FRAME_BYTES_MAX)
        self.seq = 0
        self.runs = False
        self.sock = socket.create_connection(address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tell(hello_of(pod, token))

    def tell(self, message: msgspec.Struct) -> None:
        self.sock.sendall(frame(msgspec.msgpack.encode(message)))

    def beat(self) -> None:
        self.seq += 1
        self.tell(Heartbeat(self.seq))

    def hear(self) -> bool:
        data = self.sock.recv(READ_BYTES)
        if not data:  # it could not be sure who this is: a pod comes again
            return False
        for body in self.reader.feed(data):
            match DECODER.decode(body):
                case Welcome():
                    self.beat()
                case Grants(_, [grant]):
                    self.seq += 1
                    self.runs = True
                    self.tell(Started(self.seq, self.key, grant.token, 1, 0.0))
                case Refused(why):
                    raise ProductError(f"a pod was refused: {why}")
                case _:
                    pass
        return True


class StandingPods:
    """``address``: where the scheduler listens, ``tcp:HOST:PORT``. A context: they are there until it ends."""

    def __init__(self, server: ApiServer, address: str) -> None:
        _, host, port = address.split(":")
        self.server = server
        self.address = (host, int(port))
        self.selector = selectors.DefaultSelector()
        self.wanted: deque[Object] = deque()
        self.agents: list[Agent] = []
        self.trouble: BaseException | None = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.thread.join()
        for agent in self.agents:
            agent.sock.close()

    def add(self, pods: list[Object]) -> None:
        self.wanted.extend(pods)

    def running(self) -> int:
        if self.trouble is not None:
            raise self.trouble
        return sum(agent.runs for agent in self.agents)

    def work(self) -> None:
        try:
            beat_from, turned = 0, time.monotonic()
            while not self.stopping.is_set():
                self.connect_some()
                for key, _ in self.selector.select(TURN_S):
                    if not key.data.hear():
                        self.lose(key.data)
                now = time.monotonic()
                due = round(len(self.agents) * (now - turned) / HEARTBEAT_S)
                if due:
                    turned = now
                    for number in range(beat_from, beat_from + due):
                        agent = self.agents[number % len(self.agents)]
                        if agent.runs:
                            agent.beat()
                    beat_from = (beat_from + due) % len(self.agents)
        except BaseException as error:
            self.trouble = error

    def lose(self, agent: Agent) -> None:
        if agent.runs:
            raise ProductError("the scheduler hung up on a pod that runs")
        self.selector.unregister(agent.sock)
        agent.sock.close()
        self.agents.remove(agent)
        self.wanted.append(agent.pod)

    def connect_some(self) -> None:
        open_now = sum(not agent.runs for agent in self.agents[-2 * AT_ONCE :])
        for _ in range(min(len(self.wanted), AT_ONCE - open_now)):
            pod = self.wanted.popleft()
            agent = Agent(self.address, pod, run(self.server, pod))
            self.selector.register(agent.sock, selectors.EVENT_READ, agent)
            self.agents.append(agent)
