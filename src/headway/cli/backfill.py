"""``headway backfill``: runs for the dates of a DAG's schedule in the past, with progress."""

from collections import Counter
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from headway import clock, config, wire
from headway.cli.options import Dags, Data, DatabaseUrl, Format, Output, Target
from headway.cli.output import show
from headway.cli.params import Params, texts_of, values_of
from headway.cli.terminal import is_interactive, paint, say
from headway.cli.watching import is_over
from headway.client import Client
from headway.core.wording import EACH
from headway.core.words import counted, duration, person

LOOK_S: Final = 0.2
PAUSED_LOOK_S: Final = 2.0
ACTIONS: Final = {"create": "new run", "again": "runs again", "leave": "left out"}


class Again(StrEnum):
    MISSING = "missing"
    FAILED = "failed"
    ALL = "all"


def backfill(
    target: Target,
    first: Annotated[str, typer.Option("--from", help="First date or time.")],
    last: Annotated[str, typer.Option("--to", help="Last date or time, inclusive.")],
    param: Params = None,
    max_active_runs: Annotated[
        int | None,
        typer.Option(min=1, help="Maximum number of runs of this backfill at the same time."),
    ] = None,
    again: Annotated[
        Again,
        typer.Option(
            help="Dates that have a run: leave them out (missing), or run again those that failed, or all, "
            "with the latest code."
        ),
    ] = Again.MISSING,
    newest_first: Annotated[
        bool, typer.Option("--newest-first", help="Run the latest date first.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the dates that would run.")
    ] = False,
    wait: Annotated[
        bool, typer.Option(help="Wait until all runs end. Always on without a server.")
    ] = True,
    dags: Dags = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    output: Format = Output.TABLE,
) -> None:
    """Create runs for past dates of a DAG's schedule. One for each of its times from one date to another, inclusive.

    Dates are in the DAG's time zone.
    """
    from headway.cli.place import loaded, place_of, target_of

    texts = texts_of(param)
    wanted = target_of(target)
    layout = config.layout(data)
    began = clock.monotonic()
    with place_of(layout, wanted, dags, database_url) as place:
        dag_id = loaded(place, wanted, layout)
        request = wire.BackfillRequest(
            first=first,
            last=last,
            params=values_of(place.client, dag_id, texts),
            max_active_runs=max_active_runs,
            again=again.value,
            newest_first=newest_first,
            dry_run=dry_run,
        )
        answer = place.client.backfill(dag_id, request)
        if dry_run or not (wait or place.ours):
            show_plan(answer, output)
            say_all(answer.notes)
            say_left_out(answer, again)
            return
        assert answer.backfill_id is not None
        ids = [run.run_id for run in answer.runs if run.action != "leave"]
        say(f"backfill {answer.backfill_id} of {dag_id}: {counted(len(ids), 'run')}")
        say_all(answer.notes)
        say_left_out(answer, again)
        runs = follow(place.client, answer.backfill_id, len(ids))
    all_succeeded = show_ends(runs, ZoneInfo(answer.timezone), clock.monotonic() - began, output)
    if not all_succeeded:
        raise typer.Exit(1)


def show_plan(answer: wire.BackfillAnswer, output: Output) -> None:
    zone = ZoneInfo(answer.timezone)
    dates = [
        (run.logical_date.astimezone(zone), run.run_id, run.state, ACTIONS[run.action])
        for run in answer.runs
    ]
    show(answer, output, ("LOGICAL DATE", "RUN", "STATE", "BACKFILL"), dates)


def show_ends(runs: list[wire.Run], zone: ZoneInfo, took_s: float, output: Output) -> bool:
    """Show the runs that did not succeed, and how many ended how. Returns whether all succeeded."""
    ends = Counter(EACH.get(run.state, run.state) for run in runs)
    rows = [
        (run.logical_date.astimezone(zone), run.run_id, run.state)
        for run in runs
        if run.state != "success"
    ]
    if rows or output is not Output.TABLE:  # the summary says it when all is well
        show(runs, output, ("LOGICAL DATE", "RUN", "STATE"), rows)
    summary = ", ".join(f"{count} {end}" for end, count in ends.items())
    colour = "red" if rows else "green"
    say(f"{paint(summary, colour)} in {duration(took_s)}")
    return not rows


def say_all(notes: list[str]) -> None:
    for note in notes:
        say(note)


def say_left_out(answer: wire.BackfillAnswer, again: Again) -> None:
    """Say which dates have a run already, and how to run those again."""
    left = Counter(run.state for run in answer.runs if run.action == "leave")
    if not left:
        return
    states = ", ".join(f"{count} {state}" for state, count in left.items())
    dates = counted(left.total(), "date")
    say(
        f"{dates} left out, because {'it has' if left.total() == 1 else 'they have'} a run: {states}"
    )
    if again is not Again.ALL:
        say("to run them again: --again failed, or --again all")


def follow(client: Client, backfill_id: str, total: int) -> list[wire.Run]:
    """Wait until all runs of the backfill end. Dates that already had a run are not part of it."""
    if not is_interactive():
        known = ""
        while not ended(runs := client.runs_of_backfill(backfill_id)):
            paused = pause_of(client, backfill_id, runs)
            if paused and paused != known:
                say(f"still waiting: {paused}")
            known = paused
            clock.sleep(PAUSED_LOOK_S if paused else LOOK_S)
        return runs
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.completed}/{task.total} {task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        bar = progress.add_task("runs", total=total)
        while True:
            runs = client.runs_of_backfill(backfill_id)
            done = sum(is_over(run) for run in runs)
            states = Counter(run.state for run in runs if run.state != "success")
            told = ", ".join(f"{count} {state}" for state, count in states.items())
            paused = "" if ended(runs) else pause_of(client, backfill_id, runs)
            description = ", ".join(filter(None, (told, paused))) or "done"
            progress.update(bar, completed=done, total=len(runs), description=description)
            if ended(runs):
                return runs
            clock.sleep(PAUSED_LOOK_S if paused else LOOK_S)


def pause_of(client: Client, backfill_id: str, runs: list[wire.Run]) -> str:
    """Return who keeps the runs of a backfill from starting, and how to resume it; nothing while some run."""
    if any(run.state == "running" for run in runs):
        return ""
    found = client.backfill_progress(backfill_id)
    if found.paused_by is None:
        return ""
    return f"it is paused by {person(found.paused_by)}; to resume it: headway resume --backfill {backfill_id}"


def ended(runs: list[wire.Run]) -> bool:
    return all(is_over(run) for run in runs)
