"""A scheduler process without its process: the real ``Scheduler`` over the real ``Gateway``, on a
line in memory, one turn of its loop at a time.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest import mock

import psycopg

from headway.engine import scheduler
from headway.engine.opening import executors_of
from headway.engine.scheduler import Scheduler
from headway.errors import HeadwayError
from headway.executors.agents import gateway
from headway.executors.agents.executor import Agents
from headway.executors.agents.gateway import Gateway
from headway.executors.base import Open
from headway.store.transact import Session
from tests.agent_tokens import let_in
from tests.simulation.line import Ears, Listener, Selector

IDLE_MAX: Final = 3  # ticks that moved nothing, one wanted by the other
LAST: Final = "SELECT max(seq) FROM event"


class Crash(BaseException):
    """A process died: no handler sees it."""


class Process:
    def __init__(self, conn: Session, note: Callable[[str], None]) -> None:
        self.conn = conn
        self.note = note
        self.busy = False
        self.frozen_until = 0.0
        self.deaths = 0
        self.idle = 0
        self.scheduler: Scheduler | None = None
        self.listener = Listener()

    def start(self) -> None:
        self.listener = Listener()
        with ExitStack() as stack:
            for owner, name, other in self.instead():
                stack.enter_context(mock.patch.object(owner, name, other))
            self.scheduler = Scheduler("", self.executors())
        self.scheduler.register()
        let_in(self.conn)

    def instead(self) -> list[tuple[Any, str, Any]]:
        """What stands in the place of the outside while it starts."""
        return [
            (scheduler, "connect", self.connect),
            (scheduler, "DefaultSelector", Selector),
            (gateway, "listen", self.listen),
        ]

    def listen(self, address: str) -> Listener:
        return self.listener

    def executors(self) -> list[Open]:
        return executors_of("line:", None)

    def connect(self, dsn: str, *, application: str, **_: Any) -> Any:
        return Ears() if application.endswith("listen") else self.conn

    def die(self) -> None:
        """Its connections break; the database rolls back what was open."""
        if self.scheduler is not None:
            self.deaths += 1
            for each in self.gateways():
                for link in [*each.links.values(), *each.strangers, *each.guests]:
                    link.sock.close()
            for line in self.listener.waiting:
                line.close()
            self.scheduler = None
        self.idle = 0
        self.conn.rollback()

    def end(self) -> None:
        """It is told to end, as in an upgrade, and does so in order."""
        assert self.scheduler is not None
        self.scheduler.close()
        self.scheduler = None
        self.idle = 0

    def has_news(self) -> bool:
        return self.scheduler is not None and any(
            link.sock.up  # type: ignore[attr-defined]
            for each in self.gateways()
            for link in each.links.values()
        )

    def gateways(self) -> list[Gateway]:
        """Of all executors of the scheduler that runs."""
        assert self.scheduler is not None
        return [gateway_of(self.scheduler)]

    def turn(self) -> None:
        """One round of ``Scheduler.run``."""
        if self.scheduler is None:
            self.start()
        with self.at_work():
            assert self.scheduler is not None
            before = self.conn.execute(LAST).fetchone()
            one_round(self.scheduler)
            for each in self.gateways():
                check_counts(each)
            moved = self.conn.execute(LAST).fetchone() != before
            self.idle = 0 if moved or not self.scheduler.wanted else self.idle + 1
            assert self.idle <= IDLE_MAX, "S7 a tick that moves nothing wants another, for ever"

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self.busy = True
        try:
            yield
        except (Crash, HeadwayError, psycopg.Error) as error:
            self.note(f"a scheduler died: {error!r}")
            self.die()
        finally:
            self.busy = False


def one_round(this: Scheduler) -> None:
    this.wait(0.0)
    this.serve()
    if this.sweep_in() <= 0:
        this.sweep()
    this.tick()
    if this.asked:
        this.answer()


def check_counts(gateway: Gateway) -> None:
    """What is counted as it comes is what there is."""
    links = gateway.links
    assert gateway.held == sum(len(link.held) for link in links.values())
    assert gateway.beating == {s: link for s, link in links.items() if link.heartbeat is not None}


def gateway_of(scheduler: Scheduler) -> Gateway:
    agents, *_ = scheduler.executors
    assert isinstance(agents, Agents)
    return agents.gateway
