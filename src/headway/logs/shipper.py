"""Brings what is in the spool to the store; what cannot be brought stays where it is, and is tried again.

A turn looks at everything and ships what is new, the live logs first. A log that fails waits longer each
time; when nothing of a spool works, all of it waits, and that is told once. Teams take turns, in spools of their own
and in that of the server, so what one team does holds up no other.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice
from typing import Final, NamedTuple

from headway import clock, pulse
from headway.config import Layout
from headway.errors import NotReachable
from headway.logs import spool, status, unwanted
from headway.logs.remote import Remote
from headway.logs.shipment import Shipment
from headway.logs.spool import Spool
from headway.logs.status import Shipping
from headway.logs.unwanted import Unwanted

logger = logging.getLogger(__name__)

WORKERS: Final = 4
BATCH: Final = 32
TURN_S_MAX: Final = 1.0  # then live logs are looked at again, whatever else waits
PAUSE_S_MIN: Final = 1.0
PAUSE_S_MAX: Final = 30.0


Key = tuple[Spool, str]


class Pause(NamedTuple):
    failures: int  # turns in which nothing worked, since one did
    until: float


class Shipper:
    def __init__(self, remote: Remote, layout: Layout) -> None:
        self.remote = remote
        self.layout = layout
        self.shipments: dict[Key, Shipment] | None = None  # None: before the first turn
        self.workers = ThreadPoolExecutor(WORKERS, "shipper")
        self.error = ""
        self.pauses: dict[Spool | None, Pause] = {}  # None: of what is unwanted
        self.told: Shipping | None = None
        self.told_of: set[Spool] = set()

    def turn(self) -> None:
        shipments = self.look()
        if self.may(None):
            self.remove_unwanted()
        self.ship([each for each in shipments if self.may(each.of)])
        self.tell()

    def close(self) -> None:
        self.workers.shutdown()

    @property
    def done(self) -> bool:
        return not any(each.waits for each in (self.shipments or {}).values())

    # -- what there is

    def look(self) -> list[Shipment]:
        """Return all logs that wait, the live ones first, of one team after another."""
        # What was here before us may have parts in the store; of what comes later we know them.
        known, first = self.shipments or {}, self.shipments is None
        self.shipments = {}
        for each in spool.every(self.layout):
            for name in sorted(each.names()):
                key = (each, name)
                parts = None if first else list[int]()
                shipment = self.shipments[key] = known.get(key) or Shipment(each, name, parts)
                try:
                    shipment.look()
                except FileNotFoundError:
                    del self.shipments[key]
                except OSError as error:
                    self.fail(shipment, error.strerror or str(error))
        waiting = [each for each in self.shipments.values() if each.waits]
        return in_turn(sorted(waiting, key=lambda each: each.state != "live"))

    # -- what becomes of it

    def ship(self, shipments: Iterable[Shipment]) -> None:
        began = clock.monotonic()
        due = iter([each for each in shipments if each.again_at <= began])
        worked, errors = set[Spool](), dict[Spool, str]()
        while batch := list(islice(due, BATCH)):
            for shipment, error in self.together(batch):
                if error:
                    errors.setdefault(shipment.of, error)
                elif not shipment.failures:
                    worked.add(shipment.of)
            if (errors and not worked) or clock.monotonic() - began > TURN_S_MAX:
                break
        for each in worked | errors.keys():
            self.pause(each, failed=each not in worked)
        if worked or errors:
            self.judge(next(iter(errors.values()), ""))

    def together(self, batch: Iterable[Shipment]) -> Iterator[tuple[Shipment, str]]:
        """Ship each, with a sign of life meanwhile: a store may take long to answer."""
        shipments = {self.workers.submit(self.one, each): each for each in batch}
        pending = set(shipments)
        while pending:
            ended, pending = wait(pending, pulse.BEAT_S, FIRST_COMPLETED)
            pulse.beat()
            yield from ((shipments[each], each.result()) for each in ended)

    def remove_unwanted(self) -> None:
        """Remove old logs, a few in each turn, unless the store is failing."""
        began = clock.monotonic()
        for path, wish in unwanted.wishes(self.layout):
            doing = self.workers.submit(self.remove, wish)
            while not doing.done():
                wait({doing}, pulse.BEAT_S)
                pulse.beat()
            try:
                doing.result()
            except NotReachable as error:
                self.pause(None, failed=True)
                self.judge(error.message)
                return
            self.pause(None, failed=False)
            path.unlink()
            if clock.monotonic() - began > TURN_S_MAX:
                return

    def remove(self, wish: Unwanted) -> None:
        """Remove a log from the spools, so that it does not come to the store any more, and then from the store."""
        for each in spool.every(self.layout):
            each.remove(wish.prefix, wish.before)
        self.remote.remove(wish.team, wish.run_id, wish.before)

    def one(self, shipment: Shipment) -> str:
        """Return why the store did not take it. What is wrong with the log itself concerns no other."""
        try:
            shipped = shipment.ship(self.remote)
        except NotReachable as error:
            self.fail(shipment, "")
            return error.message
        except OSError as error:
            self.fail(shipment, error.strerror or str(error))
            return ""
        if shipped:
            assert self.shipments is not None
            self.shipments.pop((shipment.of, shipment.spooled), None)
        shipment.failures = 0
        return ""

    def fail(self, shipment: Shipment, why: str) -> None:
        if why and shipment.of not in self.told_of:
            self.told_of.add(shipment.of)  # once, however many a team has made
            logger.warning("%s is not shipped: %s", shipment.of.folder / shipment.spooled, why)
        shipment.failures += 1
        shipment.again_at = clock.monotonic() + pause_s(shipment.failures)

    def may(self, of: Spool | None) -> bool:
        return of not in self.pauses or clock.monotonic() >= self.pauses[of].until

    def pause(self, of: Spool | None, *, failed: bool) -> None:
        """Let a spool of which nothing worked wait, longer each time."""
        if not failed:
            self.pauses.pop(of, None)
            return
        failures = 1 + (self.pauses[of].failures if of in self.pauses else 0)
        self.pauses[of] = Pause(failures, clock.monotonic() + pause_s(failures))

    def judge(self, error: str) -> None:
        """One line when trouble begins, one when it is over."""
        if error and not self.error:
            logger.warning("%s; logs that are not shipped wait in the data directory", error)
        if self.error and not error:
            logger.warning("the log store accepts logs again")
        self.error = error

    def tell(self) -> None:
        waiting = [each for each in (self.shipments or {}).values() if each.waits]
        shipping = Shipping(len(waiting), sum(each.missing for each in waiting), self.error)
        if shipping != self.told:
            status.write(self.layout, shipping)
            self.told = shipping


def pause_s(failures: int) -> float:
    return float(min(PAUSE_S_MIN * 2 ** min(failures - 1, 10), PAUSE_S_MAX))


def in_turn(shipments: Iterable[Shipment]) -> list[Shipment]:
    """Return them with the first of each team first, then the second of each, and so on."""
    seen: Counter[tuple[Spool, str]] = Counter()
    places = []
    for each in shipments:
        lane = each.of, spool.team_of(each.spooled)
        seen[lane] += 1
        places.append((seen[lane], each))
    return [each for _, each in sorted(places, key=lambda place: place[0])]
