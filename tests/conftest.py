"""What every test may ask for: a migrated database of its own on the session's one server."""

import gc
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from psycopg.conninfo import make_conninfo

from headway.config import Layout
from headway.pg import Server
from headway.store.migrate import migrate
from headway.store.transact import APP, ENGINE, Session
from tests.lending import Lender, Lent
from tests.postgres import private_server
from tests.processes import end_begun


def pytest_configure() -> None:
    # A shell starts what runs in the background with SIGINT ignored, and every command of a test would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if settings.get_current_profile_name() == "default":
        any_speed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
        settings.register_profile("any speed", any_speed)
        settings.load_profile("any speed")


def pytest_collection_finish() -> None:
    # What was imported stays to the end: looking through it for garbage, again and again, is a fifth of the work.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


@pytest.fixture(autouse=True)
def nothing_begun_is_left() -> Iterator[None]:
    yield
    end_begun()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The session's server, as a dsn; tests take ``dsn`` or a connection instead."""
    with private_server() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose database is made and migrated. To copy it costs a tenth of a first start."""
    data = tmp_path_factory.mktemp("begun") / ".headway"
    Layout(data).prepare()
    with Server(data).running() as dsn:
        migrate(dsn)
    return data


@pytest.fixture(scope="session")
def lender(postgres: str) -> Iterator[Lender]:
    lender = Lender(postgres)
    yield lender
    lender.close()


@pytest.fixture
def lent(lender: Lender) -> Iterator[Lent]:
    """A database, migrated and empty."""
    with lender.lend() as lent:
        yield lent


@pytest.fixture
def database(lent: Lent) -> str:
    """Its owner's dsn, as ``connect(database, role=…)``."""
    return lent.dsn


@pytest.fixture
def dsn(database: str) -> str:
    """The same database, where every connection acts as the engine."""
    return make_conninfo(database, options=f"-c role={ENGINE}")


@pytest.fixture
def conn(lent: Lent) -> Iterator[Session]:
    """As the engine: scheduler, loader, janitor."""
    with lent.session(ENGINE) as conn:
        yield conn


@pytest.fixture
def app_conn(lent: Lent) -> Iterator[Session]:
    """As the API: sees the team that its transaction entered."""
    with lent.session(APP) as conn:
        yield conn


@pytest.fixture
def owner_conn(lent: Lent) -> Iterator[Session]:
    """As the owner of the schema."""
    with lent.session() as conn:
        yield conn
