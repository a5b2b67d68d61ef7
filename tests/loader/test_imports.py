"""Whatever a DAG file does during import, it does to itself alone. Real processes."""

import contextlib
import os
import selectors
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from headway import clock
from headway.agent.processes import state_of
from headway.loader import import_child
from headway.loader import importer as module
from headway.loader.check import check
from headway.loader.environment import PRIVATE, clean_environment, private_names
from headway.loader.importer import BEGIN_S_MAX, Imported, Importer, Job
from headway.spec.model import Dag, Task
from tests.loader.conftest import Folder
from tests.processes import begin

ENDINGS = {
    "os._exit": ("import headway, os\nos._exit(3)", "exit code 3", None),
    "sys.exit": ("import headway, sys\nsys.exit(3)", "sys.exit", 2),
    "crash": ("import headway, ctypes\n\nctypes.string_at(0)", "SIGSEGV", 3),
    "syntax": ("import headway\n\ndef (", "SyntaxError", 3),
    "raise": ("import headway\n1 / 0", "ZeroDivisionError", 2),
    "print": ("import headway\nwhile True: print('x' * 10_000)", "prints more than 16 MB", None),
    "memory": ("import headway\nx = bytearray(5 << 30)", "emory", None),
    "kill": ("import headway, os, time\nos.kill(os.getppid(), 9)\ntime.sleep(9)", "kills", None),
    "half": ("import headway\nraise ValueError('\\udce9 \\0')", "ValueError: \\udce9 \u2400", 2),
    "speechless": (
        "import headway\nclass No(Exception):\n    def __str__(self): raise SystemExit(0)\nraise No",
        "No",
        4,
    ),
    "talkative": ("import headway, sys\nsys.exit('x' * 10_000_000)", f"({'x' * 500})", 2),
    # Bounded here, in case the limit does not hold: 1,024 processes that end by themselves.
    "bomb": (
        "import headway, os, time\nfor _ in range(10):\n    try:\n        os.fork() or os.setsid()\n"
        "    except OSError: break\ntime.sleep(5)",
        "more than 128 processes",
        None,
    ),
}


# For what is to end by itself, on the slowest machine.
AMPLE_S = 60.0


def import_all(
    folder: Folder,
    environment: dict[str, str],
    limit_s: float = AMPLE_S,
    meanwhile: Callable[[Importer], None] = lambda importer: None,
) -> dict[str, Imported]:
    found: dict[str, Imported] = {}
    with selectors.DefaultSelector() as selector:
        importer = Importer(
            selector,
            lambda imported: found.update({imported.job.file: imported}),
            environment=environment,
            time_limit_s=limit_s,
        )
        names = sorted(path.name for path in folder.root.iterdir())
        importer.submit(Job(name, folder.root, name) for name in names)
        while not importer.idle:
            meanwhile(importer)
            for key, _ in selector.select(importer.tend()):
                key.data()
        importer.close()
    return found


Wait = Callable[[float], None]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Wait:
    """The clock of this process stands still, but for the seconds that the test lets pass."""
    passed_s = 0.0

    def wait(seconds: float) -> None:
        nonlocal passed_s
        passed_s += seconds

    monkeypatch.setattr(clock, "monotonic", lambda: passed_s)
    return wait


def test_each_ends_as_its_own_trouble_and_the_neighbours_are_fine(folder: Folder) -> None:
    for name, (text, _, _) in ENDINGS.items():
        folder.write(f"{name}.py", text)
    for number in range(5):
        folder.dag(f"fine{number}.py", f"fine{number}")
    folder.write(
        "half_warned.py",
        "import headway, os, threading, time\n"
        "try: open(__file__ + '\\udce9')\nexcept OSError: pass\n"
        "threading.Thread(target=time.sleep, args=(9,), name='\\udce9', daemon=True).start()\n",
    )
    found = import_all(folder, clean_environment(os.environ))
    half_warned = found["half_warned.py"]
    assert half_warned.trouble is None
    assert "\\udce9" in str(half_warned.warnings[0].hint)
    for name, (_, message, line) in ENDINGS.items():
        trouble = found[f"{name}.py"].trouble
        assert trouble is not None, name
        assert message in trouble.message, name
        assert line is None or trouble.line == line, (name, trouble)
    for number in range(5):
        assert [dag.dag_id for dag in found[f"fine{number}.py"].dags] == [f"fine{number}"]
    assert not alive(str(folder.root))


def test_what_hangs_is_stopped_and_says_where(folder: Folder, wait: Wait) -> None:
    folder.write("hang.py", "import headway, time\n\n\ntime.sleep(600)")

    def wait_no_longer(importer: Importer) -> None:
        for running in importer.running.values():
            if running.verdict is None and b'hang.py", line 4 in' in running.output:
                wait(2.0)  # it has said where it is

    found = import_all(folder, clean_environment(os.environ), 2.0, wait_no_longer)
    trouble = found["hang.py"].trouble
    assert trouble is not None
    assert "longer than 2 s" in trouble.message
    assert trouble.line == 4


SUSPENDS = "import headway, os\nos.kill(os.getppid(), 19)\n"


def test_who_suspends_the_zygote_is_found_and_the_neighbours_are_fine(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.1)
    folder.write("a.py", SUSPENDS)
    folder.write("b.py", SUSPENDS + "import time\ntime.sleep(60)\n")
    for number in range(3):
        folder.dag(f"fine{number}.py", f"fine{number}")
    found = {one.file: one for one in check(folder.root)}
    for name in ("a.py", "b.py"):
        trouble = found[name].error
        assert trouble is not None
        assert trouble.message == "suspends the process that imports DAG files"
    for number in range(3):
        assert [dag.dag_id for dag in found[f"fine{number}.py"].dags] == [f"fine{number}"]


def test_a_zygote_that_tells_of_no_end_is_replaced(
    folder: Folder, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that somebody traces: it is not suspended, and does not go on."""
    monkeypatch.setattr(module, "is_suspended", lambda pid: False)
    folder.write("a.py", SUSPENDS)
    folder.dag("b.py", "b")

    def wait_no_longer(importer: Importer) -> None:
        if state_of(importer.zygote.pid) == "T":
            wait(AMPLE_S)

    found = import_all(folder, clean_environment(os.environ), AMPLE_S, wait_no_longer)
    trouble = found["a.py"].trouble
    assert trouble is not None
    assert trouble.message == "blocks the process that imports DAG files"
    assert found["b.py"].trouble is None


def test_an_end_that_waits_to_be_read_is_in_time(folder: Folder, wait: Wait) -> None:
    """As when the process that asked for the import was held up."""
    folder.dag("a.py", "a")

    def come_late(importer: Importer) -> None:
        with contextlib.suppress(BlockingIOError):
            flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
            if b"Ended" in importer.control.recv(1 << 16, flags):
                wait(AMPLE_S)

    found = import_all(folder, clean_environment(os.environ), AMPLE_S, come_late)
    assert found["a.py"].trouble is None
    assert [dag.dag_id for dag in found["a.py"].dags] == ["a"]


def test_a_suspended_zygote_does_not_outlive_who_started_it(folder: Folder, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    told = f"import os, pathlib\npathlib.Path({str(mark)!r}).write_text(str(os.getppid()))\n"
    folder.write("a.py", told + SUSPENDS)
    checking = begin("check", str(folder.root), cwd=tmp_path)
    deadline = clock.monotonic() + 60
    while not mark.exists() or state_of(int(mark.read_text() or 0)) != "T":
        assert clock.monotonic() < deadline
        clock.sleep(0.01)
    checking.kill()
    while state_of(int(mark.read_text())) not in ("", "Z"):
        assert clock.monotonic() < deadline
        clock.sleep(0.01)


def alive(word: str) -> list[str]:
    """Processes of the importer that still have a file below ``word`` open or were left over."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if word in (process / "cmdline").read_text():
                found.append(process.name)
        except OSError:
            continue
    return found


def test_a_slow_import_holds_nobody_up(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_S", 0.1)
    gate = tmp_path / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\n"
    for number in range(6):
        folder.dag(f"a_slow{number}.py", f"slow{number}", before=waits)
    folder.dag("z.py", "z")
    order: list[str] = []

    def note(imported: Imported) -> None:
        order.append(imported.job.file)
        gate.touch()  # none of the slow ones ends before another has

    with selectors.DefaultSelector() as selector:
        importer = Importer(
            selector,
            note,
            environment=clean_environment(os.environ),
            places=1,
        )
        names = sorted(path.name for path in folder.root.iterdir())
        importer.submit(Job(name, folder.root, name) for name in names)
        while not importer.idle:
            for key, _ in selector.select(importer.tend()):
                key.data()
        importer.close()
    assert order[0] == "z.py"
    assert len(order) == 7


@pytest.mark.parametrize(
    ("seconds", "message"),
    [(BEGIN_S_MAX - 1, ""), (BEGIN_S_MAX, "waits longer than 300 s for its import to begin")],
)
def test_the_time_of_an_import_counts_from_its_beginning(
    folder: Folder, wait: Wait, seconds: float, message: str
) -> None:
    """The first file of Airflow waits for the import of Airflow itself, which may take long on a busy machine."""
    folder.dag("a.py", "a")
    delayed = False

    def delay(importer: Importer) -> None:
        nonlocal delayed
        if delayed:
            return
        delayed = True
        importer.zygote.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, importer.zygote.pid, os.WSTOPPED | os.WNOWAIT)
        importer.tend()
        wait(seconds)
        importer.tend()
        importer.zygote.send_signal(signal.SIGCONT)

    imported = import_all(folder, clean_environment(os.environ), 1.0, delay)["a.py"]
    assert message == (imported.trouble.message if imported.trouble else "")


CREDENTIALS = """
import gc, json, os, pathlib
from headway import dag, task

parent = os.getppid()
seen = {"environ": dict(os.environ), "fds": {}, "memory": []}
for name in os.listdir("/proc/self/fd"):
    try:
        seen["fds"][name] = os.readlink("/proc/self/fd/" + name)
    except OSError:
        pass
seen["memory"] = [text for text in gc.get_objects() if isinstance(text, str)]
seen["memory"] += [repr(value) for value in vars(__import__("sys")).values()]
seen["modules"] = sorted(__import__("sys").modules)
seen["zygote"] = pathlib.Path(f"/proc/{parent}/cmdline").read_text()
pathlib.Path(os.environ["SEEN"]).write_text(json.dumps(seen))
"""


def test_a_child_has_no_credentials(folder: Folder, tmp_path: Path) -> None:
    password = "correct-horse"
    dsn = f"postgresql://user:{password}@db/headway"
    seen = tmp_path / "seen.json"
    folder.write("spy.py", CREDENTIALS)
    given = {
        **os.environ,
        "SEEN": str(seen),
        "PGPASSWORD": password,
        "HEADWAY_TOKEN": "x",
        "DATABASE_URL": dsn,
        "OTHER": f"see {password}",
        "MINE": "kept",
    }
    given[PRIVATE] = ",".join(private_names(given, dsn))
    import_all(folder, clean_environment(given), 10.0)
    text = seen.read_text()
    assert password not in text
    assert "HEADWAY_TOKEN" not in text
    assert '"MINE": "kept"' in text
    assert "psycopg" not in text.split('"modules"')[1]
    fds = text.split('"fds": ')[1].split("}")[0]
    assert "socket:" not in fds
    assert fds.count("pipe:") == 3  # stdout, stderr, the report


def test_a_report_that_is_too_long_comes_without_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task(task_id="a", kind="bash", arguments={"command": "x" * 1000})
    report = import_child.Report([Dag(dag_id="one", file="a.py", tasks=(task,))])
    assert msgspec.json.decode(import_child.encode(report), type=import_child.Report) == report
    monkeypatch.setattr(import_child, "REPORT_BYTES_MAX", 1000)
    bare = msgspec.json.decode(import_child.encode(report), type=import_child.Report)
    assert bare.dags[0].tasks == (Task(task_id="a", kind="bash"),)


def test_check_lists_files_dags_and_errors(folder: Folder) -> None:
    folder.dag("a.py", "one")
    folder.dag("b.py", "one")
    folder.write("c.py", "import headway\nimport nothing_like_it\n")
    folder.write("plain.py", "x = 1")
    found = check(folder.root)
    assert [one.file for one in found] == ["a.py", "b.py", "c.py"]
    assert [dag.dag_id for dag in found[0].dags] == ["one"]
    assert found[0].error is None
    assert found[1].error is not None
    assert "the one in a.py is used" in found[1].error.message
    assert found[2].error is not None
    assert found[2].error.line == 2
    (single,) = check(folder.root / "a.py")
    assert single.file == "a.py"
