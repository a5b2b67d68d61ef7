"""``headway up``: run the server until Ctrl-C."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from headway import config
from headway.cli.options import (
    Agents,
    ApiRate,
    Certificate,
    Dags,
    Data,
    DatabaseUrl,
    Host,
    Key,
    Kubernetes,
    LogStore,
    Port,
    PublicUrl,
    Queues,
    Slots,
)
from headway.cli.terminal import paint, say

if TYPE_CHECKING:
    from headway.cli.demo import History
    from headway.config import ServerFile
    from headway.up.supervisor import Supervisor

Isolate = Annotated[
    bool | None,
    typer.Option(
        "--isolate/--no-isolate",
        envvar="HEADWAY_ISOLATE",
        help="Run the code of each team as a user id of its own, or do not start "
        "(default: in a folder of teams, where the system allows it).",
    ),
]
Uids = Annotated[
    str | None, typer.Option(envvar="HEADWAY_UIDS", help="Range of these user ids: 60000-60999")
]
Demo = Annotated[
    bool | None,
    typer.Option(
        "--demo/--no-demo",
        help="Write two demo teams with DAGs to the DAG folder, which must be empty "
        "(default: at the first start in an empty directory).",
        show_default=False,
    ),
]

TURN_S: Final = 1.0  # how long a dead component may go unnoticed


def up(
    dags: Dags = None,
    data: Data = None,
    host: Host = config.HOST,
    port: Port = config.PORT,
    database_url: DatabaseUrl = None,
    slots: Slots = config.SLOTS,
    queue: Queues = None,
    public_url: PublicUrl = None,
    api_rate: ApiRate = config.API_RATE,
    isolate: Isolate = None,
    uids: Uids = None,
    log_store: LogStore = None,
    kubernetes: Kubernetes = None,
    agents: Agents = None,
    certificate: Certificate = None,
    key: Key = None,
    demo: Demo = None,
) -> None:
    """Start the server. It is database, scheduler, loader, agent, API and web interface in one."""
    from headway import clock
    from headway.cli.demo import folder_of
    from headway.identity.settings import from_environment
    from headway.up import outside
    from headway.up.isolation import UIDS, parsed
    from headway.up.supervisor import Settings, Supervisor

    began = clock.monotonic()
    layout = config.layout(data)
    folder, is_new = folder_of(demo, dags, layout)
    settings = Settings(
        layout=layout,
        dags=folder,
        host=host,
        port=port,
        database_url=database_url,
        slots=slots,
        queues=tuple(queue or ()),
        public_url=None if public_url is None else config.checked_public_url(public_url),
        api_rate=api_rate,
        log_store=log_store,
        kubernetes=kubernetes,
        agents=outside.agents(agents, certificate, key),
        isolate=isolate,
        uids=UIDS if uids is None else parsed(uids),
        sign_in=from_environment(),
    )
    serve(Supervisor(settings, warn), began, is_new=is_new)


def serve(supervisor: "Supervisor", began: float, *, is_new: bool) -> None:
    """Start the server and run it until it is told to stop. ``is_new``: its DAGs are those of the demo."""
    from headway import clock
    from headway.cli.demo import History
    from headway.up.supervisor import end_on_signals

    stopping = threading.Event()
    end_on_signals(stopping, supervisor)
    server = supervisor.start()
    try:
        supervisor.wait_until_healthy()
        say(f"{paint('Headway', 'bold')} is up, in {clock.monotonic() - began:.1f} s")
        for gap in supervisor.walls.gaps:
            warn(gap)
        show_addresses(supervisor, server)
        watch(supervisor, stopping, History(server) if is_new else None)
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
    say_if_no_dags(supervisor.settings.dags, of_teams=supervisor.teams.of_teams)
    if not supervisor.teams.of_teams:
        say_if_of_airflow(supervisor.settings.dags)
    say("  Ctrl-C stops it; runs continue at the next start")


def say_if_no_dags(dags: Path, *, of_teams: bool) -> None:
    """Say that no file of the folder defines a DAG, and what to do; of a folder of teams the pages tell each team."""
    from headway.cli.demo import is_empty
    from headway.loader.check import defines_any

    if is_empty(dags):
        say("  There is no DAG yet. To see two demo teams at work: headway up --demo")
    elif not of_teams and not defines_any(dags):
        say(f"  No file in {dags} defines a DAG yet. Save one there, and it is loaded at once;")
        say("  to begin with a DAG, a test and a CI file: headway init NAME")


def say_if_of_airflow(dags: Path) -> None:
    """Say which command tells what runs, if files of the folder were written for Airflow."""
    from headway.loader.check import count_airflow_files

    if count := count_airflow_files(dags):
        files = "1 file was" if count == 1 else f"{count:,} files were"
        say(
            f"  {files} written for Airflow. For each DAG, whether it runs, why not, and what to do:"
        )
        say(f"  headway import-airflow {dags}")


def watch(
    supervisor: "Supervisor", stopping: threading.Event, history: "History | None" = None
) -> None:
    """Turn until the end. ``history``: the demo DAGs whose past runs are asked for once they are loaded."""
    from headway.cli.news import News

    news = News(supervisor)
    while not stopping.is_set():
        if supervisor.bell.wait(TURN_S):
            supervisor.bell.clear()
            news.tell()
        if history is not None and history.missing:
            history.turn()
        supervisor.turn()
    news.tell()


def warn(text: str) -> None:
    say(f"{paint('!', 'yellow')} {text}")
