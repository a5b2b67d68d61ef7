"""One life of the agent towards its gateway: who it is, and until when its lease holds.

The lease holds from the moment its acknowledged message was sent, never longer. When it is over, the session is: what
it ran is killed, nothing of it is reported, and the agent comes back as another session.
"""

from collections.abc import Callable
from itertools import count
from typing import Final

from headway import clock, ids
from headway.agent.budget import LogBudget
from headway.agent.link import BACKOFF_S_MIN, Link
from headway.agent.loop import Loop
from headway.agent.protocol import FENCE_S, HEARTBEAT_S, Heartbeat, Welcome

LOG_BYTES_MAX: Final = 2**31 - 1  # told of a minute


class Session:
    def __init__(
        self, loop: Loop, link: Link, extended: Callable[[float], None], ended: Callable[[], None]
    ) -> None:
        self.loop = loop
        self.link = link
        self.extended = extended  # told until when the lease holds now
        self.ended = ended
        self.token = ids.token()
        self.seqs = count(1)  # of its reports
        self.over = False
        self.fence_s = FENCE_S
        self.fence_at: float | None = None  # None: nothing was granted to it yet
        self.hello_at = 0.0
        self.welcomed = False
        self.beats = count(1)
        self.beats_sent: dict[int, float] = {}
        self.next_beat_at = 0.0
        self.logs = LogBudget()
        self.draining = False
        self.asked_to_drain: int | None = None  # the first beat of this connection that said so
        self.is_drained = False  # the gateway has heard it: nothing more comes

    def greeted(self) -> None:
        self.hello_at = clock.monotonic()
        self.welcomed = False
        self.beats_sent.clear()
        self.asked_to_drain, self.is_drained = None, False

    def welcome(self, welcome: Welcome) -> None:
        self.link.backoff_s = BACKOFF_S_MIN
        self.welcomed = True
        self.fence_s = welcome.fence_s
        self.extend(self.hello_at)
        self.next_beat_at = 0.0
        self.beat()

    def acknowledged(self, beat: int, log_bytes: int | None) -> None:
        self.logs.limit = log_bytes
        if (sent_at := self.beats_sent.pop(beat, None)) is not None:
            self.extend(sent_at)
            if self.asked_to_drain is not None and beat >= self.asked_to_drain:
                self.is_drained = True

    def drain(self) -> None:
        """Tell the gateway to grant nothing more, now and after each reconnect."""
        self.draining = True
        self.next_beat_at = 0.0
        self.beat()

    def extend(self, since: float) -> None:
        self.fence_at = max(self.fence_at or 0.0, since + self.fence_s)
        self.extended(self.fence_at)
        self.loop.at(self.fence_at, self.check)

    def check(self) -> None:
        if self.fence_at is not None and clock.monotonic() >= self.fence_at:
            self.end()

    def end(self) -> None:
        if not self.over:
            self.over = True
            self.link.close()
            self.ended()

    def beat(self) -> None:
        """Send a heartbeat every 5 s, or more often if the gateway's fence is shorter."""
        now = clock.monotonic()
        if now < self.next_beat_at or self.over:
            return
        self.next_beat_at = now + min(HEARTBEAT_S, self.fence_s / 3)
        self.loop.at(self.next_beat_at, self.beat)
        if self.link.up and self.welcomed:
            seq = next(self.beats)
            self.beats_sent[seq] = now
            if self.draining and self.asked_to_drain is None:
                self.asked_to_drain = seq
            self.link.send(Heartbeat(seq, min(self.logs.used(), LOG_BYTES_MAX), self.draining))
