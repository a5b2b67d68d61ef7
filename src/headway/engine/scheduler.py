"""The scheduler process: a synchronous loop that owns time and transactions. Stateless: any number
of them run at once.

``python -m headway.engine.scheduler --listen unix:/path`` with the database's URL on
standard input. Woken by agents, by NOTIFY and by timers; a slow poll is the
safety net. It is crash-only: what it cannot handle ends the process, and everything goes on from
the database.
"""

import argparse
import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from typing import Any, Final

import psycopg
from psycopg import Connection

from headway import clock, ids, pulse
from headway.agent.protocol import AttemptKey
from headway.core.admission import Session
from headway.core.canary import is_canary
from headway.core.reports import Ended
from headway.core.waits import Kind, seconds_left
from headway.core.warm import WARM
from headway.engine import following, janitor, timetables
from headway.engine.canary import canary_of, period_from
from headway.engine.catalog import Catalog
from headway.engine.opening import executors_of
from headway.engine.pace import pace
from headway.engine.sending import Sending
from headway.engine.sharing import divide_all
from headway.engine.signals import stopping_on_signals
from headway.engine.tick import Ticker, Turn, advance, take_back
from headway.engine.wakeups import look_up_waits
from headway.errors import EXHAUSTED, HeadwayError, NotReachable
from headway.executors.agents import translate
from headway.executors.agents.doors import outside
from headway.executors.base import LEASE, Backlog, Envelope, Executor, Grant, Host, Open
from headway.secrets.kms import keys_of
from headway.secrets.service import Service
from headway.store import notices, queue, runs, schedulers, sessions, waits
from headway.store.clock import clock as database_clock
from headway.store.measures import Measures
from headway.store.transact import ENGINE, Limits, connect, once, read, transact

log = logging.getLogger(__name__)

POLL_S: Final = 0.5  # the safety net
SWEEP_S: Final = 1.0  # leases, heartbeats, cancellations
REST_S: Final = 5.0  # both, while no run is under way
DIVIDE_PAUSE_S: Final = 0.05  # after a division that helped nobody
LOOK_SHARE: Final = (
    20  # a look at what deferred attempts wait for is followed by so many times its length
)
STARTS_WAIT_S: Final = 0.05  # how long ``running`` may wait for another reason to tick
RETRIES_MAX: Final = 50  # of runs that were set aside, in one sweep
RINGS_MAX: Final = 1_000  # DAGs whose runs waited for their logical date, in one sweep
FAILURE_PAUSE_S: Final = 0.5
# A tick that waits for the locks of a frozen neighbour gives up in time for our agents' heartbeats.
LIMITS: Final = Limits(lock_timeout_s=2.0)


class Scheduler:
    """``executors``: the ways to execute attempts; the first is that of tasks that name none."""

    def __init__(
        self,
        dsn: str,
        executors: Sequence[Open],
        *,
        scheduled: bool = True,
        data: Path | None = None,
        ships_logs: bool = False,
        listen: str | None = None,
        canary_s: float = 0.0,
        sending: Sending | None = None,
    ) -> None:
        """``listen``: the database's URL for LISTEN alone, where ``dsn`` leads to a pooler.

        ``canary_s``: the seconds between two proofs that it schedules; 0: it proves nothing.
        """
        self.scheduled = scheduled  # makes the runs that timetables want
        self.selector = DefaultSelector()
        self.conn = connect(dsn, role=ENGINE, application="headway scheduler", limits=LIMITS)
        self.ears = connect(listen or dsn, role=ENGINE, application="headway scheduler listen")
        if not self.ears.pooled:
            self.ears.execute("LISTEN headway_scheduler")
        self.selector.register(self.ears.fileno(), EVENT_READ, self.notified)
        self.catalog = Catalog(self.conn)
        self.ticker = Ticker(self.catalog, translate.decode, ids.token, ids.fraction)
        host = Host(
            conn=self.conn,
            selector=self.selector,
            versions=self.catalog,
            safely=self.go_on_after,
            rebound=self.ticker.rebind,
        )
        self.executors: list[Executor] = [open_one(host) for open_one in executors]
        self.ticker.executors = [*(executor.name for executor in self.executors), WARM]
        self.janitor = (
            None if data is None else janitor.of_process(self.conn, data, ships_logs=ships_logs)
        )
        self.scheduler_id = ids.run_id()
        self.canary = canary_of(self.conn, self.scheduler_id, canary_s, self.catalog.graph)
        self.sending = sending
        self.measures = Measures()
        self.stopping = False
        self.wanted = True  # somebody said that there is something to do
        self.asked = False  # what a person did may be meant for our agents
        self.restless = False  # or for the sweep: no rest before the next one
        self.look_for_starts = True
        self.events = True  # of assets, or other consumers of them
        self.last_tick = self.last_sweep = self.divide_after = self.look_after = float("-inf")
        self.uneven = False  # the slots of the teams are to be divided anew
        self.rest_s = 0.0  # how long nothing can come to be due by itself

    # -- the loop

    def run(self) -> None:
        self.register()
        while not self.stopping:
            pulse.beat()
            self.wait(self.pause())
            self.serve()
            if self.sweep_in() <= 0:
                self.sweep()
            if self.janitor is not None:
                self.go_on_after(self.janitor.turn)
            if self.canary is not None:
                self.go_on_after(self.canary.turn)
            if self.due():
                self.tick()
                if self.asked:
                    self.answer()
        self.close()

    def close(self) -> None:
        """End in order: agents look for another scheduler at once."""
        for executor in self.executors:
            executor.close()
        transact(self.conn, schedulers.close, self.scheduler_id)
        if self.janitor is not None:
            self.janitor.close()
        if self.sending is not None:
            self.sending.close()

    def wait(self, timeout_s: float) -> None:
        for key, events in self.selector.select(timeout_s):
            key.data(events)

    def notified(self, _: int) -> None:
        for _channel, payload in notices.heard(self.ears):
            self.wanted = self.look_for_starts = self.asked = True
            self.events |= payload == notices.ASSETS

    def serve(self) -> None:
        """Let the executors answer what came in; new capacity is a reason to tick."""
        for executor in self.executors:
            if executor.serve():
                self.wanted = True

    def backlog(self) -> Backlog:
        return sum((executor.backlog() for executor in self.executors), Backlog())

    def pause(self) -> float:
        """Return how many seconds to wait for news: 0 if a tick is due, the pace under load, else the poll interval."""
        since = clock.monotonic() - self.last_tick
        backlog = self.backlog()
        if backlog.ends or self.wanted:
            return max(0.0, pace(backlog) - since)
        if backlog.starts:
            return max(0.0, STARTS_WAIT_S - since)
        due_s = [self.poll_s() - since, self.sweep_in()]
        if self.janitor is not None:
            due_s.append(self.janitor.due_in())
        if self.canary is not None:
            due_s.append(self.canary.due_in())
        return max(0.0, min(due_s))

    def poll_s(self) -> float:
        return max(POLL_S, self.rest_s)

    def sweep_in(self) -> float:
        """Seconds. A heartbeat is never kept waiting for the end of a rest."""
        busy = self.restless or self.backlog().beats
        every_s = SWEEP_S if busy else max(SWEEP_S, self.rest_s)
        due = self.last_sweep + every_s
        return (min(due, self.divide_after) if self.uneven else due) - clock.monotonic()

    def due(self) -> bool:
        backlog = self.backlog()
        since = clock.monotonic() - self.last_tick
        if backlog.ends or self.wanted:
            return since >= pace(backlog)
        return since >= (STARTS_WAIT_S if backlog.starts else self.poll_s())

    def tick(self) -> None:
        """Run a tick and, after its commit, its effects."""
        self.wanted, starts = False, self.look_for_starts or not self.backlog().ends
        self.look_for_starts = False
        collected = [(executor, executor.collect()) for executor in self.executors]
        envelopes = [each for _, reports in collected for each in reports]
        self.last_tick = clock.monotonic()
        try:
            turn, models = once(
                self.conn, advance, self.ticker, envelopes, self.offers(), starts=starts
            )
        except EXHAUSTED:
            raise
        except Exception as error:
            # Whatever it was: ended by it, the process would only meet it again.
            self.recover(error)
            for executor, reports in collected:
                executor.give_back(reports)
            return
        self.ticker.settle(models)
        self.count(envelopes, turn)
        for executor in self.executors:
            executor.acknowledge()
            for run_id in turn.read:
                executor.forget_results(run_id)
        self.deliver(turn.grants)
        self.follow_up(turn)
        self.rest_s = 0.0 if turn.claimed or self.wanted else self.rest()

    def offers(self) -> dict[int, list[Session]]:
        """The free capacity of all executors, by team."""
        found: dict[int, list[Session]] = {}
        for executor in self.executors:
            for team_id, offered in executor.offers().items():
                for session in offered:
                    session.is_default = session.executor == self.executors[0].name
                found.setdefault(team_id, []).extend(offered)
        return found

    def count(self, envelopes: list[Envelope], turn: Turn) -> None:
        """Update the metrics after the commit. Attempts that end with a lease, and those of canaries, do not count."""
        self.measures.add_tick(clock.monotonic() - self.last_tick)
        self.measures.add_waits(
            (grant.row.team_id, (grant.run.now - grant.instance.ready_at).total_seconds())
            for grant in turn.grants
            if grant.instance.ready_at is not None and not is_canary(grant.row.run_id)
        )
        self.measures.add_ends(
            (each.team_id, each.report.outcome)
            for each in envelopes
            if isinstance(each.report, Ended) and not is_canary(each.run_id)
        )

    def rest(self) -> float:
        """Return for how long nothing can come to be due by itself, in seconds.

        What begins meanwhile is notified, if not by way of a pooler.
        """
        if self.ears.pooled or self.backlog().held:
            return 0.0
        if read(self.conn, queue.is_under_way):
            return 0.0
        now, found = read(self.conn, waits.by_clock)
        ours = (wait for wait in found if self.scheduled or wait.kind is not Kind.FIRE)
        return seconds_left(ours, now, most=REST_S)

    def follow_up(self, turn: Turn) -> None:
        if turn.finished or turn.starts_left:
            self.look_for_starts = self.wanted = True
        if turn.more:
            self.wanted = True
        self.events |= turn.emitted
        if self.events:
            self.go_on_after(self.follow_assets)
        if turn.intents:
            self.cancel_intended()
        self.uneven |= turn.uneven
        if self.uneven and clock.monotonic() >= self.divide_after:
            self.go_on_after(self.divide)

    def divide(self) -> None:
        """Divide the slots among the teams anew."""
        self.uneven = False
        executors = [*(executor.name for executor in self.executors), WARM]
        if divide_all(self.conn, executors, self.offers()):
            self.wanted = True
        else:
            self.divide_after = clock.monotonic() + DIVIDE_PAUSE_S

    def recover(self, error: Exception) -> None:
        """Handle a failed transaction: drop all models. A lost connection ends the process."""
        self.ticker.forget(error)
        if self.conn.closed or self.ears.closed:
            raise error
        log.error("a tick failed; retrying", exc_info=error)
        clock.sleep(FAILURE_PAUSE_S)

    # -- acting after the commit

    def deliver(self, grants: Sequence[Grant]) -> None:
        """Start what was granted. A session that has left since then gets it when it is back."""
        for executor in self.executors if grants else ():
            mine = executor.sessions()
            if chosen := [grant for grant in grants if grant.attempt.session in mine]:
                executor.start(chosen)

    def cancel_intended(self) -> None:
        """Tell executors which of their attempts a person or a time-out wants ended.

        Repeated until the attempts have ended.
        """
        mine = {session: each for each in self.executors for session in each.sessions()}
        for session, keys in read(self.conn, sessions.intended, mine).items():
            mine[session].cancel(session, [AttemptKey(*key) for key in keys])

    # -- once a second, or at the end of a rest

    def sweep(self) -> None:
        self.last_sweep = clock.monotonic()
        steps = (
            self.renew,
            self.take_back,
            self.divide,
            self.ring,
            self.create_due,
            self.look_up_waits,
        )
        for step in (*steps, self.follow_assets, self.send):
            self.go_on_after(step)
        self.bring_level()
        self.restless = False

    def answer(self) -> None:
        """Look at what a person may have done besides what the tick saw. Its grants do not wait for this."""
        self.asked, self.restless = False, True
        self.bring_level()

    def bring_level(self) -> None:
        for executor in self.executors:
            self.go_on_after(executor.adopt)
        self.go_on_after(self.cancel_intended)

    def go_on_after(self, step: Callable[[], object]) -> bool:
        """Run a step; its failure does not stop the next step. Returns False if it failed.

        A lost connection ends the process.
        """
        try:
            step()
        except EXHAUSTED:
            raise
        except Exception as error:
            if self.conn.closed or self.ears.closed:
                raise
            log.error("a step failed; the other steps continue", exc_info=error)
            return False
        return True

    def take_back(self) -> None:
        """Recover attempts of ended sessions, and take back runs whose pause is over."""
        ended, paused = transact(self.conn, self.expire)
        for key in paused:  # each in a transaction of its own: a DAG is locked before its run
            self.go_on_after(partial(transact, self.conn, take_back, key))
            self.look_for_starts = True
        if ended or paused:
            self.wanted = True

    def create_due(self) -> None:
        if self.scheduled and transact(self.conn, timetables.create_due, self.catalog, ids.run_id):
            self.look_for_starts = self.wanted = True

    def ring(self) -> None:
        """Look for starts where the logical date of a queued run has come."""
        if transact(self.conn, self.ring_rows):
            self.look_for_starts = self.wanted = True

    @staticmethod
    def ring_rows(conn: Connection[Any]) -> int:
        return queue.ring(conn, database_clock(conn), RINGS_MAX)

    def follow_assets(self) -> None:
        """Create the runs that events bring. If another scheduler is at it, look again soon."""
        self.events = False
        if not self.scheduled:
            return
        followed = following.follow(self.conn, self.catalog, ids.run_id)
        if followed.created or followed.more:
            self.look_for_starts = self.wanted = True
        self.events = followed.more
        self.restless |= followed.busy

    def send(self) -> None:
        """See to it that outbound webhooks are sent."""
        if self.sending is not None:
            self.sending.turn(self.conn)

    def look_up_waits(self) -> None:
        """End waits for runs and assets, in a small share of the time, however many there are."""
        began = clock.monotonic()
        if began < self.look_after:
            return
        if transact(self.conn, look_up_waits):
            self.wanted = True
        now = clock.monotonic()
        self.look_after = now + (now - began) * LOOK_SHARE

    def renew(self) -> None:
        """Renew the leases of sessions that gave a sign of life, and our own; told after the commit."""
        beating = {
            session: log_bytes
            for executor in self.executors
            for session, log_bytes in executor.beating().items()
        }
        alive = transact(self.conn, self.renew_rows, beating)
        for executor in self.executors:
            executor.renewed(alive)

    def renew_rows(self, conn: Connection[Any], beating: dict[str, int]) -> dict[str, int | None]:
        now = database_clock(conn)
        schedulers.renew(conn, self.scheduler_id, now, self.measures)
        return sessions.renew(conn, beating, now, LEASE) if beating else {}

    @staticmethod
    def expire(conn: Connection[Any]) -> tuple[list[str], list[tuple[int, str]]]:
        """Return sessions whose lease has ended, and runs whose pause is over."""
        now = database_clock(conn)
        return sessions.expire(conn, now, LEASE), runs.to_retry(conn, now, RETRIES_MAX)

    def register(self) -> None:
        transact(self.conn, self.open_rows)

    def open_rows(self, conn: Connection[Any]) -> None:
        canary_s = 0.0 if self.canary is None else self.canary.period_s
        host, pid = socket.gethostname(), os.getpid()
        schedulers.open_scheduler(conn, self.scheduler_id, host, pid, canary_s)
        # What it was that failed, this process may do better.
        runs.retry_all(conn, database_clock(conn), RETRIES_MAX)

    def stop(self, *_: object) -> None:
        self.stopping = True


def main(arguments: list[str] | None = None) -> None:
    """Run the process. The URL of the database comes on standard input: neither ``ps`` nor ``/proc`` shows it.

    So do the master keys of secrets, after a tab, unless they are in their file.
    """
    parser = argparse.ArgumentParser(prog="headway.engine.scheduler")
    parser.add_argument("--listen", required=True, help="unix:PATH or tcp:HOST:PORT, for agents")
    parser.add_argument(
        "--data", type=Path, help="the data directory, from which old files are removed"
    )
    parser.add_argument(
        "--kubernetes", type=Path, metavar="FILE", help="settings of the Kubernetes executor"
    )
    parser.add_argument("--agents", metavar="tls:HOST:PORT", help="for agents of other machines")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="of the gateway, PEM")
    parser.add_argument("--key", type=Path, metavar="FILE", help="of the certificate, PEM")
    parser.add_argument("--ships-logs", action="store_true", help="a log store is configured")
    parser.add_argument("--on-demand", action="store_true", help="do not create scheduled runs")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    dsn, _, given = sys.stdin.readline().strip().partition("\t")
    data = chosen.data
    try:
        secrets = None if data is None else Service(dsn, data, keys_of(data, given or None))
        executors = executors_of(
            chosen.listen,
            data,
            secrets,
            chosen.kubernetes,
            ships_logs=chosen.ships_logs,
            outside=outside(chosen.agents, chosen.certificate, chosen.key),
        )
        canary_s = 0.0 if chosen.on_demand else period_from(os.environ)
        sending = None if data is None or chosen.on_demand else Sending(data, f"{dsn}\t{given}")
        opened = partial(Scheduler, dsn, executors, scheduled=not chosen.on_demand, sending=sending)
        work(partial(opened, data=data, ships_logs=chosen.ships_logs, canary_s=canary_s))
        if secrets is not None:
            secrets.close()
    except HeadwayError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def work(opened: Callable[[], Scheduler]) -> None:
    """Run a scheduler until it is told to stop. Raises NotReachable if it loses the database."""
    try:
        scheduler = opened()
        with stopping_on_signals(scheduler.selector, scheduler.stop):
            scheduler.run()
    except psycopg.OperationalError as error:
        reason = next(iter(str(error).splitlines()), "")
        raise NotReachable(f"the connection to the database was lost: {reason}") from error


if __name__ == "__main__":
    main()
