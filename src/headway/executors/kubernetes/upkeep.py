"""Brings the pods that exist level with the attempts in the database: all that changed, and now and then everything."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from functools import partial
from typing import Any, Final

from psycopg import Connection

from headway import clock
from headway.core.reasons import Reason
from headway.executors.agents.executor import Agents
from headway.executors.base import Host
from headway.executors.kubernetes.cluster import Cluster, Refusal
from headway.executors.kubernetes.creation import Creation
from headway.executors.kubernetes.ends import Ends
from headway.executors.kubernetes.images import Images
from headway.executors.kubernetes.keys import fields, key_of
from headway.executors.kubernetes.names import pod_name
from headway.executors.kubernetes.pods import (
    STUCK_CAUSES,
    Pod,
    PodEnd,
    end_of,
    end_of_container,
    loss,
    stuck,
)
from headway.executors.kubernetes.room import why_not_created, why_pending
from headway.executors.kubernetes.settings import Settings
from headway.executors.kubernetes.shares import Share
from headway.store import attempts, sessions
from headway.store.attempts import Waits
from headway.store.clock import clock as database_clock
from headway.store.sessions import Bound
from headway.store.transact import read, transact

LOOK_S: Final = 30.0  # between two looks at every pod; those that changed are looked at at once
NEWS_S: Final = 0.1  # between two looks at what changed
NEWS_SHARE: Final = (
    4  # times the time that a look took: very many pods slow down the looks, not the scheduler
)


class Upkeep:
    """``shares``: by team, as the executor keeps them. ``agents``: pods that have been let in speak for themselves.
    ``name``: that of the executor.
    """

    def __init__(
        self,
        host: Host,
        settings: Settings,
        cluster: Cluster,
        shares: Mapping[int, Share],
        agents: Agents,
        creation: Creation,
        ends: Ends,
        name: str,
    ) -> None:
        self.host = host
        self.settings = settings
        self.cluster = cluster
        self.shares = shares
        self.agents = agents
        self.creation = creation
        self.ends = ends
        self.name = name
        self.images = Images(host)
        self.look_at = self.news_at = float("-inf")

    @property
    def is_due(self) -> bool:
        return bool(self.cluster.news) and clock.monotonic() >= self.news_at

    def reconcile(self) -> None:
        now = clock.monotonic()
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
        ended = clock.monotonic()
        self.news_at = ended + max(NEWS_S, NEWS_SHARE * (ended - now))

    def reconcile_team(self, share: Share, changed: set[str]) -> None:
        bound = read(self.host.conn, sessions.bound_to_cluster, share.team_id, self.name)
        names = {
            each.token: name for name, each in share.pending.items()
        }  # a name has a hash, which takes time
        share.pending = {
            names.get(b.token) or pod_name(self.settings, share.team, key_of(b)): b for b in bound
        }
        pods = self.cluster.pods[share.namespace]
        pending = {name: each for name, each in share.pending.items() if not each.reported}
        self.creation.create_missing(share, {n: b for n, b in pending.items() if n not in pods})
        for name, each in pending.items():
            if (pod := pods.get(name)) is not None:
                self.judge_pending(share, each, pod)
        for name in sorted(changed - share.pending.keys()):
            if (pod := pods.get(name)) is not None and not pod.is_warm:
                self.judge(share, pod)
        for name in sorted(changed):
            if (pod := pods.get(name)) is not None and (run_id := self.run_of(share, pod)):
                self.images.saw(share.team_id, run_id, pod)
        self.tell_waits(share, pods)

    def run_of(self, share: Share, pod: Pod) -> str | None:
        """Return the run of a pod whose attempt waits for it, or has been bound to it. Its labels prove nothing."""
        if (bound := share.pending.get(pod.name)) is not None:
            return bound.run_id
        link = self.agents.gateway.links.get(pod.uid)
        attempt = link.hello.attempt if link is not None and link.hello is not None else None
        return None if attempt is None else attempt.run_id

    def tell_waits(self, share: Share, pods: Mapping[str, Pod]) -> None:
        """Store why pending attempts have not started, where that changed."""
        share.refused = {
            n: r for n, r in share.refused.items() if n in share.pending and n not in pods
        }
        share.waits = {n: r for n, r in share.waits.items() if n in share.pending}
        waits: dict[str, Reason | None] = {}
        for name in share.pending:
            if (pod := pods.get(name)) is not None:
                waits[name] = why_pending(pod, share.trouble)
            elif (refusal := share.refused.get(name)) is not None:
                waits[name] = why_not_created(refusal, self.cluster.tally(share.namespace))
            else:
                waits[name] = share.waits.get(name)
        changed = {n: r for n, r in waits.items() if n not in share.waits or share.waits[n] != r}
        if not changed:
            return
        rows = [Waits(*fields(key_of(share.pending[n]))[:4], r) for n, r in changed.items()]
        told = transact(self.host.conn, attempts.tell_waits, share.team_id, rows)
        share.waits |= {n: r for n, r in changed.items() if share.pending[n].run_id in told}

    def judge_pending(self, share: Share, bound: Bound, pod: Pod) -> None:
        """Nothing of the attempt has run: whatever became of its pod, another one may come."""
        if pod.is_over or loss(pod) is not None:
            end = end_of(pod)
            assert end is not None
            self.ends.report(share, bound, end)
        elif pod.created is not None and not pod.deleting:
            waited_s = (clock.now().astimezone(UTC) - pod.created).total_seconds()
            if (stays := stuck(pod, waited_s, share.deadline_s)) is not None:
                self.ends.report(share, bound, self.requeued_or_failed(bound, stays))

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
        end = end_of_container(pod) if pod.is_foreign else end_of(pod)
        # Nobody knows whether its process still runs where the node was lost: the lease decides, as for any agent.
        if end is not None and end.cause != "node_lost":
            for each in bound:
                if not each.reported:
                    self.ends.report(share, each, end)
        self.cluster.news.add(pod.ref)  # to be removed when its end is stored

    def remove(self, pod: Pod) -> None:
        transact(self.host.conn, close_session, pod)

        def done(answer: Refusal | None) -> None:
            if isinstance(answer, Refusal) and answer.code != 404:
                self.cluster.news.add(pod.ref)

        is_ended = pod.is_over and not pod.is_held  # else what runs beside has its time to end
        self.cluster.delete(pod, done, 0 if is_ended else None)


def close_session(conn: Connection[Any], pod: Pod) -> None:
    sessions.close(conn, [pod.uid], database_clock(conn))
