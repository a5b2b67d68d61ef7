"""Questions of a task on their way to the server and back: its own answer only, masked before it can print it."""

from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from headway.agent import orders
from headway.agent.asks import NAMES_MAX, REVEALS, RUNS, Asks
from headway.agent.masking import Masker
from headway.agent.protocol import Answer, Ask, AttemptKey, ByAttempt, Named

MARKS = count(1)


class Sent:
    """Stands for the link and for the children: what was sent, and to whom something was told."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.told: list[Any] = []

    def send(self, message: Any) -> None:
        self.messages.append(message)

    def tell(self, child: Any) -> None:
        self.told.append(child)


class Child:
    """The process of an attempt."""

    def __init__(self, task_id: str = "t") -> None:
        self.mark = next(MARKS)
        self.masker = Masker()
        self.orders: list[orders.Told] = []
        self.masked: list[bytes] = []
        self.attempt: Any = SimpleNamespace(
            key=AttemptKey("r", task_id, -1, 1),
            grant=SimpleNamespace(token=f"token-of-{task_id}"),
            child=self,
            name="",
            names_told=0,
        )

    def add(self, told: orders.Told) -> None:
        self.orders.append(told)
        self.masked.append(self.masker.mask(b"the secret"))


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def asks(sent: Sent) -> Any:
    return Asks(sent, sent)  # type: ignore[arg-type]


def question(kind: str = "connection", name: str = "w") -> orders.Ask:
    return orders.Ask(kind, name)


def test_a_question_carries_the_token_of_its_attempt(asks: Any, sent: Sent) -> None:
    one, two = Child("a"), Child("b")
    asks.take(one, question())
    asks.take(two, question("variable", "v"))
    assert sent.messages == [
        Ask(1, ByAttempt(one.attempt.key, "token-of-a"), "connection", "w"),
        Ask(2, ByAttempt(two.attempt.key, "token-of-b"), "variable", "v"),
    ]


def test_an_attempt_has_one_open_question(asks: Any, sent: Sent) -> None:
    child = Child()
    asks.take(child, question())
    asks.take(child, question(name="another"))
    assert len(sent.messages) == 1
    asks.answer(Answer(1, "{}"))
    asks.take(child, question(name="another"))
    assert [each.request for each in sent.messages] == [1, 2]


def test_a_process_without_an_attempt_asks_nothing(asks: Any, sent: Sent) -> None:
    child = Child()
    child.attempt = None
    asks.take(child, question())
    asks.call(child, "name")
    assert sent.messages == []


def test_an_answer_is_masked_before_the_task_has_it(asks: Any, sent: Sent) -> None:
    one, two = Child("a"), Child("b")
    asks.take(one, question())
    asks.take(two, question())
    asks.answer(Answer(2, "the value", ["the secret"]))
    assert (one.orders, two.orders) == ([], [orders.Told("the value", "", ["the secret"])])
    assert two.masked == [b"***"]
    assert one.masker.mask(b"the secret") == b"the secret"
    assert sent.told == [two]
    asks.answer(Answer(1, refused="no"))
    assert one.orders == [orders.Told(None, "no", [])]


def test_an_answer_to_nobody_is_dropped(asks: Any, sent: Sent) -> None:
    child = Child()
    asks.take(child, question())
    for request in (7, 0):
        asks.answer(Answer(request, "x"))
    assert sent.told == []
    asks.answer(Answer(1, "x"))
    asks.answer(Answer(1, "x"))
    assert len(sent.told) == 1, "once"
    asks.take(child, question())
    child.attempt.child = None
    asks.answer(Answer(2, "x", ["the secret"]))
    assert len(sent.told) == 1
    assert child.masker.mask(b"the secret") == b"the secret"


def test_open_questions_are_repeated_and_end_with_their_attempt(asks: Any, sent: Sent) -> None:
    one, two = Child("a"), Child("b")
    asks.take(one, question())
    asks.take(two, question())
    first = sent.messages.copy()
    sent.messages.clear()
    asks.send_again()
    assert sent.messages == first
    asks.forget(one)
    sent.messages.clear()
    asks.send_again()
    assert sent.messages == first[1:]
    asks.answer(Answer(1, "x"))
    assert one.orders == []


# -- runs that are started


@pytest.mark.parametrize("name", ['{"params": {"x": "the secret"}}', "the secret"])
def test_a_run_that_would_show_a_secret_is_not_asked_for(asks: Any, sent: Sent, name: str) -> None:
    child = Child()
    child.masker.add(["the secret"])
    asks.take(child, question(RUNS, name))
    assert (sent.messages, asks.open) == ([], {})
    assert child.orders == [orders.Told(None, REVEALS)]
    asks.take(child, question("connection", name))
    assert len(sent.messages) == 1, "the name of a connection is shown to nobody"


def test_a_run_without_secrets_is_asked_for(asks: Any, sent: Sent) -> None:
    child = Child()
    child.masker.add(["the secret"])
    asks.take(child, question(RUNS, "{}\ud800"))
    assert len(sent.messages) == 1


# -- names


def test_a_name_is_told_when_it_is_another_one_and_not_too_often(asks: Any, sent: Sent) -> None:
    child = Child()
    asks.call(child, "")
    assert sent.messages == []
    for name in ("a", "a", "b"):
        asks.call(child, name)
    assert sent.messages == [Named(child.attempt.key, "token-of-t", each) for each in "ab"]
    for number in range(20):
        asks.call(child, f"n{number}")
    assert len(sent.messages) == NAMES_MAX == child.attempt.names_told
    assert child.attempt.name == "n19", "the end of the attempt tells it"
