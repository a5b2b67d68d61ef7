"""A primary PostgreSQL with a synchronous standby: what the primary has committed, the standby has."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from psycopg.conninfo import make_conninfo

from headway.pg.account import ENVIRONMENT, Spawn, account_for
from headway.pg.binaries import Binaries
from headway.store.transact import connect
from tests.cli.conftest import wait_until
from tests.own_postgres import PASSWORD, PATIENCE_S, address, spawn_as, wait_for
from tests.ports import free_port

STANDBY: Final = "standby"
SUPERUSER: Final = "postgres"
SETTINGS: Final = (
    "--unix_socket_directories=",
    "--fsync=off",
    "--hot_standby=on",
    "--max_connections=60",
)


class Replicated:
    """``host``: of the primary; ``through``: the command that starts it in a network namespace, as another user."""

    def __init__(
        self, binaries: Binaries, folder: Path, host: str, through: Sequence[str] = ()
    ) -> None:
        self.binaries = binaries
        self.folder = folder
        self.host = host
        self.through = list(through)
        self.account = account_for(folder / "primary")
        self.account.give(folder)
        self.ports = {"primary": free_port(), STANDBY: free_port()}
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def primary(self) -> str:
        return make_conninfo(
            address(self.ports["primary"], SUPERUSER, SUPERUSER), host=self.host, connect_timeout=2
        )

    @property
    def standby(self) -> str:
        return address(self.ports[STANDBY], SUPERUSER, SUPERUSER)

    def either(self, dsn: str) -> str:
        """Return ``dsn`` by way of the server of the two that is the primary."""
        ports = f"{self.ports['primary']},{self.ports[STANDBY]}"
        return make_conninfo(
            dsn, host=f"{self.host},127.0.0.1", port=ports, target_session_attrs="read-write"
        )

    def start(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        cluster = self.folder / "primary"
        self.program(
            *("initdb", "-D", str(cluster), "-U", SUPERUSER, "--no-sync", "--locale=C"),
            *("--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8"),
        )
        with (cluster / "pg_hba.conf").open("a") as rules:
            rules.write("host all,replication all samenet scram-sha-256\n")
        self.serve("primary", "*", f"--synchronous_standby_names={STANDBY}", through=self.through)
        wait_for(self.primary)
        upstream = make_conninfo(self.primary, application_name=STANDBY)
        self.program(
            *("pg_basebackup", "-D", str(self.folder / STANDBY), "--write-recovery-conf"),
            *("--no-sync", "--checkpoint=fast", f"--dbname={upstream}"),
        )
        self.serve(STANDBY, "127.0.0.1")
        wait_until(self.is_synchronous, "the standby does not follow")

    def program(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.binaries.program(name), *arguments],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            **spawn_as(self.account),
        )
        assert done.returncode == 0, done.stderr

    def serve(self, name: str, listen: str, *more: str, through: Sequence[str] = ()) -> None:
        cluster = self.folder / name
        command = [self.binaries.program("postgres"), "-D", str(cluster)]
        at = [f"--port={self.ports[name]}", f"--listen_addresses={listen}"]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                [*through, *command, *at, *SETTINGS, *more],
                env={**os.environ, **ENVIRONMENT},
                stdout=log,
                stderr=log,
                **(Spawn() if through else spawn_as(self.account)),
            )

    def is_synchronous(self) -> bool:
        with connect(self.primary) as conn:
            rows = conn.execute("SELECT sync_state FROM pg_stat_replication").fetchall()
        return rows == [("sync",)]

    def kill_primary(self) -> None:
        self.running["primary"].kill()
        self.running["primary"].wait(PATIENCE_S)

    def promote(self) -> None:
        self.program("pg_ctl", "promote", "-D", str(self.folder / STANDBY), "--wait")

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait(PATIENCE_S)


@contextmanager
def replicated(
    binaries: Binaries, host: str = "127.0.0.1", through: Sequence[str] = ()
) -> Iterator[Replicated]:
    with TemporaryDirectory(prefix="headway-pair-", ignore_cleanup_errors=True) as name:
        found = Replicated(binaries, Path(name), host, through)
        try:
            found.start()
            yield found
        finally:
            found.end()


# -- on a host of its own


LINK: Final = f"hw{os.getpid()}"
NEAR: Final = f"10.231.{os.getpid() % 250}.1"
FAR: Final = f"10.231.{os.getpid() % 250}.2"


def run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Host:
    """A network namespace that is reached by one link; ``lose`` takes the link away, and no end is told of it."""

    def __init__(self) -> None:
        account = account_for(Path("/nowhere"))
        user = ("setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups")
        self.through = ("ip", "netns", "exec", LINK, *(() if account.is_ours else user))

    def make(self) -> bool:
        """Return whether this system lets us."""
        inside = ("ip", "-n", LINK)
        return (
            run("ip", "netns", "add", LINK)
            and run(
                "ip", "link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", LINK
            )
            and run("ip", "addr", "add", f"{NEAR}/30", "dev", LINK)
            and run(*inside, "addr", "add", f"{FAR}/30", "dev", "eth0")
            and run(*inside, "link", "set", "lo", "up")
            and run(*inside, "link", "set", "eth0", "up")
            and run("ip", "link", "set", LINK, "up")
        )

    def lose(self) -> None:
        assert run("ip", "-n", LINK, "link", "set", "eth0", "down")

    def remove(self) -> None:
        run("ip", "link", "del", LINK)
        run("ip", "netns", "del", LINK)


@contextmanager
def host() -> Iterator[Host | None]:
    """Yield None where the system lets us make none."""
    found = Host()
    try:
        yield found if found.make() else None
    finally:
        found.remove()
