"""Addresses at which a gateway waits for agents: on this machine, and for those of other machines."""

import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from headway.errors import UsageError

if TYPE_CHECKING:
    from headway.agent.tls import Certificate


@dataclass(frozen=True, slots=True)
class Outside:
    """The address at which agents of other machines connect, with TLS: ``tls:HOST:PORT``."""

    address: str
    certificate: "Certificate"


def outside(address: str | None, certificate: Path | None, key: Path | None) -> Outside | None:
    """Return where other machines connect, if they do. Raises UsageError if that cannot be used."""
    if address is None:
        return None
    if certificate is None or key is None:
        raise UsageError(
            f"agents cannot connect to {address} without a certificate",
            hint="give --certificate FILE and --key FILE",
        )
    from headway.agent.tls import Certificate  # others need none of it

    return Outside(address, Certificate(certificate, key))


def listen(address: str) -> socket.socket:
    """``unix:PATH``, ``tcp:HOST:PORT`` or ``tls:HOST:PORT``.

    Replaces a socket file that a killed process left behind.
    """
    kind, _, place = address.partition(":")
    try:
        if kind == "unix":
            return listen_unix(Path(place))
        host, _, port = place.rpartition(":")
        listener = socket.create_server((host, int(port)), backlog=64)
        listener.setblocking(False)
        return listener
    except OSError as error:
        busy = error.errno == errno.EADDRINUSE
        raise UsageError(
            f"the gateway cannot listen on {address}: {'it is in use' if busy else error.strerror}"
        ) from error


def listen_unix(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    # Who may enter the folder may knock: it is private, or for the agents of teams that have users of their own.
    old = os.umask(0o111)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(old)
    listener.listen(64)
    listener.setblocking(False)  # who knocked may be gone
    return listener
