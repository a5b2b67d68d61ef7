"""A world with outbound webhooks: URLs that answer, fail, or say nothing for a while, and one that never answers well.
People disable, enable and create them anew; processes that send die between a request and its note, or are frozen
until their lease is over.

For each end that a webhook wants there is one delivery, which is sent until somebody takes it or its time is over; for
other ends there is none.
"""

from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
import psycopg
from psycopg import Connection

from headway import wire
from headway.actions import outbound as actions
from headway.core import outbound as core
from headway.core.webhooks import DELIVERY
from headway.errors import HeadwayError
from headway.outbound.post import Answer
from headway.outbound.sender import Sender
from headway.secrets.keys import local_keys
from headway.store import sending
from headway.store.transact import ENGINE, Session, connect
from tests.simulation.people import People
from tests.simulation.process import Crash
from tests.simulation.world import SEAMS, WAITS_FOR_NOBODY, Connections, World

STEPS: Final = 40
SENDS: Final[dict[str, Any]] = {"role": ENGINE, "limits": WAITS_FOR_NOBODY}
SITE: Final = "https://headway.example.com"
DEAD: Final = "dead"  # it never answers well
WANTED: Final[Mapping[str, dict[str, Any]]] = {
    "all": {"dags": ["*"], "states": list(core.STATES)},
    "failures": {"dags": ["*"], "states": ["failed", "cancelled"]},
    "first": {"dags": ["d0"], "states": ["success", "failed"]},
    DEAD: {"dags": ["*"], "states": list(core.STATES)},
}
LAST_ROUNDS_MAX: Final = 400
EARLY: Final = timedelta(hours=10)  # nobody gives up before that
ENDS: Final = """
    SELECT event.run_id, event.seq, event.at, event.name, run.dag_id FROM event
    JOIN run USING (team_id, run_id) WHERE event.subject = 'run' AND event.name = ANY (%s)
"""
SENT: Final = """
    SELECT name, event_id, run_id, state, status, since, tried_at, body FROM outbound_delivery
"""
HOOKS: Final = "SELECT name, created_at, active_since, disabled_at FROM outbound_webhook"
DUE: Final = "SELECT min(next_at) FROM outbound_delivery"


@dataclass
class Hook:
    """A webhook, since it was created. ``disabled``: from when to when it was."""

    created_at: datetime
    disabled: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    @property
    def is_disabled(self) -> bool:
        return bool(self.disabled) and self.disabled[-1][1] is None

    def was_active(self, at: datetime) -> bool:
        return at >= self.created_at and not any(
            since < at and (until is None or at < until) for since, until in self.disabled
        )

    def is_owed(self, at: datetime) -> bool:
        """Return whether it must have been told: it was there before, and nobody has disabled it since."""
        return at > self.created_at and all(
            until is not None and at > until for _, until in self.disabled
        )


class Desk:
    """A process that sends, without its process: one turn of its loop at a time."""

    def __init__(self, world: "Outbound", conn: Session) -> None:
        self.world, self.conn = world, conn
        self.busy = False
        self.frozen_until = 0.0
        self.restart()

    def restart(self) -> None:
        self.sender = Sender(self.conn, self.world.keys, self.world.receive)

    def turn(self) -> None:
        if self.busy or self.world.elapsed < self.frozen_until:
            return
        self.busy = True
        try:
            self.work()
        except (Crash, HeadwayError, psycopg.Error) as error:
            self.world.note(f"a sender died: {error!r}")
            self.conn.rollback()
            self.restart()
        finally:
            self.busy = False

    def work(self) -> None:
        sender = self.sender
        off = {name: hook for name, hook in self.world.hooks.items() if hook.is_disabled}
        answered, sender.answered = sender.answered, []
        for delivery in sender.work(answered, {}) or ():
            hook = off.get(delivery.name)
            if hook is not None and hook is self.world.hooks.get(delivery.name):
                assert not hook.is_disabled, f"O3 sent to {delivery.name}, disabled"
            self.world.point("before a request")
            answer = finished(sender.request(delivery))
            self.world.point("after a request")
            sender.answered.append((delivery, answer))
        if self.world.happens(0.05):
            self.frozen_until = self.world.elapsed + 90.0


class Outbound(World):
    seams = (*SEAMS, (sending, "claim"), (sending, "record"), (sending, "add"))

    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.labelled = False
        self.chance_of_seals = Random(seed)
        self.hooks: dict[str, Hook] = {}
        self.taken: set[tuple[str, str]] = set()  # webhook and delivery, answered well
        self.bodies: dict[tuple[str, str], set[bytes]] = defaultdict(set)
        self.stopped: set[str] = (
            set()
        )  # webhooks that lost deliveries, since somebody disabled them
        self.people: Subscribers = Subscribers(self)

    def run(self) -> None:
        with TemporaryDirectory() as place:
            self.keys = local_keys(Path(place), None)
            with ExitStack() as open_ones:
                self.office, *others = [
                    open_ones.enter_context(closing(connect(self.connections.dsn, **role)))
                    for role in ({}, SENDS, SENDS)
                ]
                self.desks = [Desk(self, conn) for conn in others]
                super().run()

    def salt(self) -> bytes:
        """Return chance of its own: what is sealed with it decides nothing."""
        return b"%016d" % self.chance_of_seals.randrange(10**16)

    def begin(self) -> None:
        self.observer.execute("DELETE FROM outbound_webhook")
        self.observer.execute("DELETE FROM event_position")
        super().begin()

    def populate(self) -> None:
        super().populate()
        self.trouble = False
        for name in WANTED:
            self.people.create(self.office, name)
        self.look_at_hooks()
        self.desks[0].turn()  # it follows from here on
        self.trouble = True

    def time_passes(self) -> None:
        """No clock is set back: ends are told by when they were."""
        self.pass_time(self.chance.choice([0.1, 0.5, 1.0, 2.0, 5.0, 20.0]))

    def scheduler_turns(self) -> None:
        super().scheduler_turns()
        if self.chance.random() < 0.5:
            self.chance.choice(self.desks).turn()

    async def receive(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Be the other side of a request."""
        name, event_id = url.rpartition("/")[2], headers[DELIVERY]
        self.bodies[name, event_id].add(body)
        if name == DEAD or self.happens(0.5):
            return Answer(500, "it answered 500", "broken", 3)
        self.taken.add((name, event_id))
        if self.happens(0.2):
            return Answer(None, "it did not answer within 15 s", None, 15_000)
        return Answer(200, None, "ok", 3)

    def look_at_hooks(self) -> None:
        """Learn what people's deeds came to, also of those that were interrupted."""
        rows = self.observer.execute(HOOKS).fetchall()
        self.hooks = {name: self.known(name, *times) for name, *times in rows}

    def known(
        self, name: str, created: datetime, active: datetime, disabled: datetime | None
    ) -> Hook:
        hook = self.hooks.get(name)
        if hook is None or hook.created_at != created:
            self.stopped.discard(name)
            hook = Hook(created)
        if disabled is not None and not hook.is_disabled:
            self.stopped.add(name)
            hook.disabled.append((disabled, None))
        elif disabled is None and hook.is_disabled:
            hook.disabled[-1] = (hook.disabled[-1][0], active)
        return hook

    # -- what must hold

    def ends(self) -> dict[str, tuple[str, str, datetime]]:
        """Return the ends of runs, by the ids of their deliveries: DAG, state and time."""
        rows = self.observer.execute(ENDS, [list(core.ENDS)]).fetchall()
        return {f"{run}-{seq}": (dag, core.ENDS[name], at) for run, seq, at, name, dag in rows}

    def check(self) -> None:
        super().check()
        ends = self.ends()
        for name, event_id, _, state, status, since, tried_at, body in self.observer.execute(SENT):
            assert event_id in ends, f"O2 {name} is told of {event_id}, which is no end"
            dag_id, end, at = ends[event_id]
            assert wants(name, dag_id, end), (
                f"O2 {name} is told of what it does not want: {event_id}"
            )
            assert self.hooks[name].was_active(at), f"O3 {name} is told of {event_id}, disabled"
            told = msgspec.json.decode(body)
            assert (told["state"], state) == (end, end), f"O2 {event_id} is told as {state}"
            if status == "delivered":
                assert (name, event_id) in self.taken, f"O4 {event_id} of {name}: nobody took it"
            if status == "given_up" and name not in self.stopped:
                assert tried_at - since > EARLY, f"O5 {event_id} of {name} is given up at once"
        changed = [each for each, bodies in self.bodies.items() if len(bodies) > 1]
        assert not changed, f"O6 sent again with another body: {changed}"

    def all_is_quiet(self) -> None:
        super().all_is_quiet()
        for desk in self.desks:
            desk.frozen_until = 0.0
        for _ in range(LAST_ROUNDS_MAX):
            for desk in self.desks:
                desk.turn()
            row = self.observer.execute(DUE).fetchone()
            assert row is not None
            if row[0] is None and not any(desk.sender.answered for desk in self.desks):
                break
            wait_s = 1.0 if row[0] is None else (row[0] - self.now).total_seconds()
            self.pass_time(max(1.0, wait_s))
        else:
            raise AssertionError("O5 deliveries are never over")
        self.check()
        self.all_are_told()

    def all_are_told(self) -> None:
        found = {(row[0], row[1]): row[4] for row in self.observer.execute(SENT)}
        for event_id, (dag_id, state, at) in self.ends().items():
            for name, hook in self.hooks.items():
                if wants(name, dag_id, state) and hook.is_owed(at):
                    status = found.get((name, event_id))
                    wanted = "given_up" if name == DEAD else "delivered"
                    assert status == wanted, f"O1 {event_id} of {name} is {status}"


def wants(name: str, dag_id: str, state: str) -> bool:
    wanted = WANTED[name]
    return state in wanted["states"] and wanted["dags"][0] in ("*", dag_id)


def finished(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run what waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        answer: Answer = end.value
        return answer
    raise AssertionError("it waits for something")


class Subscribers(People):
    """They have a connection of their own, which may create webhooks."""

    world: Outbound

    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is None:
            return
        if self.chance.random() < 0.25:
            if id(self.world.office) not in self.world.lent:
                deed = self.chance.choice([self.switch_hook, self.switch_hook, self.create_anew])
                self.attempt(self.world.office, deed)
            return
        deeds = [self.trigger] * 5 + [self.cancel, self.clear, self.mark]
        self.attempt(conn, self.chance.choice(deeds))

    def attempt(self, conn: Session, deed: Callable[[Session], object]) -> None:
        super().attempt(conn, deed)
        self.world.look_at_hooks()

    def create(self, conn: Session, name: str) -> None:
        url = f"https://example.com/{name}"
        request = wire.OutboundWebhookRequest(name=name, url=url, **WANTED[name])
        self.do(conn, create, self.world, request)

    def switch_hook(self, conn: Session) -> None:
        name = self.chance.choice(list(WANTED))
        hook = self.world.hooks.get(name)
        if hook is not None:
            change = wire.OutboundWebhookChange(disabled=not hook.is_disabled)
            self.do(conn, alter, self.world, name, change)

    def create_anew(self, conn: Session) -> None:
        name = self.chance.choice(list(WANTED))
        if name in self.world.hooks:
            self.do(conn, drop, name)
        self.create(conn, name)


def create(conn: Connection[Any], team_id: int, world: Outbound, request: Any) -> None:
    actions.create(conn, world.keys, team_id, request, "user:ann", SITE)


def alter(conn: Connection[Any], team_id: int, world: Outbound, name: str, change: Any) -> None:
    actions.change(conn, world.keys, team_id, name, change, SITE)


def drop(conn: Connection[Any], team_id: int, name: str) -> None:
    actions.delete(conn, team_id, name)
