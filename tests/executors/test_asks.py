"""Questions for secrets between a scheduler and its agents: in lanes, for who holds what asks, and for nobody else."""

import selectors
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway import clock, wire
from headway.agent.protocol import (
    Answer,
    Ask,
    AttemptKey,
    By,
    ByAttempt,
    ByWait,
    ByWatcher,
    Hello,
    Watches,
)
from headway.agent.watchers import WatcherKey, Watchers
from headway.engine.opening import executors_of
from headway.engine.scheduler import Scheduler
from headway.executors.agents.asks import OPEN_MAX, SECRETS, Asks, lane_of, no_secret, size_of
from headway.executors.agents.link import Link
from headway.secrets import stored
from headway.secrets.askers import UNPROVED
from headway.secrets.keys import local_keys
from headway.secrets.service import Service
from tests.agent_tokens import let_in
from tests.leaks.world import rows_of
from tests.scenarios.test_gateway import Peer
from tests.scenarios.test_triggers import WAIT
from tests.scenarios.test_watchers import watched
from tests.scenarios.world import Scheduler as World
from tests.scenarios.world import deploy, task, trigger
from tests.simulation.process import gateway_of

PATIENCE_S = 60.0
WATCHER = WatcherKey("d" * 64, 1)
KEY = AttemptKey("r", "a", -1, 1, 1)


# -- lanes


class Slow:
    """A service that answers a kind of asker only when it is let."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = 0

    def answer(self, team_id: int, session: str, ask: Ask) -> Answer:
        if not isinstance(ask.by, ByAttempt):
            self.begun += 1
            self.gate.wait(PATIENCE_S)
        return Answer(ask.request, "value")


@pytest.fixture
def asks() -> Iterator[tuple[Asks[Ask, Answer], Slow]]:
    slow = Slow()
    with selectors.DefaultSelector() as selector:
        found = Asks(selector, slow.answer, no_secret, kind=lane_of, size=size_of)
        yield found, slow
        slow.gate.set()
        found.close()


def link(team_id: int = 1) -> Link:
    sock: Any = None
    found = Link(sock, team_id=team_id)
    found.hello = Hello("s1", "a", "", 1, 1, "h", 1, [])
    return found


def answers(asks: Asks[Ask, Answer], count: int) -> list[Answer]:
    found: list[Answer] = []

    def there() -> bool:
        found.extend(answer for _, _, answer in asks.answers())
        return len(found) >= count

    until(there)
    return found


def until(there: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + PATIENCE_S
    while not there():
        assert clock.monotonic() < deadline
        clock.sleep(0.005)


@pytest.mark.parametrize("by", [ByWait(KEY), ByWatcher(WATCHER)])
def test_questions_of_waits_hold_up_no_task(asks: tuple[Asks[Ask, Answer], Slow], by: By) -> None:
    """However many there are, and however slow their answers: also what is too much is too much for them only."""
    lanes, _ = asks
    agent = link()
    for number in range(OPEN_MAX):
        assert lanes.take(agent, Ask(number, by, "connection", "x")) is None
    assert lanes.take(agent, Ask(7, by, "connection", "x")) == Answer(7, refused=SECRETS["many"])
    assert lanes.take(agent, Ask(-1, ByAttempt(KEY, "t"), "connection", "x")) is None
    assert answers(lanes, 1) == [Answer(-1, "value")]
    assert lanes.take(link(2), Ask(-2, by, "connection", "x")) is None  # another team has its own


def test_large_questions_do_not_fill_the_memory_of_the_scheduler(
    asks: tuple[Asks[Ask, Answer], Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    lanes, slow = asks
    agent = link()
    monkeypatch.setattr("headway.executors.agents.asks.BYTES_MAX", 100)

    def fill() -> None:
        for number in range(2):
            ask = Ask(number, ByWait(KEY), "state", "x" * 25, ["y" * 25])
            assert lanes.take(agent, ask) is None
        many = Answer(7, refused=SECRETS["many"])
        assert lanes.take(agent, Ask(7, ByWait(KEY), "state", "x")) == many

    fill()
    assert lanes.take(link(2), Ask(8, ByWait(KEY), "state", "x" * 100)) is None
    with monkeypatch.context() as later:
        later.setattr(clock, "monotonic", lambda: float("inf"))
        assert [answer.refused for _, _, answer in lanes.answers()] == [SECRETS["late"]] * 3
    fill()  # what took too long weighs no more, and neither does what is answered
    slow.gate.set()
    assert len(answers(lanes, 2)) == 2
    slow.gate.clear()
    fill()


def test_a_lane_is_answered_by_few_threads(asks: tuple[Asks[Ask, Answer], Slow]) -> None:
    lanes, slow = asks
    agent = link()
    for number in range(10):
        lanes.take(agent, Ask(number, ByWait(KEY), "connection", "x"))
    until(lambda: slow.begun == 2)
    slow.gate.set()
    assert sorted(answer.request for answer in answers(lanes, 10)) == list(range(10))


# -- through the gateway


@pytest.fixture
def scheduler(
    dsn: str, conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> Iterator[Scheduler]:
    """Two teams with a connection ``x`` each, a wait and a watcher of the first, and agents' tokens ``a`` and ``b``."""
    owner_conn.execute("INSERT INTO team OVERRIDING SYSTEM VALUE VALUES (2, 'two')")
    keys = local_keys(tmp_path, None)
    for team_id, secret in ((1, "a"), (2, "b")):
        let_in(conn, team_id, secret)
        request = wire.ConnectionRequest(uri=f"http://u:secret-of-{team_id}@h")
        stored.set_connection(owner_conn, keys, team_id, "x", request, "me")
    watched(conn)
    deploy(conn, task("a"))
    world = World(conn)
    trigger(conn)
    world.tick()
    world.tick(*world.work(lambda _: {"outcome": "deferred", "deferral": WAIT}))
    service = Service(dsn, tmp_path, keys)
    scheduler = Scheduler(dsn, executors_of(f"unix:{tmp_path}/g.sock", None, service))
    scheduler.register()
    yield scheduler
    for peer in Peer.all:
        peer.sock.close()
    Peer.all.clear()
    for executor in scheduler.executors:
        executor.close()
    service.close()
    scheduler.conn.close()
    scheduler.ears.close()
    scheduler.selector.close()


def joined(scheduler: Scheduler, folder: Path, session: str, secret: str) -> Peer:
    agent = Peer(scheduler, f"{folder}/g.sock")
    scheduler.wait(1.0)
    agent.say(Hello(session, "agent", secret, 4, 4, "host", 1, [], watchers=[]))
    scheduler.serve()
    scheduler.sweep()
    return agent


def asked(scheduler: Scheduler, agent: Peer, by: By, request: int) -> Answer:
    agent.say(Ask(request, by, "connection", "x"))

    def there() -> bool:
        scheduler.wait(0.01)
        scheduler.serve()
        return any(answer.request == request for answer in agent.of(Answer))

    until(there)
    return agent.of(Answer)[-1]


def test_who_holds_a_wait_or_watcher_is_answered_and_nobody_else(
    scheduler: Scheduler, conn: Connection[Any], owner_conn: Connection[Any], tmp_path: Path
) -> None:
    holder = joined(scheduler, tmp_path, "sa", "a")
    by: list[By] = [
        *(ByWait(watch.key) for message in holder.of(Watches) for watch in message.watches),
        *(ByWatcher(each.key) for message in holder.of(Watchers) for each in message.watchers),
    ]
    assert [type(each) for each in by] == [ByWait, ByWatcher]
    assert [asked(scheduler, holder, each, 1 + n).secrets for n, each in enumerate(by)] == [
        ["secret-of-1"]
    ] * 2
    colleague = joined(scheduler, tmp_path, "sb", "a")
    stranger = joined(scheduler, tmp_path, "sc", "b")
    before = [rows_of(owner_conn, team_id) for team_id in (1, 2)]
    for n, each in enumerate(by):
        for agent in (colleague, stranger):
            refused = Answer(10 + n, refused=UNPROVED[type(each)])
            assert asked(scheduler, agent, each, 10 + n) == refused
    assert [rows_of(owner_conn, team_id) for team_id in (1, 2)] == before
    conn.execute("UPDATE wait SET session_id = 'sb'")  # as after a take-over
    conn.execute("UPDATE watch SET session_id = 'sb', life = life + 1")
    for n, each in enumerate(by):
        assert asked(scheduler, holder, each, 20 + n).refused == UNPROVED[type(each)]
    assert asked(scheduler, colleague, by[0], 30).secrets == ["secret-of-1"]


@pytest.mark.parametrize(
    "by",
    [
        ByWait(AttemptKey("r\0", "a", -1, 1)),
        ByAttempt(AttemptKey("r", "a", -1, 1), "\0"),
        ByWatcher(
            WatcherKey("\ud800".encode("utf-8", "surrogatepass").decode("latin-1") + "\0", 1)
        ),
    ],
)
def test_a_name_that_nothing_has_ends_the_connection(
    scheduler: Scheduler, tmp_path: Path, by: By
) -> None:
    agent = joined(scheduler, tmp_path, "sa", "a")
    agent.say(Ask(1, by, "connection", "x"))
    scheduler.serve()
    assert "sa" not in gateway_of(scheduler).links
