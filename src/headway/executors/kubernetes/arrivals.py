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
from headway.executors.agents.gateway import Link
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
