"""The embedded server through the lives and deaths of Headway and of itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

import psycopg
import pytest

from headway.errors import Conflict, HeadwayError, NotReachable, StorageFull
from headway.pg import Server, binaries, cluster, postmaster
from headway.pg import server as server_module
from headway.pg.account import Account, nobody
from headway.store.transact import connect
from tests.postgres import FORGETFUL

pytestmark = pytest.mark.long

START_AND_DIE = """
import os, signal, sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from headway.pg import Server
from headway.store.transact import connect
server = Server(Path(sys.argv[1]))
with connect(server.start()) as conn:
    conn.execute("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS n")
print(server.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that is made once: the first start is the slow one."""
    return tmp_path_factory.mktemp("embedded") / "data"


@pytest.fixture
def server(data: Path) -> Iterator[Server]:
    """A durable one, not started; ended however the test left it."""
    server = Server(data)
    yield server
    server.stop()


def answer(dsn: str, query: str) -> object:
    with connect(dsn) as conn:
        row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def keep(dsn: str) -> None:
    with connect(dsn) as conn:
        conn.execute("DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS n")


def kept(dsn: str) -> object:
    return answer(dsn, "SELECT n FROM kept")


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert postmaster.gone_within(pid, 5)


# -- an ordinary life


def test_what_was_stored_is_there_at_the_next_start(server: Server) -> None:
    with server.running() as dsn:
        keep(dsn)
    assert postmaster.read(server.cluster) is None, "it ended in order"
    with server.running() as dsn:
        assert kept(dsn) == 42
        assert answer(dsn, "SELECT current_setting('fsync')") == "on"


def test_only_the_account_can_reach_it(server: Server) -> None:
    with server.running() as dsn:
        assert server.cluster.stat().st_mode & 0o777 == 0o700
        assert (server.cluster / ".s.PGSQL.5432").is_socket()
        assert answer(dsn, "SELECT current_setting('listen_addresses')") == ""
        assert server.pid is not None
        assert Path(f"/proc/{server.pid}").stat().st_uid == server.cluster.stat().st_uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL")
def test_root_widens_nothing(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = Server(closed / "data", FORGETFUL)
    with server.running() as dsn:
        assert answer(dsn, "SELECT 1") == 1
    assert closed.stat().st_mode & 0o777 == 0o700
    assert server.cluster.stat().st_uid != 0


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    server = Server(tmp_path / ("long" * 30), FORGETFUL)
    with server.running() as first:
        assert answer(first, "SELECT 1") == 1
    with server.running() as again:
        assert again == first, "the short way is remembered"
        link = server.socket_directory()
        assert link.parent.stat().st_mode & 0o777 == 0o700
    link.unlink()
    link.parent.rmdir()


# -- rivals


def test_a_data_directory_in_use_is_refused(server: Server) -> None:
    with server.running() as dsn:
        with pytest.raises(Conflict, match=f"in use by process {os.getpid()}") as caught:
            Server(server.data).start()
        assert caught.value.exit_code == 2
        assert answer(dsn, "SELECT 1") == 1


def test_of_two_at_once_one_starts(tmp_path: Path) -> None:
    rivals = [Server(tmp_path, FORGETFUL) for _ in range(2)]
    together = Barrier(2)

    def start(server: Server) -> str:
        together.wait()
        try:
            return server.start()
        except Conflict:
            return "refused"

    with ThreadPoolExecutor(2) as threads:
        results = sorted(threads.map(start, rivals))
    try:
        assert [result == "refused" for result in results].count(True) == 1
    finally:
        for rival in rivals:
            rival.stop()


# -- after a crash


def test_a_server_that_outlived_its_headway_is_adopted(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START_AND_DIE, str(server.data)], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    with server.running() as dsn:
        assert server.pid == int(done.stdout)
        assert kept(dsn) == 42
    assert not postmaster.is_alive(int(done.stdout))


def test_a_killed_server_recovers_what_was_committed(server: Server) -> None:
    keep(server.start())
    assert server.pid is not None
    assert server.is_alive()
    killed(server.pid)
    assert not server.is_alive()
    server.stop()
    assert postmaster.read(server.cluster) is not None, "its lock file is left behind"
    with server.running() as dsn:
        assert kept(dsn) == 42


def test_a_leftover_lock_file_with_the_pid_of_a_stranger(server: Server) -> None:
    keep(server.start())
    assert server.pid is not None
    killed(server.pid)
    server.stop()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        lock = server.cluster / "postmaster.pid"
        lock.write_text(lock.read_text().replace(lock.read_text().split()[0], str(stranger.pid), 1))
        with server.running() as dsn:
            assert kept(dsn) == 42
        assert stranger.poll() is None, "it was left alone"
        stranger.kill()


def test_backends_that_outlive_a_killed_server_are_waited_for(server: Server) -> None:
    busy = """DO $$ BEGIN
        PERFORM pg_notify('busy', ''); COMMIT;
        WHILE clock_timestamp() < now() + interval '0.5 s' LOOP END LOOP;
    END $$"""
    dsn = server.start()
    keep(dsn)
    assert server.pid is not None
    with connect(dsn) as watching, closing(psycopg.connect(dsn, autocommit=True)) as conn:
        watching.execute("LISTEN busy")
        conn.pgconn.send_query(busy.encode())
        conn.pgconn.flush()
        assert next(watching.notifies(timeout=60, stop_after=1)).channel == "busy"
        killed(server.pid)
        server.stop()
        with server.running() as dsn:
            assert kept(dsn) == 42


def test_an_interrupted_first_start_is_done_again(tmp_path: Path) -> None:
    server = Server(tmp_path, FORGETFUL)
    half = server.data / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    with server.running() as dsn:
        assert answer(dsn, "SELECT 1") == 1
    assert not half.exists()


# -- refusals


def test_another_major_version_is_refused(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.cluster.mkdir(parents=True)
    (server.cluster / "PG_VERSION").write_text("14\n")
    with pytest.raises(Conflict, match="written by PostgreSQL 14") as caught:
        server.start()
    assert caught.value.where == str(server.cluster)


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.cluster.mkdir(parents=True)
    (server.cluster / "precious").touch()
    with pytest.raises(Conflict, match="not the data directory of a PostgreSQL"):
        server.start()
    assert (server.cluster / "precious").exists()


def test_a_data_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotReachable, match="cannot use the data directory") as caught:
        Server(tmp_path / "file" / "data").start()
    assert caught.value.exit_code == 4
    with pytest.raises(HeadwayError):
        Server(Path("/proc/headway")).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a file system of its own")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0755", "none", str(tmp_path)], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("may not mount")
    try:
        with pytest.raises(StorageFull, match="the disk is full") as caught:
            Server(tmp_path / "data").start()
        assert caught.value.http_status == 507
        assert not (tmp_path / "data" / "postgres").exists()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_server_that_cannot_start_says_why_and_frees_the_directory(server: Server) -> None:
    with pytest.raises(NotReachable, match=r"did not start.*shared_buffers"):
        Server(server.data, {"shared_buffers": "none"}).start()
    with server.running() as dsn:
        assert answer(dsn, "SELECT 1") == 1


def test_a_statement_on_a_killed_server_is_not_reachable(server: Server) -> None:
    with psycopg.connect(server.start()) as conn:
        assert server.pid is not None
        killed(server.pid)
        with pytest.raises(psycopg.OperationalError):
            conn.execute("SELECT 1")
    with pytest.raises(NotReachable, match="cannot reach"):
        connect(server.dsn)


# -- programs for an account that cannot walk to them


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts programs as somebody else")
def test_programs_that_the_account_cannot_reach_are_copied_once_and_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = binaries.installed()
    reachable = Account.may_reach
    monkeypatch.setattr(
        Account,
        "may_reach",
        lambda self, path: found.folder not in path.parents and reachable(self, path),
    )
    # Not pytest's own temporary directory, which is closed as well.
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        cache = Path(folder, "cache")
        first = binaries.reachable_by(nobody(), cache)
        assert binaries.reachable_by(nobody(), cache) == first
        assert [place.name for place in cache.iterdir()] == [first.folder.parent.parent.name]
        monkeypatch.setattr(server_module, "reachable_by", lambda account: first)
        with Server(Path(folder, "data"), FORGETFUL).running() as dsn:
            assert answer(dsn, "SELECT timestamp '2026-07-01' AT TIME ZONE 'Europe/Berlin'")


def test_the_version_of_a_cluster_is_checked_before_it_is_touched(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("18\n")
    cluster.check_version(tmp_path, 18)
    with pytest.raises(Conflict):
        cluster.check_version(tmp_path, 19)
