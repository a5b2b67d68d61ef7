"""The API of a server: inside ``headway up``, and as one process of several of an install."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection

from headway import config, wire
from headway.api.app import create
from headway.api.context import Api
from headway.api.door import Connections, Door
from headway.api.guard import names_of
from headway.api.live.hub import Live
from headway.api.logs.places import LogPlaces
from headway.api.principal import LOCAL, Principal, principal
from headway.api.server import HttpServer
from headway.api.signin import SignIns
from headway.api.wakeups import Wakeups
from headway.config import Layout
from headway.core.roles import BUILT_IN, Role
from headway.identity import accounts
from headway.identity.settings import NONE, SignInSettings
from headway.logs.cache import LogCache
from headway.secrets.keys import Keys
from headway.store import people
from headway.store.api_login import ApiLogin
from headway.store.transact import APP, connect, enter_team, transact
from headway.up.logstore import LogStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """``listen``: the database URL for LISTEN, if the login leads to a pooler. ``children``: as ``Api`` has them."""

    login: ApiLogin
    layout: Layout
    team_id: int
    admin: Principal
    token: str
    keys: Keys
    url: str
    host: str
    dags: Path
    sign_in: SignInSettings = NONE
    api_rate: int = config.API_RATE
    places: LogPlaces | None = None
    listen: str | None = None
    children: Callable[[int], list[wire.Component]] | None = None
    dags_changed: Callable[[], None] = lambda: None


def serve(serving: Serving, listener: socket.socket) -> tuple[HttpServer, Door]:
    """Start the API. Returns when it answers; the door leads to the team of the data directory."""
    door = Door(Connections(serving.login))
    wakeups = Wakeups(serving.listen or serving.login.dsn, serving.dags_changed)
    live = Live(wakeups, serving.layout.data)
    api = Api(
        door=door,
        wakeups=wakeups,
        live=live,
        layout=serving.layout,
        dags=serving.dags,
        children=serving.children,
        url=serving.url,
        team_id=serving.team_id,
        signin=SignIns(serving.team_id, serving.sign_in),
        secrets=serving.keys,
        places=serving.places,
    )
    names = names_of(serving.host)
    app = create(api, serving.token, serving.admin, names, serving.api_rate)
    server = HttpServer(app, listener, live.close)
    server.start()
    return server, door.of(serving.team_id)


def log_places(layout: Layout, store: LogStore) -> LogPlaces:
    return LogPlaces(LogCache(store.remote, layout.log_cache))


def local_admin(dsn: str, team_id: int) -> Principal:
    """Return the local admin of a team, who can read the data directory. Created at the first start."""
    with connect(dsn, role=APP) as conn:
        return transact(conn, find_local_admin, team_id)


def find_local_admin(conn: Connection[Any], team_id: int) -> Principal:
    """Return the local admin of a team, and create the person if there is none."""
    enter_team(conn, team_id)
    people.one_at_a_time(conn)
    person_id = accounts.ensure_admin(conn, team_id)
    first, *_ = people.standing(conn, person_id)
    return principal(first, BUILT_IN[Role.ADMIN], person_id, LOCAL)
