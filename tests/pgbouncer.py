"""A PgBouncer in transaction mode, with few connections to the server, so that many share each."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headway.pg.account import ENVIRONMENT, account_for
from headway.store import api_login
from tests.own_postgres import PATIENCE_S, spawn_as, wait_for
from tests.ports import free_port

PROGRAM: Final = shutil.which("pgbouncer", path=f"{os.defpath}:/usr/sbin:/usr/local/bin")
MISSING: Final = "there is no pgbouncer (Debian: apt-get install pgbouncer)"


class Pooler:
    """``dsn``: the same database by way of it. It may be killed and started again, on the same port."""

    def __init__(self, dsn: str, folder: Path, *more: str, size: int) -> None:
        server = conninfo_to_dict(dsn)
        port = free_port()
        self.dsn = make_conninfo(dsn, host="127.0.0.1", port=port)
        self.account = account_for(folder / "any")
        self.account.give(folder)
        self.settings = folder / "ini"
        users = [server["user"], api_login.LOGIN]
        (folder / "users").write_text(
            "".join(f'"{user}" "{server["password"]}"\n' for user in users)
        )
        lines = [
            "[databases]",
            f"* = host={server['host']} port={server['port']}",
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            f"listen_port = {port}",
            "unix_socket_dir =",
            "auth_type = scram-sha-256",
            f"auth_file = {folder / 'users'}",
            "pool_mode = transaction",
            f"default_pool_size = {size}",
            *more,
        ]
        self.settings.write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        assert PROGRAM is not None
        self.process = subprocess.Popen(
            [PROGRAM, "-q", str(self.settings)],
            env=ENVIRONMENT,
            stderr=subprocess.DEVNULL,
            **spawn_as(self.account),
        )
        wait_for(self.dsn)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)


@contextmanager
def pooler(dsn: str, *more: str, size: int = 2) -> Iterator[Pooler]:
    with TemporaryDirectory(prefix="headway-bouncer-") as name:
        found = Pooler(dsn, Path(name), *more, size=size)
        try:
            found.start()
            yield found
        finally:
            found.kill()


@contextmanager
def pgbouncer(dsn: str, *more: str, size: int = 2) -> Iterator[str]:
    """The same database by way of it."""
    with pooler(dsn, *more, size=size) as found:
        yield found.dsn
