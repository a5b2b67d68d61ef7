"""What stands still: its processes are there, take connections and say nothing.

Of the database each verb says so once, in bounded time, and all goes on when the database does. What
``up`` started itself it kills, and starts again.
"""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest

from headway import clock
from headway.config import Layout, read_server_file
from headway.pg import Server
from headway.up.component import SILENCE_S_MAX
from tests.cli.conftest import DAGS, children_of, copy_data, headway, start, stop

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]

BOUND_S = 15.0
SILENT = [
    ("ls",),
    ("ls", "runs"),
    ("show", "@latest"),
    ("why", "@latest"),
    ("logs", "@latest"),
    ("cancel", "@latest"),
    ("retry", "@latest"),
    ("clear", "@latest"),
    ("pause", "hello"),
    ("resume", "hello"),
    ("pool", "ls"),
    ("pool", "set", "etl", "4"),
    ("run", "hello"),
    ("backfill", "daily", "--from", "2016-01-01", "--to", "2016-01-03"),
    ("whoami",),
    ("audit",),
    ("backup",),
]
AT_ONCE = 4


def postgres_of(folder: Path) -> list[int]:
    """The postmaster first."""
    pid = int((folder / ".headway/postgres/postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # a backend whose client has just gone
            os.kill(pid, number)


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "demo.py").write_text(DAGS)
    copy_data(data, tmp_path)
    return tmp_path


def answer(folder: Path, *words: str) -> tuple[int, str, float]:
    begun = clock.monotonic()
    done = headway(*words, cwd=folder)
    return done.returncode, done.stdout + done.stderr, clock.monotonic() - begun


@pytest.mark.stress
def test_every_verb_says_once_that_the_database_does_not_answer(folder: Path) -> None:
    process = start(folder)
    assert headway("run", "hello", cwd=folder).returncode == 0
    frozen = postgres_of(folder)
    send(frozen, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            answers = list(threads.map(lambda words: answer(folder, *words), SILENT))
            code, said, seconds = answer(folder, "doctor")
    finally:
        send(frozen, signal.SIGCONT)
    for words, (returned, text, took_s) in zip(SILENT, answers, strict=True):
        assert (returned, took_s < BOUND_S) == (4, True), (words, returned, took_s, text)
        assert text.count("error: ") == 1, (words, text)
        assert "Traceback" not in text, (words, text)
    assert (code, seconds < BOUND_S) == (1, True), (said, seconds)
    assert "the database does not answer" in said
    deadline = clock.monotonic() + 60
    while headway("run", "hello", cwd=folder).returncode != 0:
        assert clock.monotonic() < deadline, "it does not go on"
    stop(process)


@pytest.mark.stress
def test_a_lock_that_is_never_given_back_is_one_clear_error(folder: Path) -> None:
    process = start(folder)
    assert headway("run", "hello", cwd=folder).returncode == 0
    words = [("show", "@latest"), ("cancel", "@latest"), ("ls", "runs"), ("run", "hello")] * 2
    with psycopg.connect(Server(folder / ".headway").dsn) as holder:
        holder.execute("LOCK TABLE run")
        with ThreadPoolExecutor(AT_ONCE) as threads:
            answers = list(threads.map(lambda words: answer(folder, *words), words))
        holder.rollback()
    for asked, (returned, said, took_s) in zip(words, answers, strict=True):
        assert (returned, took_s < BOUND_S) == (4, True), (asked, returned, took_s, said)
        assert "the database is busy" in said
    assert headway("run", "hello", cwd=folder).returncode == 0
    stop(process)


def test_a_suspended_database_is_not_adopted(folder: Path) -> None:
    process = start(folder)
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()
    frozen = postgres_of(folder)
    send(frozen, signal.SIGSTOP)
    try:
        returned, said, took_s = answer(folder, "up", "--port", "0")
    finally:
        send(frozen, signal.SIGCONT)
    assert (returned, took_s < BOUND_S) == (4, True), (returned, took_s, said)
    assert f"kill -CONT {frozen[0]}" in said
    stop(start(folder))


@pytest.mark.stress
def test_a_start_on_a_silent_database_elsewhere_is_one_error(folder: Path) -> None:
    database = Server(folder / "elsewhere")
    dsn = database.start()
    assert database.pid is not None
    children = Path(f"/proc/{database.pid}/task/{database.pid}/children").read_text().split()
    frozen = [database.pid, *map(int, children)]
    send(frozen, signal.SIGSTOP)
    try:
        for words in (("up", "--port", "0"), ("migrate",), ("backup",)):
            returned, said, took_s = answer(folder, *words, "--database-url", dsn)
            assert (returned, took_s < BOUND_S) == (4, True), (words, returned, took_s, said)
            assert said.count("error: ") == 1, said
    finally:
        send(frozen, signal.SIGCONT)
        database.stop()


@pytest.mark.stress
def test_a_second_ctrl_c_ends_it_though_the_database_stands_still(folder: Path) -> None:
    process = start(folder)
    frozen = postgres_of(folder)
    send(frozen, signal.SIGSTOP)
    try:
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(BOUND_S) == 1
        assert process.stderr is not None
        process.stderr.close()
    finally:
        send(frozen, signal.SIGCONT)
    stop(start(folder))  # it adopts the database


@pytest.mark.stress
def test_what_up_started_and_hangs_is_started_again(folder: Path) -> None:
    process = start(folder)
    server = read_server_file(Layout(folder / ".headway"))
    assert server is not None
    frozen = [pid for pid, line in children_of(process.pid).items() if "up.tether" in line]
    assert len(frozen) == 3
    send(frozen, signal.SIGSTOP)
    deadline = clock.monotonic() + 2 * SILENCE_S_MAX
    told(server.url, "/readyz", b"not ready: scheduler, agent, loader", deadline)
    told(server.url, "/healthz", b"ok", deadline)
    told(server.url, "/readyz", b"ready", deadline)
    assert not set(frozen) & set(children_of(process.pid))
    done = headway("run", "hello", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert stop(process).count("does not respond: no sign of life") == 3


def told(url: str, path: str, wanted: bytes, deadline: float) -> None:
    """Until a probe says so."""
    while True:
        try:
            with urlopen(f"{url}{path}", timeout=20) as answer:
                said = answer.read()
        except HTTPError as error:
            said = error.read()
        if said == wanted:
            return
        assert clock.monotonic() < deadline, said
        clock.sleep(0.1)
