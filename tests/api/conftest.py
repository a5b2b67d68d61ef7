"""A real server on a free port over a database of its own, and a client of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.api.app import create
from headway.api.context import Api
from headway.api.door import Connections, Door
from headway.api.guard import names_of
from headway.api.live.hub import Live
from headway.api.server import HttpServer
from headway.api.wakeups import Wakeups
from headway.client import Client
from headway.config import Layout
from headway.services.address import bind, url_of

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "data")
    layout.prepare()
    return layout


@pytest.fixture
def server(database: str, layout: Layout) -> Iterator[HttpServer]:
    listener = bind("127.0.0.1", 0)
    wakeups = Wakeups(database)
    live = Live(wakeups, layout.data)
    api = Api(Door(Connections(database)), wakeups, live, layout, Path("dags"), children=list)
    server = HttpServer(create(api, TOKEN, names_of("127.0.0.1")), listener, live.close)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def url(server: HttpServer) -> str:
    return url_of(server.listener, "127.0.0.1")


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    client = Client(url, TOKEN)
    yield client
    client.close()
