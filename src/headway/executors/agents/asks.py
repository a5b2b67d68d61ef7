"""Questions of agents for secrets and files: answered by threads, so that no slow backend or disk holds up a tick.

Each team has threads of its own, and a question has a deadline: a slow answer for one team stops nobody else. Questions
of its waits and watchers have theirs, too: ten thousand that ask at each look hold up no task.
"""

import selectors
import socket
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from headway import clock
from headway.agent.protocol import Answer, Ask, ByAttempt
from headway.executors.agents.link import Link

THREADS: Final = 2  # of a lane
OPEN_MAX: Final = 1_000  # questions that wait in a lane
BYTES_MAX: Final = 64 * 1024 * 1024  # of these
DEADLINE_S: Final = 15.0
Why = Literal["absent", "many", "late"]  # nobody answers here, too many wait, it took too long
SECRETS: Final[dict[Why, str]] = {
    "absent": "this scheduler has no secrets",
    "many": "too many tasks or waits of the team ask for secrets now",
    "late": f"the server did not find an answer within {DEADLINE_S:g} s; the secret backend may be slow",
}
Service = Callable[[int, str, Ask], Answer]
Lane = tuple[int, str]  # a team, and which of its questions
Q = TypeVar("Q")
A = TypeVar("A")


class Waiting(NamedTuple, Generic[Q]):
    deadline: float
    link: Link
    ask: Q


class Asks(Generic[Q, A]):
    """``service`` answers in a thread: team, session, question. None: nobody answers here.

    ``refused`` makes an answer of a reason. ``kind``: questions of a team with the same one are in one lane.
    ``size``: of a question, in bytes; those that wait in a lane have a limit together.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        service: Callable[[int, str, Q], A] | None,
        refused: Callable[[Q, Why], A],
        open_max: int = OPEN_MAX,
        kind: Callable[[Q], str] = lambda _: "",
        size: Callable[[Q], int] = lambda _: 0,
    ) -> None:
        self.open_max = open_max
        self.kind = kind
        self.size = size
        self.service = service
        self.refused = refused
        self.threads: dict[Lane, ThreadPoolExecutor] = {}
        self.waiting: dict[Lane, deque[Waiting[Q]]] = {}  # the oldest first
        self.held: Counter[Lane] = Counter()  # bytes of those that wait
        self.done: deque[tuple[Waiting[Q], A]] = deque()
        self.selector = selector
        self.bells: tuple[socket.socket, socket.socket] | None = None  # from the first question on

    def hang_bell(self) -> None:
        """A thread that has an answer wakes the scheduler."""
        self.bells = bell, ringer = socket.socketpair()
        bell.setblocking(False)
        ringer.setblocking(False)
        self.selector.register(bell, selectors.EVENT_READ, lambda _: bell.recv(4096))

    def take(self, link: Link, ask: Q) -> A | None:
        """Take a question, or return why there is no answer."""
        if self.service is None:
            return self.refused(ask, "absent")
        if self.bells is None:
            self.hang_bell()
        lane = self.lane(link, ask)
        waiting = self.waiting.setdefault(lane, deque())
        size = self.size(ask)
        if len(waiting) >= self.open_max or self.held[lane] + size > BYTES_MAX:
            return self.refused(ask, "many")
        self.held[lane] += size
        one = Waiting(clock.monotonic() + DEADLINE_S, link, ask)
        waiting.append(one)
        if lane not in self.threads:
            self.threads[lane] = ThreadPoolExecutor(THREADS, thread_name_prefix="secrets")
        self.threads[lane].submit(self.work, self.service, one)
        return None

    def lane(self, link: Link, ask: Q) -> Lane:
        return link.team_id, self.kind(ask)

    def work(self, service: Callable[[int, str, Q], A], one: Waiting[Q]) -> None:
        deadline, link, ask = one
        if clock.monotonic() >= deadline or link.hello is None:
            return
        self.done.append((one, service(link.team_id, link.hello.session, ask)))
        assert self.bells is not None
        try:
            self.bells[1].send(b"!")
        except OSError:  # full: it is heard anyway
            return

    def answers(self) -> list[tuple[Link, Q, A]]:
        """Return what can be told now: answers, and refusals of what took too long."""
        found = []
        while self.done:
            one, answer = self.done.popleft()
            lane = self.lane(one.link, one.ask)
            if one in self.waiting[lane]:
                self.waiting[lane].remove(one)
                self.held[lane] -= self.size(one.ask)
                found.append((one.link, one.ask, answer))
        now = clock.monotonic()
        for lane, waiting in self.waiting.items():
            while waiting and waiting[0].deadline <= now:
                _, link, ask = waiting.popleft()
                self.held[lane] -= self.size(ask)
                found.append((link, ask, self.refused(ask, "late")))
        return found

    def close(self) -> None:
        for threads in self.threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        if self.bells is not None:
            self.selector.unregister(self.bells[0])
            for bell in self.bells:
                bell.close()


def lane_of(ask: Ask) -> str:
    return "tasks" if isinstance(ask.by, ByAttempt) else "waits"


def size_of(ask: Ask) -> int:
    return sum(len(text.encode()) for text in (ask.name, *ask.secrets))


def no_secret(ask: Ask, why: Why) -> Answer:
    return Answer(ask.request, refused=SECRETS[why])
