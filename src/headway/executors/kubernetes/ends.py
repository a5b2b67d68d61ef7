"""Ends of attempts that their pods cannot report: each is told once, until the tick has stored it or given it back.

It is true of the session that the attempt was bound to when it was looked at. A pod that knocks before it is stored has
bound the attempt to itself, and then nothing of it is taken in. What another scheduler would have to take in is not
sent to it: the next look finds it again.
"""

from dataclasses import replace
from typing import Any, Final

import msgspec

from headway import clock
from headway.agent.protocol import Ended
from headway.core import reports
from headway.executors.agents import translate
from headway.executors.agents.gateway import Gateway
from headway.executors.base import Envelope
from headway.executors.kubernetes.keys import key_of
from headway.executors.kubernetes.names import pod_name
from headway.executors.kubernetes.pods import PodEnd, Ref
from headway.executors.kubernetes.settings import Settings
from headway.executors.kubernetes.shares import Share
from headway.store.sessions import Bound

NEVER_STARTED: Final = "never_started"


class Ends:
    """``told``: attempts whose end is not stored yet, by token, and their pods."""

    def __init__(self, settings: Settings, gateway: Gateway) -> None:
        self.settings = settings
        self.gateway = gateway
        self.told: dict[str, Ref] = {}

    def report(self, share: Share, bound: Bound, end: PodEnd) -> None:
        self.tell(share, bound, end.outcome, end.cause, end.detail, end.exit_code)

    def cancelled(self, share: Share, bound: Bound) -> None:
        """No process of the attempt exists, and none will: a pod that knocks after the commit is refused."""
        self.tell(share, bound, "cancelled", NEVER_STARTED, "")

    def tell(
        self,
        share: Share,
        bound: Bound,
        outcome: Any,
        cause: str,
        detail: str,
        exit_code: int | None = None,
    ) -> None:
        if bound.token in self.told:
            return
        key = key_of(bound)
        self.told[bound.token] = (share.namespace, pod_name(self.settings, share.team, key))
        message = Ended(0, key, bound.token, outcome, cause, detail, exit_code)
        report, body = translate.report(message), msgspec.msgpack.encode(message)
        assert isinstance(report, reports.Ended)
        report = replace(report, session=bound.session)
        self.gateway.envelopes.append(
            Envelope(bound.team_id, bound.run_id, report, body, clock.monotonic())
        )

    def stored(self) -> set[Ref]:
        """Forget what was told, and return its pods, which are nobody's now."""
        pods = set(self.told.values())
        self.told.clear()
        return pods
