"""Questions answered by threads: the team is that of the connection, and a slow one holds up nobody else."""

import selectors
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from headway import clock
from headway.agent.protocol import Answer, Ask, AttemptKey, ByAttempt, Hello
from headway.executors.agents.asks import DEADLINE_S, OPEN_MAX, SECRETS, Asks, Service, no_secret
from headway.executors.agents.link import Link
from tests.agent.test_budget import Hands

KEY = AttemptKey("r", "t", -1, 1)
PATIENCE_S = 60.0


def link(team_id: int = 1, session: str = "s") -> Link:
    hello = Hello(session, "agent", "token", 1, 1, "host", 7, [])
    return Link(None, team_id=team_id, hello=hello)  # type: ignore[arg-type]


def ask(request: int = 1) -> Ask:
    return Ask(request, ByAttempt(KEY, "token"), "connection", "w")


class Desk:
    """The service, which waits where it is told to, and remembers who asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str, int]] = []
        self.gates: dict[int, threading.Event] = {}

    def __call__(self, team_id: int, session: str, ask: Ask) -> Answer:
        if team_id in self.gates:
            assert self.gates[team_id].wait(PATIENCE_S)
        self.asked.append((team_id, session, ask.request))
        return Answer(ask.request, f"of {team_id}")


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    with selectors.DefaultSelector() as selector:
        yield selector


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def hands() -> Iterator[Hands]:
    hands = Hands()
    with clock.use(hands):
        yield hands


@pytest.fixture
def asks(selector: selectors.BaseSelector, desk: Desk) -> Iterator[Asks[Ask, Answer]]:
    found: Asks[Ask, Answer] = Asks(selector, desk, no_secret)
    yield found
    for gate in desk.gates.values():
        gate.set()
    found.close()


def rung(asks: Asks[Ask, Answer]) -> list[tuple[Link, Ask, Answer]]:
    """Wait for the bell, as the scheduler does."""
    for key, _ in asks.selector.select(PATIENCE_S):
        key.data(0)
    return asks.answers()


def test_an_answer_wakes_the_scheduler_and_is_for_who_asked(asks: Any, desk: Desk) -> None:
    one, two = link(1, "s1"), link(2, "s2")
    assert asks.take(one, ask(1)) is None
    assert rung(asks) == [(one, ask(1), Answer(1, "of 1"))]
    assert asks.take(two, ask(2)) is None
    assert rung(asks) == [(two, ask(2), Answer(2, "of 2"))]
    assert desk.asked == [(1, "s1", 1), (2, "s2", 2)]
    assert asks.answers() == []


def test_where_nobody_answers_it_is_said_at_once(selector: Any) -> None:
    nobody: Asks[Ask, Answer] = Asks(selector, None, no_secret)
    assert nobody.take(link(), ask(3)) == Answer(3, refused=SECRETS["absent"])
    nobody.close()
    service: Service | None = nobody.service
    assert service is None


def test_a_team_that_asks_too_much_is_refused_and_another_is_not(selector: Any, desk: Desk) -> None:
    desk.gates[1] = threading.Event()
    asks: Any = Asks(selector, desk, no_secret, open_max=2)
    one, two = link(1), link(2)
    assert [asks.take(one, ask(n)) for n in (1, 2)] == [None, None]
    assert asks.take(one, ask(3)) == Answer(3, refused=SECRETS["many"])
    assert asks.take(two, ask(4)) is None
    assert rung(asks) == [(two, ask(4), Answer(4, "of 2"))]
    desk.gates[1].set()
    found: list[Any] = []
    while len(found) < 2:
        found += rung(asks)
    assert sorted(answer.request for _, _, answer in found) == [1, 2]
    assert asks.take(one, ask(5)) is None
    rung(asks)
    asks.close()
    assert (OPEN_MAX, len(asks.threads)) == (1_000, 2)


def test_what_takes_too_long_is_refused_and_its_answer_comes_to_nobody(
    asks: Any, desk: Desk, hands: Hands
) -> None:
    desk.gates[1] = threading.Event()
    one = link(1)
    for request in (1, 2, 3):
        asks.take(one, ask(request))
    hands.at += DEADLINE_S - 0.5
    asks.take(one, ask(4))
    assert asks.answers() == []
    hands.at += 0.5
    late = [(one, ask(n), Answer(n, refused=SECRETS["late"])) for n in (1, 2, 3)]
    assert asks.answers() == late
    desk.gates[1].set()
    found: list[Any] = []
    while not found:
        found = rung(asks)
    assert found == [(one, ask(4), Answer(4, "of 1"))]
    assert (1, "s", 3) not in desk.asked, "it was late before its turn came"


def test_who_was_not_let_in_is_not_answered(asks: Any, desk: Desk) -> None:
    stranger = link(1)
    stranger.hello = None
    asks.take(stranger, ask(1))
    asks.take(link(1, "known"), ask(2))
    assert [answer.request for _, _, answer in rung(asks)] == [2]
    assert desk.asked == [(1, "known", 2)]


def test_no_bell_holds_anybody_up(asks: Any) -> None:
    asks.take(link(), ask())
    assert [bell.getblocking() for bell in asks.bells] == [False, False]


def test_who_closes_waits_for_nobody(selector: Any, desk: Desk) -> None:
    desk.gates[1] = threading.Event()
    asks: Any = Asks(selector, desk, no_secret)
    for request in range(5):
        asks.take(link(), ask(request))
    asks.close()  # while two threads wait
    desk.gates[1].set()
    (threads,) = asks.threads.values()
    threads.shutdown(wait=True)
    assert len(desk.asked) <= 2, "the others are not begun"


def test_who_closes_leaves_no_bell_behind(selector: Any, desk: Desk) -> None:
    asks: Any = Asks(selector, desk, no_secret)
    asks.take(link(), ask())
    assert len(selector.get_map()) == 1
    rung(asks)
    asks.close()
    assert len(selector.get_map()) == 0
    assert [bell.fileno() for bell in asks.bells] == [-1, -1]
    assert all(threads._shutdown for threads in asks.threads.values())
