"""Agents as an executor: sessions of connected agents, and what the database knows of them."""

import contextlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import psycopg
from psycopg import Connection

from headway.agent.protocol import (
    Answer,
    Arrival,
    Ask,
    AttemptKey,
    Cancel,
    Fetch,
    Hello,
    Looked,
    OfWatcher,
    Piece,
    Probed,
    Put,
    WantBundle,
    WantResult,
)
from headway.core.admission import Session
from headway.core.run import Run
from headway.core.warm import WARM
from headway.errors import EXHAUSTED, explained
from headway.executors.agents import translate
from headway.executors.agents.asks import Asks, Service, lane_of, no_secret, size_of
from headway.executors.agents.doors import Outside
from headway.executors.agents.errands import Errands
from headway.executors.agents.files import Files
from headway.executors.agents.gateway import Gateway
from headway.executors.agents.link import Link
from headway.executors.agents.rights import Rights
from headway.executors.agents.standing import StandingWatches
from headway.executors.agents.trials import Trials
from headway.executors.agents.triggers import Triggers
from headway.executors.base import Backlog, Envelope, Grant, Host
from headway.secrets.trial import Trial
from headway.store import runs, sessions, snapshots, xcoms
from headway.store.clock import clock
from headway.store.runs import Claimed
from headway.store.sessions import Bound
from headway.store.transact import read

log = logging.getLogger(__name__)

AGENTS: Final = "agents"


class Agents:
    """``data``: the directory on the agents' host where their logs and large results are.

    ``files``: serves agents that do not share it, ``outside``: where those of other machines connect.
    ``admit``: decides about a Hello, now or later, in place of the token of an agent.
    """

    def __init__(
        self,
        host: Host,
        *,
        address: str,
        data: str | None,
        name: str = AGENTS,
        secrets: Service | None = None,
        files: Files | None = None,
        outside: Outside | None = None,
        admit: Callable[[Link, Hello], None] | None = None,
    ) -> None:
        self.name = name
        self.host = host
        self.conn = host.conn
        self.versions = host.versions
        self.data = data
        self.gateway = Gateway(host.selector, address, outside)
        self.asks: Asks[Ask, Answer] = Asks(
            host.selector, secrets, no_secret, kind=lane_of, size=size_of
        )
        self.errands = Errands(host, files)
        self.trials = Trials(self.conn, self.gateway, self.asks)
        self.triggers = Triggers(self.conn, self.gateway, host.versions)
        self.watchers = StandingWatches(self.conn, self.gateway)
        self.rights = Rights(host, self.gateway, data, self.welcomed)
        self.admit = admit or self.rights.let_in

    # -- what came in

    def backlog(self) -> Backlog:
        return Backlog(
            ends=len(self.gateway.envelopes),
            starts=len(self.gateway.starts),
            held=self.gateway.held,
            beats=bool(self.gateway.beating) or self.gateway.has_orphans(),
        )

    def collect(self) -> list[Envelope]:
        return self.gateway.drain()

    def give_back(self, reports: Sequence[Envelope]) -> None:
        self.gateway.give_back(reports)

    def acknowledge(self) -> None:
        self.gateway.acknowledge()
        if (
            self.gateway.triggers
        ):  # what was deferred just now is not kept waiting for the next sweep
            self.gateway.triggers = False
            self.host.safely(self.triggers.hand_out)

    # -- capacity

    def sessions(self) -> Collection[str]:
        return self.gateway.links.keys()

    def offers(self) -> Mapping[int, Sequence[Session]]:
        places = self.gateway.places()
        for of_team in places.values():
            for session in of_team:
                session.executor, session.also = self.name, (WARM,)
        return places

    def forget_results(self, run_id: str) -> None:
        self.gateway.forget_run(run_id)

    # -- attempts

    def start(self, grants: Sequence[Grant]) -> None:
        for session, of_session in translate.grouped(
            (g.attempt.session, g) for g in grants
        ).items():
            if (link := self.gateway.links.get(session)) is not None:
                for of_run in translate.grouped((g.row.run_id, g) for g in of_session).values():
                    self.start_in_run(link, session, of_run)

    def start_in_run(self, link: Link, session: str, grants: list[Grant]) -> None:
        row, run = grants[0].row, grants[0].run
        tokens = {
            translate.attempt_key(row.run_id, g.instance, g.attempt): g.attempt.token or ""
            for g in grants
        }
        with self.at_own_cost(link, row.run_id, tokens):
            messages = [
                translate.grant(run, g.instance, g.attempt, g.attempt.token or "") for g in grants
            ]
            dag = self.versions.dag(row.team_id, row.dag_id, row.version)
            context = translate.context(row, dag.file, dag.reuse_child)
            self.gateway.deliver(session, context, messages)

    @contextlib.contextmanager
    def at_own_cost(
        self, link: Link, run_id: str, tokens: Mapping[AttemptKey, str]
    ) -> Iterator[None]:
        """Handle errors of the block so that they affect only the attempts concerned."""
        try:
            yield
        except (psycopg.Error, *EXHAUSTED):
            raise
        except Exception as error:  # of another version of Headway, as a rule
            log.error("cannot send attempts of run %s to agents", run_id, exc_info=error)
            why = f"cannot send the attempt to an agent: {explained(error)}"
            for key, token in tokens.items():
                self.gateway.give_up(link, key, token, why)

    def cancel(self, session: str, keys: Sequence[AttemptKey]) -> None:
        if (link := self.gateway.links.get(session)) is not None:
            self.gateway.send(link, Cancel(list(keys)))

    # -- leases

    def beating(self) -> Mapping[str, int]:
        return {
            session: max(link.log_bytes, link.logs.used())
            for session, link in self.gateway.heartbeats().items()
        }

    def renewed(self, alive: Mapping[str, int | None]) -> None:
        for session, link in self.gateway.heartbeats().items():
            if session in alive:
                self.gateway.answer_heartbeat(link, alive[session])
            else:
                self.gateway.refuse(link, "the session's lease has ended")

    # -- agents that arrive

    def serve(self) -> bool:
        greeted = False
        for link, message in self.gateway.due():
            greeted |= isinstance(message, Hello)
            if not self.host.safely(partial(self.answer, link, message)):
                self.gateway.drop(link)
        for link, ask, answer in self.asks.answers():
            if isinstance(ask, Trial):
                self.host.safely(partial(self.trials.opened, link, ask, answer))
            else:
                self.tell(link, answer)
        for link, _, piece in self.errands.asks.answers():
            self.tell(link, piece)
        return greeted

    def tell(self, link: Link, answer: Answer | Piece) -> None:
        if link.sock.fileno() >= 0:
            self.gateway.send(link, answer)

    def answer(self, link: Link, message: Arrival) -> None:
        if isinstance(message, OfWatcher):
            self.watchers.answer(link, message)
            return
        match message:
            case Looked(looks):
                self.triggers.note(link, looks)
            case Probed():
                self.trials.ended(link, message)
            case Ask():
                if (refusal := self.asks.take(link, message)) is not None:
                    self.tell(link, refusal)
            case Hello():
                self.admit(link, message)
            case Fetch(request, run_id, refs):
                found = read(self.conn, xcoms.fetch, link.team_id, run_id, translate.wanted(refs))
                self.gateway.answer(link, translate.values(request, refs, found))
            case WantBundle() | WantResult() | Put():
                if (piece := self.errands.take(link, message)) is not None:
                    self.tell(link, piece)

    def welcomed(self, link: Link, hello: Hello) -> None:
        """Bring an agent that was let in level with what is bound to it."""
        self.send_bound(link)
        self.triggers.bring_level(link)
        if hello.watchers is not None:
            self.watchers.bring_level([link])

    # -- what is bound

    def adopt(self) -> None:
        """Another scheduler may have bound attempts to an agent that has come over to us."""
        self.host.safely(self.rights.part_from_void)
        self.host.safely(self.trials.begin)
        self.host.safely(self.triggers.look)
        self.host.safely(self.watchers.look)
        self.host.safely(self.compare)
        self.errands.look(self.gateway.links.keys())
        self.gateway.sweep()

    def compare(self) -> None:
        """Compare what agents hold with what is bound to them: of all, or in turn, in one statement."""
        links = self.gateway.next_to_look_at()
        if not links:
            return
        bound = read(self.conn, sessions.bound_to, {link.session: link.team_id for link in links})
        for link in links:
            self.host.safely(partial(self.level, link, bound.get(link.session, [])))

    def send_bound(self, link: Link) -> None:
        self.level(link, read(self.conn, sessions.bound, link.team_id, link.session))

    def level(self, link: Link, bound: Sequence[Bound]) -> None:
        """Synchronise an agent with the database: attempts bound to it that it does not hold, and the reverse.

        Leaves out attempts whose end waits for a tick or in the inbox: sent again, they would take capacity forever.
        """
        keys = {
            AttemptKey(b.run_id, b.task_id, b.map_index, b.number, b.deferrals): b for b in bound
        }
        link.ended.intersection_update(keys)
        stale = [key for key in link.held if key not in keys]
        if stale:
            self.gateway.send(link, Cancel(stale))
            self.gateway.release(link, stale)
        known = link.held | link.ended
        missing = [
            (b.run_id, (key, b)) for key, b in keys.items() if key not in known and not b.reported
        ]
        for run_id, pairs in translate.grouped(iter(missing)).items():
            with self.at_own_cost(link, run_id, {key: b.token for key, b in pairs}):
                self.send_again(link, run_id, pairs)

    def send_again(self, link: Link, run_id: str, pairs: list[tuple[AttemptKey, Bound]]) -> None:
        assert link.hello is not None
        wanted = [(key.task_id, key.map_index) for key, _ in pairs]
        row, run = read(self.conn, self.run_of, link.team_id, run_id, wanted)
        dag = self.versions.dag(row.team_id, row.dag_id, row.version)
        messages, unwanted = [], []
        for key, b in pairs:
            instance = run.get(key.task_id, key.map_index)
            if instance is not None and instance.attempt is not None:
                messages.append(translate.grant(run, instance, instance.attempt, b.token))
                if instance.intent is not None:
                    unwanted.append(key)
        if unwanted:  # before their grants: then they end without starting
            self.gateway.send(link, Cancel(unwanted))
        self.gateway.deliver(
            link.hello.session, translate.context(row, dag.file, dag.reuse_child), messages
        )

    def run_of(
        self, conn: Connection[Any], team_id: int, run_id: str, wanted: Collection[tuple[str, int]]
    ) -> tuple[Claimed, Run]:
        row = runs.read(conn, team_id, run_id)
        assert row is not None, f"an attempt without a run: {run_id}"
        return row, snapshots.load_part(conn, row, wanted, self.versions.graph, clock(conn))

    def close(self) -> None:
        self.asks.close()
        self.errands.close()
        self.gateway.close()
