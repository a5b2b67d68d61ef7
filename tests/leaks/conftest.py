"""The server and client fixtures of ``tests/api``."""

from tests.api.conftest import layout, server, url

__all__ = ["layout", "server", "url"]
