"""One reader of changes for all watchers of a team.

Woken by the API's one LISTEN connection, it looks at most four times a second, asks the database
once for all that anybody wants, and hands each watcher bytes that were made once for all of its
kind. A slow poll is the safety net. Without watchers it does not exist.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from headway.api import room
from headway.api.door import Door
from headway.api.live.reading import Join, look
from headway.api.live.tails import Tails, Target
from headway.api.live.watcher import Holder, Interest, Watcher
from headway.api.standing import Standing
from headway.api.wakeups import ANY, Wakeups
from headway.errors import HeadwayError, NotReachable, RateLimited
from headway.store.moments import Moment, moment

logger = logging.getLogger(__name__)

PACE_S: Final = 0.25
POLL_S: Final = 1.0
BACK_OFF_S: Final = 1.0
FULL_S: Final = 5  # when to try again
POSITION_CHARS_MAX: Final = 4000  # beyond it nobody reads: it is none of ours
OF_ONE_CREDENTIAL_MAX: Final = 20
OF_ONE_PERSON_MAX: Final = 60


class Hub:
    def __init__(self, door: Door, wakeups: Wakeups) -> None:
        self.door = door
        self.wakeups = wakeups
        self.moment: Moment | None = None  # up to then everything was told
        self._watchers: dict[Interest, set[Watcher]] = {}
        self._coming: list[tuple[Watcher, Join]] = []
        self._came = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._standing = Standing(logger, "read live changes")

    def join(self, interest: Interest, position: str | None, holder: Holder | None) -> Watcher:
        """Add a watcher. It first receives what it missed since ``position``, or ``reset``."""
        since = moment(position) if position and len(position) <= POSITION_CHARS_MAX else None
        watcher = Watcher(interest, lambda: self.moment, holder)
        if position and since is None:
            since = Moment("0", 0, ())  # none of ours: it is told to begin anew
        self._coming.append((watcher, Join(interest, since)))
        self._came.set()
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        return watcher

    def leave(self, watcher: Watcher) -> None:
        watcher.end()
        self._coming = [(each, join) for each, join in self._coming if each is not watcher]
        kind = self._watchers.get(watcher.interest, set())
        kind.discard(watcher)
        if not kind:
            self._watchers.pop(watcher.interest, None)

    def close(self) -> None:
        """Close all streams, so that the server can stop."""
        if self._reader is not None:
            self._reader.cancel()
        for watcher in self.all():
            watcher.end()

    def all(self) -> list[Watcher]:
        coming = [watcher for watcher, _ in self._coming]
        return coming + [each for kind in self._watchers.values() for each in kind]

    def require_room_for(self, holder: Holder) -> None:
        """Raise RateLimited if one credential or one person has too many streams."""
        theirs = [each.holder for each in self.all() if each.holder is not None]
        who = (holder.person_id, holder.credential)
        same = sum((each.person_id, each.credential) == who for each in theirs)
        of_person = sum(each.person_id == holder.person_id for each in theirs)
        if same >= OF_ONE_CREDENTIAL_MAX or of_person >= OF_ONE_PERSON_MAX:
            error = RateLimited(
                f"you already have {max(same, of_person)} open streams",
                hint="close some; one stream can follow everything that you may see",
            )
            error.retry_after_s = FULL_S
            raise error

    def __len__(self) -> int:
        return len(self._coming) + sum(map(len, self._watchers.values()))

    async def _read(self) -> None:
        try:
            with self.wakeups.watching(ANY) as wakeup:
                while len(self):
                    wakeup.clear()
                    try:
                        await self._turn()
                        self._standing.worked()
                    except HeadwayError as error:  # what was missed is told afterwards
                        self._standing.failed(error)
                        await asyncio.sleep(BACK_OFF_S)
                    await first_of(PACE_S, self._came)
                    await first_of(POLL_S - PACE_S, self._came, wakeup)
        except Exception:
            logger.exception("the reader of live changes ended; watchers will reconnect")
            self.close()
        finally:
            self.moment = None
            self._reader = None

    async def _turn(self) -> None:
        self._came.clear()
        joins = {join for _, join in self._coming}
        holders = {each.holder for each in self.all() if each.holder is not None}
        seen = await self.door.call(
            look, self.moment, list(self._watchers), joins, self.door.team_id, holders
        )
        self.moment = seen.until
        for watcher in self.all():
            if watcher.holder in seen.shut_out:
                self.leave(watcher)
        for interest, data in seen.told.items():
            for watcher in list(self._watchers.get(interest, ())):
                watcher.push(data)
                if watcher.over:
                    self.leave(watcher)
        for watcher, join in [each for each in self._coming if each[1] in joins]:
            self._coming.remove((watcher, join))
            self._watchers.setdefault(watcher.interest, set()).add(watcher)
            watcher.push(seen.welcomes[join])


async def first_of(timeout_s: float, *events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


class Live:
    """The streams of all teams, and what each of them watches."""

    def __init__(self, wakeups: Wakeups, data: Path) -> None:
        self.wakeups = wakeups
        self.data = data
        self._teams: dict[int, tuple[Hub, Tails]] = {}

    async def watch(
        self,
        door: Door,
        holder: Holder | None,
        interest: Interest,
        position: str | None,
        log: Target | None,
    ) -> AsyncIterator[bytes]:
        """Yield the bytes of one stream until the client leaves, must reconnect, or loses access."""
        try:
            self.require_room(door, holder)
        except NotReachable:  # many asked at once: those that come now are one too many
            return
        hub, tails = self._of(door)
        watcher = hub.join(interest, position, holder)
        if log is not None:
            tails.follow(log, watcher)
        try:
            async for chunk in watcher.chunks():
                yield chunk
        finally:
            hub.leave(watcher)
            if log is not None:
                tails.leave(log, watcher)

    def require_room(self, door: Door, holder: Holder | None) -> None:
        """Raise NotReachable if too many streams are open, RateLimited if this holder has too many."""
        most = int(room.most() * room.OF_STREAMS)
        if sum(len(hub) for hub, _ in self._teams.values()) >= most:
            error = NotReachable(
                f"{most:,} streams are open already", hint="close some browser tabs, then try again"
            )
            error.retry_after_s = FULL_S
            raise error
        if holder is not None:
            self._of(door)[0].require_room_for(holder)

    def watchers(self, door: Door) -> int:
        return len(self._of(door)[0])

    def close(self) -> None:
        for hub, tails in self._teams.values():
            hub.close()
            tails.close()

    def _of(self, door: Door) -> tuple[Hub, Tails]:
        if door.team_id not in self._teams:
            plain = door.of(door.team_id)  # that of a guest waits in the lane of the guest's team
            self._teams[door.team_id] = (Hub(plain, self.wakeups), Tails(plain, self.data))
        return self._teams[door.team_id]
