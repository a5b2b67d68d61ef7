"""The components of an install, each as a process of its own: what ``headway up`` runs in one place.

They share a database and a data directory, and nothing else. Any number of API servers and schedulers run at once;
each team has a loader. ``prepare`` makes what must be there first: schema, local admin, master key, token and teams.
It may be called at any time, also by several at once.
"""

import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from headway import config, descriptors
from headway.config import Lock
from headway.errors import Conflict
from headway.identity.settings import NONE, SignInSettings
from headway.up import outside
from headway.up.access import data_token, forget_secrets, replica_login
from headway.up.address import bind, url_of
from headway.up.shared import Shared
from headway.up.vital import Vital

if TYPE_CHECKING:
    from headway.up.logstore import LogStore


HOME: Final = config.TEAM  # keeps the audit of what is nobody's; its admin is the local one


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    host: str = config.HOST
    port: int = config.PORT
    public_url: str | None = None
    api_rate: int = config.API_RATE
    dags: Path = Path()  # as it is shown
    sign_in: SignInSettings = NONE


def prepare(shared: Shared, teams: tuple[str, ...]) -> list[str]:
    """Make what all components need. Returns the migrations that were applied."""
    from headway.secrets.keys import VARIABLE
    from headway.secrets.kms import keys_of
    from headway.store.migrate import migrate
    from headway.up.serving import local_admin
    from headway.up.teams import ensured, id_of

    applied = migrate(shared.database_url)
    shared.layout.prepare()
    keys_of(shared.layout.data, os.environ.get(VARIABLE))
    data_token(shared.layout)
    home_id = id_of(shared.database_url, HOME)
    local_admin(shared.database_url, home_id)
    for team in teams:
        ensured(shared.database_url, home_id, team)
    return applied


@contextmanager
def joined(shared: Shared, component: str, url: str = "") -> Iterator[None]:
    """Take part in the data directory. Raises Conflict if the database is not of this version, or ``up`` has it."""
    from headway.store.migrate import require_current

    descriptors.raise_limit()
    shared.layout.prepare()
    lock = Lock(shared.layout)
    lock.join(f"headway {component}", url)
    try:
        require_current(shared.database_url)
        yield
    finally:
        lock.release()


def serve_api(shared: Shared, settings: ApiSettings, store: "LogStore | None") -> None:
    """Serve the API and the web interface until SIGTERM."""
    from headway.store import api_login
    from headway.up.keys import take_keys
    from headway.up.serving import Serving, local_admin, log_places, serve
    from headway.up.teams import id_of

    with ExitStack() as ends:
        listener = bind(settings.host, settings.port)
        ends.callback(listener.close)
        url = settings.public_url or url_of(listener, settings.host)
        ends.enter_context(joined(shared, "api", url))
        keys, _ = take_keys(shared.layout)
        login = replica_login(shared)
        forget_secrets()
        ends.callback(api_login.withdraw, login)
        team_id = id_of(shared.database_url, HOME)
        serving = Serving(
            login=login,
            layout=shared.layout,
            team_id=team_id,
            admin=local_admin(shared.database_url, team_id),
            token=data_token(shared.layout),
            keys=keys,
            url=url,
            host=settings.host,
            dags=settings.dags.absolute(),
            sign_in=settings.sign_in,
            api_rate=settings.api_rate,
            places=None if store is None else log_places(shared.layout, store),
            listen=shared.direct(login.dsn),
        )
        if login.weakness:
            say(login.weakness)
        server, _ = serve(serving, listener)
        ends.callback(server.stop)
        say(f"the API answers at {url_of(listener, settings.host)}")
        wait_for_the_end()


def schedule(
    shared: Shared,
    *,
    slots: int,
    agents: outside.Agents | None,
    kubernetes: Path | None,
    ships_logs: bool,
    vital: Vital,
) -> None:
    """Run a scheduler until SIGTERM. Agents of this machine reach it by a socket that only its user may use."""
    from headway.engine.canary import period_from
    from headway.engine.opening import executors_of
    from headway.engine.scheduler import Scheduler, work
    from headway.engine.sending import Sending
    from headway.executors.agents.doors import outside as door
    from headway.secrets.service import Service
    from headway.store import shares
    from headway.store.transact import ENGINE, connect, transact
    from headway.up.keys import take_keys

    with joined(shared, "scheduler"), ExitStack() as ends:
        keys, given = take_keys(shared.layout)
        dsn = shared.database_url
        forget_secrets()
        # They stay when it ends: other schedulers go on with them.
        with connect(dsn, role=ENGINE) as conn:
            transact(conn, shares.provide, shared.place, slots)
        folder = Path(tempfile.mkdtemp(prefix="headway-"))
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        secrets = Service(dsn, shared.layout.data, keys)
        ends.callback(secrets.close)
        executors = executors_of(
            f"unix:{folder}/gateway.sock",
            shared.layout.data,
            secrets,
            kubernetes,
            ships_logs=ships_logs,
            outside=None
            if agents is None
            else door(agents.address, agents.certificate, agents.key),
        )
        canary_s = period_from(os.environ)
        sending = Sending(shared.layout.data, f"{dsn}\t{given}")
        settled = partial(
            Scheduler, data=shared.layout.data, ships_logs=ships_logs, sending=sending
        )

        def opened() -> Scheduler:
            scheduler = settled(dsn, executors, listen=shared.direct(dsn), canary_s=canary_s)
            if scheduler.canary is not None:
                vital.also = scheduler.canary.trouble
            return scheduler

        work(opened)


def load(shared: Shared, dags: Path, team: str) -> None:
    """Load the DAGs of a team until SIGTERM."""
    from headway.loader.environment import PRIVATE, clean_environment, private_names
    from headway.loader.folder import refuse_inside
    from headway.loader.loader import Loader, serve
    from headway.store.transact import ENGINE, Session, connect

    refuse_inside(dags, shared.layout.data)
    dsn = shared.database_url

    def open_connection() -> Session:
        return connect(dsn, role=ENGINE, application="headway loader")

    def open_ears(direct: str) -> Session:
        return connect(direct, role=ENGINE, application="headway loader listen")

    with joined(shared, "loader"):
        os.environ[PRIVATE] = ",".join(private_names(os.environ, dsn))
        forget_secrets()
        direct = shared.direct(dsn)
        loader = Loader(
            *(open_connection, shared.layout.data, dags, team),
            install=shared.install,
            listening=None if direct is None else partial(open_ears, direct),
        )
        loader.open(clean_environment(os.environ))
        try:
            serve(loader)
        except Conflict:
            loader.close()
            raise


def wait_for_the_end() -> None:
    """Wait for SIGTERM or SIGINT."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    over.wait()


def say(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
