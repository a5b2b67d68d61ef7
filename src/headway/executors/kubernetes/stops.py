"""The end of an attempt whose agent was stopped, told as what the cluster did to its pod. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import msgspec

from headway.agent.protocol import AttemptKey, Ended
from headway.core import reports
from headway.executors.base import Envelope
from headway.executors.kubernetes.names import pod_name
from headway.executors.kubernetes.pods import Pod, loss
from headway.executors.kubernetes.settings import Settings

STOPPED: Final = "stopped"  # as an agent reports it that got SIGTERM


def key_in(envelope: Envelope) -> AttemptKey | None:
    """Return the key of an attempt whose agent was stopped, or None if the report is another one."""
    report = envelope.report
    if not isinstance(report, reports.Ended) or report.cause != STOPPED:
        return None
    return msgspec.msgpack.decode(envelope.body, type=Ended).key


def explained(
    envelope: Envelope, settings: Settings, team: str, pods: Mapping[str, Pod]
) -> Envelope:
    """Return the report with the cluster's reason, where the pod has one: an eviction leaves it time to report."""
    key = key_in(envelope)
    pod = None if key is None else pods.get(pod_name(settings, team, key))
    end = None if pod is None else loss(pod)
    if end is None:
        return envelope
    message = msgspec.msgpack.decode(envelope.body, type=Ended)
    message = msgspec.structs.replace(message, cause=end.cause, detail=end.detail)
    assert isinstance(envelope.report, reports.Ended)
    report = replace(envelope.report, cause=end.cause, detail=end.detail)
    return replace(envelope, report=report, body=msgspec.msgpack.encode(message))
