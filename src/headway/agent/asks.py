"""Questions of running attempts for connections and variables, on their way to the gateway and back, and the names of
mapped instances.

The agent keeps no answer: it learns what to mask, hands the answer to the child, and forgets it. An attempt has at most
one open question, which ends with it.
"""

from itertools import count
from typing import Final

from headway.agent import orders
from headway.agent.attempts import Attempt
from headway.agent.children import Child, Children
from headway.agent.link import Link
from headway.agent.protocol import Answer, Ask, Named

NAMES_MAX: Final = 10  # of one attempt that are told while it runs: each takes part in a tick

RUNS: Final = "runs"  # the kind of what may start a run (``secrets.runs``)
REVEALS: Final = (
    "the run is not started: its parameters, note or name hold a secret that this task was handed, and everybody "
    "sees them; pass the id of the connection, and have the other DAG ask for it"
)


class Asks:
    def __init__(self, link: Link, children: Children) -> None:
        self.link = link
        self.children = children
        self.requests = count(1)
        self.open: dict[int, tuple[Attempt, orders.Ask]] = {}

    def take(self, child: Child, ask: orders.Ask) -> None:
        attempt = child.attempt
        if attempt is None or any(attempt is other for other, _ in self.open.values()):
            return
        if ask.kind == RUNS and child.masker.holds(ask.name.encode(errors="replace")):
            self.tell(child, orders.Told(None, REVEALS))
            return
        request = next(self.requests)
        self.open[request] = (attempt, ask)
        self.send(request, attempt, ask)

    def call(self, child: Child, name: str) -> None:
        """Tell how the task calls its mapped instance. The end of the attempt says it again, for good."""
        attempt = child.attempt
        if attempt is None or attempt.name == name:
            return
        attempt.name = name
        if attempt.names_told < NAMES_MAX:
            attempt.names_told += 1
            self.link.send(Named(attempt.key, attempt.grant.token, name))

    def send(self, request: int, attempt: Attempt, ask: orders.Ask) -> None:
        self.link.send(Ask(request, attempt.key, attempt.grant.token, ask.kind, ask.name))

    def send_again(self) -> None:
        """Repeat open questions on a new connection."""
        for request, (attempt, ask) in self.open.items():
            self.send(request, attempt, ask)

    def answer(self, answer: Answer) -> None:
        attempt, _ = self.open.pop(answer.request, (None, None))
        if attempt is None or attempt.child is None:
            return
        child = attempt.child
        if answer.secrets:  # before the task can print any
            child.masker.add(answer.secrets)
        self.tell(child, orders.Told(answer.value, answer.refused, answer.secrets))

    def tell(self, child: Child, told: orders.Told) -> None:
        child.add(told)
        self.children.tell(child)

    def forget(self, attempt: Attempt) -> None:
        for request in [known for known, (other, _) in self.open.items() if other is attempt]:
            del self.open[request]
