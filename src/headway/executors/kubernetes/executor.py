"""Pods as an executor: one for each attempt, in the namespace of its team.

A team's share of the cluster is a session. What a tick grants is bound to it, and a pod with a name of its own is
created for it; the process in the pod is an agent (``agent/pod``). When that knocks, its attempt is bound to the pod's
UID, in one transaction, before it is granted (``knock``): a pod that comes second, or late, is refused. So a pod may be
created any number of times, and what exists is only compared with what is wanted (``reconcile``). From then on the
pod is an agent like any other: its lease, its fence, and its reports, which it keeps until they are stored.
"""

import logging
import selectors
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from psycopg import Connection

from headway import clock, ids
from headway.agent.protocol import AttemptKey, Ended, Hello
from headway.core.admission import Session
from headway.core.reasons import PodRefused, Reason
from headway.executors.agents import translate
from headway.executors.agents.asks import Service
from headway.executors.agents.doors import Outside, outside
from headway.executors.agents.executor import Agents
from headway.executors.agents.files import Files
from headway.executors.agents.gateway import Link
from headway.executors.base import LEASE, Backlog, Envelope, Grant, Host
from headway.executors.kubernetes.cluster import DENIED, Cluster, Proof, Refusal
from headway.executors.kubernetes.connect import client_of
from headway.executors.kubernetes.drafts import Drafts
from headway.executors.kubernetes.final import Denied
from headway.executors.kubernetes.keys import fields, key_of
from headway.executors.kubernetes.mutation import Mutation, hook_of
from headway.executors.kubernetes.names import namespace_of, pod_name
from headway.executors.kubernetes.namespaces import Namespaces
from headway.executors.kubernetes.pods import (
    STUCK_CAUSES,
    Pod,
    PodEnd,
    Ref,
    denied,
    end_of,
    loss,
    stuck,
)
from headway.executors.kubernetes.room import room, why_not_created, why_pending
from headway.executors.kubernetes.settings import EXECUTOR, Settings
from headway.executors.kubernetes.shares import Backoff, Share
from headway.executors.kubernetes.stops import explained
from headway.store import attempts, pod_policies, runs, sessions
from headway.store.attempts import Waits
from headway.store.clock import clock as database_clock
from headway.store.runs import Claimed
from headway.store.sessions import Bound
from headway.store.transact import read, transact

log = logging.getLogger(__name__)

BEAT_S: Final = 5.0  # between two renewals of the sessions of teams
LOOK_S: Final = 30.0  # between two looks at every pod; those that changed are looked at at once
NEWS_S: Final = 0.1  # between two looks at what changed


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
            admit=self.knock,
        )
        self.shares: dict[int, Share] = {}  # by team
        self.beaten: dict[int, str] = {}  # sessions whose renewal was asked for
        # Attempts whose end was reported from here and is not stored, by token, and their pods.
        self.told: dict[str, Ref] = {}
        self.backoff = Backoff()
        self.is_policy_told = False
        self.beat_at = self.look_at = self.news_at = float("-inf")
        bell, self.ringer = socket.socketpair()
        bell.setblocking(False)
        self.ringer.setblocking(False)
        self.bell = bell
        host.selector.register(bell, selectors.EVENT_READ, lambda _: bell.recv(4096))
        self.drafts = Drafts(host, settings)
        self.mutation = Mutation(hook_of(settings.pod_mutation) if settings.pod_mutation else None)
        self.cluster = Cluster(client_of(settings), settings.install, self.ring)
        self.namespaces = Namespaces(host, settings, self.cluster, name)

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
        if self.cluster.news and clock.monotonic() >= self.news_at:
            self.host.safely(self.reconcile)
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
        self.cluster.news.update(self.told.values())  # now they are nobody's
        self.told.clear()
        self.agents.acknowledge()

    def forget_results(self, run_id: str) -> None:
        self.agents.forget_results(run_id)

    # -- capacity

    def sessions(self) -> Collection[str]:
        return {*self.agents.sessions(), *(share.session for share in self.shares.values())}

    def offers(self) -> Mapping[int, Sequence[Session]]:
        queues = self.settings.queues
        return {
            team_id: [Session(share.session, self.name, free, queues, executor=self.name, full=why)]
            for team_id, share in self.shares.items()
            for free, why in [self.room(share)]
        }

    def room(self, share: Share) -> tuple[int, Reason | None]:
        """Return how many more pods of a team may be asked for, and why no more may."""
        trouble = share.trouble or self.cluster.troubles.get(share.namespace)
        pods = self.cluster.pods.get(share.namespace)
        if not share.is_ready or pods is None:
            return 0, PodRefused(trouble or f"the namespace {share.namespace} is not ready yet")
        if share.refused:  # those that were granted come first
            return 0, why_not_created(next(iter(share.refused.values())), pods.values())
        missing = len(share.pending.keys() - pods.keys())
        usual = self.settings.resources
        return room(share.settings, share.pods_max, pods.values(), missing, usual)

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
        for grant in grants:
            share = self.shares.get(grant.row.team_id)
            if share is None or share.session != grant.attempt.session:
                continue
            key = translate.attempt_key(grant.row.run_id, grant.instance, grant.attempt)
            token = grant.attempt.token or ""
            bound = Bound(share.team_id, *fields(key), token, reported=False)
            name = pod_name(self.settings, share.team, key)
            share.pending[name], share.waits[name] = bound, None
            self.create(share, bound, grant.row)

    def create(self, share: Share, bound: Bound, row: Claimed) -> None:
        key = key_of(bound)
        name = pod_name(self.settings, share.team, key)
        self.backoff.asked(name)
        try:
            draft = self.drafts.of(share, bound, key, row)
        except Denied as error:
            self.report(bound, denied(str(error)))
            return
        self.cluster.create(partial(draft.made, self.mutation), partial(self.created, share, name))

    def created(self, share: Share, name: str, answer: Pod | Refusal) -> None:
        if isinstance(answer, Pod):
            self.backoff.forget(name)
            share.refused.pop(name, None)
            if name not in self.cluster.pods.get(share.namespace, {}):
                self.cluster.put(answer)
            return
        if answer.code == 409 and answer.reason == "AlreadyExists":  # the LIST will tell
            self.backoff.failed(name)
            return
        bound = share.pending.get(name)
        if answer.is_final and bound is not None:
            self.report(bound, denied(answer.message, is_ours=answer.reason == DENIED))
            return
        self.backoff.failed(name)
        if bound is None:
            return
        if name not in share.refused:
            log.warning("cannot create pod %s/%s: %s", share.namespace, name, answer.message)
        share.refused[name] = answer
        self.cluster.news.add((share.namespace, name))  # to be told

    def cancel(self, session: str, keys: Sequence[AttemptKey]) -> None:
        share = next((each for each in self.shares.values() if each.session == session), None)
        if share is None:
            self.agents.cancel(session, keys)
            return
        for key in keys:
            name = pod_name(self.settings, share.team, key)
            if (bound := share.pending.get(name)) is not None:
                # No process of it exists, and none will: who knocks after the commit is refused.
                self.tell(bound, "cancelled", "never_started", "")

    def report(self, bound: Bound, end: PodEnd) -> None:
        self.tell(bound, end.outcome, end.cause, end.detail, end.exit_code)

    def tell(
        self, bound: Bound, outcome: Any, cause: str, detail: str, exit_code: int | None = None
    ) -> None:
        """Report the end of an attempt whose pod cannot do it. Once: the tick has it, or gives it back."""
        if bound.token in self.told:
            return
        share = self.shares[bound.team_id]
        name = pod_name(self.settings, share.team, key_of(bound))
        self.told[bound.token] = (share.namespace, name)
        message = Ended(0, key_of(bound), bound.token, outcome, cause, detail, exit_code)
        report = translate.report(message)
        body = msgspec.msgpack.encode(message)
        self.agents.gateway.envelopes.append(
            Envelope(bound.team_id, bound.run_id, report, body, clock.monotonic())
        )

    # -- pods that knock

    def knock(self, link: Link, hello: Hello) -> None:
        """Ask the API server who it is. It may be gone when that answers."""
        if hello.attempt is None:
            self.agents.gateway.refuse(link, "only pods are served here", again=False)
            return
        self.cluster.review(hello.token, partial(self.reviewed, link, hello))

    def reviewed(self, link: Link, hello: Hello, proof: Proof | Refusal | None) -> None:
        if link.sock.fileno() < 0:
            return
        if isinstance(proof, Refusal):
            log.warning("cannot verify a pod: %s", proof.message)
            self.agents.gateway.drop(link)  # it comes again
        elif not self.host.safely(partial(self.let_in, link, hello, proof)):
            self.agents.gateway.drop(link)

    def let_in(self, link: Link, hello: Hello, proof: Proof | None) -> None:
        share = self.share_of(hello, proof)
        if share is None or hello.attempt is None:
            self.agents.gateway.refuse(link, "the pod is not that of its attempt", again=False)
            return
        if not transact(self.host.conn, self.bind, share, hello, hello.attempt):
            why = "its attempt has ended, or another pod has it"
            self.agents.gateway.refuse(link, why, again=False)
            return
        share.pending.pop(pod_name(self.settings, share.team, hello.attempt), None)
        self.agents.gateway.welcome(link, hello, share.team_id, "")
        self.agents.send_bound(link)

    def share_of(self, hello: Hello, proof: Proof | None) -> Share | None:
        """Return the team whose pod it is: by its namespace and its name, which only its attempt has."""
        if proof is None or proof.uid != hello.session or hello.attempt is None:
            return None
        share = next((s for s in self.shares.values() if s.namespace == proof.namespace), None)
        if share is None or pod_name(self.settings, share.team, hello.attempt) != proof.name:
            return None
        return share

    def bind(self, conn: Connection[Any], share: Share, hello: Hello, key: AttemptKey) -> bool:
        """Open the pod's session and bind its attempt to it, in one transaction."""
        now = database_clock(conn)
        name = pod_name(self.settings, share.team, key)  # never that of the executor
        who = (share.team_id, hello.session, name, hello.host, hello.pid, 1)
        if not sessions.open_session(conn, *who, now, LEASE, self.data):
            return False
        if attempts.take_over(conn, share.team_id, fields(key), hello.session, self.name):
            return True
        sessions.close(conn, [hello.session], now)
        return False

    # -- what exists and what is wanted

    def adopt(self) -> None:
        self.agents.adopt()
        self.host.safely(self.look_for_teams)
        self.host.safely(self.reconcile)

    def reconcile(self) -> None:
        """Bring the cluster level with the database: all that changed, and now and then everything."""
        now = clock.monotonic()
        self.news_at = now + NEWS_S
        changed, self.cluster.news = self.cluster.news, set()  # before what is bound is read
        if now >= self.look_at:
            self.look_at = now + LOOK_S
            known = self.cluster.pods.items()
            changed |= {(namespace, name) for namespace, pods in known for name in pods}
        by_namespace: dict[str, set[str]] = {}
        for namespace, name in changed:
            by_namespace.setdefault(namespace, set()).add(name)
        for share in list(self.shares.values()):
            if share.namespace in self.cluster.pods:
                names = by_namespace.get(share.namespace, set())
                if not self.host.safely(partial(self.reconcile_team, share, names)):
                    self.cluster.news |= {(share.namespace, name) for name in names}

    def reconcile_team(self, share: Share, changed: set[str]) -> None:
        bound = read(self.host.conn, sessions.bound, share.team_id, share.session)
        share.pending = {pod_name(self.settings, share.team, key_of(b)): b for b in bound}
        pods = self.cluster.pods[share.namespace]
        for name, each in share.pending.items():
            if each.reported:
                continue
            if (pod := pods.get(name)) is not None:
                self.judge_pending(each, pod)
            elif self.backoff.may_ask(name):
                self.create_again(share, each)
        for name in changed - share.pending.keys():
            if (pod := pods.get(name)) is not None:
                self.judge(share, pod)
        self.tell_waits(share, pods)

    def tell_waits(self, share: Share, pods: Mapping[str, Pod]) -> None:
        """Store why pending attempts have not started, where that changed."""
        share.refused = {
            n: r for n, r in share.refused.items() if n in share.pending and n not in pods
        }
        share.waits = {n: r for n, r in share.waits.items() if n in share.pending}
        waits: dict[str, Reason | None] = {}
        for name in share.pending:
            if (pod := pods.get(name)) is not None:
                waits[name] = why_pending(pod)
            elif (refusal := share.refused.get(name)) is not None:
                waits[name] = why_not_created(refusal, pods.values())
            else:
                waits[name] = share.waits.get(name)
        changed = {n: r for n, r in waits.items() if n not in share.waits or share.waits[n] != r}
        if not changed:
            return
        rows = [Waits(*fields(key_of(share.pending[n]))[:4], r) for n, r in changed.items()]
        told = transact(self.host.conn, attempts.tell_waits, share.team_id, rows)
        share.waits |= {n: r for n, r in changed.items() if share.pending[n].run_id in told}

    def create_again(self, share: Share, bound: Bound) -> None:
        row = read(self.host.conn, runs.read, share.team_id, bound.run_id)
        assert row is not None, f"an attempt without a run: {bound.run_id}"
        self.create(share, bound, row)

    def judge_pending(self, bound: Bound, pod: Pod) -> None:
        """Nothing of the attempt has run: whatever became of its pod, another one may come."""
        if pod.is_over or loss(pod) is not None:
            end = end_of(pod)
            assert end is not None
            self.report(bound, end)
        elif pod.created is not None and not pod.deleting:
            waited_s = (clock.now().astimezone(UTC) - pod.created).total_seconds()
            deadline_s = self.shares[bound.team_id].deadline_s
            if (stays := stuck(pod, waited_s, deadline_s)) is not None:
                self.report(bound, self.requeued_or_failed(bound, stays))

    def requeued_or_failed(self, bound: Bound, stays: PodEnd) -> PodEnd:
        """Bound how often one attempt after the other is lost because its pod does not start."""
        most = self.settings.pending_requeues
        if stays.outcome == "failed":
            return stays
        before = read(self.host.conn, attempts.lost_in_a_row, bound, STUCK_CAUSES, most)
        if before < most:
            return stays
        tried = f" (the last of {most + 1} pods)" if most else ""
        return replace(stays, outcome="failed", detail=stays.detail + tried)

    def judge(self, share: Share, pod: Pod) -> None:
        """Remove the pod of an attempt that is over, and report the end of one that cannot do it."""
        if pod.uid in self.agents.gateway.links:  # it speaks for itself
            if pod.is_over:
                self.cluster.news.add(pod.ref)  # what it said is still to be read
            return
        bound = read(self.host.conn, sessions.bound, share.team_id, pod.uid)
        if not bound:
            if not pod.deleting:
                self.remove(pod)
            return
        if not pod.is_over:
            return
        end = end_of(pod)
        # Nobody knows whether its process still runs where the node was lost: the lease decides, as for any agent.
        if end is not None and end.cause != "node_lost":
            for each in bound:
                if not each.reported:
                    self.report(each, end)
        self.cluster.news.add(pod.ref)  # to be removed when its end is stored

    def remove(self, pod: Pod) -> None:
        transact(self.host.conn, self.close_session, pod)

        def done(answer: Refusal | None) -> None:
            if isinstance(answer, Refusal) and answer.code != 404:
                self.cluster.news.add(pod.ref)

        self.cluster.delete(pod, done, 0 if pod.is_over else None)

    @staticmethod
    def close_session(conn: Connection[Any], pod: Pod) -> None:
        sessions.close(conn, [pod.uid], database_clock(conn))

    def close(self) -> None:
        self.cluster.close()
        self.agents.close()
        self.host.selector.unregister(self.bell)
        self.bell.close()
        self.ringer.close()


def door_of(settings: Settings) -> Outside | None:
    if not settings.listen.startswith("tls:"):
        return None
    return outside(settings.listen, Path(settings.certificate or ""), Path(settings.key or ""))
