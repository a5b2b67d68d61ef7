"""Any system that listens: whether its port accepts a connection."""

import socket
from typing import Final

from headway.core.connections import Connection
from headway.probes.failed import TIMEOUT_S, Failed

PORTS: Final = {
    "ftp": 21,
    "kafka": 9092,
    "ldap": 389,
    "mongo": 27017,
    "mssql": 1433,
    "mysql": 3306,
    "oracle": 1521,
    "redis": 6379,
    "sftp": 22,
    "smtp": 587,
    "ssh": 22,
}


def probe(connection: Connection) -> str:
    kind = connection.conn_type
    host, port = connection.host, connection.port or PORTS.get(kind)
    if not host or not port:
        raise Failed(
            f"there is no test for the type {kind}, and the connection has no host and port to reach"
        )
    reach(host, port)
    return (
        f"{host}:{port} accepts connections; for the type {kind}, login and password are not tried"
    )


def reach(host: str, port: int) -> None:
    """Raises Failed."""
    try:
        socket.create_connection((host, port), TIMEOUT_S).close()
    except (socket.gaierror, UnicodeError):
        raise Failed(f"the host name {host} cannot be resolved") from None
    except TimeoutError:
        raise Failed(f"{host}:{port} did not answer within {TIMEOUT_S:g} s") from None
    except OSError as error:
        raise Failed(f"cannot connect to {host}:{port}: {error.strerror}") from None
