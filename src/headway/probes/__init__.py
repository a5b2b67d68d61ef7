"""Tests of connections by type. A probe takes a connection, does the least that shows that it works, and says what it
reached; or raises ``Failed`` with a sentence. It runs in a process of the team (``python -m headway.probes``).

A new type is one file with a ``probe`` and one line in ``PROBES``. A type without one is reached by TCP.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Final

from headway.core.connections import Connection
from headway.probes.failed import Failed as Failed

# By name, because what a probe imports may be heavy.
PROBES: Final = {"http": "http", "postgres": "postgres"}


def probe(connection: Connection) -> str:
    """Try a connection. Returns what was reached. Raises Failed."""
    module = import_module(f"headway.probes.{PROBES.get(connection.conn_type, 'tcp')}")
    try_it: Callable[[Connection], str] = module.probe
    return try_it(connection)
