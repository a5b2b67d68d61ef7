"""Ready is who can write: a full disk is said, of the data directory's as of the database's."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headway.api import disks
from headway.pg.account import account_for
from headway.store.transact import connect
from headway.up.address import url_of
from tests.api.conftest import served
from tests.api.test_guard import ask

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs a file system of its own")

MEGABYTE = 1 << 20


@contextmanager
def disk_of(size: str) -> Iterator[Path]:
    """Where the database's server may write, too."""
    with TemporaryDirectory(prefix="headway-disk-") as name:
        Path(name).chmod(0o755)
        account = account_for(Path(name) / "any")
        folder = Path(name) / "disk"
        folder.mkdir()
        options = f"size={size},mode=0700,uid={account.uid},gid={account.gid}"
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", folder], check=False
        ).returncode:
            pytest.skip("may not mount")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def said(url: str) -> tuple[int, bytes]:
    status, _, body = ask(url, "/readyz", {})
    return status, body


def test_a_full_disk_is_not_ready(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disks, "EVERY_S", 0.0)
    others = b"scheduler, agent"  # nothing runs here
    name = str(conninfo_to_dict(database)["dbname"])
    tablespace = sql.Identifier("small")
    with disk_of("20m") as data, disk_of("9m") as small:
        with connect(make_conninfo(database, dbname="postgres")) as conn:
            conn.execute(
                sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(
                    tablespace, sql.Literal(str(small))
                )
            )
            conn.execute("GRANT CREATE ON TABLESPACE small TO PUBLIC")
            place = "ALTER DATABASE {} SET temp_tablespaces = small"
            conn.execute(sql.SQL(place).format(sql.Identifier(name)))
        try:
            # Its own place: connections of an earlier server have the settings of before.
            with served(database, data / "data", place="full disk") as server:
                url = url_of(server.listener, "127.0.0.1")
                assert said(url) == (503, b"not ready: " + others)

                ballast = data / "ballast"
                ballast.write_bytes(bytes(15 * MEGABYTE))
                assert said(url) == (503, b"not ready: " + others + b", disk")
                ballast.unlink()
                assert said(url) == (503, b"not ready: " + others)

                ballast = small / "ballast"
                ballast.write_bytes(bytes(5 * MEGABYTE))
                assert said(url) == (503, b"not ready: " + others + b", disk of the database")
                ballast.unlink()
                assert said(url) == (503, b"not ready: " + others)
        finally:
            with connect(make_conninfo(database, dbname="postgres")) as conn:
                conn.execute(
                    sql.SQL("ALTER DATABASE {} RESET temp_tablespaces").format(sql.Identifier(name))
                )
                conn.execute("DROP TABLESPACE small")
