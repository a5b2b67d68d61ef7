"""Questions for connections and variables on their way to the gateway and back, and the names of mapped instances.

The agent keeps no answer: it learns what to mask, hands the answer on, and forgets it. An attempt has at most one open
question, which ends with it. Those of waits and watchers come from ``trigger_asks``.
"""

from collections.abc import Callable
from itertools import count
from typing import Final, NamedTuple

from headway.agent import orders
from headway.agent.attempts import Attempt
from headway.agent.children import Child, Children
from headway.agent.link import Link
from headway.agent.masking import Masker
from headway.agent.protocol import Answer, Ask, By, ByAttempt, Named
from headway.spec import state_stores, variable_changes

KEPT: Final = (state_stores.KIND, variable_changes.KIND)  # what they say is stored
NAMES_MAX: Final = 10  # of one attempt that are told while it runs: each takes part in a tick

RUNS: Final = "runs"  # the kind of what may start a run (``secrets.runs``)
REVEALS: Final = (
    "the run is not started: its parameters, note or name hold a secret that this task was handed, and everybody "
    "sees them; pass the id of the connection, and have the other DAG ask for it"
)


class Open(NamedTuple):
    """A question that is not answered yet, and who is told the answer."""

    ask: Ask
    told: Callable[[Answer], None]


class Asks:
    def __init__(self, link: Link, children: Children) -> None:
        self.link = link
        self.children = children
        self.requests = count(1)
        self.open: dict[int, Open] = {}
        self.of_attempts: dict[int, int] = {}  # the open request, by the mark of the child

    # -- attempts

    def take(self, child: Child, ask: orders.Ask) -> None:
        attempt = child.attempt
        if attempt is None or child.mark in self.of_attempts:
            return
        if ask.kind == RUNS and child.masker.holds(ask.name.encode(errors="replace")):
            self.tell(child, orders.Told(None, REVEALS))
            return
        by = ByAttempt(attempt.key, attempt.grant.token)
        told = self.answerer(attempt, child)
        self.of_attempts[child.mark] = self.put(by, ask.kind, ask.name, told, child.masker)

    def answerer(self, attempt: Attempt, child: Child) -> Callable[[Answer], None]:
        def told(answer: Answer) -> None:
            del self.of_attempts[child.mark]
            if attempt.child is not child:
                return
            if answer.secrets:  # before the task can print any
                child.masker.add(answer.secrets)
            self.tell(child, orders.Told(answer.value, answer.refused, answer.secrets))

        return told

    def call(self, child: Child, name: str) -> None:
        """Tell how the task calls its mapped instance. The end of the attempt says it again, for good."""
        attempt = child.attempt
        if attempt is None or attempt.name == name:
            return
        attempt.name = name
        if attempt.names_told < NAMES_MAX:
            attempt.names_told += 1
            self.link.send(Named(attempt.key, attempt.grant.token, name))

    def tell(self, child: Child, told: orders.Told) -> None:
        child.add(told)
        self.children.tell(child)

    def forget(self, child: Child) -> None:
        """Forget the question of a child whose attempt has ended."""
        if (request := self.of_attempts.pop(child.mark, None)) is not None:
            self.drop(request)

    # -- the line to the gateway

    def put(
        self, by: By, kind: str, name: str, told: Callable[[Answer], None], masker: Masker
    ) -> int:
        """Ask, and return the number of the question. What is kept goes with the secrets of who asks in it."""
        held = masker.held(name.encode(errors="replace")) if kind in KEPT else ()
        ask = Ask(next(self.requests), by, kind, name, sorted(held))
        self.open[ask.request] = Open(ask, told)
        self.link.send(ask)
        return ask.request

    def send_again(self) -> None:
        """Repeat open questions on a new connection."""
        for one in self.open.values():
            self.link.send(one.ask)

    def answer(self, answer: Answer) -> None:
        if (one := self.open.pop(answer.request, None)) is not None:
            one.told(answer)

    def drop(self, request: int) -> None:
        self.open.pop(request, None)
