"""A real server on a free port over a database of its own, and a client of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.api.app import create
from headway.api.context import Api
from headway.api.door import Connections, Door
from headway.api.guard import names_of
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
def url(database: str, layout: Layout) -> Iterator[str]:
    listener = bind("127.0.0.1", 0)
    api = Api(Door(Connections(database)), Wakeups(database), layout, Path("dags"), children=list)
    server = HttpServer(create(api, TOKEN, names_of("127.0.0.1")), listener)
    server.start()
    try:
        yield url_of(listener, "127.0.0.1")
    finally:
        server.stop()


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    client = Client(url, TOKEN)
    yield client
    client.close()
