"""The typed client of the HTTP API; see ``Client``, and ``client``, which makes one."""

from headway.client.client import Client, client, client_of, connect, no_server

__all__ = ["Client", "client", "client_of", "connect", "no_server"]
