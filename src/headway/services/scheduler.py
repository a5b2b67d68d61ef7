"""The scheduler process: a synchronous loop that owns time and transactions. Stateless: any number
of them run at once.

``python -m headway.services.scheduler --listen unix:/path`` with HEADWAY_DATABASE_URL and
HEADWAY_AGENT_TOKEN in the environment. Woken by agents, by NOTIFY and by timers; a slow poll is the
safety net. It is crash-only: what it cannot handle ends the process, and everything goes on from
the database.
"""

import argparse
import contextlib
import logging
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import Connection

from headway import clock, ids, pulse
from headway.agent.protocol import LEASE_S, AttemptKey, Cancel, Fetch, Hello
from headway.core.reports import Ended
from headway.core.run import Run
from headway.errors import HeadwayError, NotReachable
from headway.executors.agents import translate
from headway.executors.agents.gateway import Gateway, Link, grouped
from headway.services import janitor, timetables
from headway.services.catalog import Catalog
from headway.services.strikes import EXHAUSTED, explained
from headway.services.tick import Envelope, Grant, Ticker, Turn, advance, take_in_again
from headway.store import notices, queue, runs, schedulers, sessions, snapshots, teams, xcoms
from headway.store.clock import clock as database_clock
from headway.store.measures import Measures
from headway.store.runs import Claimed
from headway.store.sessions import Bound
from headway.store.transact import ENGINE, Limits, connect, once, read, transact

log = logging.getLogger(__name__)

POLL_S: Final = 0.5  # the safety net
SWEEP_S: Final = 1.0  # leases, heartbeats, cancellations
REST_S: Final = 5.0  # both, while no run is under way
# While more than a few attempts are in flight, ticks wait for a batch: a quarter of them, or for a while that
# grows with their square, up to what agents have at hand beyond their processes.
PACE_ABOVE: Final = 4
PACE_SHARE: Final = 4
PACE_S: Final = 0.00001
PACE_MAX_S: Final = 0.04
STARTS_WAIT_S: Final = 0.05  # how long ``running`` may wait for another reason to tick
RETRIES_MAX: Final = 50  # of runs that were set aside, in one sweep
FAILURE_PAUSE_S: Final = 0.5
# A tick that waits for the locks of a frozen neighbour gives up in time for our agents' heartbeats.
LIMITS: Final = Limits(lock_timeout_s=2.0)
LEASE: Final = timedelta(seconds=LEASE_S)


class Scheduler:
    def __init__(
        self,
        dsn: str,
        address: str,
        secret: str,
        *,
        scheduled: bool = True,
        data: Path | None = None,
        ships_logs: bool = False,
    ) -> None:
        self.data = data
        self.scheduled = scheduled  # makes the runs that timetables want
        self.selector = selectors.DefaultSelector()
        self.conn = connect(dsn, role=ENGINE, application="headway scheduler", limits=LIMITS)
        self.ears = connect(dsn, role=ENGINE, application="headway scheduler listen")
        if not self.ears.pooled:
            self.ears.execute("LISTEN headway_scheduler")
        self.selector.register(self.ears.fileno(), selectors.EVENT_READ, self.notified)
        self.gateway = Gateway(self.selector, address, secret)
        self.catalog = Catalog(self.conn)
        self.ticker = Ticker(self.catalog, translate.decode, ids.token, ids.fraction)
        self.janitor = (
            None if data is None else janitor.of_process(self.conn, data, ships_logs=ships_logs)
        )
        self.scheduler_id = ids.run_id()
        self.measures = Measures()
        self.stopping = False
        self.wanted = True  # somebody said that there is something to do
        self.look_for_starts = True
        self.last_tick = self.last_sweep = float("-inf")
        self.rest_s = 0.0  # how long nothing can come to be due by itself

    # -- the loop

    def run(self) -> None:
        self.register()
        while not self.stopping:
            pulse.beat()
            self.wait(self.pause())
            if self.gateway.arrivals:
                self.answer_arrivals()
            if self.sweep_in() <= 0:
                self.sweep()
            if self.janitor is not None:
                self.go_on_after(self.janitor.turn)
            if self.due():
                self.tick()
        self.gateway.close()
        transact(self.conn, schedulers.close, self.scheduler_id)
        if self.janitor is not None:
            self.janitor.close()

    def wait(self, timeout_s: float) -> None:
        for key, events in self.selector.select(timeout_s):
            key.data(events)

    def notified(self, _: int) -> None:
        for _notice in notices.heard(self.ears):
            self.wanted = self.look_for_starts = True
        # What a person did may be meant for our agents: look at once.
        self.last_sweep = float("-inf")

    def pause(self) -> float:
        """Seconds to wait for news: none when a tick is due, a pace under load, else the poll."""
        since = clock.monotonic() - self.last_tick
        if self.gateway.envelopes or self.wanted:
            return max(0.0, self.pace() - since)
        if self.gateway.starts:
            return max(0.0, STARTS_WAIT_S - since)
        due_s = [self.poll_s() - since, self.sweep_in()]
        if self.janitor is not None:
            due_s.append(self.janitor.due_in())
        return max(0.0, min(due_s))

    def poll_s(self) -> float:
        return max(POLL_S, self.rest_s)

    def sweep_in(self) -> float:
        """Seconds. A heartbeat is never kept waiting for the end of a rest."""
        every_s = SWEEP_S if self.gateway.heartbeats() else max(SWEEP_S, self.rest_s)
        return self.last_sweep + every_s - clock.monotonic()

    def pace(self) -> float:
        ended = len(self.gateway.envelopes)
        in_flight = ended + sum(len(link.held) for link in self.gateway.links.values())
        if in_flight <= PACE_ABOVE or ended * PACE_SHARE >= in_flight:
            return 0.0
        return min(PACE_S * in_flight**2, PACE_MAX_S)

    def due(self) -> bool:
        since = clock.monotonic() - self.last_tick
        if self.gateway.envelopes or self.wanted:
            return since >= self.pace()
        return since >= (STARTS_WAIT_S if self.gateway.starts else self.poll_s())

    def tick(self) -> None:
        """A tick, and then, after its commit, what follows from it."""
        self.wanted, starts = False, self.look_for_starts or not self.gateway.envelopes
        self.look_for_starts = False
        envelopes = self.gateway.drain()
        self.last_tick = clock.monotonic()
        try:
            turn, models = once(
                self.conn, advance, self.ticker, envelopes, self.gateway.places(), starts=starts
            )
        except EXHAUSTED:
            raise
        except Exception as error:
            # Whatever it was: ended by it, the process would only meet it again.
            self.recover(error)
            self.gateway.give_back(envelopes)
            return
        self.ticker.settle(models)
        self.count(envelopes, turn)
        self.gateway.acknowledge()
        for run_id in turn.read:
            self.gateway.forget_run(run_id)
        self.deliver(turn.grants)
        self.follow_up(turn)
        self.rest_s = 0.0 if turn.claimed or self.wanted else self.rest()

    def count(self, envelopes: list[Envelope], turn: Turn) -> None:
        """For /metrics, after the commit; a lease that is over is no report, and not among the ends."""
        self.measures.add_tick(clock.monotonic() - self.last_tick)
        self.measures.add_waits(
            (grant.row.team_id, (grant.run.now - grant.instance.ready_at).total_seconds())
            for grant in turn.grants
            if grant.instance.ready_at is not None
        )
        self.measures.add_ends(
            (each.team_id, each.report.outcome)
            for each in envelopes
            if isinstance(each.report, Ended)
        )

    def rest(self) -> float:
        """How long to leave the database alone: whatever begins meanwhile is notified, if not by way of a pooler."""
        if self.ears.pooled or any(link.held for link in self.gateway.links.values()):
            return 0.0
        if read(self.conn, queue.is_under_way):
            return 0.0
        slot = read(self.conn, queue.until_next_slot) if self.scheduled else None
        return REST_S if slot is None else min(REST_S, max(0.0, slot.total_seconds()))

    def follow_up(self, turn: Turn) -> None:
        if turn.finished or turn.starts_left:
            self.look_for_starts = self.wanted = True
        if turn.more:
            self.wanted = True
        if turn.intents:
            self.cancel_intended()

    def recover(self, error: Exception) -> None:
        """A failed transaction:

        nothing in memory is believed any more. A lost connection ends the process.
        """
        self.ticker.forget(error)
        if self.conn.closed or self.ears.closed:
            raise error
        log.error("a tick failed and is tried again", exc_info=error)
        clock.sleep(FAILURE_PAUSE_S)

    # -- acting after the commit

    def deliver(self, grants: list[Grant]) -> None:
        for session, of_session in grouped((g.attempt.session, g) for g in grants).items():
            for of_run in grouped((g.row.run_id, g) for g in of_session).values():
                self.deliver_run(session, of_run)

    def deliver_run(self, session: str, grants: list[Grant]) -> None:
        row, run = grants[0].row, grants[0].run
        tokens = {
            translate.attempt_key(row.run_id, g.instance, g.attempt.number): g.attempt.token or ""
            for g in grants
        }
        with self.at_own_cost(self.gateway.links.get(session), row.run_id, tokens):
            messages = [
                translate.grant(run, g.instance, g.attempt.number, g.attempt.token or "")
                for g in grants
            ]
            dag = self.catalog.dag(row.team_id, row.dag_id, row.number)
            context = translate.context(row, dag.file, dag.reuse_child)
            self.gateway.deliver(session, context, messages)

    @contextlib.contextmanager
    def at_own_cost(
        self, link: Link | None, run_id: str, tokens: Mapping[AttemptKey, str]
    ) -> Iterator[None]:
        """What goes wrong while attempts are handed out costs these attempts, and nobody else."""
        try:
            yield
        except (psycopg.Error, *EXHAUSTED):
            raise
        except Exception as error:  # of another version of Headway, as a rule
            log.error("attempts of run %s cannot be handed out", run_id, exc_info=error)
            why = f"its run cannot be handed to an agent: {explained(error)}"
            for key, token in tokens.items():
                if link is not None:
                    self.gateway.give_up(link, key, token, why)

    def cancel_intended(self) -> None:
        """Tell our agents which of their attempts a person or a time-out wants ended.

        Told again until they have.
        """
        mine = list(self.gateway.links)
        for session, keys in read(self.conn, sessions.intended, mine).items():
            self.gateway.send(
                self.gateway.links[session], Cancel([AttemptKey(*key) for key in keys])
            )

    # -- once a second, or at the end of a rest

    def sweep(self) -> None:
        self.last_sweep = clock.monotonic()
        # Another scheduler may have bound attempts to an agent that has come over to us.
        steps: list[Callable[[], object]] = [self.renew, self.take_back, self.create_due]
        steps += [partial(self.send_bound, link) for link in self.gateway.links.values()]
        steps += [self.cancel_intended, self.gateway.sweep]
        for step in steps:
            self.go_on_after(step)

    def go_on_after(self, step: Callable[[], object]) -> bool:
        """Whatever goes wrong in a step, the next one is done. False: it went wrong.

        A lost connection ends the process.
        """
        try:
            step()
        except EXHAUSTED:
            raise
        except Exception as error:
            if self.conn.closed or self.ears.closed:
                raise
            log.error("a step failed, the others go on", exc_info=error)
            return False
        return True

    def take_back(self) -> None:
        """What sessions that are over held; runs whose pause is over."""
        ended, paused = transact(self.conn, self.expire)
        for key in paused:  # each in a transaction of its own: a DAG is locked before its run
            self.go_on_after(partial(transact, self.conn, take_in_again, key))
            self.look_for_starts = True
        if ended or paused:
            self.wanted = True

    def create_due(self) -> None:
        if self.scheduled and transact(self.conn, timetables.create_due, self.catalog, ids.run_id):
            self.look_for_starts = self.wanted = True

    def renew(self) -> None:
        """Heartbeats of agents, answered after the commit, and our own."""
        beating = self.gateway.heartbeats()
        alive = transact(self.conn, self.renew_rows, list(beating))
        for session, link in beating.items():
            if session in alive:
                self.gateway.answer_heartbeat(link)
            else:
                self.gateway.refuse(link, "the session's lease was over")

    def renew_rows(self, conn: Connection[Any], beating: list[str]) -> set[str]:
        now = database_clock(conn)
        schedulers.renew(conn, self.scheduler_id, now, self.measures)
        return sessions.renew(conn, beating, now, LEASE) if beating else set()

    @staticmethod
    def expire(conn: Connection[Any]) -> tuple[list[str], list[tuple[int, str]]]:
        """Sessions whose lease is over, now ended; runs whose pause is over."""
        now = database_clock(conn)
        return sessions.expire(conn, now, LEASE), runs.to_retry(conn, now, RETRIES_MAX)

    # -- agents that arrive

    def answer_arrivals(self) -> None:
        arrivals, self.gateway.arrivals = self.gateway.arrivals, []
        for link, message in arrivals:
            if link.sock.fileno() >= 0 and not self.go_on_after(
                partial(self.answer, link, message)
            ):
                self.gateway.drop(link)

    def answer(self, link: Link, message: Hello | Fetch) -> None:
        match message:
            case Hello():
                self.let_in(link, message)
            case Fetch(request, run_id, refs):
                found = read(self.conn, xcoms.fetch, link.team_id, run_id, translate.wanted(refs))
                self.gateway.answer(link, translate.values(request, refs, found))

    def let_in(self, link: Link, hello: Hello) -> None:
        team_id = teams.DEFAULT
        alive = transact(
            self.conn,
            sessions.open_session,
            team_id,
            hello.session,
            hello.agent,
            hello.host,
            hello.pid,
            hello.slots,
            read(self.conn, database_clock),
            LEASE,
            None if self.data is None else str(self.data),
        )
        if not alive:
            self.gateway.refuse(link, "the session's lease was over")
            return
        self.gateway.welcome(link, hello, team_id)
        self.send_bound(link)
        self.wanted = True

    def send_bound(self, link: Link) -> None:
        """Bring an agent level with the database: what is bound to it and it does not hold, and the reverse.

        An attempt whose end waits for a tick, or in the inbox, is neither: sent again it would take a place
        for ever.
        """
        assert link.hello is not None
        bound = read(self.conn, sessions.bound, link.team_id, link.hello.session)
        keys = {AttemptKey(b.run_id, b.task_id, b.map_index, b.number): b for b in bound}
        link.ended.intersection_update(keys)
        stale = [key for key in link.held if key not in keys]
        if stale:
            self.gateway.send(link, Cancel(stale))
            link.held.difference_update(stale)
        known = link.held | link.ended
        missing = [
            (b.run_id, (key, b)) for key, b in keys.items() if key not in known and not b.reported
        ]
        for run_id, pairs in grouped(iter(missing)).items():
            with self.at_own_cost(link, run_id, {key: b.token for key, b in pairs}):
                self.send_again(link, run_id, pairs)

    def send_again(self, link: Link, run_id: str, pairs: list[tuple[AttemptKey, Bound]]) -> None:
        assert link.hello is not None
        row, run = read(self.conn, self.run_of, link.team_id, run_id)
        dag = self.catalog.dag(row.team_id, row.dag_id, row.number)
        messages, unwanted = [], []
        for key, b in pairs:
            instance = run.get(key.task_id, key.map_index)
            if instance is not None and instance.attempt is not None:
                messages.append(translate.grant(run, instance, b.number, b.token))
                if instance.intent is not None:
                    unwanted.append(key)
        if unwanted:  # before their grants: then they end without starting
            self.gateway.send(link, Cancel(unwanted))
        self.gateway.deliver(
            link.hello.session, translate.context(row, dag.file, dag.reuse_child), messages
        )

    def run_of(self, conn: Connection[Any], team_id: int, run_id: str) -> tuple[Claimed, Run]:
        row = runs.read(conn, team_id, run_id)
        assert row is not None, f"an attempt of no run: {run_id}"
        (run,) = snapshots.load(conn, [row], self.catalog.graph, database_clock(conn))
        return row, run

    def register(self) -> None:
        transact(self.conn, self.open_rows)

    def open_rows(self, conn: Connection[Any]) -> None:
        schedulers.open_scheduler(conn, self.scheduler_id, socket.gethostname(), os.getpid())
        # What it was that failed, this process may do better.
        runs.retry_all(conn, database_clock(conn), RETRIES_MAX)

    def stop(self, *_: object) -> None:
        self.stopping = True


@contextlib.contextmanager
def stopping_on_signals(scheduler: Scheduler) -> Iterator[None]:
    # A signal must also end a select that waits.
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())
    scheduler.selector.register(reader, selectors.EVENT_READ, lambda _: reader.recv(64))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, scheduler.stop)
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)


def main(arguments: list[str] | None = None) -> None:
    """The process: settings come by the environment, so that no credential shows in a list of
    processes.
    """
    parser = argparse.ArgumentParser(prog="headway.services.scheduler")
    parser.add_argument("--listen", required=True, help="unix:PATH or tcp:HOST:PORT, for agents")
    parser.add_argument("--data", type=Path, help="the data directory, to be kept tidy")
    parser.add_argument("--ships-logs", action="store_true", help="there is a log store")
    parser.add_argument("--on-demand", action="store_true", help="leave timetables alone")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        scheduler = Scheduler(
            os.environ.pop("HEADWAY_DATABASE_URL"),
            chosen.listen,
            os.environ.pop("HEADWAY_AGENT_TOKEN"),
            scheduled=not chosen.on_demand,
            data=chosen.data,
            ships_logs=chosen.ships_logs,
        )
        with stopping_on_signals(scheduler):
            scheduler.run()
    except HeadwayError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except psycopg.OperationalError as error:
        print(
            f"the connection to the database was lost: {next(iter(str(error).splitlines()), '')}",
            file=sys.stderr,
        )
        sys.exit(NotReachable.exit_code)


if __name__ == "__main__":
    main()
