"""Starts, supervises and stops everything of ``headway up``: database, API and components.

One thread, the main one, starts every child (a child dies with the *thread* that started it) and
takes the signals; the API has a thread of its own. Nothing is kept here that the next start needs.
"""

import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Final

from headway import clock, config, descriptors, wire
from headway.config import Layout, Lock, ServerFile
from headway.errors import HeadwayError, NotReachable, UsageError
from headway.executors.kubernetes.settings import read_settings
from headway.identity.settings import NONE, SignInSettings
from headway.loader.folder import refuse_inside
from headway.loader.teams import is_of_teams
from headway.up import outside
from headway.up.access import api_login_of, data_token, forget_secrets
from headway.up.address import bind, url_of
from headway.up.capacity import provide_slots
from headway.up.component import Component
from headway.up.isolation import UIDS, Isolation, isolation_of
from headway.up.keys import FILE, take_keys
from headway.up.teams import Place, Teams
from headway.up.walls import Walls

if TYPE_CHECKING:
    from headway.api.door import Door
    from headway.api.principal import Principal
    from headway.pg import Server
    from headway.store.api_login import ApiLogin
    from headway.up.logstore import LogStore

READY_S: Final = 30.0
API_LOG_BYTES: Final = 2_000_000
DATABASE_PAUSE_S: Final = 2.0  # between two starts of a database that does not stay
SHIPPER: Final = "shipper"
PATIENCE_S: Final = 10.0  # for a component to end in order
HURRY_S: Final = 5.0  # for everything, once somebody is in a hurry


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    layout: Layout
    dags: Path
    team: str = config.TEAM  # whose DAGs these are
    host: str = config.HOST
    port: int = config.PORT
    database_url: str | None = None
    slots: int = config.SLOTS
    public_url: str | None = None  # how people reach it, when that is through a proxy
    api_rate: int = config.API_RATE
    log_store: str | None = None
    kubernetes: Path | None = None  # settings of the cluster in which tasks may run
    agents: outside.Agents | None = None  # agents of other machines
    queues: tuple[str, ...] = ()  # that its agent serves; none: ``default``
    isolate: bool | None = (
        None  # a user id for each team, or no start; None: for several teams, if it can be
    )
    uids: range = UIDS
    only: str | None = None  # of a folder of teams: this one alone
    sign_in: SignInSettings = NONE
    on_demand: bool = False  # a single run is not the moment to catch up on schedules


class Supervisor:
    """``start``, then ``turn`` again and again, then ``stop``."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.layout = settings.layout
        self.say = say
        self.hurry = threading.Event()  # a second Ctrl-C: end at once
        self.bell = (
            threading.Event()
        )  # DAGs changed, or it is time to stop: no waiting for the next turn
        self.server: ServerFile | None = None
        self.url = ""  # as people are told it
        self.door: Door | None = None
        self.walls = Walls()
        self.isolation: Isolation
        self.teams = Teams(settings, say)
        self._admin: Principal | None = None
        self._log_store: LogStore | None = None
        self._shared: list[Component] = []  # by all teams
        self._database: Server | None = None
        self._database_again_at = float("-inf")
        self._ends = ExitStack()

    # -- start

    def start(self) -> ServerFile:
        """Start everything, and return when the API answers. If it raises, everything started is stopped again."""
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> ServerFile:
        descriptors.raise_limit()
        forget_secrets()
        settings = self.settings
        if not settings.dags.is_dir():
            raise UsageError(
                "the DAG folder does not exist",
                where=str(settings.dags),
                hint="create it, or choose another with --dags",
            )
        refuse_inside(settings.dags, self.layout.data)
        if settings.kubernetes is not None:
            read_settings(
                settings.kubernetes
            )  # what is wrong with them is said before anything starts
        if settings.log_store is not None:
            from headway.up.logstore import log_store

            self._log_store = log_store(settings.log_store)
        self._take_data_directory()
        listener = bind(settings.host, settings.port)
        self._ends.callback(listener.close)
        self.layout.prepare()
        self.isolation = isolation_of(self.layout, settings)
        self.walls.processes = self.isolation.why_not
        if self.isolation.why_not and settings.isolate is None and is_of_teams(settings.dags):
            self.say(
                "all teams run as one user, so the code of one team can reach what belongs to another: "
                f"{self.isolation.why_not}; see docs/isolation.md"
            )
        imports = threading.Thread(target=import_api, name="imports")
        imports.start()
        self.keys, self._given_keys = take_keys(self.layout)
        try:
            dsn = self._start_database()
            login = api_login_of(dsn, self.layout, is_ours=self._database is not None)
            self.walls.database = login.weakness
            provide_slots(dsn, self.layout, settings.slots, self._ends)
            self._start_components(dsn)
        finally:
            imports.join()
        token = data_token(self.layout)
        self.url = settings.public_url or url_of(listener, settings.host)
        self._start_api(dsn, login, token, listener)
        self.server = ServerFile(
            url=url_of(listener, settings.host),
            token=token,
            pid=os.getpid(),
            dags=str(settings.dags.absolute()),
        )
        self.walls.write(self.layout)
        config.write_server_file(self.layout, self.server)
        self._ends.callback(config.forget_server, self.layout)
        return self.server

    def _take_data_directory(self) -> None:
        existed = self.layout.data.exists()
        try:
            self.layout.run.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.layout.mark()
        except OSError as error:
            raise config.explained(error, self.layout.data) from error
        lock = Lock(self.layout)
        lock.acquire()
        self._ends.callback(lock.release)
        if not existed:
            self._ends.callback(self._remove_if_unused)

    def _remove_if_unused(self) -> None:
        """Remove what a failed start left behind, if it wrote nothing."""
        if {path.name for path in self.layout.data.iterdir()} <= {"run", config.DATA_MARK, FILE}:
            shutil.rmtree(self.layout.data, ignore_errors=True)

    def _start_database(self) -> str:
        from headway.store.migrate import migrate

        if self.settings.database_url is not None:
            dsn = self.settings.database_url
        else:
            from headway.pg import Server

            self._database = Server(self.layout.data)
            dsn = self._database.start()
            self._ends.callback(self._database.stop)
        migrate(dsn)
        self.teams.take(dsn)
        self._ends.callback(self.teams.let_go)
        return dsn

    def _start_components(self, dsn: str) -> None:
        gateway = f"unix:{self._socket()}"
        self._shared = [self._scheduler(dsn, gateway)]
        if self._log_store is not None:
            self._shared.append(self._shipper(self._log_store))
        for component in self._shared:
            try:
                component.start()
            except OSError as error:
                raise config.explained(error, component.log) from error
        ships_logs = self._log_store is not None
        self.teams.start(Place(dsn, gateway, self._private(), ships_logs, self.isolation))

    def _scheduler(self, dsn: str, gateway: str) -> Component:
        return Component(
            "scheduler",
            "headway.engine.scheduler",
            [
                *("--listen", gateway, "--data", str(self.layout.data)),
                *(["--on-demand"] if self.settings.on_demand else []),
                *(["--ships-logs"] if self._log_store is not None else []),
                *self._cluster(),
                *(self.settings.agents.options if self.settings.agents is not None else ()),
            ],
            {},
            self.layout.server_logs / "scheduler.log",
            first_line=f"{dsn}\t{self._given_keys}",
        )

    def _cluster(self) -> list[str]:
        file = self.settings.kubernetes
        return [] if file is None else ["--kubernetes", str(file.absolute())]

    def _private(self) -> dict[str, str]:
        """Return the environment for components that start the code of teams: without private variables."""
        from headway.loader.environment import PRIVATE, private_names

        url = self.settings.database_url
        names = [] if url is None else private_names(os.environ, url)
        return {PRIVATE: ",".join(names)}

    def _shipper(self, store: "LogStore") -> Component:
        store.warn_if_away(self.say)
        return Component(
            SHIPPER,
            "headway.logs",
            ["--data", str(self.layout.data), *self.isolation.of_shipper()],
            {},
            self.layout.server_logs / "shipper.log",
            first_line=store.line,
        )

    def _socket(self) -> Path:
        """Return the path of the gateway's socket, which may have only about 100 bytes."""
        path = self.isolation.meeting_place / "gateway.sock"
        if len(os.fsencode(path)) > config.SOCKET_PATH_BYTES_MAX:
            folder = Path(tempfile.mkdtemp(prefix="headway-"))
            self.isolation.open_to_agents(folder)
            self._ends.callback(shutil.rmtree, folder, ignore_errors=True)
            path = folder / "gateway.sock"
        return path

    def _start_api(self, dsn: str, login: "ApiLogin", token: str, listener: socket.socket) -> None:
        from headway.up.serving import Serving, local_admin, log_places, serve

        self._log_to_file()
        self._admin = local_admin(dsn, self.teams.home.team_id)
        store = self._log_store
        serving = Serving(
            login=login,
            layout=self.layout,
            team_id=self.teams.home.team_id,
            admin=self._admin,
            token=token,
            keys=self.keys,
            url=self.url,
            host=self.settings.host,
            dags=self.settings.dags.absolute(),
            sign_in=self.settings.sign_in,
            api_rate=self.settings.api_rate,
            places=None if store is None else log_places(self.layout, store),
            children=self.components,
            dags_changed=self.bell.set,
        )
        server, self.door = serve(serving, listener)
        self._ends.callback(server.stop)

    def _log_to_file(self) -> None:
        path = self.layout.server_logs / "api.log"
        handler = RotatingFileHandler(path, maxBytes=API_LOG_BYTES, backupCount=1)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.getLogger().addHandler(handler)
        self._ends.callback(handler.close)
        self._ends.callback(logging.getLogger().removeHandler, handler)

    # -- while it runs

    @property
    def _components(self) -> list[Component]:
        return [*self._shared, *self.teams.components]

    def components(self, team_id: int) -> list[wire.Component]:
        """Return the components that serve a team, and whose health is not in the database."""
        found = self.teams.states(team_id)
        for component in self._shared:
            if component.name == SHIPPER:
                healthy, detail = component.state()
                found.append(wire.Component(name=component.name, healthy=healthy, detail=detail))
        return found

    def turn(self) -> None:
        if self._database is not None:
            self._look_after_database(self._database)
        self.teams.turn()
        for component in self._components:
            component.look(self.say)

    def _look_after_database(self, server: "Server") -> None:
        """Restart the database. Components reconnect by themselves."""
        if clock.monotonic() < self._database_again_at:
            return
        try:
            if server.is_alive():
                return
            self.say("the database stopped; restarting it")
            server.stop()
            server.start()
        except (HeadwayError, OSError) as error:
            self.say(f"cannot start the database: {error}")
        self._database_again_at = clock.monotonic() + DATABASE_PAUSE_S

    def wait_until_healthy(self) -> None:
        """Wait until everything that a run needs is ready."""
        from headway.store.views import health

        assert self.door is not None
        deadline = clock.monotonic() + READY_S
        while True:
            missing = [
                component
                for served in self.teams.served.values()
                for component in (
                    *self.door.of(served.team_id).transact(health.components),
                    *self.components(served.team_id),
                )
                if not component.healthy
            ]
            if not missing or self.hurry.is_set():
                return
            if clock.monotonic() > deadline:
                raise self._stuck(missing[0])
            self.turn()
            clock.sleep(0.02)

    def _stuck(self, missing: wire.Component) -> HeadwayError:
        component = next((c for c in self._components if c.name == missing.name), None)
        words = component.last_words() if component is not None else ""
        log = component.log if component is not None else self.layout.server_logs
        return NotReachable(
            f"the {missing.name} did not start within {READY_S:.0f} s: {words or missing.detail}",
            where=str(log),
            hint="to find the cause, run: headway doctor",
        )

    def login_url(self) -> str:
        """Create a sign-in link for the local admin, which works once within ten minutes."""
        from headway.identity import accounts

        assert self.door is not None
        assert self._admin is not None
        who = self._admin
        secret = self.door.transact(
            accounts.offer_link, who.team_id, who.person_id, "headway up", accounts.LINK_S
        )
        return accounts.sign_in_url(self.url, secret, self.teams.shown_first())

    # -- stop

    def stop(self) -> None:
        """Stop everything in order: what runs tasks, then the scheduler, API, database.

        The scheduler learns the end of every attempt, the shipper that of every log. In a hurry, kill at once.
        """
        self._end([*self.teams.components, *self.teams.leaving])
        self._end(self._shared)
        self.teams.stop()
        self._shared = []
        self._ends.close()

    def _end(self, components: list[Component]) -> None:
        for component in components:
            component.signal(signal.SIGTERM)
        deadline = clock.monotonic() + PATIENCE_S
        while not all(component.is_gone() for component in components):
            if self.hurry.is_set() or clock.monotonic() > deadline:
                for component in components:
                    component.signal(signal.SIGKILL)
            clock.sleep(0.01)
        for component in components:
            component.deafen()


def import_api() -> None:
    """Import the API while the database starts, which takes half a second on another core."""
    import headway.api.app
    import headway.api.server  # noqa: F401


def end_on_signals(stopping: threading.Event, supervisor: Supervisor) -> None:
    """Stop in order at the first SIGINT or SIGTERM, immediately at the next one, even if something hangs.
    An immediate stop is like kill -9, from which the next start recovers.
    """

    def handle(number: int, frame: object) -> None:
        if stopping.is_set() and not supervisor.hurry.is_set():
            supervisor.hurry.set()
            late = threading.Timer(HURRY_S, os._exit, [1])
            late.daemon = True
            late.start()
        stopping.set()
        supervisor.bell.set()

    signal.signal(signal.SIGINT, handle)
    signal.signal(signal.SIGTERM, handle)
