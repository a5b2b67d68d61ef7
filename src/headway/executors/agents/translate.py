"""Translates between the agents' protocol and the core: reports in, grants out. Pure."""

from collections.abc import Sequence

import msgspec

from headway.agent import protocol
from headway.core import mapping, reports
from headway.core.graph import Node
from headway.core.run import Instance, Run
from headway.spec.model import RESULT_KEY
from headway.store import xcoms
from headway.store.runs import Claimed
from headway.store.xcoms import Found, Wanted

DETAIL_MAX = 2_000  # characters of an error kept in the database; the log has it whole

Reported = protocol.Started | protocol.Ended

DECODER = msgspec.msgpack.Decoder(Reported)


def decode(body: bytes) -> reports.Report:
    """Decode a report from a protocol message."""
    return report(DECODER.decode(body))


def report(message: Reported) -> reports.Report:
    key = message.key
    if isinstance(message, protocol.Started):
        return reports.Started(
            task_id=key.task_id,
            map_index=key.map_index,
            number=key.number,
            token=message.token,
            age_s=message.age_s,
            pid=message.pid,
        )
    result = next((xcom for xcom in message.xcoms if xcom.key == RESULT_KEY), None)
    return reports.Ended(
        task_id=key.task_id,
        map_index=key.map_index,
        number=key.number,
        token=message.token,
        outcome=reports.Outcome(message.outcome),
        cause=message.cause,
        detail=message.detail[:DETAIL_MAX],
        line=message.line,
        exit_code=message.exit_code,
        run_s=message.run_s,
        age_s=message.age_s,
        started=message.cause != "never_started",
        retry=message.retry,
        xcoms=tuple(message.xcoms),
        length=None if result is None else result.length,
        item=result is not None,
        follow=None if message.follow is None else frozenset(message.follow),
    )


def attempt_key(run_id: str, instance: Instance, number: int) -> protocol.AttemptKey:
    return protocol.AttemptKey(run_id, instance.node.task_id, instance.map_index, number)


def grant(run: Run, instance: Instance, number: int, token: str) -> protocol.Grant:
    node = instance.node
    return protocol.Grant(
        key=attempt_key(run.run_id, instance, number),
        token=token,
        kind=node.kind,
        inputs=[ref(run, source, key) for source, key in node.inputs],
        axes=axis_items(run, instance),
        timeout_s=node.timeout_s,
        memory_limit_mb=node.memory_limit_mb,
        priority=-float(node.weight),
        retries=node.retry.retries,
    )


def axis_items(run: Run, instance: Instance) -> list[protocol.AxisItem]:
    node = instance.node
    return [
        protocol.AxisItem(
            position, None if axis.source is None else ref(run, axis.source, axis.key)
        )
        for position, axis in zip(mapping.positions(run, instance), node.axes or (), strict=True)
    ]


def ref(run: Run, source: int, key: str) -> protocol.XComRef:
    node: Node = run.graph.nodes[source]
    return protocol.XComRef(node.task_id, key, -1 if node.axes is None else None)


def context(row: Claimed, file: str, reuse_child: int) -> protocol.RunContext:
    return protocol.RunContext(
        run_id=row.run_id,
        team=row.team,
        dag_id=row.dag_id,
        dag_version=row.version,
        bundle_version=row.bundle_version,
        file=file,
        logical_date=row.logical_date,
        interval_start=row.interval_start,
        interval_end=row.interval_end,
        trigger=row.trigger,
        params=row.params.encode(),
        reuse_child=reuse_child,
    )


def wanted(refs: Sequence[protocol.XComRef]) -> list[Wanted]:
    return [Wanted(ref.task_id, ref.key, ref.map_index) for ref in refs]


def values(
    request: int, refs: Sequence[protocol.XComRef], found: Sequence[Found]
) -> protocol.Values:
    """Return the answer to a ``Fetch``.

    A mapped task without results is not missing; its list is empty.
    """
    if any(f.value is None and f.file is None for f in found):
        size = sum(f.size for f in found if f.file is None)
        why = (
            f"the results that the task receives have {size >> 20} MB; the limit is "
            f"{xcoms.FETCH_BYTES_MAX >> 20} MB; let upstream tasks write files and return their paths"
        )
        return protocol.Values(request, [], [], refused=why)
    stored = [
        protocol.Stored(
            f.task_id,
            f.map_index,
            protocol.XComValue(
                f.key, None if f.value is None else f.value.encode(), f.file, f.size, f.length
            ),
        )
        for f in found
    ]
    there = {(f.task_id, f.key) for f in found}
    missing = [r for r in refs if (r.task_id, r.key) not in there and r.map_index is not None]
    return protocol.Values(request, stored, missing)
