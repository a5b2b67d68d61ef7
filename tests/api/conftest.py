"""A real server on a free port over a database of its own, and a client of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headway.api.access import Admission
from headway.api.app import BURST_S, Application
from headway.api.context import Api
from headway.api.door import Door
from headway.api.guard import Guard, names_of
from headway.api.live.hub import Live
from headway.api.logs.places import LogPlaces
from headway.api.rates import Rate
from headway.api.refused import Refusals
from headway.api.server import HttpServer
from headway.api.signin import SignIns
from headway.api.site import BUILT, Site
from headway.api.wakeups import Wakeups
from headway.client import Client
from headway.config import API_RATE, Layout
from headway.identity.settings import NONE, SignInSettings
from headway.secrets.keys import local_keys
from headway.store.transact import Session
from headway.up.address import bind, url_of
from tests.api.kept import connected

if TYPE_CHECKING:
    from tests.api.attacks import Watch

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "data")
    layout.prepare()
    return layout


IDLE: list[Application] = []


@contextmanager
def application(api: Api, admission: Admission) -> Iterator[Application]:
    """One that a test before has left: to register all routes takes longer than most tests."""
    found = IDLE.pop() if IDLE else Application(api, admission)
    found.api, found.admission = api, admission
    yield found
    IDLE.append(found)


@cache
def site_in(folder: Path) -> Site:
    """What is in a folder is looked up once."""
    return Site(folder)


class Served(HttpServer):
    """A server, and what its routes are given."""

    api: Api


@contextmanager
def served(
    database: str,
    data: Path,
    site: Path = BUILT,
    url: str | None = None,
    rate: int = API_RATE,
    places: LogPlaces | None = None,
    sign_in: SignInSettings = NONE,
    write_refusals_s: float = 3_600.0,
    place: str = "test",
) -> Iterator[Served]:
    """A server over ``database``; ``url``: its address as people are told it. Refusals are written when it stops, so
    that the audit holds what a test did, in its order. ``place``: tells servers of one database apart.
    """
    layout = Layout(data)
    layout.prepare()
    listener = bind("127.0.0.1", 0)
    with connected(database, place) as (login, connections, admin):
        wakeups = Wakeups(login.dsn)
        live = Live(wakeups, layout.data)
        api = Api(
            door=Door(connections),
            wakeups=wakeups,
            live=live,
            layout=layout,
            dags=Path("dags"),
            children=lambda team_id: [],
            url=url or url_of(listener, "127.0.0.1"),
            team_id=1,
            signin=SignIns(1, sign_in),
            secrets=local_keys(layout.data, None),
            places=places,
            refusals=Refusals(write_s=write_refusals_s),
        )
        per_person = Rate(rate * BURST_S, BURST_S)
        parts = (api.door, TOKEN, admin, per_person, api.signin.renewal)
        admission = Admission(*parts, is_secure=api.is_secure)
        with application(api, admission) as found:
            guard = Guard(found.routed, site_in(site), names_of("127.0.0.1"), api.url)
            server = Served(guard, listener, live.close)
            server.api = api
            server.start()
            try:
                yield server
            finally:
                server.stop()


@pytest.fixture
def server(database: str, layout: Layout) -> Iterator[Served]:
    with served(database, layout.data) as server:
        yield server


@pytest.fixture
def url(server: HttpServer) -> str:
    return url_of(server.listener, "127.0.0.1")


@pytest.fixture
def watch(server: Served, owner_conn: Session) -> "Watch":
    from tests.api.attacks import Watch

    return Watch(server, owner_conn)


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    client = Client(url, TOKEN)
    yield client
    client.close()
