"""After every story the invariants of the database hold."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from psycopg import Connection

from tests.simulation.invariants import check

# These change rows past the core, so that the history lacks a step.
TAMPERING: Final = {"test_a_model_that_is_not_the_database_is_never_written"}


@pytest.fixture(autouse=True)
def invariants(request: pytest.FixtureRequest, conn: Connection[Any]) -> Iterator[None]:
    yield
    if request.node.name not in TAMPERING:
        assert check(conn) == []
