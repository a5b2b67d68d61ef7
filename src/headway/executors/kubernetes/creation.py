"""Creates the pods of attempts. A pod's name is that of its attempt, so it may be asked for any number of times.

A tick may grant thousands at once. They are asked for in slices, a few at a time: leases are renewed in between.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final, NamedTuple

from headway import clock
from headway.executors.base import Host
from headway.executors.kubernetes.cluster import DENIED, Cluster, Refusal
from headway.executors.kubernetes.drafts import Drafts, Pins
from headway.executors.kubernetes.ends import Ends
from headway.executors.kubernetes.final import Denied
from headway.executors.kubernetes.keys import key_of
from headway.executors.kubernetes.mutation import Mutation, hook_of
from headway.executors.kubernetes.pods import Pod, Ref, denied
from headway.executors.kubernetes.settings import Settings
from headway.executors.kubernetes.shares import Backoff, Share
from headway.store import runs
from headway.store.runs import Claimed
from headway.store.sessions import Bound
from headway.store.transact import read

log = logging.getLogger(__name__)

SLICE_S: Final = 0.1  # of a turn of the loop
UNANSWERED_MAX: Final = 200  # requests to the API server, beyond which no more pods are asked for


class Wanted(NamedTuple):
    share: Share
    bound: Bound
    row: Claimed


class Creation:
    def __init__(self, host: Host, settings: Settings, cluster: Cluster, ends: Ends) -> None:
        self.host = host
        self.settings = settings
        self.cluster = cluster
        self.ends = ends
        self.backoff = Backoff()
        self.drafts = Drafts(host, settings)
        self.mutation = Mutation(hook_of(settings.pod_mutation) if settings.pod_mutation else None)
        self.wanted: dict[str, Wanted] = {}  # to be asked for, by the name of the pod

    def want(self, name: str, share: Share, bound: Bound, row: Claimed) -> None:
        self.wanted[name] = Wanted(share, bound, row)

    def forget(self, pods: Iterable[Ref]) -> None:
        """Ask no more for pods whose attempts have ended."""
        for _, name in pods:
            self.wanted.pop(name, None)

    @property
    def is_due(self) -> bool:
        return bool(self.wanted) and self.cluster.asked < UNANSWERED_MAX

    def work(self) -> None:
        """Ask for some of the pods that are wanted, those first that are wanted for longest."""
        until = clock.monotonic() + SLICE_S
        pins: Pins = {}
        while self.is_due:
            name = next(iter(self.wanted))
            share, bound, row = self.wanted.pop(name)
            known = share.pending.get(name)
            is_over = known is None or known.token != bound.token or bound.token in self.ends.told
            if not is_over:
                self.create(name, share, bound, row, pins)
            if clock.monotonic() >= until:
                return

    def create(self, name: str, share: Share, bound: Bound, row: Claimed, pins: Pins) -> None:
        self.backoff.asked(name)
        try:
            draft = self.drafts.of(share, bound, key_of(bound), row, pins)
        except Denied as error:
            self.ends.report(share, bound, denied(str(error)))
            return
        self.cluster.create(partial(draft.made, self.mutation), partial(self.created, share, name))

    def create_missing(self, share: Share, missing: Mapping[str, Bound]) -> None:
        """Ask for pods that are missing, unless they were asked for a moment ago. ``missing``: by name."""
        rows: dict[str, Claimed] = {}
        for name, bound in missing.items():
            if name in self.wanted or not self.backoff.may_ask(name):
                continue
            if bound.run_id not in rows:
                row = read(self.host.conn, runs.read, share.team_id, bound.run_id)
                assert row is not None, f"an attempt without a run: {bound.run_id}"
                rows[bound.run_id] = row
            self.want(name, share, bound, rows[bound.run_id])

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
            end = denied(answer.message, is_ours=answer.reason == DENIED)
            self.ends.report(share, bound, end)
            return
        self.backoff.failed(name)
        if bound is None:
            return
        if name not in share.refused:
            log.warning("cannot create pod %s/%s: %s", share.namespace, name, answer.message)
        share.refused[name] = answer
        self.cluster.news.add((share.namespace, name))  # to be told
