"""Results that attempts wait for: fetched from the gateway once, and kept for later attempts."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

from headway.agent.attempts import Attempt
from headway.agent.link import Link
from headway.agent.protocol import AttemptKey, Fetch, Stored, Values, XComRef
from headway.agent.xcoms import Xcoms, key_of


class Inputs:
    def __init__(
        self,
        data: Path,
        link: Link,
        complete: Callable[[Attempt], None],
        refused: Callable[[Attempt, str], None],
    ) -> None:
        self.link = link
        self.complete = complete  # told of an attempt as soon as it has all it needs
        self.refused = refused  # told of one that will not have it
        self.xcoms = Xcoms(data)
        self.requests = count(1)
        self.fetching: dict[int, tuple[str, list[XComRef]]] = {}
        self.parts: dict[int, list[Stored]] = {}  # of answers that come in more than one
        self.asked: dict[tuple[str, XComRef], list[Attempt]] = {}

    def gather(self, attempt: Attempt) -> None:
        lacking = self.xcoms.hold(attempt.grant, attempt.held)
        if not lacking:
            self.complete(attempt)
            return
        run_id = attempt.key.run_id
        new = [ref for ref in dict.fromkeys(lacking) if (run_id, ref) not in self.asked]
        for ref in lacking:
            self.asked.setdefault((run_id, ref), []).append(attempt)
        if new:
            self.fetch(run_id, new)

    def fetch(self, run_id: str, refs: list[XComRef]) -> None:
        request = next(self.requests)
        self.fetching[request] = (run_id, refs)
        self.link.send(Fetch(request, run_id, refs))

    def fetch_again(self) -> None:
        """Repeat open requests on a new connection."""
        self.fetching.clear()
        self.parts.clear()
        for run_id, ref in list(self.asked):
            self.fetch(run_id, [ref])

    def take(self, message: Values) -> None:
        values = self.parts.setdefault(message.request, [])
        values.extend(message.values)
        if message.more:
            return
        del self.parts[message.request]
        run_id, refs = self.fetching.pop(message.request, ("", []))
        if message.refused:
            self.refuse(run_id, refs, message.refused)
            return
        waiting: dict[AttemptKey, Attempt] = {}
        for ref, entry in self.xcoms.put_fetched(run_id, refs, values).items():
            for attempt in self.asked.pop((run_id, ref), ()):
                attempt.held[key_of(run_id, ref)] = entry
                waiting[attempt.key] = attempt
        for attempt in waiting.values():
            if not self.xcoms.hold(attempt.grant, attempt.held):
                self.complete(attempt)

    def refuse(self, run_id: str, refs: list[XComRef], why: str) -> None:
        for ref in refs:
            for attempt in self.asked.pop((run_id, ref), ()):
                self.refused(attempt, why)
