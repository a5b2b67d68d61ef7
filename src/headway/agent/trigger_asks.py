"""Questions of triggers and watchers for connections and variables, on their way from their process to the gateway.

A few are out at once and the rest wait here, so that ten thousand waits which ask at each look hold up no task and are
never too many for the server. A question ends with its wait, and with the process that asks: another one asks anew.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from headway.agent.protocol import Answer, ByWait, ByWatcher, Watch
from headway.agent.waiting import Triggerer, Waiting
from headway.agent.watching import Answered, Question

if TYPE_CHECKING:
    from headway.agent.triggerers import Triggerers

OUT_MAX: Final = 4  # of one agent
OPEN_MAX: Final = 100  # of one wait or watcher
QUESTION_BYTES_MAX: Final = 2 * 1024 * 1024
OVER: Final = "the wait is over"
MANY: Final = f"it asks more than {OPEN_MAX} questions at once"


@dataclass(eq=False, slots=True)
class Asked:
    """A question. ``request``: its number on the way to the gateway; 0: it waits here."""

    triggerer: Triggerer
    waiting: Waiting
    question: Question
    request: int = 0
    over: bool = False


class TriggerAsks:
    def __init__(self, triggerers: "Triggerers") -> None:
        self.triggerers = triggerers
        self.clear()

    def clear(self) -> None:
        self.queue: deque[Asked] = deque()
        self.out = 0

    def take(self, triggerer: Triggerer, question: Question) -> None:
        waiting = triggerer.waits.get(question.number)
        if waiting is None:
            tell(triggerer, Answered(question.request, refused=OVER))
        elif len(waiting.asked) >= OPEN_MAX:
            tell(triggerer, Answered(question.request, refused=MANY))
        else:
            asked = waiting.asked[question.request] = Asked(triggerer, waiting, question)
            if question.blocks:  # all that are in this loop wait for it
                triggerer.blocking = asked
                self.queue.appendleft(asked)
            else:
                self.queue.append(asked)
            self.pump()

    def pump(self) -> None:
        """Ask as many questions as may be out."""
        while self.queue and self.out < OUT_MAX:
            asked = self.queue.popleft()
            if not asked.over:
                self.out += 1
                self.put(asked)

    def put(self, asked: Asked) -> None:
        watch, question = asked.waiting.watch, asked.question
        by = ByWait(watch.key) if isinstance(watch, Watch) else ByWatcher(watch.key)
        asked.request = self.triggerers.owner.asks.put(
            *(by, question.kind, question.name),
            lambda answer: self.answered(asked, answer),
            asked.triggerer.masker,
        )

    def answered(self, asked: Asked, answer: Answer) -> None:
        triggerer, request = asked.triggerer, asked.question.request
        self.out -= 1
        del asked.waiting.asked[request]
        triggerer.masker.add(answer.secrets)  # before any of them can be printed
        tell(triggerer, Answered(request, answer.value, answer.refused))
        self.pump()

    def forget(self, *waitings: Waiting) -> None:
        """Forget the questions of waits that are over, or whose process has ended."""
        for waiting in waitings:
            for asked in waiting.asked.values():
                asked.over = True
                if asked.request:
                    self.triggerers.owner.asks.drop(asked.request)
                    self.out -= 1
            waiting.asked.clear()
        self.pump()


def blocks(triggerer: Triggerer) -> bool:
    """Return whether the loop of a process stands still because it waits for an answer."""
    asked = triggerer.blocking
    return asked is not None and asked.question.request in asked.waiting.asked


def tell(triggerer: Triggerer, answered: Answered) -> None:
    if triggerer.asks is not None:
        triggerer.asks.send(answered)
