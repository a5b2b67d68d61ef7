"""Databases for what changes a database as a whole."""

from collections.abc import Iterator

import pytest

from tests.postgres import fresh_database


@pytest.fixture
def lone(postgres: str) -> Iterator[str]:
    """The owner's dsn of a migrated database that nothing else is connected to, as a restore wants it."""
    with fresh_database(postgres) as fresh:
        yield fresh
