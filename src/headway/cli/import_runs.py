"""``headway import-runs``: runs that ended in Airflow are stored here, to look up."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from headway import clock, config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.core.words import counted
from headway.errors import UsageError

if TYPE_CHECKING:
    from headway.cli.airflow_runs import Left, Past, Reader
    from headway.client import Client

BATCH_RUNS: Final = 100
BATCH_BYTES: Final = 2 * 1024 * 1024
PLANNED: Final = ("DAG", "RUNS", "FIRST END", "LAST END", "NOT ENDED", "HERE", "GOES ON AFTER")
DONE: Final = ("DAG", "NEW", "CHANGED", "SAME", "LEFT OUT", "NOT ENDED", "GOES ON AFTER")


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of a DAG: ``past`` as Airflow has them, ``here`` before; the rest is None in a plan.

    ``left_out``: runs that cannot be kept. ``goes_on_after``: the date after which the DAG's schedule goes on here.
    """

    past: "Past"
    here: int
    goes_on_after: datetime | None
    stored: int | None = None
    changed: int | None = None
    kept: int | None = None
    left_out: int | None = None
    why: str | None = None  # of the first one that is left out


def import_runs(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="AIRFLOW_CFG", help="An airflow.cfg, which names the database."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only DAGs whose id matches, such as 'shop_*'. Can be repeated."),
    ] = None,
    since: Annotated[str | None, typer.Option(help="Only runs that ended since this date.")] = None,
    forget: Annotated[
        str | None, typer.Option(metavar="DAG", help="Remove what was imported of this DAG.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Store what is planned.")] = False,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Store the runs that ended in Airflow, to look up.

    The schedules of their DAGs go on after them. Reads Airflow's database and writes nothing there.
    Once more stores what is new since.
    """
    from headway.client import client_of

    if (file is None) == (forget is None):
        hint = "for instance: headway import-runs airflow.cfg"
        raise UsageError("name an airflow.cfg, or a DAG with --forget", hint=hint)
    asked = None if since is None else since_of(since)
    client = client_of(config.layout(data))
    if file is None:
        client.forget_airflow_runs(str(forget))
        say(
            f"the runs of {forget} in Airflow are removed; its schedule does not know of them any more"
        )
        return
    days = client.run_retention().effective_days
    found = read(client, file, only or (), asked, days, apply=apply)
    if output is Output.TABLE:
        tell(found, applied=apply)
    else:
        show(found, output, (), [])
    if only and not found:
        say(f"no DAG that has runs in Airflow matches --only {' --only '.join(map(repr, only))}")
        return
    explain(found, days, applied=apply)


def read(
    client: "Client",
    file: Path,
    only: Sequence[str],
    since: datetime | None,
    days: float,
    *,
    apply: bool,
) -> "list[Moved]":
    """Return the plan by DAG, or what was done of it. What ended before the retention is not read."""
    from headway.cli import airflow_metadata
    from headway.cli.airflow_runs import Reader

    now = clock.now()
    kept_since = now - timedelta(days=days)
    source = airflow_metadata.source_of(file, os.environ)
    known = {each.dag_id: each for each in client.airflow_dags()}
    with airflow_metadata.opened(source) as ask:
        reader = Reader(ask, source, max(since or kept_since, kept_since), now)
        plan = [planned(each, known.get(each.dag_id)) for each in reader.dags(only)]
        return [moved(client, reader, each) for each in plan] if apply else plan


def since_of(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.utcoffset() is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        hint = "for instance --since 2026-01-31"
        raise UsageError(f"--since {text!r} is not a date", hint=hint) from None


def planned(past: "Past", known: wire.AirflowDag | None) -> Moved:
    here = 0 if known is None else known.runs
    dates = (past.done_until, None if known is None else known.done_until)
    after = max((date for date in dates if date is not None), default=None)
    return Moved(past=past, here=here, goes_on_after=after)


def moved(client: "Client", reader: "Reader", plan: Moved) -> Moved:
    """Store the runs of a DAG. The last request says where its schedule goes on, once all before it is stored."""
    if not plan.past.runs and plan.past.done_until is None:
        return msgspec.structs.replace(plan, stored=0, changed=0, kept=0, left_out=0)
    left: list[Left] = []
    answers = [
        client.import_airflow_runs(plan.past.dag_id, request)
        for request in requests(reader, plan.past, left)
    ]
    return msgspec.structs.replace(
        plan,
        goes_on_after=answers[-1].done_until,
        stored=sum(answer.stored for answer in answers),
        changed=sum(answer.changed for answer in answers),
        kept=sum(answer.kept for answer in answers),
        left_out=len(left) + sum(answer.too_old for answer in answers),
        why=f"{left[0].run_id}: {left[0].why}" if left else None,
    )


def requests(
    reader: "Reader", past: "Past", left: "list[Left]"
) -> Iterator[wire.AirflowRunsRequest]:
    """Yield the runs of a DAG in batches, the last one with its date. Adds to ``left`` what cannot be kept."""
    from headway.cli.airflow_runs import BYTES_MAX, Left

    batch: list[wire.AirflowRunDetail] = []
    room = BATCH_BYTES
    for run in reader.runs(past.dag_id):
        if isinstance(run, Left):
            left.append(run)
            continue
        size = len(msgspec.json.encode(run))
        if size > BYTES_MAX:
            left.append(Left(run.run_id, "it is too large"))
            continue
        if batch and (size > room or len(batch) == BATCH_RUNS):
            yield wire.AirflowRunsRequest(runs=batch)
            batch, room = [], BATCH_BYTES
        batch.append(run)
        room -= size
    yield wire.AirflowRunsRequest(runs=batch, done_until=past.done_until)


def tell(found: Sequence[Moved], *, applied: bool) -> None:
    if applied:
        done = [
            (
                *(each.past.dag_id, each.stored, each.changed, each.kept, each.left_out),
                *(each.past.open, each.goes_on_after),
            )
            for each in found
        ]
        show([], Output.TABLE, DONE, done)
        return
    rows = [
        (
            *(each.past.dag_id, each.past.runs, each.past.first, each.past.last),
            *(each.past.open, each.here, each.goes_on_after),
        )
        for each in found
    ]
    show([], Output.TABLE, PLANNED, rows)


def explain(found: Sequence[Moved], days: float, *, applied: bool) -> None:
    def total(values: Iterator[int]) -> int:
        return sum(values)

    runs = counted(total(each.past.runs for each in found), "run")
    if applied:
        new, changed = (
            total(getattr(each, name) or 0 for each in found) for name in ("stored", "changed")
        )
        say(f"{new:,} of {runs} are new, {changed:,} changed, and the rest was stored already")
    else:
        say(f"{runs} of {counted(len(found), 'DAG')} would be stored; to do it, add --apply")
    if older := total(each.past.older for each in found):
        say(
            f"{counted(older, 'run')} ended before --since, or before the retention of {days:g} days "
            "(headway retention): left out"
        )
    if still := total(each.past.open for each in found):
        say(
            f"{counted(still, 'run has', 'runs have')} not ended in Airflow and "
            f"{'is' if still == 1 else 'are'} left out; wait for them and import again before you resume the DAGs here"
        )
    if endless := total(each.past.endless for each in found):
        say(f"{counted(endless, 'run')} without an end in Airflow's database: left out")
    for each in found:
        if each.why is not None:
            say(f"{each.past.dag_id}: {each.left_out} left out; the first is {each.why}")
