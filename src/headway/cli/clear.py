"""``headway clear``: run tasks of a run again, with their downstream tasks."""

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.core.words import counted
from headway.errors import UsageError

if TYPE_CHECKING:
    from headway.client import Client

Index = Annotated[
    list[int] | None, typer.Option("--index", help="Clear only this map index. Can be repeated.")
]
Latest = Annotated[
    bool | None,
    typer.Option(
        "--latest/--as-it-was",
        help="Run the latest code of the DAG, or the code of the run. Default: the code of the run.",
        show_default=False,
    ),
]
RunIdOrDag = Annotated[
    str,
    typer.Argument(
        metavar="RUN|DAG",
        help="Run id or unique prefix, or DAG@latest; a DAG id with --from, --to.",
    ),
]
First = Annotated[
    str | None, typer.Option("--from", help="Clear the runs of this date and later ones.")
]
Last = Annotated[
    str | None, typer.Option("--to", help="Clear the runs up to this date or time, inclusive.")
]
Only = Annotated[
    str | None, typer.Option("--state", help="Of these dates, only runs in this state.")
]
RUNS_MAX: Final = 500  # of a range of dates
LINES_MAX: Final = 20  # of each list of differences
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show which task instances would run again.")
]


def clear(
    run_id: RunIdOrDag,
    tasks: Annotated[list[str] | None, typer.Argument(metavar="[TASK]…")] = None,
    index: Index = None,
    downstream: Annotated[bool, typer.Option(help="Also clear downstream tasks.")] = True,
    upstream: Annotated[bool, typer.Option(help="Also clear upstream tasks.")] = False,
    first: First = None,
    last: Last = None,
    state: Only = None,
    latest: Latest = None,
    dry_run: DryRun = False,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Clear tasks of a run so that they run again. Without task names: all tasks.

    With --from or --to, of all runs of a DAG in these dates, in the DAG's time zone.
    """
    from headway.client import client_of

    request = wire.ClearRequest(
        tasks=tasks or [],
        map_indexes=index or [],
        downstream=downstream,
        upstream=upstream,
        dry_run=dry_run,
        code=code_of(latest),
    )
    client = client_of(config.layout(data))
    if first is None and last is None:
        if state is not None:
            raise UsageError("--state needs a range of dates", hint="add --from, --to, or both")
        ask(client, run_id, request, output, chosen=latest is not None)
        return
    clear_dates(client, run_id, request, {"from": first, "to": last, "state": state}, output)


def clear_dates(
    client: "Client",
    dag_id: str,
    request: wire.ClearRequest,
    which: dict[str, str | None],
    output: Output,
) -> None:
    """Clear in each run of the DAG that ``which`` selects. All are asked first, so that a refusal changes nothing."""
    client.dag(dag_id)  # NotFound, with what was probably meant
    runs = client.all_runs(dag_id=dag_id, **which)
    if len(runs) > RUNS_MAX:
        raise UsageError(
            f"these dates have {len(runs):,} runs; the limit is {RUNS_MAX}",
            hint="clear a shorter range at a time",
        )
    asked = msgspec.structs.replace(request, dry_run=True)
    plans = [client.clear(run.run_id, asked) for run in runs]
    if not request.dry_run:
        plans = [client.clear(run.run_id, request) for run in runs]
    rows = [
        (run.run_id, run.logical_date, run.state, len(plan.cleared))
        for run, plan in zip(runs, plans, strict=True)
    ]
    show(plans, output, ("RUN", "LOGICAL DATE", "STATE", "TASK INSTANCES"), rows)
    total = sum(len(plan.cleared) for plan in plans)
    verb = "would run" if request.dry_run else "run"
    say(f"{counted(total, 'task instance')} of {counted(len(runs), 'run')} {verb} again")


def code_of(latest: bool | None) -> str:
    return "latest" if latest else "run"


def ask(
    client: "Client",
    run_id: str,
    request: wire.ClearRequest,
    output: Output,
    *,
    chosen: bool,
) -> None:
    """Clear, and say which code runs. Not ``chosen``: also say that there is a later one."""
    plan = client.clear(run_id, msgspec.structs.replace(request, dry_run=True))
    if not plan.cleared:
        show(plan, output, ("TASK", "INDEX"), ())
        say(nothing_words(plan.run_id, request))
        return
    answer = plan if request.dry_run else client.clear(run_id, request)
    rows = [(key.task_id, key.map_index if key.map_index >= 0 else None) for key in answer.cleared]
    show(answer, output, ("TASK", "INDEX"), rows)
    verb = "would run" if request.dry_run else "runs" if len(rows) == 1 else "run"
    again = f"{counted(len(rows), 'task instance')} of run {answer.run_id} {verb} again"
    say(f"{again} with {code_words(answer, request.code)}")
    if plan.choice is not None and not chosen:
        advise(plan.choice)
    if plan.choice is not None and plan.choice.images and request.code != "latest":
        say(f"{image_words(plan.choice.images)}; to use what the tag stands for now: --latest")
    if plan.choice is not None and request.code == "latest":
        for line in difference(plan.choice):
            say(line)


def nothing_words(run_id: str, request: wire.ClearRequest) -> str:
    if request.failed_only:
        return (
            f"run {run_id} has no failed task, so nothing runs again; "
            f"to run all its tasks again: headway clear {run_id}"
        )
    return (
        f"run {run_id} has no such task instance, so nothing runs again; "
        f"to list its tasks: headway show {run_id}"
    )


def code_words(answer: wire.ClearAnswer, code: str) -> str:
    which = "the latest code" if code == "latest" else "the code of this run"
    return f"{which} (version {answer.version}, bundle {answer.bundle_version[:12]})"


def image_words(images: list[str]) -> str:
    names = ", ".join(images[:LINES_MAX])
    return f"the digest of {names} stays that of this run"


def advise(choice: wire.CodeChoice) -> None:
    if (choice.latest_version, choice.latest_bundle_version) == (
        choice.version,
        choice.bundle_version,
    ):
        return
    changes = difference(choice)
    if not changes and choice.latest_version == choice.version:
        return
    say("the code has changed since this run; for the latest code, add --latest")
    for line in changes:
        say(line)


def difference(choice: wire.CodeChoice) -> list[str]:
    """The files and tasks that differ, a line each."""
    files = [f"  file {each.change}: {each.file}" for each in choice.files[:LINES_MAX]]
    more = len(choice.files) + choice.more_files - len(files)
    if more > 0:
        files.append(f"  and {counted(more, 'more file')}")
    tasks = list(
        dict.fromkeys(f"  {each.what}: {each.path.split('.')[0]}" for each in choice.tasks)
    )
    rest = [f"  and {counted(len(tasks) - LINES_MAX, 'more change')}"] if tasks[LINES_MAX:] else []
    return [*files, *tasks[:LINES_MAX], *rest]
