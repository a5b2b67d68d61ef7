"""Translates between the agents' protocol and the core: reports in, grants out. Pure."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec.structs import replace

from headway.agent import protocol
from headway.core import mapping, questions, reports
from headway.core.aliases import ADDED_MAX
from headway.core.graph import Node
from headway.core.questions import Ask
from headway.core.run import Attempt, Instance, Run
from headway.core.waits.deferral import Awaited, Deferral, Overdue
from headway.executors.agents.flaws import REASON_MAX, classes, delay, flaw_of_end, flaw_of_secrets
from headway.spec.assets import (
    EVENTS_MAX,
    flaw_of_added,
    flaw_of_extra,
    flaw_of_name,
    flaw_of_partition,
)
from headway.spec.carried import flaw_of_date, flaw_of_text, flaws, place, shown
from headway.spec.model import RESULT_KEY, Param
from headway.store import xcoms
from headway.store.runs import Claimed
from headway.store.xcoms import Found, Wanted

DETAIL_MAX = 2_000  # characters of an error kept in the database; the log has it whole
CAUSE_MAX: Final = 100  # characters

DEFERRAL_BYTES_MAX: Final = 256 * 1024  # of the arguments with which a task goes on
INSTANCE_NAME_MAX: Final = 250  # characters of a mapped instance's name
NAME_MAX: Final = 500  # characters of a trigger's name
WHAT_MAX: Final = 300  # and of what it looks out for
DECODE_FACTS: Final = msgspec.json.Decoder(dict[str, object]).decode

DECODER = msgspec.msgpack.Decoder(protocol.Reported)


def decode(body: bytes) -> reports.Report:
    """Decode a report from a protocol message."""
    return report(DECODER.decode(body))


def report(message: protocol.Reported) -> reports.Report:
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
    if isinstance(message, protocol.Named):
        return reports.Named(
            task_id=key.task_id,
            map_index=key.map_index,
            number=key.number,
            token=message.token,
            name=name_of(message.name),
        )
    if isinstance(message, protocol.Found):
        return found(message)
    message = storable(message)
    if message.outcome == "deferred":
        return deferred(message)
    return told(message) if message.assets and message.outcome == "success" else ended(message)


def name_of(text: str) -> str:
    """Return the name of a mapped instance, as far as it can be stored and shown."""
    return shown(text)[:INSTANCE_NAME_MAX]


def storable(message: protocol.Ended) -> protocol.Ended:
    """Return the message, or a failure in its place if what the attempt brings cannot be stored."""
    if (flaw := flaw_of_end(message)) is None:
        return message
    plain = replace(message, xcoms=[], follow=None)
    if message.outcome not in ("success", "deferred"):
        return plain
    return replace(
        plain, outcome="failed", cause="result", detail=f"cannot store the result: {flaw}"
    )


def ended(message: protocol.Ended) -> reports.Ended:
    key = message.key
    result = next((xcom for xcom in message.xcoms if xcom.key == RESULT_KEY), None)
    return reports.Ended(
        task_id=key.task_id,
        map_index=key.map_index,
        number=key.number,
        token=message.token,
        outcome=reports.Outcome(message.outcome),
        cause=message.cause[:CAUSE_MAX],
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
        name=name_of(message.name),
        exceptions=classes(message.facts.exceptions),
        retry_delay_s=delay(message.facts.delay_s),
        retry_reason=shown(message.facts.reason)[:REASON_MAX],
    )


def deferred(message: protocol.Ended) -> reports.Ended:
    """Return the report of a deferral, or of a failure if there is nothing that ends such a wait."""
    try:
        deferral = deferral_of(message.deferral)
    except (ValueError, msgspec.MsgspecError, OverflowError, RecursionError) as error:
        why = f"the task cannot be deferred: {error}"
        return ended(replace(message, outcome="failed", cause="deferral", detail=why, retry=False))
    return dataclasses.replace(ended(message), deferral=deferral)


def told(message: protocol.Ended) -> reports.Ended:
    """Return the report of a success that tells of assets, or of a failure if that cannot be stored."""
    try:
        events = tuple(map(event_of, message.assets))
        if len(events) > EVENTS_MAX:
            raise ValueError(f"there are {len(events):,} of them; the limit is {EVENTS_MAX:,}")
        if (added := len({each.asset for each in events if each.alias})) > ADDED_MAX:
            raise ValueError(f"it adds {added:,} assets through aliases; the limit is {ADDED_MAX}")
    except ValueError as error:
        why = f"the events of its assets cannot be stored: {error}"
        return ended(replace(message, outcome="failed", cause="result", detail=why, retry=False))
    return dataclasses.replace(ended(message), told=events)


def event_of(given: protocol.AssetEvent) -> reports.Told:
    """Read what an agent sent. Raises ValueError with what is wrong."""
    if (flaw := flaw_of_name(given.asset)) is not None:
        raise ValueError(f"the name of an asset {flaw}")
    if given.partition is not None and (flaw := flaw_of_partition(given.partition)) is not None:
        raise ValueError(f"the partition of an event {flaw}")
    if (flaw := flaw_of_extra(given.extra)) is not None:
        raise ValueError(f"the extra of an event {flaw}")
    if given.alias and (flaw := flaw_of_added(given.alias, given.asset, given.definition)):
        raise ValueError(flaw)
    definition = None if given.definition is None else given.definition.decode()
    return reports.Told(given.asset, given.extra.decode(), given.partition, given.alias, definition)


def deferral_of(given: protocol.Deferral | None) -> Deferral:
    """Read what an agent sent. Raises ValueError with what is wrong."""
    if given is None:
        raise ValueError("it does not say what it waits for")
    if (flaw := flaw_of_text(given.method or "")) is not None:
        raise ValueError(f"the name of its method {flaw}")
    check_json(given.facts)
    check_json(given.kwargs or b"null")
    if (flaw := flaw_of_secrets(given.secrets)) is not None:
        raise ValueError(flaw)
    facts = DECODE_FACTS(given.facts)
    kind = Awaited(given.kind)
    if kind is Awaited.TIME and given.until is None and given.delay_s is None:
        raise ValueError("it does not say until when")
    if kind is Awaited.RUN:
        run = msgspec.convert(facts, AwaitedRun)
        facts = msgspec.to_builtins(replace(run, date=moment(run.date)))
    if kind is Awaited.ASSET:
        facts = awaited_asset(msgspec.convert(facts, AwaitedAsset))
    if kind is Awaited.TRIGGER:
        facts = msgspec.to_builtins(checked(msgspec.convert(facts, AwaitedTrigger)))
        msgspec.json.encode(facts)
    if kind is Awaited.ANSWER:
        facts = question(facts)
    return Deferral(
        kind=kind,
        facts=facts,
        until=None if given.until is None else moment(given.until),
        delay_s=number(given.delay_s),
        timeout_s=number(given.timeout_s),
        overdue=Overdue(given.overdue),
        method=given.method,
        kwargs=None if given.kwargs is None else given.kwargs.decode(),
        secrets=tuple(given.secrets),
        reschedules=given.reschedules and kind is Awaited.TIME,
        finishes=given.finishes,
    )


class AwaitedRun(msgspec.Struct, frozen=True):
    """The facts of a wait for a run, or for a task of it."""

    dag: str
    date: datetime
    states: list[str]
    failed_states: list[str] = []
    task: str | None = None
    run: str | None = None  # of those with this date, only the one with this id


class AwaitedAsset(msgspec.Struct, frozen=True, omit_defaults=True):
    """The facts of a wait for an event of an asset. ``since``: when it is written, or later."""

    asset: str
    partition: str | None = None
    since: datetime | None = None


def awaited_asset(given: AwaitedAsset) -> dict[str, object]:
    """Read what an agent sent. Raises ValueError with what is wrong."""
    if (flaw := flaw_of_name(given.asset)) is not None:
        raise ValueError(f"the name of an asset {flaw}")
    if given.partition is not None and (flaw := flaw_of_partition(given.partition)) is not None:
        raise ValueError(f"the partition of an asset {flaw}")
    since = None if given.since is None else moment(given.since)
    facts: dict[str, object] = msgspec.to_builtins(replace(given, since=since))
    return facts


class AwaitedTrigger(msgspec.Struct, frozen=True):
    """The facts of a wait that a trigger looks after.

    ``trigger``: ``module:name`` of a class or function, or another name that the front end of the DAG file knows.
    ``what``: what it looks out for, for people. Of the rest only its process knows the meaning.
    """

    trigger: str
    what: str
    kwargs: dict[str, object] = {}
    every_s: float | None = None
    shared: bool = False  # it is of Headway's own and needs no DAG file


Key = Literal[
    "return_value",
    "approved",
    "chosen_options",
    "params_input",
    "responded_at",
    "responded_by_user",
    "timedout",
]
Option = Annotated[str, msgspec.Meta(min_length=1, max_length=questions.OPTION_MAX)]
Named = Annotated[list[str], msgspec.Meta(max_length=questions.NAMES_MAX)]


class AskedQuestion(msgspec.Struct, frozen=True, omit_defaults=True):
    """The facts of a wait for an answer (``core.questions``). Who takes one checks the schemas of its parameters."""

    ask: Ask
    subject: str
    options: list[Option]
    body: str = ""
    multiple: bool = False
    defaults: list[Option] | None = None
    params: list[Param] = []
    assigned_users: Named = []
    assigned_roles: Named = []
    follows: dict[str, list[str]] | None = None
    refusals: list[Option] = []
    keys: list[Key] = []


def checked(facts: AwaitedTrigger) -> AwaitedTrigger:
    """Raises ValueError for names that cannot be stored or shown."""
    for name, text in (("trigger", facts.trigger), ("what", facts.what)):
        if (flaw := flaw_of_text(text)) is not None:
            raise ValueError(f"its {name} {flaw}")
    return replace(facts, trigger=facts.trigger[:NAME_MAX], what=facts.what[:WHAT_MAX])


def question(facts: dict[str, object]) -> dict[str, object]:
    """Return the facts of a question. Raises ValueError for what cannot be shown or stored."""
    for path, why in flaws(facts):
        raise ValueError(f"its question cannot be stored: {place(path)} {why}")
    asked = msgspec.convert(facts, AskedQuestion)
    if len(asked.subject) > questions.SUBJECT_MAX or len(asked.body) > questions.BODY_MAX:
        raise ValueError("the text of its question is too long")
    if not 1 <= len(asked.options) <= questions.OPTIONS_MAX:
        raise ValueError(f"its question must have 1 to {questions.OPTIONS_MAX} options")
    found: dict[str, object] = msgspec.to_builtins(asked)
    return found


def check_json(body: bytes) -> None:
    """Raises ValueError if it is not JSON, or too much."""
    if len(body) > DEFERRAL_BYTES_MAX:
        raise ValueError(
            f"its arguments have {len(body):,} bytes; the limit is {DEFERRAL_BYTES_MAX:,}"
        )
    msgspec.json.decode(body)


def moment(date: datetime) -> datetime:
    """Return a date in UTC. Raises ValueError for one that cannot be stored."""
    if (flaw := flaw_of_date(date)) is not None:
        raise ValueError(f"its date {flaw}")
    return date.astimezone(UTC)


def number(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{value} is not a number of seconds")
    return value


def found(message: protocol.Found) -> reports.Found:
    key, text = message.key, message.found
    try:
        check_json(text or b"null")
        check_json(message.shown or b"null")
        if (flaw := flaw_of_secrets(message.secrets)) is not None:
            raise ValueError(flaw)
        value = None if text is None else msgspec.json.decode(text)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        why = f"what was found cannot be stored: {error}"
        return found(replace(message, found=None, error=why))
    xcom = length = None
    if value is not None and text is not None:
        length = len(value) if isinstance(value, list | dict) else None
        hidden = message.shown, message.secrets
        xcom = protocol.XComValue(RESULT_KEY, text, None, len(text), length, *hidden)
    return reports.Found(
        task_id=key.task_id,
        map_index=key.map_index,
        number=key.number,
        deferrals=key.deferrals,
        found=None if text is None else text.decode(),
        xcom=xcom,
        length=length,
        secrets=tuple(message.secrets),
        error=message.error[:DETAIL_MAX],
        exceptions=classes(message.exceptions),
        age_s=message.age_s,
    )


def attempt_key(run_id: str, instance: Instance, attempt: Attempt) -> protocol.AttemptKey:
    return protocol.AttemptKey(
        run_id, instance.node.task_id, instance.map_index, attempt.number, attempt.deferrals
    )


def grant(run: Run, instance: Instance, attempt: Attempt, token: str) -> protocol.Grant:
    node = instance.node
    return protocol.Grant(
        key=attempt_key(run.run_id, instance, attempt),
        token=token,
        kind=node.kind,
        inputs=[input_ref(run, instance, source, key) for source, key in node.inputs],
        axes=axis_items(run, instance),
        timeout_s=time_left(run, node, attempt),
        memory_limit_mb=node.memory_limit_mb,
        priority=-float(node.weight),
        retries=node.retry.most,
        resumed=resumed(run, attempt) if attempt.deferrals else None,
        previous=previous(run, instance),
    )


def previous(run: Run, instance: Instance) -> protocol.XComRef | None:
    """Refer to the result of the iteration before."""
    loop, before = instance.node.loop, instance.map_index - 1
    if loop is None or before < 0:
        return None
    return protocol.XComRef(run.graph.nodes[loop.result].task_id, RESULT_KEY, before)


def time_left(run: Run, node: Node, attempt: Attempt) -> float | None:
    """Return how long its process may take: ``execution_timeout`` is that of the attempt, its waits included."""
    if node.timeout_s is None or not attempt.deferrals:
        return node.timeout_s
    return max(0.0, node.timeout_s - elapsed_s(run, attempt))


def elapsed_s(run: Run, attempt: Attempt) -> float:
    began = attempt.started_at or run.now
    return max(0.0, (run.now - began).total_seconds())


def resumed(run: Run, attempt: Attempt) -> protocol.Resumed:
    deferral = attempt.deferral
    assert deferral is not None, f"a deferred attempt without its wait: {attempt}"
    return protocol.Resumed(
        method=deferral.method,
        kwargs=None if deferral.kwargs is None else deferral.kwargs.encode(),
        found=None if deferral.found is None else deferral.found.encode(),
        timed_out=deferral.timed_out,
        elapsed_s=elapsed_s(run, attempt),
        secrets=list(deferral.secrets),
    )


def axis_items(run: Run, instance: Instance) -> list[protocol.AxisItem]:
    node = instance.node
    if node.axes is None:
        return []
    return [
        protocol.AxisItem(
            position,
            None if leaf.source is None or position < 0 else ref(run, leaf.source, leaf.key),
        )
        for position, leaf in zip(
            mapping.positions(run, instance), mapping.leaves(node), strict=True
        )
    ]


def input_ref(run: Run, instance: Instance, source: int, key: str) -> protocol.XComRef:
    """Refer to a result that the task receives: of a peer in its mapped group, that of its own index."""
    if source in instance.node.peers:
        return protocol.XComRef(run.graph.nodes[source].task_id, key, instance.map_index)
    return ref(run, source, key)


def ref(run: Run, source: int, key: str) -> protocol.XComRef:
    node: Node = run.graph.nodes[source]
    return protocol.XComRef(node.task_id, key, None if node.has_many else -1)


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
        partition=row.partition,
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
                key=f.key,
                value=None if f.value is None else f.value.encode(),
                file=f.file,
                size=f.size,
                length=f.length,
                secrets=f.secrets or [],
            ),
        )
        for f in found
    ]
    there = {(f.task_id, f.key) for f in found}
    missing = [r for r in refs if (r.task_id, r.key) not in there and r.map_index is not None]
    return protocol.Values(request, stored, missing)


def grouped(keys: Iterator[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Group pairs by their first item, in order."""
    found: dict[str, list[Any]] = {}
    for name, value in keys:
        found.setdefault(name, []).append(value)
    return found
