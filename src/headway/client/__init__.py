"""The typed client of the HTTP API; see ``Client``."""

from headway.client.client import Client, client_of, connect, no_server

__all__ = ["Client", "client_of", "connect", "no_server"]
