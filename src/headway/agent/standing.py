"""The watchers of an agent: standing waits that belong to assets, in the same processes as those of attempts.

What a watcher tells goes to the gateway one batch at a time and again on a new connection; the watcher goes on when it
is stored. One that ends, or whose process ends too often, is told of as stopped: the gateway hands it out again later.
"""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from headway import clock
from headway.agent.masking import Masker
from headway.agent.shown import masked_json
from headway.agent.waiting import Waiting
from headway.agent.watchers import (
    Fired,
    Release,
    Sighted,
    Standing,
    Stopped,
    Taken,
    WatcherEvent,
    WatcherKey,
    WatcherLook,
    Watchers,
)
from headway.agent.watching import Fires, Over, Stored
from headway.spec.carried import shown

if TYPE_CHECKING:
    from headway.agent.triggerers import Triggerers

NOTE_S: Final = 10.0  # how often a watcher tells of its looks
NOTE_CHARS_MAX: Final = 500
CURSOR_FLAW: Final = (
    "its cursor holds a secret that the watcher was handed, and cursors are stored; "
    "give a cursor that names what was seen, and ask for the secret again"
)


class Untaken(NamedTuple):
    """A message that is not taken yet, and which batch of which process of its watcher it is."""

    fired: Fired
    begun: int
    batch: int


class Standings:
    def __init__(self, triggerers: "Triggerers") -> None:
        self.triggerers = triggerers
        self.clear()

    def clear(self) -> None:
        self.waits: dict[WatcherKey, Waiting] = {}
        self.untaken: dict[WatcherKey, deque[Untaken]] = {}
        self.looks: dict[WatcherKey, tuple[WatcherLook, float]] = {}

    # -- what the gateway says

    def hear(self, message: Watchers | Release | Taken) -> None:
        match message:
            case Watchers(watchers):
                self.begin(watchers)
            case Release(keys):
                for key in keys:
                    self.release(key)
            case Taken(key, batch, again_s):
                self.taken(key, batch, again_s)

    def begin(self, standings: Sequence[Standing]) -> None:
        for standing in standings:
            if standing.key in self.waits:
                continue
            for key in [key for key in self.waits if key.digest == standing.key.digest]:
                self.release(key)  # an earlier life of it
            self.waits[standing.key] = self.triggerers.stand(standing)

    def release(self, key: WatcherKey, *, told: bool = False) -> None:
        self.untaken.pop(key, None)
        self.looks.pop(key, None)
        if (waiting := self.waits.pop(key, None)) is not None:
            self.triggerers.drop(waiting, told=told)

    def taken(self, key: WatcherKey, batch: int, again_s: float) -> None:
        untaken = self.untaken.get(key)
        if not untaken or untaken[0].fired.batch != batch:
            return
        if again_s > 0:
            at = clock.monotonic() + again_s
            self.triggerers.owner.loop.at(at, lambda: self.tell(key, batch))
            return
        _, begun, of_process = untaken.popleft()
        waiting = self.waits[key]
        if begun == waiting.begun:
            self.triggerers.tell(waiting, Stored(waiting.number, of_process))
        if untaken:
            self.tell(key, untaken[0].fired.batch)

    def tell(self, key: WatcherKey, batch: int) -> None:
        untaken = self.untaken.get(key)
        if untaken and untaken[0].fired.batch == batch:
            self.triggerers.owner.link.send(untaken[0].fired)

    def tell_again(self) -> None:
        """Repeat on a new connection what was not taken."""
        for untaken in self.untaken.values():
            if untaken:
                self.triggerers.owner.link.send(untaken[0].fired)

    # -- what its process says

    def fires(self, waiting: Waiting, message: Fires) -> None:
        """Tell what a watcher saw. A process that takes its place goes on behind it: it will be stored in this life."""
        assert isinstance(waiting.watch, Standing)
        key, masker = waiting.watch.key, self.triggerers.masker(waiting)
        if message.cursor is not None and masked_json(message.cursor, masker)[0] is not None:
            self.triggerers.owner.link.send(Stopped(key, CURSOR_FLAW))
            self.release(key)
            return
        events = [masked(event, masker) for event in message.events]
        waiting.told += 1
        if message.cursor is not None:
            waiting.watch = replace(waiting.watch, cursor=message.cursor)
        fired = Fired(key, waiting.told, events, message.cursor)
        untaken = self.untaken.setdefault(key, deque())
        untaken.append(Untaken(fired, waiting.begun, message.batch))
        if len(untaken) == 1:
            self.triggerers.owner.link.send(fired)

    def over(self, waiting: Waiting, message: Over) -> None:
        """Tell that a watcher has ended."""
        assert isinstance(waiting.watch, Standing)
        error = self.triggerers.masker(waiting).text(shown(message.error))
        self.triggerers.owner.link.send(Stopped(waiting.watch.key, error))
        self.release(waiting.watch.key, told=True)

    def note(self, waiting: Waiting, looks: int, again_s: float | None, note: str) -> None:
        """Tell of a look, with the next ones."""
        assert isinstance(waiting.watch, Standing)
        key = waiting.watch.key
        before = self.looks.get(key)
        if before is not None:
            looks, note = looks or before[0].looks, note or before[0].note
            again_s = before[0].again_s if again_s is None else again_s
        text = self.triggerers.masker(waiting).text(shown(note[:NOTE_CHARS_MAX]))
        self.looks[key] = WatcherLook(key, looks, 0.0, again_s, text), clock.monotonic()

    def say(self, waiting: Waiting, text: str) -> None:
        """Keep the last of what a watcher prints as its note: it has no log."""
        if text.strip():
            self.note(waiting, 0, None, text.strip().splitlines()[-1])

    def tell_looks(self, now: float) -> None:
        told = []
        for key, (look, at) in list(self.looks.items()):
            waiting = self.waits.get(key)
            if waiting is not None and now - waiting.noted_at >= NOTE_S:
                waiting.noted_at = now
                told.append(replace(look, age_s=now - at))
                del self.looks[key]
        if told:
            self.triggerers.owner.link.send(Sighted(told))


def masked(event: WatcherEvent, masker: Masker) -> WatcherEvent:
    """Return an event without the secrets that its process was handed: everybody sees events."""
    return WatcherEvent(
        masked_json(event.extra, masker)[0] or event.extra,
        None if event.partition is None else masker.text(event.partition),
        None if event.key is None else masker.text(event.key),
    )
