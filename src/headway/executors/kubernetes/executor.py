"""Pods as an executor: one for each attempt, in the namespace of its team.

A team's share of the cluster is a session. What a tick grants is bound to it, and a pod with a name of its own is
created for it (``creation``); the process in the pod is an agent (``agent/pod``). When that knocks, its attempt is
bound to the pod's UID, in one transaction, before it is granted (``arrivals``): a pod that comes second, or late, is
refused. So a pod may be created any number of times, and what exists is only compared with what is wanted
(``upkeep``). From then on the pod is an agent like any other: its lease, its fence, and its reports, which it keeps
until they are stored.
"""

import logging
import selectors
import socket
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

from headway import clock, ids
from headway.agent.protocol import AttemptKey, Hello
from headway.core.admission import Session
from headway.core.reasons import PodRefused, Reason
from headway.core.warm import WARM
from headway.executors.agents import translate
from headway.executors.agents.asks import Service
from headway.executors.agents.doors import Outside, outside
from headway.executors.agents.executor import AGENTS, Agents
from headway.executors.agents.files import Files
from headway.executors.agents.link import Link
from headway.executors.base import LEASE, Backlog, Envelope, Grant, Host
from headway.executors.kubernetes.arrivals import Arrivals
from headway.executors.kubernetes.cluster import Cluster
from headway.executors.kubernetes.connect import client_of
from headway.executors.kubernetes.creation import Creation
from headway.executors.kubernetes.ends import Ends
from headway.executors.kubernetes.keys import fields
from headway.executors.kubernetes.names import namespace_of, pod_name
from headway.executors.kubernetes.namespaces import Namespaces
from headway.executors.kubernetes.room import room, why_not_created
from headway.executors.kubernetes.settings import EXECUTOR, Settings
from headway.executors.kubernetes.shares import Share
from headway.executors.kubernetes.stops import explained
from headway.executors.kubernetes.upkeep import Upkeep
from headway.executors.kubernetes.warm import WarmPools
from headway.store import pod_policies, sessions
from headway.store.clock import clock as database_clock
from headway.store.sessions import Bound
from headway.store.transact import transact

log = logging.getLogger(__name__)

BEAT_S: Final = 5.0  # between two renewals of the sessions of teams


class Pods:
    """``data``: the data directory, which pods do not share: ``files`` is their way to it."""

    def __init__(
        self,
        host: Host,
        settings: Settings,
        *,
        data: str,
        name: str = EXECUTOR,
        secrets: Service | None = None,
        files: Files | None = None,
    ) -> None:
        self.name = name
        self.host = host
        self.settings = settings
        self.data = data
        self.agents = Agents(
            host,
            address=settings.listen,
            data=data,
            name=name,
            secrets=secrets,
            files=files,
            outside=door_of(settings),
            admit=self.admit,
        )
        self.shares: dict[int, Share] = {}  # by team
        self.beaten: dict[int, str] = {}  # sessions whose renewal was asked for
        self.is_policy_told = False
        self.beat_at = float("-inf")
        bell, self.ringer = socket.socketpair()
        bell.setblocking(False)
        self.ringer.setblocking(False)
        self.bell = bell
        host.selector.register(bell, selectors.EVENT_READ, lambda _: bell.recv(4096))
        self.cluster = Cluster(client_of(settings), settings.install, self.ring)
        self.namespaces = Namespaces(host, settings, self.cluster, name)
        self.ends = Ends(settings, self.agents.gateway)
        self.creation = Creation(host, settings, self.cluster, self.ends)
        world = (host, settings, self.cluster, self.shares, self.agents)
        self.upkeep = Upkeep(*world, self.creation, self.ends, name)
        mutation = self.creation.mutation
        self.warm = WarmPools(host, settings, self.cluster, self.shares, mutation, name)
        self.arrivals = Arrivals(*world, data=data, name=name)

    def admit(self, link: Link, hello: Hello) -> None:
        self.arrivals.knock(link, hello)

    def ring(self) -> None:
        """Wake the scheduler, from another thread."""
        try:
            self.ringer.send(b"!")
        except OSError:  # full, and so heard anyway
            return

    # -- what came in

    def backlog(self) -> Backlog:
        pending = sum(len(share.pending) for share in self.shares.values())
        beats = bool(self.shares) and clock.monotonic() >= self.beat_at
        return self.agents.backlog() + Backlog(held=pending, beats=beats)

    def serve(self) -> bool:
        more = self.agents.serve()
        self.cluster.take()
        if self.creation.is_due:
            self.host.safely(self.creation.work)
            if self.creation.is_due:  # goes on in the next turn
                self.ring()
        if self.upkeep.is_due:
            self.host.safely(self.upkeep.reconcile)
            more = True
        return more

    def collect(self) -> list[Envelope]:
        return [self.explained(each) for each in self.agents.collect()]

    def explained(self, report: Envelope) -> Envelope:
        share = self.shares.get(report.team_id)
        pods = {} if share is None else self.cluster.pods.get(share.namespace, {})
        return report if share is None else explained(report, self.settings, share.team, pods)

    def give_back(self, reports: Sequence[Envelope]) -> None:
        self.agents.give_back(reports)

    def acknowledge(self) -> None:
        over = self.ends.stored()
        self.creation.forget(over)
        self.cluster.news |= over
        self.agents.acknowledge()

    def forget_results(self, run_id: str) -> None:
        self.agents.forget_results(run_id)

    # -- capacity

    def sessions(self) -> Collection[str]:
        return {*self.agents.sessions(), *(share.session for share in self.shares.values())}

    def offers(self) -> Mapping[int, Sequence[Session]]:
        queues = self.settings.queues
        found = {
            team_id: [Session(share.session, self.name, free, queues, executor=self.name, full=why)]
            for team_id, share in self.shares.items()
            for free, why in [self.room(share)]
        }
        for team_id, agents in self.agents.gateway.places().items():
            for each in agents:
                if not self.warm.stays(team_id, each.agent):
                    each.free = 0
            found.setdefault(team_id, []).extend(as_agent(each) for each in agents)
        for team_id in self.shares:
            if (on_its_way := self.warm.why(team_id)) is not None:
                none = Session("", "", 0, queues, full=on_its_way)
                found[team_id].append(as_agent(none))
        return found

    def room(self, share: Share) -> tuple[int, Reason | None]:
        """Return how many more pods of a team may be asked for, and why no more may."""
        trouble = share.trouble or self.cluster.troubles.get(share.namespace)
        pods = self.cluster.pods.get(share.namespace)
        if not share.is_ready or pods is None:
            return 0, PodRefused(trouble or f"the namespace {share.namespace} is not ready yet")
        tally = self.cluster.tally(share.namespace)
        if share.refused:  # those that were granted come first
            return 0, why_not_created(next(iter(share.refused.values())), tally)
        missing = len(share.pending.keys() - pods.keys())
        usual = self.settings.resources
        return room(share.settings, share.pods_max, tally, missing, usual)

    def beating(self) -> Mapping[str, int]:
        """The session of a team is alive as long as a scheduler is: its pods wait, whatever the API server does."""
        found = dict(self.agents.beating())
        if clock.monotonic() >= self.beat_at:
            self.beat_at = clock.monotonic() + BEAT_S
            found |= {share.session: 0 for share in self.shares.values()}
            self.beaten = {team_id: share.session for team_id, share in self.shares.items()}
        return found

    def renewed(self, alive: Mapping[str, int | None]) -> None:
        self.agents.renewed(alive)
        for team_id, session in self.beaten.items():
            share = self.shares.get(team_id)
            if session not in alive and share is not None and share.session == session:
                del self.shares[team_id]  # what was bound to it is lost: another one is opened
        self.beaten = {}

    def look_for_teams(self) -> None:
        if not self.is_policy_told:
            transact(self.host.conn, self.tell_policy)
            self.is_policy_told = True
        found = {team.team_id: team for team in self.namespaces.look()}
        for team_id in self.shares.keys() - found.keys():
            del self.shares[team_id]
        for team_id, team in found.items():
            share = self.shares.get(team_id)
            if share is None:
                session = transact(self.host.conn, self.open_session, team_id)
                namespace = namespace_of(self.settings, team.name)
                share = self.shares[team_id] = Share(team_id, team.name, namespace, session)
                self.cluster.follow(namespace)
            share.is_ready = self.namespaces.is_ready(team)
            share.trouble, share.settings = team.trouble or "", team.settings
            share.pods_max = team.settings.pods or self.settings.pods
            share.deadline_s = team.settings.pending_deadline_s or self.settings.pending_deadline_s

    def tell_policy(self, conn: Connection[Any]) -> None:
        """Store what pods may be, for who loads DAG files."""
        pod_policies.tell(conn, self.name, self.settings.policy, database_clock(conn))

    def open_session(self, conn: Connection[Any], team_id: int) -> str:
        """All schedulers share the session of a team: what one of them granted is in the care of the next."""
        now = database_clock(conn)
        session = sessions.live_of_cluster(conn, team_id, self.name, now, LEASE)
        if session is None:
            session = ids.run_id()
            who = (team_id, session, self.name, self.name, 1, self.settings.pods)
            sessions.open_session(conn, *who, now, LEASE, self.data, queues=self.settings.queues)
        return session

    # -- attempts

    def start(self, grants: Sequence[Grant]) -> None:
        self.agents.start(grants)  # of warm pools
        for grant in grants:
            share = self.shares.get(grant.row.team_id)
            if share is None or share.session != grant.attempt.session:
                continue
            key = translate.attempt_key(grant.row.run_id, grant.instance, grant.attempt)
            token = grant.attempt.token or ""
            bound = Bound(share.team_id, *fields(key), token, reported=False, session=share.session)
            name = pod_name(self.settings, share.team, key)
            share.pending[name], share.waits[name] = bound, None
            self.creation.want(name, share, bound, grant.row)
        if self.creation.is_due:
            self.ring()

    def cancel(self, session: str, keys: Sequence[AttemptKey]) -> None:
        share = next((each for each in self.shares.values() if each.session == session), None)
        if share is None:
            self.agents.cancel(session, keys)
            return
        for key in keys:
            name = pod_name(self.settings, share.team, key)
            if (bound := share.pending.get(name)) is not None:
                self.ends.cancelled(share, bound)

    def adopt(self) -> None:
        self.agents.adopt()
        self.host.safely(self.look_for_teams)
        self.host.safely(self.upkeep.reconcile)
        self.host.safely(self.warm.look)

    def close(self) -> None:
        self.cluster.close()
        self.agents.close()
        self.host.selector.unregister(self.bell)
        self.bell.close()
        self.ringer.close()


def as_agent(session: Session) -> Session:
    session.executor, session.also = AGENTS, (WARM,)
    return session


def door_of(settings: Settings) -> Outside | None:
    if not settings.listen.startswith("tls:"):
        return None
    return outside(settings.listen, Path(settings.certificate or ""), Path(settings.key or ""))
