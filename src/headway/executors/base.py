"""The interface of executors to the scheduler.

An executor offers capacity in *sessions*. A session belongs to one team; the tick binds each granted
attempt to one, and when its lease ends, all that is bound to it is lost. An executor needs no live
connection: for pods the session is the cluster's, its capacity a quota, ``start`` creates an object,
and ``adopt`` compares the objects that exist with what is bound.

Every method is called in the scheduler's thread, between transactions, and returns soon. None decides
anything: reports go into a tick, grants come out of it, both after their commit.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from selectors import BaseSelector
from typing import Final, Protocol

from headway.agent.protocol import LEASE_S, AttemptKey
from headway.core.admission import Session
from headway.core.graph import Graph
from headway.core.reports import Report
from headway.core.run import Attempt, Instance, Run
from headway.spec.model import Dag
from headway.store import transact
from headway.store.runs import Claimed

LEASE: Final = timedelta(seconds=LEASE_S)  # of a session, by the database's clock


@dataclass(frozen=True, slots=True)
class Envelope:
    """A report that has arrived.

    ``body``: as the agents' protocol encodes it, for the inbox when another scheduler holds the run.
    """

    team_id: int
    run_id: str
    report: Report
    body: bytes
    arrived: float = 0.0  # by the monotonic clock

    @property
    def key(self) -> tuple[int, str]:
        return self.team_id, self.run_id

    def aged(self, now: float) -> "Envelope":
        """Return the report with its age increased by the time that it waited here."""
        age_s = self.report.age_s + now - self.arrived
        return replace(self, report=replace(self.report, age_s=age_s), arrived=now)


@dataclass(frozen=True, slots=True)
class Grant:
    """An attempt to start, bound to the session ``attempt.session``."""

    row: Claimed
    run: Run
    instance: Instance
    attempt: Attempt


class Versions(Protocol):
    """DAG versions by team, DAG and version."""

    def dag(self, team_id: int, dag_id: str, version: int) -> Dag: ...
    def graph(self, team_id: int, dag_id: str, version: int) -> Graph: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Services of the scheduler for its executors. ``safely`` runs a step and returns whether it succeeded;
    errors are logged. It raises if the process must end: a lost connection, no memory. ``rebound`` is told, after the
    commit, that an attempt went over to another session, and the revision of its run that this made.
    """

    conn: transact.Session
    selector: BaseSelector  # the callback of a key is its data, called with the events
    versions: Versions
    safely: Callable[[Callable[[], object]], bool]
    rebound: Callable[[int, AttemptKey, str, int], None]  # team, attempt, session, revision


@dataclass(frozen=True, slots=True)
class Backlog:
    """The work that waits at an executor, for the scheduler's pace."""

    ends: int = 0  # reports to collect, without those of ``starts``
    starts: int = 0  # reports that may wait for another reason to tick
    held: int = 0  # attempts that were started and have not ended
    beats: bool = False  # somebody waits for the lease to be renewed

    def __add__(self, other: "Backlog") -> "Backlog":
        return Backlog(
            self.ends + other.ends,
            self.starts + other.starts,
            self.held + other.held,
            self.beats or other.beats,
        )


class Executor(Protocol):
    """One way to execute attempts. ``name``: what tasks ask for with ``executor=``."""

    name: str

    def backlog(self) -> Backlog:
        """Tell what waits. Asked in every round of the loop: no input or output."""
        ...

    def serve(self) -> bool:
        """Answer what came in and needs the database. True: there is new capacity."""
        ...

    def sessions(self) -> Collection[str]:
        """Name the sessions whose attempts are in the care of this executor now."""
        ...

    def offers(self) -> Mapping[int, Sequence[Session]]:
        """Offer the free capacity of those sessions, by team."""
        ...

    def collect(self) -> list[Envelope]:
        """Hand over the reports that came in. A start comes before its end."""
        ...

    def give_back(self, reports: Sequence[Envelope]) -> None:
        """Take back what was collected: its tick failed. It comes again, before anything newer."""
        ...

    def acknowledge(self) -> None:
        """Learn that everything collected so far is stored for good."""
        ...

    def start(self, grants: Sequence[Grant]) -> None:
        """Start attempts that are bound to this executor's sessions, each at most once.

        What cannot be started is reported as lost. What does not arrive is not: it is bound, and
        ``adopt`` finds it.
        """
        ...

    def cancel(self, session: str, keys: Sequence[AttemptKey]) -> None:
        """End attempts, or keep them from starting. Repeated until they have been reported."""
        ...

    def forget_results(self, run_id: str) -> None:
        """Use no stored result of a run that was read before: somebody changed the run."""
        ...

    def beating(self) -> Mapping[str, int]:
        """Name the sessions that gave a sign of life, so that their leases are renewed, and the bytes that the logs of
        each took in the last minute.
        """
        ...

    def renewed(self, alive: Mapping[str, int | None]) -> None:
        """Learn which of ``beating`` have their lease, and the bytes that the logs of each may take in a minute; the
        others have lost all that was bound.
        """
        ...

    def adopt(self) -> None:
        """Bring each session level with the database, in the scheduler's every sweep.

        What is bound to it and unknown to it is started; what it runs and is not bound to it is
        ended; what was started and is gone is reported as lost. After a restart of the scheduler
        this is all that it knows.
        """
        ...

    def close(self) -> None:
        """Let go of what the scheduler lent. Attempts go on."""
        ...


Open = Callable[[Host], Executor]
