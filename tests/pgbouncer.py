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
from tests.own_postgres import PATIENCE_S, free_port, spawn_as, wait_for

PROGRAM: Final = shutil.which("pgbouncer", path=f"{os.defpath}:/usr/sbin:/usr/local/bin")
MISSING: Final = "there is no pgbouncer (Debian: apt-get install pgbouncer)"


@contextmanager
def pgbouncer(dsn: str, *more: str, size: int = 2) -> Iterator[str]:
    """The same database by way of it."""
    assert PROGRAM is not None
    server = conninfo_to_dict(dsn)
    port = free_port()
    with TemporaryDirectory(prefix="headway-bouncer-") as name:
        folder = Path(name)
        account = account_for(folder / "any")
        account.give(folder)
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
        (folder / "ini").write_text("\n".join(lines) + "\n")
        process = subprocess.Popen(
            [PROGRAM, "-q", str(folder / "ini")],
            env=ENVIRONMENT,
            stderr=subprocess.DEVNULL,
            **spawn_as(account),
        )
        by_way_of_it = make_conninfo(dsn, host="127.0.0.1", port=port)
        try:
            wait_for(by_way_of_it)
            yield by_way_of_it
        finally:
            process.kill()
            process.wait(PATIENCE_S)
