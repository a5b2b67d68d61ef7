"""The address of the API. It is bound before anything else, so that a busy port changes nothing."""

import errno
import socket

from headway.errors import Conflict, NotAllowed, NotReachable, UsageError


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket. Port 0 takes any free port."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise UsageError(
            f"{host!r} is not an address of this machine: {error.strerror}",
            hint="use 127.0.0.1 for this machine only, or 0.0.0.0 for all networks",
        ) from error
    # With its protocol named, asyncio turns Nagle's algorithm off: else answers wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise refused(error, host, port) from error
    return listener


def refused(error: OSError, host: str, port: int) -> Exception:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return Conflict(
            f"port {port} is in use",
            where=where,
            hint=f"choose another with --port, for example --port {port + 1}, or any free port with --port 0",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return NotAllowed(
            f"not allowed to use port {port}",
            where=where,
            hint="choose a port above 1023 with --port",
        )
    return NotReachable(f"cannot listen: {error.strerror}", where=where)


def url_of(listener: socket.socket, host: str) -> str:
    """Return the URL for people on this machine."""
    port = listener.getsockname()[1]
    name = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::1", "::", "localhost") else host
    return f"http://{name}:{port}"
