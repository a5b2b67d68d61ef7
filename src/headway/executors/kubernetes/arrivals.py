"""Lets pods in: the attempt is bound to the pod's UID, in one transaction, before it is granted.

A pod that comes second, or late, is refused, so that it runs nothing.
"""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from psycopg import Connection

from headway.agent.protocol import AttemptKey, Hello
from headway.executors.agents.executor import Agents
from headway.executors.agents.link import Link
from headway.executors.base import LEASE, Host
from headway.executors.kubernetes.cluster import Cluster, Proof, Refusal
from headway.executors.kubernetes.keys import fields
from headway.executors.kubernetes.names import pod_name
from headway.executors.kubernetes.settings import Settings
from headway.executors.kubernetes.shares import Share
from headway.store import attempts, sessions
from headway.store.clock import clock as database_clock
from headway.store.transact import transact

log = logging.getLogger(__name__)


class Arrivals:
    """``name``: that of the executor. ``shares``: by team, as the executor keeps them."""

    def __init__(
        self,
        host: Host,
        settings: Settings,
        cluster: Cluster,
        shares: Mapping[int, Share],
        agents: Agents,
        *,
        data: str,
        name: str,
    ) -> None:
        self.host = host
        self.settings = settings
        self.cluster = cluster
        self.shares = shares
        self.agents = agents
        self.data = data
        self.name = name

    def knock(self, link: Link, hello: Hello) -> None:
        """Ask the API server who it is. It may be gone when that answers."""
        self.cluster.review(
            hello.token, partial(self.reviewed, link, hello), lambda: link.sock.fileno() >= 0
        )

    def reviewed(self, link: Link, hello: Hello, proof: Proof | Refusal | None) -> None:
        if link.sock.fileno() < 0:
            return
        if isinstance(proof, Refusal):
            log.warning("cannot verify a pod: %s", proof.message)
            self.agents.gateway.drop(link)  # it comes again
        elif not self.host.safely(partial(self.let_in, link, hello, proof)):
            self.agents.gateway.drop(link)

    def let_in(self, link: Link, hello: Hello, proof: Proof | None) -> None:
        if hello.attempt is None:
            self.let_in_warm(link, hello, proof)
            return
        share = self.share_of(hello, proof)
        if share is None or hello.attempt is None:
            of_team = self.share_in(proof)
            why = "the pod is not that of its attempt"
            self.agents.rights.refuse(
                link, hello, why, None if of_team is None else of_team.team_id
            )
            return
        revision = transact(self.host.conn, self.bind, share, hello, hello.attempt)
        if revision is None:
            why = "its attempt has ended, or another pod has it"
            self.agents.rights.refuse(link, hello, why, share.team_id)
            return
        self.host.rebound(share.team_id, hello.attempt, hello.session, revision)
        share.pending.pop(pod_name(self.settings, share.team, hello.attempt), None)
        self.agents.gateway.welcome(link, hello, share.team_id, "")
        self.agents.send_bound(link)

    def let_in_warm(self, link: Link, hello: Hello, proof: Proof | None) -> None:
        """Let an agent of a warm pool in. Its team is that of its pod's namespace, whatever it says.

        The pod of an attempt has a token, too: it is none of the pool, because only who may create pods labels one.
        """
        share, why = self.share_in(proof), "it is not a pod of a warm pool"
        if proof is None or share is None or proof.name != hello.agent:
            self.agents.rights.refuse(link, hello, why, None if share is None else share.team_id)
            return
        pod = self.cluster.pods.get(share.namespace, {}).get(proof.name)
        if pod is None or pod.uid != proof.uid:  # the watch will tell
            self.agents.gateway.drop(link)
            return
        if not pod.is_warm:
            self.agents.rights.refuse(link, hello, why, share.team_id)
            return
        old = self.agents.gateway.links.get(hello.session)
        is_other = old is not None and old.team_id != share.team_id
        if is_other or not transact(self.host.conn, self.open_warm, share, hello, pod.uid):
            self.agents.gateway.refuse(link, "the session's lease has ended")
            return
        self.agents.gateway.welcome(link, hello, share.team_id, "")
        self.agents.send_bound(link)
        self.agents.triggers.bring_level(link)

    def open_warm(self, conn: Connection[Any], share: Share, hello: Hello, uid: str) -> bool:
        who = (share.team_id, hello.session, hello.agent, hello.host, hello.pid, hello.slots)
        now = database_clock(conn)
        return sessions.open_session(
            conn, *who, now, LEASE, self.data, f"pod/{uid}", self.settings.queues
        )

    def share_in(self, proof: Proof | None) -> Share | None:
        """Return the team of the namespace that a pod has proved to be in."""
        if proof is None:
            return None
        return next((s for s in self.shares.values() if s.namespace == proof.namespace), None)

    def share_of(self, hello: Hello, proof: Proof | None) -> Share | None:
        """Return the team whose pod it is: by its namespace and its name, which only its attempt has."""
        if proof is None or proof.uid != hello.session or hello.attempt is None:
            return None
        share = self.share_in(proof)
        if share is None or pod_name(self.settings, share.team, hello.attempt) != proof.name:
            return None
        return share

    def bind(
        self, conn: Connection[Any], share: Share, hello: Hello, key: AttemptKey
    ) -> int | None:
        """Open the pod's session and bind its attempt to it, in one transaction.

        Returns the revision that the run has by that, 0 if it was bound before, None if it cannot be.
        """
        now = database_clock(conn)
        name = pod_name(self.settings, share.team, key)  # never that of the executor
        who = (share.team_id, hello.session, name, hello.host, hello.pid, 1)
        if not sessions.open_session(conn, *who, now, LEASE, self.data):
            return None
        revision = attempts.take_over(conn, share.team_id, fields(key), hello.session, self.name)
        if revision is None:
            sessions.close(conn, [hello.session], now)
        return revision
