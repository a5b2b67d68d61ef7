"""``headway run``: run a DAG once and wait for the end. Uses the running server, or starts one for the run.

With ``HEADWAY_URL`` it is a server elsewhere, and the DAG may be one that another team granted.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from headway import config, wire
from headway.cli.interrupts import interrupt_kept
from headway.cli.options import Dags, Data, DatabaseUrl, Format, Output, Target
from headway.cli.output import line, seconds
from headway.cli.params import Params, texts_of, values_of
from headway.cli.terminal import paint, say
from headway.core.states import RUN_FINAL
from headway.core.words import counted
from headway.errors import NotAllowed, UsageError

if TYPE_CHECKING:
    from headway.cli.place import Place
    from headway.client import Client

WAIT_S: Final = 20.0

Date = Annotated[
    str | None,
    typer.Option(
        "--date",
        "-d",
        help="Logical date, for instance 2013-01-31 or 2013-01-31T05:00, in the DAG's time zone unless given.",
    ),
]


Like = Annotated[
    str | None,
    typer.Option(
        "--like",
        metavar="RUN",
        help="Take the parameters and the date of this run (RUN, or DAG@latest); --param and --date replace them.",
    ),
]


def run(
    target: Target,
    date: Date = None,
    partition: Annotated[
        str | None,
        typer.Option(
            help="The partition of the data that the run is about, for instance 2013-01-31."
        ),
    ] = None,
    param: Params = None,
    like: Like = None,
    detach: Annotated[
        bool,
        typer.Option("--detach", help="Do not wait for the run to end. Needs a running server."),
    ] = False,
    dags: Dags = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    output: Format = Output.TABLE,
) -> None:
    """Run a DAG once and show its progress. The exit code is 0 if the run succeeds."""
    from headway.cli.place import loaded, place_of, target_of

    texts = texts_of(param)
    wanted = target_of(target)
    layout = config.layout(data)
    with place_of(layout, wanted, dags, database_url) as place:
        if detach and place.ours:
            raise UsageError(
                "--detach needs a running server",
                hint="start one with headway up, or omit --detach",
            )
        dag_id = loaded(place, wanted, layout)
        params = values_of(place.client, dag_id, texts)
        request = wire.TriggerRequest(logical_date=date, params=params, partition=partition)
        if like is not None:
            request = resembling(place.client.run(like), dag_id, request)
        guest = place.dags is None and is_guest(place.client, dag_id)
        asked = detach or request.logical_date is not None
        preview = place.client.would_trigger(dag_id, request) if asked and not guest else None
        if request.logical_date is not None and preview is not None:
            say_same_date(preview)
        if detach:
            run = place.client.trigger(dag_id, request)
            say_queued(run, preview.would_wait if preview is not None else None)
            line(run.run_id)
            return
        if guest:
            ended = watched_by_guest(place.client, dag_id, request)
            if ended is None:
                return
            run = ended
        else:
            run = watched(place, dag_id, request)
            report(place, layout, run, output)
    if run.state != "success":
        raise typer.Exit(1)


def say_queued(run: wire.Run, waits: str | None) -> None:
    """``waits``: why it does not start at once."""
    why = f" and waits: {waits}" if waits else ""
    say(f"run {run.run_id} of {run.dag_id} is queued{why}; to follow it: headway show {run.run_id}")


def say_same_date(preview: wire.TriggerPreview) -> None:
    """Say which runs of the date exist, and what else can be done than to start one more."""
    if not preview.same_date:
        return
    latest = preview.same_date[0]
    others = len(preview.same_date) - 1
    more = f", and {counted(others, 'earlier run')}" if others else ""
    say(
        f"{paint('!', 'yellow')} run {latest.run_id} of this date exists already ({latest.state}){more}; "
        f"this is one more run"
    )
    if latest.state == "failed":
        say(f"  to run only its failed tasks again: headway retry {latest.run_id}")
    elif latest.state in ("queued", "running"):
        say(
            f"  to follow it: headway show {latest.run_id}; to stop it: headway cancel {latest.run_id}"
        )
    else:
        say(f"  to run its tasks again in the same run: headway clear {latest.run_id}")


def resembling(earlier: wire.Run, dag_id: str, request: wire.TriggerRequest) -> wire.TriggerRequest:
    """Add what the request does not say from a run of the same DAG."""
    if earlier.dag_id != dag_id:
        raise UsageError(
            f"run {earlier.run_id} is of {earlier.dag_id}, not of {dag_id}",
            hint=f"to list its runs: headway ls runs --dag {dag_id}",
        )
    return msgspec.structs.replace(
        request,
        logical_date=request.logical_date or earlier.logical_date.isoformat(),
        params={**earlier.params, **request.params},
        partition=request.partition or earlier.partition,
    )


def watched(place: "Place", dag_id: str, request: wire.TriggerRequest) -> wire.Run:
    """Trigger a run and watch it. On Ctrl-C leave it to the server, or cancel it if the server is ours."""
    from headway.cli.watching import watch

    run: wire.Run | None = None
    try:
        with interrupt_kept():  # the run may be there before the answer that names it
            run = place.client.trigger(dag_id, request)
        return watch(place.client, run.run_id)
    except KeyboardInterrupt:
        if run is None:
            raise
        if not place.ours:
            say(f"\nrun {run.run_id} keeps running; to cancel it: headway cancel {run.run_id}")
            raise typer.Exit(130) from None
        say("\ncancelling the run … (press Ctrl-C again to stop immediately)")
        place.client.close()
        place.client.cancel(run.run_id)
        return place.client.run(run.run_id, wait_s=20)


def is_guest(client: "Client", dag_id: str) -> bool:
    """Return whether the DAG is of another team: its members see it."""
    try:
        client.dag(dag_id)
    except NotAllowed:
        return True
    return False


def watched_by_guest(
    client: "Client", dag_id: str, request: wire.TriggerRequest
) -> wire.Run | None:
    """Trigger a run of another team's DAG, and wait for its end if a grant shows its runs; None: none does."""
    run = client.trigger(dag_id, request)
    line(run.run_id)
    try:
        while run.state not in RUN_FINAL and run.set_aside is None:
            run = client.run(run.run_id, wait_s=WAIT_S)
    except NotAllowed:
        say(f"run {run.run_id} of {dag_id} is started; no grant lets your team see the runs")
        return None
    say(f"{run.state} in {seconds(run.started_at, run.ended_at)}")
    return run


def report(place: "Place", layout: config.Layout, run: wire.Run, output: Output) -> None:
    colour = "green" if run.state == "success" else "red"
    took = seconds(run.started_at, run.ended_at)
    logs = f"; logs in {layout.logs / run.run_id}" if place.dags is not None else ""
    say(f"{paint(run.state, colour)} in {took}{logs}")
    if output is Output.TABLE:
        line(run.run_id)
        return
    instances = place.client.instances(run.run_id)
    line(msgspec.json.encode(result(run, instances)).decode())


def result(run: wire.Run, instances: list[wire.TaskInstance]) -> dict[str, Any]:
    """Return the object that ``--output json`` prints last."""
    return {
        "run_id": run.run_id,
        "dag_id": run.dag_id,
        "state": run.state,
        "logical_date": run.logical_date,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "task_instances": [
            {
                "task_id": each.task_id,
                "map_index": each.map_index,
                "state": each.state,
                "attempts": each.attempts,
                "queued_at": each.queued_at,
                "started_at": each.started_at,
                "ended_at": each.ended_at,
            }
            for each in instances
        ],
    }
