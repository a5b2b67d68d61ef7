"""Waits that triggerers of agents look after: handed out, taken from agents that are gone, ended when they are over.

The database says which session holds a wait. Agents are told what is new to them, and, when they hold more than the
database says, which of their waits are over.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from psycopg import Connection

from headway.agent.protocol import (
    AttemptKey,
    Look,
    RunContext,
    Unwatch,
    Watch,
    Watches,
)
from headway.executors.agents.gateway import Gateway, bodies
from headway.executors.agents.handing import SILENCE, claim_of, hand_out
from headway.executors.agents.link import Link
from headway.executors.base import Versions
from headway.spec.carried import shown
from headway.store import triggers
from headway.store.clock import clock
from headway.store.transact import read, transact
from headway.store.triggers import Held, RunFacts

NOTE_CHARS_MAX: Final = 500


class Triggers:
    def __init__(self, conn: Connection[Any], gateway: Gateway, versions: Versions) -> None:
        self.conn = conn
        self.gateway = gateway
        self.versions = versions

    def look(self) -> None:
        """Take waits from who is gone, hand out free ones, and end those that are over. Once in a sweep."""
        if watching := [link for link in self.links() if link.watched]:
            held = read(self.conn, triggers.count, [link.session for link in watching])
            for link in watching:
                if held.get(link.session, 0) != len(link.watched - link.found):
                    self.bring_level(link)
        if read(self.conn, triggers.any_open):
            transact(self.conn, self.free)
            self.hand_out()

    def links(self) -> list[Link]:
        """Return the agents that have triggerers. A pod ends with its attempt."""
        return [link for link in self.gateway.links.values() if link.token_id]

    @staticmethod
    def free(conn: Connection[Any]) -> None:
        triggers.free(conn, clock(conn), SILENCE)

    def hand_out(self) -> None:
        links = self.links()
        teams = read(self.conn, triggers.teams, {link.team_id for link in links})
        links = [link for link in links if link.team_id in teams]
        hand_out(links, lambda link: len(link.watched), triggers.HELD_MAX, self.give)

    def give(self, link: Link, limit: int) -> int:
        found = transact(self.conn, self.claim_in, link, limit)
        self.send(link, found)
        return len(found)

    @staticmethod
    def claim_in(conn: Connection[Any], link: Link, limit: int) -> list[Held]:
        return triggers.claim(conn, claim_of(link, limit, clock(conn)))

    def bring_level(self, link: Link) -> None:
        """Send what its session holds and it does not know, and end what it looks after and does not hold."""
        assert link.hello is not None
        held = {key_of(one): one for one in read(self.conn, triggers.held, link.hello.session)}
        if over := link.watched - held.keys():
            link.watched -= over
            self.gateway.send(link, Unwatch(sorted(over, key=repr)))
        self.send(link, [one for key, one in held.items() if key not in link.watched])

    def send(self, link: Link, held: Sequence[Held]) -> None:
        if not held:
            return
        runs = read(self.conn, triggers.runs, link.team_id, {one.run_id for one in held})
        watches = [
            Watch(
                key_of(one),
                self.context(link.team_id, runs[one.run_id]),
                one.facts.encode(),
                one.secrets or [],
            )
            for one in held
            if one.run_id in runs
        ]
        link.watched.update(watch.key for watch in watches)
        for body in bodies(Watches, watches):
            self.gateway.send_encoded(link, body)

    def context(self, team_id: int, run: RunFacts) -> RunContext:
        return RunContext(
            run_id=run.run_id,
            team=run.team,
            dag_id=run.dag_id,
            dag_version=run.version,
            bundle_version=run.bundle_version,
            file=self.versions.dag(team_id, run.dag_id, run.version).file,
            logical_date=run.logical_date,
            interval_start=run.interval_start,
            interval_end=run.interval_end,
            trigger=run.trigger,
            params=run.params.encode(),
            partition=run.partition,
        )

    def note(self, link: Link, looks: Collection[Look]) -> None:
        """Store what triggers told of their last looks. A note of an agent may be anything."""
        assert link.hello is not None
        told = [
            triggers.Look(
                *(one.key.run_id, one.key.task_id, one.key.map_index, one.key.number),
                *(one.key.deferrals, one.looks),
                age_s=bounded(one.age_s),
                again_s=None if one.again_s is None else bounded(one.again_s),
                note=shown(one.note[:NOTE_CHARS_MAX]),
            )
            for one in looks
            if one.key in link.watched
        ]
        if told:
            transact(self.conn, self.note_in, link, told)

    @staticmethod
    def note_in(conn: Connection[Any], link: Link, told: list[triggers.Look]) -> None:
        assert link.hello is not None
        triggers.note(conn, link.team_id, link.hello.session, told, clock(conn))


def key_of(held: Held) -> AttemptKey:
    return AttemptKey(held.run_id, held.task_id, held.map_index, held.attempt, held.deferrals)


def bounded(seconds: float) -> float:
    """Return a time that the calendar has, whatever was sent."""
    return min(max(0.0, seconds), 86_400.0 * 365) if seconds == seconds else 0.0
