"""The loop that sends: follow events, claim what is due, send it, note what came of it.

Each webhook has a few requests under way at most, and one that fails has one, so that a URL that is slow or dead delays
no other. The database is asked in a thread of its own; nothing is held while a request is under way.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from headway import clock, ids
from headway.core import outbound as core
from headway.core.webhooks import DELIVERY, SIGNATURE, sign
from headway.errors import HeadwayError
from headway.outbound.follow import follower
from headway.outbound.post import Answer
from headway.secrets.envelope import open_envelope, place_of
from headway.secrets.keys import Keys
from headway.secrets.stored import OUTBOUND
from headway.store import sending
from headway.store.clock import clock as database_clock
from headway.store.sending import Claimed, Done
from headway.store.transact import Session, transact

log = logging.getLogger(__name__)

POLL_S: Final = 1.0
LEAVE_S: Final = 3.0
TIDY_S: Final = 60.0
UNDER_WAY_MAX: Final = 500  # requests
PARTS_MAX: Final = 20  # of events, in one turn

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[Answer]]


@dataclass
class Sender:
    """Call ``turn`` again and again; ``run`` does."""

    conn: Session
    keys: Keys
    post: Post
    under_way: Counter[sending.Key] = field(default_factory=Counter)
    answered: list[tuple[Claimed, Answer]] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False
    untidy: set[sending.Key] = field(default_factory=set)
    tidied_at: float = float("-inf")

    async def run(self) -> None:
        """Send until told to stop, or until no team has a webhook any more."""
        with ThreadPoolExecutor(1, "database") as database:
            while not self.stopping and await self.turn(database):
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self.news.wait()
                self.news.clear()
            await self.leave(database)

    def stop(self) -> None:
        self.stopping = True
        self.news.set()

    async def turn(self, database: ThreadPoolExecutor) -> bool:
        """Do what is due. Returns False if there is nothing left that could be."""
        answered, self.answered = self.answered, []
        busy = {key: count for key, count in self.under_way.items() if count}
        loop = asyncio.get_running_loop()
        claimed = await loop.run_in_executor(database, self.work, answered, busy)
        for delivery in claimed or ():
            self.under_way[delivery.key] += 1
            task = asyncio.create_task(self.send(delivery))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return claimed is not None or bool(self.tasks)

    async def leave(self, database: ThreadPoolExecutor) -> None:
        """Let what is under way end, and note it: the rest is sent again when our lease is over."""
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=LEAVE_S)
        if self.answered:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(database, transact, self.conn, self.record, self.answered)

    async def send(self, delivery: Claimed) -> None:
        answer = await self.request(delivery)
        self.under_way[delivery.key] -= 1
        self.answered.append((delivery, answer))
        self.news.set()

    async def request(self, delivery: Claimed) -> Answer:
        """Sign a delivery, for each try anew, and send it."""
        place = place_of(delivery.team_id, OUTBOUND, delivery.name)
        try:
            secret = str(open_envelope(self.keys, place, delivery.envelope)["secret"])
        except HeadwayError as error:
            return Answer(None, error.message, None, 0)
        body = delivery.body.encode()
        headers = {
            "content-type": "application/json",
            "user-agent": "Headway",
            SIGNATURE: sign(secret, clock.now(), body),
            DELIVERY: delivery.event_id,
            core.EVENT: delivery.event,
        }
        try:
            return await self.post(delivery.url, headers, body)
        except Exception as error:  # ours: one delivery must not stop the others
            log.error("cannot send to the webhook %s", delivery.name, exc_info=error)
            return Answer(None, "it could not be sent; the log of the server says why", None, 0)

    # -- in the thread of the database

    def work(
        self, answered: Sequence[tuple[Claimed, Answer]], busy: Mapping[sending.Key, int]
    ) -> list[Claimed] | None:
        if answered:
            transact(self.conn, self.record, answered)
            self.untidy |= {delivery.key for delivery, _ in answered}
        follow = follower()
        for _ in range(PARTS_MAX):
            if not follow.turn(self.conn):
                break
        if clock.monotonic() - self.tidied_at > TIDY_S:
            self.tidied_at = clock.monotonic()
            transact(self.conn, sending.tidy, self.untidy)
            self.untidy = set()
            if not transact(self.conn, sending.are_there):
                return None
        return transact(self.conn, self.claim, busy)

    def claim(self, conn: Session, busy: Mapping[sending.Key, int]) -> list[Claimed]:
        room = UNDER_WAY_MAX - sum(busy.values())
        return sending.claim(conn, busy, max(0, room), database_clock(conn))

    def record(self, conn: Session, answered: Sequence[tuple[Claimed, Answer]]) -> None:
        now = database_clock(conn)
        sending.record(conn, [done(*each, now) for each in answered], now)


def done(delivery: Claimed, answer: Answer, now: datetime) -> Done:
    next_at = None
    if answer.trouble is not None:
        next_at = core.next_try(delivery.tries, delivery.since, now, ids.fraction())
    over = "delivered" if answer.trouble is None else "given_up"
    return Done(
        team_id=delivery.team_id,
        name=delivery.name,
        number=delivery.number,
        tries=delivery.tries,
        status=over if next_at is None else "waiting",
        next_at=next_at,
        code=answer.code,
        trouble=answer.trouble,
        answer=answer.text,
        took_ms=answer.took_ms,
    )
