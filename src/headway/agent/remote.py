"""An agent that shares no file system with the server: on another machine, or in a pod.

It is an agent with a data directory of its own. What its attempts need comes over its connection before they start,
and what they leave behind goes the same way before their end is reported. It holds no credential but the one that let
it in.
"""

from functools import partial
from typing import Final

from msgspec.structs import replace

from headway import clock
from headway.agent.agent import Agent
from headway.agent.attempts import Attempt, End
from headway.agent.deliveries import Deliveries
from headway.agent.errands import Errands
from headway.agent.leftovers import remove_old_bundles, remove_old_results
from headway.agent.link import is_behind
from headway.agent.protocol import (
    Ack,
    Found,
    GatewayMessage,
    Hello,
    Piece,
    Refused,
    Watch,
    Watches,
    Welcome,
    XComRef,
)
from headway.agent.supplies import Supplies
from headway.agent.watchers import (
    Standing,
    Stopped,
    Watchers,
)

TIDY_S: Final = 3600.0


class RemoteAgent(Agent):
    tidy_at = 0.0
    draining = False

    def trust(self, ca: str) -> None:
        """Say whom to trust at an address with TLS: certificates in PEM; empty: those of the system.

        Raises UsageError.
        """
        if self.link.address.startswith("tls:"):
            from headway.agent.tls import trusting  # others need none of it

            self.link.context = trusting(ca or None)

    def begin_session(self) -> None:
        super().begin_session()
        session = self.session
        session.draining = self.draining
        self.errands = Errands(
            self.loop, self.link, lambda: session.welcomed and self.link.up and not session.over
        )
        self.supplies = Supplies(self.data, self.errands)
        self.deliveries = Deliveries(self.data, self.loop, self.errands)
        self.inputs.complete = self.bring_results
        self.leaving: set[int] = set()  # ends whose files are on their way
        self.left: set[int] = set()  # ends that may be reported

    def hello(self) -> Hello:
        return replace(super().hello(), draining=self.draining)

    def drain(self, most_s: float | None = None) -> None:
        """Take nothing new, end what was granted, and leave; after ``most_s`` what still runs is reported as lost."""
        if not self.draining:
            self.draining = True
            self.session.drain()
        if most_s is not None:
            self.loop.at(clock.monotonic() + most_s, self.stop_all)

    def over(self) -> bool:
        is_empty = not self.attempts and not self.unacked
        return (self.draining and self.session.is_drained and is_empty) or super().over()

    def fence(self) -> None:
        self.deliveries.logs.clear()
        super().fence()

    def receive(self, message: GatewayMessage) -> None:
        match message:
            case Piece():
                self.errands.answered(message)
                return
            case Watches(watches):
                for watch in watches:
                    done = partial(self.look_after, watch)
                    self.supplies.bring_bundle(watch.run.bundle_version, done)
                return
            case Watchers(watchers):
                for standing in watchers:
                    begin = partial(self.look_out, standing)
                    self.supplies.bring_bundle(standing.bundle_version, begin)
                return
            case Ack():
                self.acknowledged(message)
                return
            case Refused(reason) if is_behind(reason):
                self.link.put_off(reason)
                return
        super().receive(message)

    def acknowledged(self, ack: Ack) -> None:
        """Forget the ends that are stored. One whose files are on their way was not told: no later one tells of it."""
        waiting = {known: self.unacked[known] for known in self.leaving & self.unacked.keys()}
        super().receive(ack)
        self.unacked = waiting | self.unacked
        self.left &= self.unacked.keys()

    def look_after(self, watch: Watch, why: str) -> None:
        """Look after a wait whose code is here now."""
        if why:
            self.link.send(Found(watch.key, error=why))
        else:
            super().receive(Watches([watch]))

    def look_out(self, standing: Standing, why: str) -> None:
        """Look after a watcher whose code is here now."""
        if why:
            self.link.send(Stopped(standing.key, why))
        else:
            super().receive(Watchers([standing]))

    def welcome(self, welcome: Welcome) -> None:
        super().welcome(welcome)
        self.errands.send_again()

    def keep_house(self) -> None:
        super().keep_house()
        if clock.monotonic() < self.tidy_at or self.supplies.waiting:
            return
        self.tidy_at = clock.monotonic() + TIDY_S
        remove_old_results(self.data)
        used = {version for version, _ in self.servers.known}
        used |= {attempt.run.bundle_version for attempt in self.attempts.values()}
        self.supplies.ready -= remove_old_bundles(self.data, used)

    # -- before an attempt

    def prepare(self, attempt: Attempt) -> None:
        if not attempt.run.file:  # a task of ours
            super().prepare(attempt)
            return
        self.supplies.bring_bundle(attempt.run.bundle_version, partial(self.supplied, attempt))

    def supplied(self, attempt: Attempt, why: str) -> None:
        if self.attempts.get(attempt.key) is not attempt:
            return
        if why:
            self.end(attempt, End("failed", "import", why))
        else:
            super().prepare(attempt)

    def bring_results(self, attempt: Attempt) -> None:
        """Get the results of the attempt that are files."""
        run_id = attempt.key.run_id
        wanted = [
            (XComRef(key[1], key[2], map_index), self.inputs.xcoms.path(one))
            for key, entry in attempt.held.items()
            for map_index, one in zip(entry.map_indexes, entry.stored, strict=True)
            if one.file is not None
        ]
        left = len(wanted)

        def came(why: str) -> None:
            nonlocal left
            left -= 1
            if why:
                self.lack(attempt, why)
            elif left == 0 and attempt.key in self.attempts:
                self.push(attempt)

        for ref, path in wanted:
            self.supplies.bring_result(run_id, ref, path, came)
        if not wanted:
            self.push(attempt)

    def begin(self, attempt: Attempt, at: float) -> None:
        super().begin(attempt, at)
        self.deliveries.follow(attempt.key)

    # -- after it

    def report_end(self, seq: int) -> None:
        ended, _ = self.unacked[seq]
        if seq in self.left:
            super().report_end(seq)
        elif seq not in self.leaving:
            self.leaving.add(seq)
            self.deliveries.finish(ended.key, ended.xcoms, partial(self.delivered, seq))

    def delivered(self, seq: int, why: str) -> None:
        self.leaving.discard(seq)
        if seq not in self.unacked:
            return
        ended, at = self.unacked.pop(seq)
        if why:
            text = f"the result cannot be stored: {why}"
            ended = replace(ended, outcome="failed", cause="result", detail=text, xcoms=[])
        last = next(
            self.session.seqs
        )  # of reports, whose numbers tell in which order they were sent
        self.unacked[last] = replace(ended, seq=last), at
        self.left.add(last)
        self.report_end(last)
