"""Brings what is in the spool to the store; what cannot be brought stays where it is, and is tried again.

A turn looks at everything and ships what is new, the live logs first. A log that fails waits longer each
time; when nothing works, everything waits, and that is told once.
"""

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice
from typing import Final

from headway import clock, pulse
from headway.config import Layout
from headway.errors import NotReachable
from headway.logs import spool, status, unwanted
from headway.logs.remote import Remote
from headway.logs.shipment import Shipment
from headway.logs.status import Shipping
from headway.logs.unwanted import Unwanted

logger = logging.getLogger(__name__)

WORKERS: Final = 4
BATCH: Final = 32
TURN_S_MAX: Final = 1.0  # then live logs are looked at again, whatever else waits
PAUSE_S_MIN: Final = 1.0
PAUSE_S_MAX: Final = 30.0


class Shipper:
    def __init__(self, remote: Remote, layout: Layout) -> None:
        self.remote = remote
        self.layout = layout
        self.shipments: dict[str, Shipment] | None = None  # None: before the first turn
        self.workers = ThreadPoolExecutor(WORKERS, "shipper")
        self.error = ""
        self.failures = 0  # turns in which nothing worked, since one did
        self.again_at = 0.0
        self.told: Shipping | None = None

    def turn(self) -> None:
        shipments = self.look()
        if clock.monotonic() >= self.again_at:
            self.remove_unwanted()
            self.ship([each for each in shipments if each.path.exists()])
        self.tell()

    def close(self) -> None:
        self.workers.shutdown()

    @property
    def done(self) -> bool:
        return not any(each.waits for each in (self.shipments or {}).values())

    # -- what there is

    def look(self) -> list[Shipment]:
        """Return all logs that wait, the live ones first."""
        names = set(spool.names(self.layout.spool))
        # What was here before us may have parts in the store; of what comes later we know them.
        known = self.shipments or {}
        parts_of = (lambda: None) if self.shipments is None else list[int]
        self.shipments = {
            name: known.get(name) or Shipment(self.layout.spool, name, parts_of())
            for name in sorted(names)
        }
        for name, shipment in list(self.shipments.items()):
            try:
                shipment.look()
            except FileNotFoundError:
                del self.shipments[name]
            except OSError as error:
                self.fail(shipment, f"{shipment.path}: {error.strerror}")
        return sorted(
            (each for each in self.shipments.values() if each.waits),
            key=lambda each: each.state != "live",
        )

    # -- what becomes of it

    def ship(self, shipments: Iterable[Shipment]) -> None:
        began = clock.monotonic()
        due = iter([each for each in shipments if each.again_at <= began])
        worked, errors = False, list[str]()
        while batch := list(islice(due, BATCH)):
            for error in self.together(batch):
                worked = worked or not error
                errors += [error] if error else []
            if (errors and not worked) or clock.monotonic() - began > TURN_S_MAX:
                break
        if worked or errors:
            self.judge(errors, worked=worked)

    def together(self, batch: Iterable[Shipment]) -> Iterator[str]:
        """Ship each, with a sign of life meanwhile: a store may take long to answer."""
        pending = {self.workers.submit(self.one, each) for each in batch}
        while pending:
            ended, pending = wait(pending, pulse.BEAT_S, FIRST_COMPLETED)
            pulse.beat()
            yield from (each.result() for each in ended)

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
                self.judge([error.message], worked=False)
                return
            path.unlink()
            if clock.monotonic() - began > TURN_S_MAX:
                return

    def remove(self, wish: Unwanted) -> None:
        """Remove a log from the spool, so that it does not come to the store any more, and then from the store."""
        spool.remove(self.layout.spool, wish.prefix, wish.before)
        self.remote.remove(wish.team, wish.run_id, wish.before)

    def one(self, shipment: Shipment) -> str:
        """Why it did not work."""
        try:
            if shipment.ship(self.remote):
                assert self.shipments is not None
                self.shipments.pop(shipment.path.relative_to(self.layout.spool).as_posix(), None)
            shipment.failures = 0
            return ""
        except NotReachable as error:
            return self.fail(shipment, error.message)
        except OSError as error:  # of our own disk
            return self.fail(shipment, f"{shipment.path}: {error.strerror}")

    def fail(self, shipment: Shipment, why: str) -> str:
        shipment.failures += 1
        shipment.again_at = clock.monotonic() + pause_s(shipment.failures)
        return why

    def judge(self, errors: list[str], *, worked: bool) -> None:
        """One line when trouble begins, one when it is over."""
        self.failures = 0 if worked else self.failures + 1
        self.again_at = 0.0 if worked else clock.monotonic() + pause_s(self.failures)
        error = errors[0] if errors else ""
        if error and not self.error:
            logger.warning("%s; logs that are not shipped wait in %s", error, self.layout.spool)
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
