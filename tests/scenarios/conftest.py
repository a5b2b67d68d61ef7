"""After every scenario the invariants of the simulator hold in its database."""

from collections.abc import Iterator

import pytest

from headway.store.transact import connect
from tests.simulation import invariants


@pytest.fixture(autouse=True)
def invariants_hold(database: str) -> Iterator[None]:
    yield
    with connect(database) as conn:
        assert invariants.check(conn) == []
