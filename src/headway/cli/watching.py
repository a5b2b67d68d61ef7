"""Watch a run until it ends: a live tree on a terminal, a few lines in a log."""

from typing import Final

from headway import clock, wire
from headway.cli import trouble
from headway.cli.terminal import is_interactive, say
from headway.client import Client
from headway.core.states import RUN_FINAL

FRAME_S: Final = 0.1
WAIT_S: Final = 20.0
STILL_S: Final = 3.0  # without news: then a task may wait for what never comes


def watch(client: Client, run_id: str) -> wire.Run:
    """Watch until the run ends or is set aside."""
    run = watch_live(client, run_id) if is_interactive() else watch_quietly(client, run_id)
    if run.state != "success":
        for text in failure(client, run):
            say(text)
    return run


def watch_live(client: Client, run_id: str) -> wire.Run:
    from rich.console import Console
    from rich.live import Live

    from headway.cli.tree import lines

    with Live(console=Console(stderr=True), refresh_per_second=10, transient=False) as live:
        while True:
            run = client.run(run_id, wait_s=FRAME_S)
            live.update(lines(run, client.tasks(run_id), clock.now()))
            if is_over(run):
                return run


def watch_quietly(client: Client, run_id: str) -> wire.Run:
    """Print one line for each failure, and for what a task waits when nothing happens. For CI and pipes."""
    after, told = 0, set[str]()
    while True:
        events = client.events(run_id, after=after, wait_s=WAIT_S if told else STILL_S)
        for event in events:
            after = event.seq
            if event.subject == "task_instance" and event.state in ("failed", "up_for_retry"):
                say(f"{trouble.place(event)} {event.state}: {event.reason or ''}".rstrip())
        if not events:
            tell_waits(client, client.run(run_id), told)
        run = client.run(run_id)
        if is_over(run):
            return run


def tell_waits(client: Client, run: wire.Run, told: set[str]) -> None:
    """Say why the run does not start, or its ready tasks do not run, once for each text."""
    lines = trouble.unstarted(client, run) or trouble.blocked(client.tasks(run.run_id))
    for text in lines:
        if text not in told:
            say(f"waiting: {text}")
    told.update(lines)


def is_over(run: wire.Run) -> bool:
    return run.state in RUN_FINAL or run.set_aside is not None


def failure(client: Client, run: wire.Run) -> list[str]:
    if run.set_aside is not None or not run.counts.get("failed"):
        return [trouble.standing(run)]
    return trouble.describe(client, run.run_id, *trouble.first_trouble(client, run.run_id))
