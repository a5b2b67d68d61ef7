"""Questions of running attempts for connections and variables, on their way to the gateway and back.

The agent keeps no answer: it learns what to mask, hands the answer to the child, and forgets it. An attempt has at most
one open question, which ends with it.
"""

from itertools import count

from headway.agent import orders
from headway.agent.attempts import Attempt
from headway.agent.children import Child, Children
from headway.agent.link import Link
from headway.agent.protocol import Answer, Ask


class Asks:
    def __init__(self, link: Link) -> None:
        self.link = link
        self.requests = count(1)
        self.open: dict[int, tuple[Attempt, orders.Ask]] = {}

    def take(self, child: Child, ask: orders.Ask) -> None:
        attempt = child.attempt
        if attempt is None or any(attempt is other for other, _ in self.open.values()):
            return
        request = next(self.requests)
        self.open[request] = (attempt, ask)
        self.send(request, attempt, ask)

    def send(self, request: int, attempt: Attempt, ask: orders.Ask) -> None:
        self.link.send(Ask(request, attempt.key, attempt.grant.token, ask.kind, ask.name))

    def send_again(self) -> None:
        """Repeat open questions on a new connection."""
        for request, (attempt, ask) in self.open.items():
            self.send(request, attempt, ask)

    def answer(self, answer: Answer, children: Children) -> None:
        attempt, _ = self.open.pop(answer.request, (None, None))
        if attempt is None or attempt.child is None:
            return
        child = attempt.child
        if answer.secrets:  # before the task can print any
            child.masker.add(answer.secrets)
        child.add(orders.Told(answer.value, answer.refused))
        children.tell(child)

    def forget(self, attempt: Attempt) -> None:
        for request in [known for known, (other, _) in self.open.items() if other is attempt]:
            del self.open[request]
