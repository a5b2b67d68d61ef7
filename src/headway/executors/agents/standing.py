"""Watchers of assets that agents look after (ADR 70): handed out by leases, and what they tell stored once.

The database says which session holds a watcher, and in which of its lives. An agent that does not know watchers says
so by its Hello, and gets none.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec
from psycopg import Connection

from headway.agent.protocol import OfWatcher
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
from headway.core.watchers import BATCH_MAX, CURSOR_BYTES_MAX
from headway.executors.agents.gateway import Gateway, bodies
from headway.executors.agents.handing import SILENCE, claim_of, hand_out
from headway.executors.agents.link import Link
from headway.executors.agents.triggers import NOTE_CHARS_MAX, bounded
from headway.spec.assets import flaw_of_extra, flaw_of_partition, flaw_of_words
from headway.spec.carried import shown
from headway.store import notices, watchers
from headway.store.clock import clock
from headway.store.transact import read, transact
from headway.store.watchers import Held, Holder, Look, NewEvent

ERROR_CHARS_MAX: Final = 2_000
DIGEST: Final = re.compile("[0-9a-f]{64}")


class StandingWatches:
    def __init__(self, conn: Connection[Any], gateway: Gateway) -> None:
        self.conn = conn
        self.gateway = gateway

    def look(self) -> None:
        """Bring watchers in line with the DAGs of now, hand out free ones, and end those that are over. In a sweep."""
        there = read(self.conn, watchers.are_there)
        if there:
            transact(self.conn, self.settle)
        self.bring_level([link for link in self.links() if there or known_to(link)])
        if there:
            self.hand_out()

    @staticmethod
    def settle(conn: Connection[Any]) -> None:
        watchers.settle(conn, clock(conn), SILENCE)

    def links(self) -> list[Link]:
        """Return the agents that look after watchers. A pod ends with its attempt."""
        return [
            link
            for link in self.gateway.links.values()
            if link.token_id and link.hello is not None and link.hello.watchers is not None
        ]

    def hand_out(self) -> None:
        links = [link for link in self.links() if not link.draining]
        teams = read(self.conn, watchers.teams, {link.team_id for link in links})
        links = [link for link in links if link.team_id in teams]
        hand_out(links, lambda link: len(known_to(link)), watchers.HELD_MAX, self.give)

    def give(self, link: Link, limit: int) -> int:
        found = transact(self.conn, self.claim_in, link, limit)
        self.send(link, found)
        return len(found)

    @staticmethod
    def claim_in(conn: Connection[Any], link: Link, limit: int) -> list[Held]:
        return watchers.claim(conn, claim_of(link, limit, clock(conn)))

    def bring_level(self, links: Collection[Link]) -> None:
        """End what agents look after and do not hold, and free what their sessions hold and they do not know."""
        if not links:
            return
        held = read(self.conn, watchers.held, [link.session for link in links])
        for link in links:
            self.level(link, held.get(link.session, {}))

    def level(self, link: Link, lives: Mapping[str, int]) -> None:
        known = known_to(link)
        held = {WatcherKey(digest, life) for digest, life in lives.items()}
        if over := known - held:
            known -= over
            self.gateway.send(link, Release(sorted(over, key=repr)))
        if unknown := [key.digest for key in held - known]:
            transact(self.conn, watchers.give_back, link.team_id, link.session, unknown)

    def send(self, link: Link, held: Collection[Held]) -> None:
        if not held:
            return
        assert link.hello is not None
        standings = [
            Standing(
                key_of(one),
                one.dag_id,
                one.bundle_version,
                one.file,
                one.facts.encode(),
                None if one.cursor is None else one.cursor.encode(),
            )
            for one in held
        ]
        known_to(link).update(standing.key for standing in standings)
        for body in bodies(Watchers, standings):
            self.gateway.send_encoded(link, body)

    # -- what agents tell

    def answer(self, link: Link, message: OfWatcher) -> None:
        match message:
            case Fired():
                self.fired(link, message)
            case Stopped(key, error):
                self.stopped(link, key, error)
            case Sighted(looks):
                self.note(link, looks)

    def fired(self, link: Link, message: Fired) -> None:
        """Store what a watcher told, and let it go on. What cannot be stored ends it."""
        if message.key not in known_to(link):
            self.gateway.send(link, Release([message.key]))
            return
        if (flaw := flaw_of(message)) is not None:
            self.stopped(link, message.key, f"what it tells cannot be stored: {flaw}")
            self.release(link, message.key)
            return
        taken = transact(self.conn, self.store_in, link, message)
        if taken.over:
            self.release(link, message.key)
        else:
            self.gateway.send(link, Taken(message.key, message.batch, taken.again_s))

    def release(self, link: Link, key: WatcherKey) -> None:
        known_to(link).discard(key)
        self.gateway.send(link, Release([key]))

    @staticmethod
    def store_in(conn: Connection[Any], link: Link, message: Fired) -> watchers.Taken:
        events = [
            NewEvent(event.extra.decode(), event.partition, event.key and f"watcher:{event.key}")
            for event in message.events
        ]
        cursor = None if message.cursor is None else message.cursor.decode()
        holder, now = holder_of(link, message.key), clock(conn)
        taken = watchers.store(conn, holder, message.batch, events, cursor, now)
        if events and not taken.over and not taken.again_s:
            notices.tell_of_assets(conn)
        return taken

    def stopped(self, link: Link, key: WatcherKey, error: str) -> None:
        if key not in known_to(link):
            return
        text = shown(error[:ERROR_CHARS_MAX]) or None
        transact(self.conn, self.stopped_in, holder_of(link, key), text)
        known_to(link).discard(key)

    @staticmethod
    def stopped_in(conn: Connection[Any], holder: Holder, error: str | None) -> None:
        watchers.stopped(conn, holder, error, clock(conn))

    def note(self, link: Link, looks: Collection[WatcherLook]) -> None:
        """Store what watchers told of their last looks. A note of an agent may be anything."""
        known = known_to(link)
        told = [
            Look(
                one.key.digest,
                one.key.life,
                max(0, one.looks),
                age_s=bounded(one.age_s),
                again_s=None if one.again_s is None else bounded(one.again_s),
                note=shown(one.note[:NOTE_CHARS_MAX]),
            )
            for one in looks
            if one.key in known
        ]
        if told:
            transact(self.conn, self.note_in, link, told)

    @staticmethod
    def note_in(conn: Connection[Any], link: Link, told: list[Look]) -> None:
        assert link.hello is not None
        watchers.note(conn, link.team_id, link.hello.session, told, clock(conn))


def known_to(link: Link) -> set[WatcherKey]:
    """Return the watchers that an agent looks after, as far as it was told."""
    if link.watchers is None:
        assert link.hello is not None
        given = (link.hello.watchers or ())[: watchers.HELD_MAX]
        link.watchers = {key for key in given if DIGEST.fullmatch(key.digest)}
    return link.watchers


def key_of(held: Held) -> WatcherKey:
    return WatcherKey(held.digest, held.life)


def holder_of(link: Link, key: WatcherKey) -> Holder:
    assert link.hello is not None
    return Holder(link.team_id, link.hello.session, key.digest, key.life)


def flaw_of(message: Fired) -> str | None:
    """Return what of it cannot be stored, as a clause."""
    if len(message.events) > BATCH_MAX:
        return f"there are {len(message.events):,} events at once; the limit is {BATCH_MAX}"
    if message.cursor is not None and (flaw := flaw_of_cursor(message.cursor)) is not None:
        return f"its cursor {flaw}"
    return next(filter(None, map(flaw_of_event, message.events)), None)


def flaw_of_event(event: WatcherEvent) -> str | None:
    if (flaw := flaw_of_extra(event.extra)) is not None:
        return f"the extra of an event {flaw}"
    if event.partition is not None and (flaw := flaw_of_partition(event.partition)) is not None:
        return f"the partition of an event {flaw}"
    if event.key is not None and (flaw := flaw_of_words(event.key)) is not None:
        return f"the key of an event {flaw}"
    return None


def flaw_of_cursor(body: bytes) -> str | None:
    if len(body) > CURSOR_BYTES_MAX:
        return f"has {len(body):,} bytes; the limit is {CURSOR_BYTES_MAX:,}"
    try:
        msgspec.json.decode(body.decode())
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return "is not JSON"
    return None
