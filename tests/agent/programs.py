"""A DAG file whose tasks do what any Python program may do, and leave at their end what any may leave."""

import atexit
import gzip
import logging
import multiprocessing
import os
import pickle
import random
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from headway import Fail, Run, Skip, bash, dag, task
from headway.agent import leaving

vars(leaving)["LIMIT_S"] = 1
MARKS = Path(os.environ.get("MARKS", "/nowhere"))
AUDIT = (MARKS / "audit").open("a") if MARKS.exists() else None
SHARED = tempfile.TemporaryDirectory()  # of all attempts: none of them removes it
NAME = os.fsdecode(b"caf\xe9.csv")
KEPT: list[Any] = []
FREE = random.Random()
FIXED = random.Random(42)


def of_the_file() -> None:
    with (MARKS / "handlers").open("a") as file:
        file.write(f"{os.environ['HEADWAY_TASK_ID']}\n")


atexit.register(of_the_file)


def square(x: int) -> int:
    return x * x


def broken() -> None:
    raise RuntimeError("no such handler")


@task
def leaves_files() -> None:
    assert AUDIT is not None
    AUDIT.write("of the file\n")
    KEPT.append((MARKS / "text").open("w"))
    KEPT[-1].write("of the task")
    KEPT.append(gzip.open(MARKS / "packed.gz", "wt"))  # noqa: SIM115
    KEPT[-1].write("packed")
    libc = __import__("ctypes").CDLL(None)
    libc.printf(b"of the C library\n")


@task
def logs_in_memory() -> None:
    from logging.handlers import MemoryHandler

    target = logging.FileHandler(MARKS / "log")
    logging.getLogger("audit").addHandler(MemoryHandler(1000, logging.CRITICAL, target))
    logging.getLogger("audit").warning("kept back")


@task
def reads_files() -> list[str]:
    with gzip.open(MARKS / "packed.gz", "rt") as packed:
        return [(MARKS / "audit").read_text(), (MARKS / "text").read_text(), packed.read()]


@task
def registers() -> str:
    atexit.register((MARKS / "handler").touch)
    atexit.register(broken)
    return SHARED.name


@task
def sees_what_is_shared() -> bool:
    return Path(SHARED.name).is_dir()


def slowly(path: Path) -> None:
    time.sleep(0.3)
    path.touch()


@task
def leaves_work() -> None:
    threading.Thread(target=slowly, args=(MARKS / "thread",)).start()
    ThreadPoolExecutor(1).submit(slowly, MARKS / "executor")
    context = multiprocessing.get_context("fork")
    context.Process(target=slowly, args=(MARKS / "process",)).start()
    (MARKS / "returned").write_text(str((MARKS / "thread").exists()))


@task
def leaves_an_endless_thread() -> int:
    threading.Thread(target=time.sleep, args=(600,)).start()
    return 1


@task
def fails_with_an_endless_handler() -> None:
    atexit.register(time.sleep, 600)
    raise ValueError("too bad")


@task
def terminates() -> int | None:
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
    process.start()
    process.terminate()
    process.join()
    return process.exitcode


@task
def pools() -> int:
    for _ in range(5):
        with multiprocessing.get_context("fork").Pool(2) as workers:
            assert workers.map(square, [1, 2, 3]) == [1, 4, 9]
    return 5


@task
def spawns() -> list[Any]:
    found: list[Any] = []
    for method in ("spawn", "forkserver"):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
            found += pool.map(square, [1, 2, 3])
    with multiprocessing.get_context("spawn").Pool(1) as workers:
        found += workers.map(square, [4])
    return [*found, __name__, pickle.loads(pickle.dumps(square)) is square]


def zombies() -> int:
    states = subprocess.run(
        ["ps", "-o", "stat=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sum(line.startswith("Z") for line in states.splitlines())


@task
def leaves_orphans() -> list[int | None]:
    own = subprocess.Popen(["bash", "-c", "exit 7"])
    for _ in range(20):
        subprocess.run(["bash", "-c", "(sleep 0.01 &)"], check=True)
    deadline = time.monotonic() + 60
    while sleepers() and time.monotonic() < deadline:
        time.sleep(0.01)
    found = zombies()  # the one of ours, which nobody has waited for
    return [found, own.wait()]


def sleepers() -> bool:
    """Processes of our group beside us and what ``ps`` is."""
    found = subprocess.run(
        ["ps", "-o", "comm=", "--no-headers", "-g", str(os.getsid(0))],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return "sleep" in found


@task
def keeps_an_orphan() -> bool:
    subprocess.run(["bash", "-c", "setsid sleep 600 & echo $! > $MARKS/orphan"], check=True)
    (MARKS / "kept").touch()
    while not (MARKS / "go").exists():
        time.sleep(0.01)
    return Path(f"/proc/{(MARKS / 'orphan').read_text().strip()}").exists()


@task
def forks_and_returns() -> str:
    pid = os.fork()
    if pid == 0:
        KEPT.append((MARKS / "text").open("w"))
        KEPT[-1].write("of the fork")
        return "fork"
    _, status = os.waitpid(pid, 0)
    return f"task {status} {(MARKS / 'text').read_text()}"


EATER = "import sys, time; block = bytearray(300 << 20); open(sys.argv[1], 'w').close(); time.sleep(600)"


@task
def leaves_an_eater() -> None:
    command = f'setsid {sys.executable} -c "{EATER}" $MARKS/eats &'
    subprocess.run(["bash", "-c", command], check=True)
    time.sleep(600)


@task
def nothing() -> None: ...


@task
def draws() -> list[float]:
    return [FREE.random(), random.random(), FIXED.random()]


@task
def reads_environment() -> list[str | None]:
    return [os.environ.get(name) for name in ("PGHOST", "PGPASSWORD", "HEADWAY_SECRET")]


@task
def appends(run: Run) -> str:
    assert AUDIT is not None
    AUDIT.write(f"{run.try_number}\n")
    atexit.register((MARKS / "at the end").touch)
    return f"{os.getpid()} {(MARKS / 'audit').read_text()}{(MARKS / 'at the end').exists()}"


@task
def skips_by_surrogate() -> None:
    raise Skip(f"{NAME} is no table")


@task
def fails_by_surrogate() -> None:
    raise Fail(f"{NAME} is broken")


@task
def raises_surrogate() -> None:
    raise ValueError(NAME)


class Speechless(Exception):
    def __str__(self) -> str:
        raise KeyError("no words")

    __repr__ = __str__


@task
def raises_speechless() -> None:
    raise Speechless


@task
def exits_speechless() -> None:
    sys.exit(Speechless())  # type: ignore[arg-type]


class Unseen(Exception):
    @property
    def __traceback__(self) -> None:  # type: ignore[override]
        raise KeyError("no place")


@task
def raises_unseen() -> None:
    raise Unseen


@task
def closes_what_is_not_its_own() -> None:
    os.closerange(3, 256)


@task
def exits_by_a_flag() -> None:
    sys.exit(True)


@task
def exits_by_a_large_number() -> None:
    sys.exit(2**70 + 3)


@task
def exits_by_a_number_without_text() -> None:
    sys.exit(10**5000 + 4)


@task
def exits_by_nothing() -> None:
    sys.exit(0.0)  # type: ignore[arg-type]


@task
def raises_with_a_note() -> None:
    error = ValueError("what it is")
    error.add_note("what was done then")
    raise error


class Broken(Exception):
    """Defined in the DAG file: named without its module."""


def parse(text: str) -> float:
    return float(text)


@task
def raises_with_causes() -> None:
    try:
        try:
            parse("12,5")
        except ValueError:
            raise KeyError("amount")  # noqa: B904
    except KeyError as error:
        raise Broken("cannot render") from error


@task
def raises_its_own_cause() -> None:
    first, second = Broken("first"), Broken("second")
    first.__cause__, second.__cause__ = second, first
    raise first


@task
def raises_a_group() -> None:
    group = ExceptionGroup("inner", [ValueError("b"), Speechless()])
    raise ExceptionGroup("two uploads failed", [ValueError("a"), group])


@task
def raises_at_length() -> None:
    raise ValueError("x" * 5_000_000)


@task
def takes(name: str) -> str:
    return name


@task
def unstorable() -> object:
    return {"rows": [object()]}


@task
def large() -> str:
    os.umask(0)
    return "x" * 100_000


@task
def very_closed() -> str:
    os.umask(0o777)
    return "y" * 100_000


@dag
def flow() -> None:
    for plain in (
        leaves_files, logs_in_memory, reads_files, registers, sees_what_is_shared, leaves_work,
        leaves_an_endless_thread,
        fails_with_an_endless_handler, terminates, pools, spawns, leaves_orphans, keeps_an_orphan, nothing, appends,
        draws, reads_environment, forks_and_returns, leaves_an_eater,
        skips_by_surrogate, fails_by_surrogate, raises_surrogate, raises_speechless, exits_speechless,
        raises_unseen, closes_what_is_not_its_own, exits_by_a_flag, exits_by_a_large_number,
        exits_by_a_number_without_text, exits_by_nothing,
        raises_with_a_note, raises_with_causes, raises_its_own_cause, raises_a_group,
        raises_at_length, unstorable, large, very_closed,
    ):  # fmt: skip
        plain()
    takes(NAME)
    bash(task_id="counts", command='a=(1 2 3); echo "no numbers" >&2; echo "${#a[@]}"; exit 3')
    bash(task_id="unrendered", command="echo {{ nothing_like_it }}")
