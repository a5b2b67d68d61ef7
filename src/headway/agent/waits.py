"""The waits of deferred attempts that an agent looks after: what is known of each, and what is told of it.

What a trigger found is told until it is acknowledged. Its looks are for people, and told seldom.
"""

import contextlib
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from headway import clock
from headway.agent import shown as hidden
from headway.agent.attempts import log_of
from headway.agent.protocol import AttemptKey, Found, Look, Looked, Unwatch, Watch, Watches
from headway.agent.waiting import Waiting, flaw_of
from headway.agent.watching import Over
from headway.spec.carried import shown

if TYPE_CHECKING:
    from headway.agent.triggerers import Triggerers

SAID_BYTES_MAX: Final = 1024 * 1024  # of the log of one wait
NOTE_S: Final = 30.0  # how often a wait tells of its looks, if it looks more often than that


class Waits:
    def __init__(self, triggerers: "Triggerers") -> None:
        self.triggerers = triggerers
        self.clear()

    def clear(self) -> None:
        self.waits: dict[AttemptKey, Waiting] = {}
        self.untold: dict[int, tuple[Found, float]] = {}  # found, and not acknowledged
        self.looks: dict[AttemptKey, tuple[Look, float]] = {}

    # -- what the gateway says

    def hear(self, message: Watches | Unwatch) -> None:
        match message:
            case Watches(watches):
                self.begin(watches)
            case Unwatch(keys):
                self.release(keys)

    def begin(self, watches: list[Watch]) -> None:
        untold = {found.key for found, _ in self.untold.values()}
        for watch in watches:
            if watch.key not in self.waits and watch.key not in untold:
                self.waits[watch.key] = self.triggerers.wait(watch)

    def release(self, keys: list[AttemptKey]) -> None:
        for key in keys:
            self.looks.pop(key, None)
            if (waiting := self.waits.pop(key, None)) is not None:
                self.triggerers.drop(waiting, told=False)

    def acknowledged(self, seq: int) -> None:
        for known in [known for known in self.untold if known <= seq]:
            del self.untold[known]

    def tell_again(self) -> None:
        """Repeat on a new connection what was not acknowledged."""
        now = clock.monotonic()
        for found, at in self.untold.values():
            self.triggerers.owner.link.send(replace(found, age_s=now - at))

    # -- what its process says

    def found(self, waiting: Waiting, over: Over) -> None:
        """Tell what a trigger found, until that is acknowledged."""
        assert isinstance(waiting.watch, Watch)
        key, error, body = waiting.watch.key, shown(over.error), over.found
        if not error and (flaw := flaw_of(body)):
            body, error = None, f"what the trigger found cannot be stored: {flaw}"
        if error:
            self.say(waiting, f"the trigger failed: {error}", note=True)
        owner = self.triggerers.owner
        seq = next(owner.session.seqs)
        found = Found(key, body, error, seq, exceptions=over.exceptions)
        found = hidden.found(found, self.triggerers.masker(waiting))
        self.untold[found.seq] = found, clock.monotonic()
        owner.link.send(found)
        self.waits.pop(key, None)
        self.looks.pop(key, None)
        self.triggerers.drop(waiting, told=True)

    def note(self, waiting: Waiting, looks: int, again_s: float | None, note: str) -> None:
        """Tell of a look, at once or with the next ones."""
        assert isinstance(waiting.watch, Watch)
        key = waiting.watch.key
        before = self.looks.get(key)
        if not looks and before is not None:
            looks, again_s = before[0].looks, before[0].again_s
        if looks and not note and before is not None:
            note = before[0].note
        note = self.triggerers.masker(waiting).text(shown(note))
        self.looks[key] = Look(key, looks, 0.0, again_s, note), clock.monotonic()

    def tell_looks(self, now: float) -> None:
        """Tell the looks since the last time; of a wait not more often than it makes sense to a person."""
        told = []
        for key, (look, at) in list(self.looks.items()):
            waiting = self.waits.get(key)
            if waiting is None or not look.looks:
                continue
            if now - waiting.noted_at >= NOTE_S:
                waiting.noted_at = now
                told.append(replace(look, age_s=now - at))
                del self.looks[key]
        if told:
            self.triggerers.owner.link.send(Looked(told))

    def say(self, waiting: Waiting, text: str, *, note: bool = False) -> None:
        """Write to the log of the attempt."""
        assert isinstance(waiting.watch, Watch)
        waiting.said += len(text)
        if waiting.said > SAID_BYTES_MAX and not note:
            return
        owner, watch = self.triggerers.owner, waiting.watch
        owner.session.logs.spend(len(text))  # it has a limit of its own
        masker = self.triggerers.masker(waiting)
        log = log_of(watch.key, watch.run, owner.data, masker, owner.spool)
        with contextlib.closing(log):
            if note:
                log.note(text)
            else:
                log.write(text.encode(errors="backslashreplace"))
        if note:
            said = masker.text(shown(text))
            self.looks[watch.key] = Look(watch.key, 1, 0.0, None, said), clock.monotonic()
            waiting.noted_at = float("-inf")
