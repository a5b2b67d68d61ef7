"""The DAG file that the tests' agents run: one task for each way to end."""

import asyncio
import ctypes
import io
import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

from headway import (
    Fail,
    Run,
    Skip,
    TimeDelta,
    WatcherEvent,
    bash,
    dag,
    defer,
    get_current_context,
    task,
)
from headway.authoring import secrets
from headway.authoring.secrets import mask_secret

DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
"""


@task
def makes_a_mess() -> int:
    stray = subprocess.Popen(["sh", "-c", "sleep 600; echo late"], start_new_session=True)
    os.environ["MESS"] = "1"
    del os.environ["HOME"]
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.umask(0o777)
    sys.path.append("/mess")
    Path("mess").mkdir(0o700)
    Path("mess/file").write_text("x")
    os.chdir("/")
    sys.stdout = io.StringIO()
    return stray.pid


@task
def waits() -> str:
    run = Run.current()
    print("looks" if run.resumed is None else "looks again")
    if run.resumed is None:
        defer(TimeDelta(minutes=1), timeout=60)
    return f"{run.found} after {run.resumed.elapsed_s:g} s, try {run.try_number}"


@task
def starts_a_job() -> None:
    defer(TimeDelta(minutes=1), then=finish_job, job=[7])


async def arrives(path: str) -> list[str]:
    return [path] if Path(path).exists() else []


async def raises_later(text: str) -> None:
    await asyncio.sleep(0)
    print("about to fail")
    raise ValueError(text)


async def raises_what_has_no_name() -> None:
    raise type("Odd", (ValueError,), {"__module__": "\ud800", "__qualname__": "\ud800"})


async def blocks(path: str) -> str:
    """Stop the event loop until there is a file."""
    while not Path(path).exists():
        time.sleep(0.01)
    return "unblocked"


async def crashes(path: str) -> str:
    await asyncio.sleep(0)
    if not Path(path).exists():
        Path(path).touch()
        os._exit(3)
    return str(os.getpid())


class Pid:
    async def run(self) -> AsyncIterator[int]:
        yield os.getpid()


class Forever:
    def __init__(self, path: str) -> None:
        self.path = path

    async def run(self) -> None:
        Path(self.path).write_text(str(os.getpid()))
        try:
            await asyncio.Event().wait()
        finally:
            Path(self.path).unlink()


async def lines(
    path: str, cursor: int | None = None
) -> AsyncIterator[WatcherEvent | dict[str, object]]:
    """Tell of each line of a file, and note below it that it is stored."""
    at = cursor or 0
    while True:
        there = Path(path).read_text().splitlines() if Path(path).exists() else []
        for line in there[at:]:
            at += 1
            if line == "raise":
                raise ValueError("a bad line")
            if line == "end":
                return
            if line == "block":
                time.sleep(3600)
            yield WatcherEvent({"line": line, "pid": os.getpid()}, key=line, cursor=at)
            with Path(f"{path}.stored").open("a") as stored:
                stored.write(line + "\n")
        await asyncio.sleep(0.02)


async def state(path: str) -> str | None:
    return Path(path).read_text() if Path(path).exists() else None


async def yields_nothing() -> int:
    return 1


def finish_job(found: object, job: list[int]) -> object:
    return [found, job]


@task
def sees_no_mess() -> str:
    found = [
        os.listdir(),
        os.environ.get("MESS"),
        "HOME" not in os.environ,
        signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN,
        signal.getsignal(signal.SIGTERM) is signal.SIG_IGN,
        os.umask(0o22) == 0o777,
        "/mess" in sys.path,
        os.getcwd() == "/",
    ]
    print("seen")
    return str([one for one in found if one])


@task
def leaves_a_thread() -> None:
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()


@task
def replaces_its_folder() -> str:
    folder = os.getcwd()
    os.rmdir(folder)
    open(folder, "w").close()
    return "done"


@task
def closes_its_output() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)


@task
def shows_params(run: Run) -> str:
    return repr(dict(run.params))


@task
def hello(run: Run) -> str:
    print("to stdout")
    logging.getLogger("mine").warning("to the log")
    subprocess.run(["sh", "-c", "echo from a program >&2"], check=True)
    return run.task_id


@task
def numbers() -> list[int]:
    return list(range(1500))


@task
def double(number: int) -> int:
    return 2 * number


@task(map_index_template="number {{ number }} of {{ secret }}")
def named(number: int) -> None:
    mask_secret("hunter2-hunter2")
    get_current_context()["secret"] = "hunter2-hunter2"


@task(map_index_template="number {{ number }}")
def named_and_killed(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@task
def total(parts: list[int]) -> int:
    return sum(parts)


@task
def large() -> list[str]:
    return ["x" * 100] * 1000


@task
def length(of: list[str]) -> int:
    return len(of)


class NoFlights(LookupError):
    pass


@task
def raises_its_own() -> None:
    try:
        raise ConnectionError
    except ConnectionError:
        raise NoFlights("none") from None


@task
def runs_a_program() -> None:
    subprocess.run(["sh", "-c", "exit 75"], check=True)


@task
def raises() -> None:
    raise ValueError("no flights on 2013-02-30")


@task
def segfault() -> None:
    ctypes.string_at(0)


@task
def exits() -> None:
    os._exit(3)


@task
def calls_exit() -> None:
    sys.exit(4)


@task
def sleeps() -> None:
    print("asleep")
    time.sleep(600)


@task
def deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf")
    time.sleep(600)


@task
def eats() -> None:
    blocks = []
    while True:
        blocks.append(bytearray(16 << 20))
        time.sleep(0.005)


@task
def giant() -> str:
    return "x" * 200_000_000


@task
def gigabyte() -> str:
    return "x" * 1_000_000_000


@task
def gigabyte_of_lines() -> list[str]:
    return ["x" * 100] * 10_000_000


@task
def unstorable() -> object:
    return object()


@task
def chatty() -> int:
    block = b"y" * 99 + b"\n"
    for _ in range(1000):
        os.write(1, block * 1000)
    print("the last line")
    return 1


@task
def skips() -> None:
    raise Skip("nothing to do")


@task
def gives_up() -> None:
    raise Fail("never again")


@task
def leaves_daemon(path: str) -> None:
    subprocess.run([sys.executable, "-c", DAEMON, path], check=True)
    while not Path(path).exists() or not Path(path).read_text():
        time.sleep(0.01)


@task
def looks_around() -> str:
    links = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            links.append(f"{fd} {os.readlink(f'/proc/self/fd/{fd}')}")
        except OSError:
            continue
    mine = {**os.environ, "argv": " ".join(sys.argv)}
    initial = Path("/proc/self/environ").read_bytes().decode()
    return json.dumps([mine, initial, sorted(links), os.getcwd(), random.random()])


@task
def secretive() -> None:
    mask_secret("hunter2-hunter2")
    print("my password is hunter2-hunter2.")
    for part in (b"split hunter2-", b"hunter2\n"):
        os.write(1, part)
        time.sleep(0.02)
    raise ValueError("hunter2-hunter2 is wrong")


@task
def starts_a_run() -> None:
    mask_secret("hunter2-hunter2")
    secrets.ask(
        "runs", '{"ask":"start","dag_id":"d","run_id":"r","params":{"p":"hunter2-hunter2"}}'
    )


@task
def returns_a_secret() -> str:
    mask_secret("hunter2-hunter2")
    return "is hunter2-hunter2"


@task
def passes_on(text: str) -> str:
    print(f"it {text}")
    return f"it {text}"


@task.bash
def commands() -> str:
    mask_secret("hunter2-hunter2")
    return "echo {{ task_id }} at {{ ds }} with hunter2-hunter2"


@task
def writes_far(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(600)


@dag
def flow() -> None:
    hello()
    n = numbers()
    total(double.expand(number=n))
    named.expand(number=n)
    named_and_killed.expand(number=n)
    length(large())
    passes_on(returns_a_secret())
    for plain in (
        raises, segfault, exits, calls_exit, sleeps, deaf, eats, giant, gigabyte, gigabyte_of_lines, unstorable, chatty,
        skips, gives_up, looks_around, secretive, starts_a_run,
        shows_params, commands, makes_a_mess, sees_no_mess, leaves_a_thread, closes_its_output,
        replaces_its_folder, waits, starts_a_job, raises_its_own, runs_a_program,
    ):  # fmt: skip
        plain()
    bash(task_id="plain_bash", command="true {{ ts_nodash }}", env={"GATE": "open-sesame"})
    bash(task_id="exits_75", command="exit 75")
    bash(task_id="kills_itself", command="kill -9 $$")
    for name in ("daemon", "far"):
        path = os.environ.get("MARKS", "/nowhere") + "/" + name
        (leaves_daemon if name == "daemon" else writes_far)(path)
