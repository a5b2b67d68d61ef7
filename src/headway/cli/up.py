"""``headway up``: run the server until Ctrl-C."""

import threading
from typing import TYPE_CHECKING, Annotated, Final

import typer

from headway import config
from headway.cli.options import Dags, Data, DatabaseUrl
from headway.cli.terminal import paint, say

if TYPE_CHECKING:
    from headway.config import ServerFile
    from headway.up.supervisor import Supervisor

Port = Annotated[
    int,
    typer.Option(
        min=0, max=65535, envvar="HEADWAY_PORT", help="Port to listen on; 0 takes any free port."
    ),
]
Queues = Annotated[
    list[str] | None,
    typer.Option(help="Run the tasks of this queue. Can be repeated (default: default)."),
]
Isolate = Annotated[
    bool,
    typer.Option(
        "--isolate",
        envvar="HEADWAY_ISOLATE",
        help="Run the code of each team as a user id of its own, or do not start.",
    ),
]
Uids = Annotated[
    str | None, typer.Option(envvar="HEADWAY_UIDS", help="Range of these user ids: 60000-60999")
]
LogStore = Annotated[
    str | None,
    typer.Option(
        envvar="HEADWAY_LOG_STORE",
        help="Log store to copy logs to: s3://bucket/prefix or file:///folder",
    ),
]

TURN_S: Final = 1.0  # how long a dead component may go unnoticed


def up(
    dags: Dags = None,
    data: Data = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = config.HOST,
    port: Port = config.PORT,
    database_url: DatabaseUrl = None,
    slots: Annotated[
        int, typer.Option(min=1, help="Maximum number of tasks that run at the same time.")
    ] = config.SLOTS,
    queue: Queues = None,
    public_url: Annotated[
        str | None,
        typer.Option(
            envvar="HEADWAY_PUBLIC_URL",
            help="Public URL, if the server is behind a proxy: https://headway.example.org",
        ),
    ] = None,
    api_rate: Annotated[
        int,
        typer.Option(
            min=1,
            envvar="HEADWAY_API_RATE",
            help="Maximum requests per second for each user or token.",
        ),
    ] = config.API_RATE,
    isolate: Isolate = False,
    uids: Uids = None,
    log_store: LogStore = None,
) -> None:
    """Start the server: database, scheduler, loader, agent, API and web interface."""
    from headway import clock
    from headway.up.isolation import UIDS, parsed
    from headway.up.supervisor import Settings, Supervisor, end_on_signals

    began = clock.monotonic()
    settings = Settings(
        layout=config.layout(data),
        dags=dags or config.default_dags(),
        host=host,
        port=port,
        database_url=database_url,
        slots=slots,
        queues=tuple(queue or ()),
        public_url=None if public_url is None else config.checked_public_url(public_url),
        api_rate=api_rate,
        log_store=log_store,
        isolate=isolate,
        uids=UIDS if uids is None else parsed(uids),
    )
    supervisor = Supervisor(settings, warn)
    stopping = threading.Event()
    end_on_signals(stopping, supervisor)
    server = supervisor.start()
    try:
        supervisor.wait_until_healthy()
        say(f"{paint('Headway', 'bold')} is up, in {clock.monotonic() - began:.1f} s")
        for gap in supervisor.walls.gaps:
            warn(gap)
        show_addresses(supervisor, server)
        watch(supervisor, stopping)
    finally:
        say("stopping … (press Ctrl-C again to stop immediately)")
        supervisor.stop()
        say("stopped")


def show_addresses(supervisor: "Supervisor", server: "ServerFile") -> None:
    say(f"  Open  {supervisor.login_url()}  (sign-in link: works once, expires in 10 minutes)")
    say(f"  API   {server.url}/api/v1")
    for source in supervisor.teams.sources():
        say(f"  DAGs  {source}")
    say(f"  Data  {supervisor.settings.layout.data}")
    say("  Ctrl-C stops it; runs continue at the next start")


def watch(supervisor: "Supervisor", stopping: threading.Event) -> None:
    from headway.cli.news import News

    news = News(supervisor)
    while not stopping.is_set():
        if supervisor.bell.wait(TURN_S):
            supervisor.bell.clear()
            news.tell()
        supervisor.turn()
    news.tell()


def warn(text: str) -> None:
    say(f"{paint('!', 'yellow')} {text}")
