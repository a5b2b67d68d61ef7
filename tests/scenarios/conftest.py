"""After every scenario the invariants of the simulator hold in its database."""

from collections.abc import Iterator

import pytest

from headway.store.transact import connect
from tests.simulation import invariants

# It writes by hand what no move leads to.
WRONG_ON_PURPOSE = {"test_a_model_that_is_not_the_database_is_never_written"}


@pytest.fixture(autouse=True)
def invariants_hold(database: str, request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if request.node.name in WRONG_ON_PURPOSE:
        return
    with connect(database) as conn:
        assert invariants.check(conn) == []
