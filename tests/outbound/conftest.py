from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.secrets.keys import Keys, local_keys
from headway.store.transact import Session
from tests.outbound.receiver import Receiver, receiving
from tests.outbound.world import World


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return local_keys(tmp_path, None)


@pytest.fixture
def world(conn: Session, app_conn: Session, keys: Keys) -> World:
    """The sender has read all events so far."""
    return World(conn, app_conn, keys)
