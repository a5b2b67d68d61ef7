"""``headway asset``: assets, their events, and events from outside."""

import json
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import cell, line, show
from headway.cli.terminal import say
from headway.core.aliases import alias_of, said
from headway.core.watchers import WatcherState
from headway.core.words import counted
from headway.errors import NotFound, UsageError

app = typer.Typer(no_args_is_help=True, help="Assets: data that tasks update and DAGs wait for.")
KEYS_SHOWN: Final = 6
ERROR_CHARS: Final = (
    300  # of the error of a watcher; the API and the page of its asset have all of it
)
Name = Annotated[str, typer.Argument(metavar="ASSET")]


@app.command("ls")
def list_assets(data: Data = None, output: Format = Output.TABLE) -> None:
    """List assets. Shows their last event, the tasks that update them, and the DAGs that wait for them."""
    from headway.client import client_of

    found = client_of(config.layout(data)).assets()
    rows = [
        (
            said(asset.name),
            asset.last_event_at,
            ", ".join(f"{task.dag_id}.{task.task_id}" for task in asset.producers),
            ", ".join(
                [
                    *(consumer.dag_id for consumer in asset.consumers),
                    *(f"{task.dag_id}.{task.task_id}" for task in asset.awaiters),
                ]
            ),
        )
        for asset in found
    ]
    show(found, output, ("ASSET", "LAST EVENT", "UPDATED BY", "AWAITED BY"), rows)


@app.command("show")
def show_asset(
    name: Name,
    limit: Annotated[int, typer.Option(help="Number of events.")] = 20,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Show the last events of an asset, or of an alias: @alias:NAME."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    events = client.asset_events(name, limit)
    if alias_of(name) is None:
        rows = [(e.at, e.partition, source_of(e), json.dumps(e.extra)) for e in events]
        show(events, output, ("TIME", "PARTITION", "SOURCE", "EXTRA"), rows)
        if output is Output.TABLE:
            for watcher in client.asset(name).watchers:
                say(facts_of_watcher(watcher))
        return
    of_assets = [(e.at, e.asset, e.partition, source_of(e), json.dumps(e.extra)) for e in events]
    show(events, output, ("TIME", "ASSET", "PARTITION", "SOURCE", "EXTRA"), of_assets)
    if output is Output.TABLE:
        for text in facts_of_alias(client.asset(name)):
            say(text)


def facts_of_watcher(watcher: wire.AssetWatcher) -> str:
    """Say what a watcher does now, and why nobody looks if that is so."""
    facts = [watcher.state.value]
    if watcher.error is not None:
        facts.append(f"its last error: {shorten(watcher.error, ERROR_CHARS)}")
    if watcher.reason:
        facts.append(watcher.reason)
    elif watcher.note:
        facts.append(watcher.note)
    if watcher.starts_at is not None and watcher.state is WatcherState.FAILED:
        facts.append(f"begins again at {cell(watcher.starts_at)}")
    if watcher.looks_at is not None and watcher.state is WatcherState.LOOKING:
        facts.append(f"looks again at {cell(watcher.looks_at)}")
    if watcher.slowed_at is not None:
        facts.append(f"told of too many events at {cell(watcher.slowed_at)}, which were slowed")
    last = "" if watcher.last_event_at is None else f", the last at {cell(watcher.last_event_at)}"
    facts.append(f"{counted(watcher.events, 'event')}{last}")
    what = f" ({watcher.what})" if watcher.what and watcher.name not in watcher.what else ""
    return f"watcher {watcher.name}{what}: {'; '.join(facts)}"


def shorten(text: str, limit: int) -> str:
    """Return the beginning of a text in one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def facts_of_alias(found: wire.AssetDetail) -> list[str]:
    if not found.assets:
        return ["no task has added an asset to it yet"]
    more = found.assets_total - len(found.assets)
    named = ", ".join(found.assets) + (f" and {more:,} more" if more else "")
    refused = [] if found.refused is None else [f"not taken: {found.refused}"]
    return [f"its assets: {named}", *refused]


@app.command("partitions")
def list_partitions(
    name: Annotated[str, typer.Argument(metavar="ASSET|DAG")],
    limit: Annotated[int, typer.Option(help="Number of partitions.")] = 50,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """List the partitions of an asset or DAG. Of a DAG: those it waits for and what they miss."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    try:
        found = client.asset_partitions(name, limit)
    except NotFound as error:
        try:
            pending = client.dag_partitions(name, limit)
        except NotFound:
            raise error from None
        rows = [(each.partition, each.since, missing_of(each)) for each in pending]
        show(pending, output, ("PARTITION", "SINCE", "MISSING"), rows)
        return
    told = [(each.partition, each.at, each.run_id or each.by or "") for each in found]
    show(found, output, ("PARTITION", "LAST EVENT", "SOURCE"), told)


def missing_of(pending: wire.PendingPartition) -> str:
    """Name the keys that a partition waits for, the first of each asset."""
    if not pending.missing:
        return "nothing"
    return ", ".join(
        f"{counted_keys(each)} of {each.asset}: {', '.join(each.keys[:KEYS_SHOWN])}"
        + (" …" if each.total > KEYS_SHOWN else "")
        for each in pending.missing
    )


def counted_keys(missing: wire.MissingKeys) -> str:
    keys = "1 key" if missing.total == 1 else f"{missing.total:,} keys"
    return keys if missing.needed == missing.total else f"{missing.needed:,} of {keys}"


@app.command("emit")
def emit(
    name: Name,
    extra: Annotated[str | None, typer.Option(help="JSON object that tasks can read.")] = None,
    partition: Annotated[str | None, typer.Option(help="The part of the data it is about.")] = None,
    key: Annotated[
        str | None, typer.Option(help="Idempotency key: the same key reports one event.")
    ] = None,
    data: Data = None,
) -> None:
    """Report an event of an asset that happened outside of Headway."""
    from headway.client import client_of

    request = wire.AssetEventRequest(
        asset=name, extra=extra_of(extra), partition=partition, idempotency_key=key
    )
    event = client_of(config.layout(data)).emit_asset_event(request)
    say(f"event of asset {event.asset} is stored")


def extra_of(text: str | None) -> dict[str, Any]:
    try:
        found = {} if text is None else json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UsageError(
            "--extra is not a JSON object", hint="""for instance: --extra '{"rows": 7}'"""
        )
    return found


def source_of(event: wire.AssetEvent) -> str:
    if event.run_id is None:
        return event.by or ""
    index = f"[{event.map_index}]" if event.map_index is not None and event.map_index >= 0 else ""
    return f"{event.dag_id}.{event.task_id}{index} in {event.run_id}"


def neither(text: str, no_run: NotFound, no_dag: NotFound) -> NotFound:
    """Return what to say of a word that names no run and no DAG: the guess of either, else how to list both."""
    guesses = [each.hint for each in (no_dag, no_run) if (each.hint or "").startswith("did you")]
    hint = guesses[0] if guesses else "to list DAGs: headway ls; to list runs: headway ls runs"
    return NotFound(f"there is no DAG or run {text!r}", hint=hint)


def explain(dag_id: str, error: NotFound, data: Data) -> None:
    """Say what the next run of a DAG waits for. Raises ``error`` if there is no such DAG."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    try:
        found, fires = client.dag_assets(dag_id), client.next_fires(dag_id, count=1)
    except NotFound as no_dag:
        raise neither(dag_id, error, no_dag) from None
    if fires.reason is not None:
        line(f"{dag_id} has no next run yet: {fires.reason}")
    elif fires.fires:
        line(f"{dag_id} runs next at {cell(datetime.fromisoformat(fires.fires[0].local))}")
    for each in found.partitions:
        again = " (again)" if each.late else ""
        if each.due_at is not None:
            again = f" (overdue since {cell(each.due_at)})"
        line(f"partition {each.partition}{again}: waits for {missing_of(each)}")
    for wait in () if found.partitioned else found.waits:
        line(
            f"{said(wait.asset) if wait.assets is not None else f'asset {wait.asset}'}: {told(wait)}"
        )
    for watcher in found.watchers:
        if watcher.state is not WatcherState.LOOKING or watcher.error is not None:
            line(f"asset {watcher.asset}: {facts_of_watcher(watcher)}")


def told(wait: wire.AssetWait) -> str:
    if wait.since is not None:
        return f"{counted(wait.events, 'new event')}, the first at {cell(wait.since)}"
    if wait.assets == 0:
        return "no task has added an asset to it yet"
    why = "" if wait.missing else "; the next run does not need one"
    return f"no event since the last run{why}"
