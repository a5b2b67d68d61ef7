"""What a file leaves at its top for all attempts to share: noticed when it is imported, and said with its line."""

import socket
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway.loader.check import check
from headway.loader.loader import Loader
from tests.loader.conftest import DAG, Folder, rows

TIMES = """
from datetime import UTC, date, datetime
import time

NOW = datetime.now(UTC)
LOCAL = datetime.now().replace(microsecond=0)
TODAY: date = date.today()
TEXT = f"out-{date.today():%Y%m%d}.csv"
STAMP = time.time()
RANGE = [datetime(2013, 1, 1), datetime.utcnow()]


def since(at=datetime.now()):
    return at
"""
OTHERS = """
import csv, itertools, random, tempfile, threading, uuid

OWN = uuid.uuid1()
RUN = uuid.uuid4()
COUNT = itertools.count(1)
READER = csv.reader(["a", "b"])
ITEMS = (i for i in range(3))
FOLDER = tempfile.TemporaryDirectory()
HELD = threading.Lock()
HELD.acquire()
AGAIN = threading.RLock()
AGAIN.acquire()
"""
FINE = """
import itertools, logging, random, threading, uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path

FIRST = datetime(2013, 1, 1)
DAY = timedelta(days=1)
FIXED, ANEW = random.Random(7), random.Random()
SYSTEM = random.SystemRandom()
NAME = uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")
LOCK, AGAIN = threading.Lock(), threading.RLock()
POOL = ThreadPoolExecutor(2)
HERE = Path(__file__)
LIMITS = {"a": 1.5, "b": [1, 2]}
LETTERS = range(3)
with HERE.open() as file:
    SOURCE = file.read()
log = logging.getLogger(__name__)
"""
THREAD = """
import threading
from concurrent.futures import ThreadPoolExecutor

POOL = ThreadPoolExecutor(2, thread_name_prefix="pool")
SIZES = list(POOL.map(len, ["a"]))
LOCK = threading.Lock()
LOCK.acquire()
"""


def told(folder: Folder, text: str, name: str = "a.py") -> list[tuple[int | None, str]]:
    folder.write(name, text + DAG.format(dag_id="one", tag="a"))
    (found,) = [each for each in check(folder.root) if each.file == name]
    assert found.error is None
    return [(warned.line, warned.message) for warned in found.warnings]


def first_words(found: list[tuple[int | None, str]]) -> list[tuple[int | None, str]]:
    return [(line, message.partition(":")[0]) for line, message in found]


def test_the_time_of_import(folder: Folder) -> None:
    said = told(folder, TIMES)
    assert first_words(said) == [
        (5, "NOW is the time of import"),
        (6, "LOCAL is the time of import"),
        (7, "TODAY is the time of import"),
        (8, "TEXT is the time of import"),
        (9, "STAMP is the time of import"),
        (10, "a value in RANGE is the time of import"),
        (13, "a default argument of since() is the time of import"),
    ]
    assert said[0][1].endswith(
        ": all attempts of all runs share it, because the file is imported once for many attempts"
    )


def test_what_else_can_be_used_only_once(folder: Folder) -> None:
    assert first_words(told(folder, OTHERS)) == [
        (4, "OWN is an id generated at import"),
        (5, "RUN is an id generated at import"),
        *((line, f"{name} is an iterator, which can be read only once")
          for line, name in ((6, "COUNT"), (7, "READER"), (8, "ITEMS"))),
        (9, "FOLDER is a temporary file or folder"),
        (10, "HELD is a held lock"),
        (12, "AGAIN is a held lock"),
    ]  # fmt: skip


def test_what_is_meant_to_be_the_same_is_no_matter(folder: Folder) -> None:
    assert told(folder, FINE) == []


def test_threads_are_said_to_cost_a_process(folder: Folder) -> None:
    ((line, message),) = told(folder, THREAD)
    assert (line, message) == (
        None,
        "threads are running after import, so each attempt starts a new Python process, which "
        "takes about a second longer",
    )
    (found,) = check(folder.root)
    assert found.warnings[0].hint == "start threads inside tasks (threads: pool_0)"


def test_connections_and_files_that_stay_open(folder: Folder, tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    data.touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        opened = f"import socket\nCLIENT = socket.create_connection(('127.0.0.1', {port}))\n"
        said = told(folder, f"{opened}FILE = open({str(data)!r})\n")
    assert [message.partition(" is open after import")[0] for _, message in said] == [
        "a connection",
        f"the file {data}",
    ]


def test_a_module_of_the_folder_is_looked_at_too(folder: Folder) -> None:
    folder.write("shared.py", "from datetime import datetime\n\nMADE = datetime.now()\n")
    ((line, message),) = told(folder, "from shared import MADE\n")
    assert line is None
    assert message.startswith("MADE is the time of import (in shared.py:3): all attempts")


def test_what_is_hostile_is_no_reason_to_fail(folder: Folder) -> None:
    hostile = """
class Odd:
    def __repr__(self): raise RuntimeError
    def __eq__(self, other): raise RuntimeError
    __hash__ = None
    def __getattr__(self, name): raise RuntimeError(name)

ODD, MANY = Odd(), [Odd()] * 1000
import sys
sys.modules["odd"] = Odd()
sys.modules["none"] = None
"""
    assert told(folder, hostile) == []
    assert (
        len(told(folder, "import uuid\n" + "".join(f"R{i} = uuid.uuid4()\n" for i in range(99))))
        == 20
    )


@pytest.mark.parametrize("name", ["statistics.py", "msgspec.py", "__main__.py"])
def test_a_file_cannot_take_the_name_of_another_module(folder: Folder, name: str) -> None:
    module = name.removesuffix(".py")
    owner = {
        "statistics": "the standard library's",
        "msgspec": "an installed package's",
        "__main__": "the running program's",
    }[module]
    said = told(folder, "", name)
    assert said == [
        (None, f"cannot be imported by its name: `import {module}` finds {owner} {module}")
    ]
    folder.write(name, "OWN = 1\n")
    folder.dag("uses.py", "uses", before=f"import {module}\nassert not hasattr({module}, 'OWN')\n")
    folder.dag("wants.py", "wants", before=f"from {module} import OWN\n")
    folder.dag("wants_too.py", "wants_too", before=f"import {module}\n{module}.OWN\n")
    errors = {each.file: each.error for each in check(folder.root)}
    assert errors.pop("uses.py") is None
    for error in errors.values():
        assert error is not None
        assert error.hint == (
            f"`import {module}` finds {owner} {module}, not {name} in the DAG folder; rename that file"
        )


def test_the_server_keeps_what_was_said_with_the_dag(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    query = "SELECT dag_id, warnings FROM dag ORDER BY 1"
    folder.dag("a.py", "one", before="import uuid\nOWN = uuid.uuid4()\n")
    folder.dag("b.py", "two")
    loader.settle()
    (_, (said,)), other = rows(conn, query)
    assert other == ("two", [])
    assert said.startswith("line 2: OWN is an id generated at import")
    assert said.endswith("; create it inside the task")
    before = rows(conn, "SELECT xmin FROM dag WHERE dag_id = 'one'")
    loader.settle()
    assert rows(conn, "SELECT xmin FROM dag WHERE dag_id = 'one'") == before
    folder.dag("a.py", "one")
    loader.settle()
    assert rows(conn, query) == [("one", []), ("two", [])]


def test_tasks_that_nobody_calls_and_shared_defaults_are_told(folder: Folder) -> None:
    text = """
from headway import Asset, AssetsOrTimes, dag, task
a, b = Asset("a"), Asset("b")
@dag
def uncalled():
    @task
    def load(): ...

    @task
    def keep(rows=[], *, by={}): ...

    @task
    def base(): ...

    keep()
    base.override(retries=1)()

@dag
def empty(): ...

@dag(schedule=a | b)
def endless():
    @task(outlets=[a])
    def more(): ...

    more()

@dag(schedule=AssetsOrTimes(a, "@daily"))
def also():
    @task(outlets=[a])
    def more(): ...

    more()

@dag(schedule=[a, b])
def ends():
    @task(outlets=[a])
    def more(): ...

    more()
"""
    found = [told for told in told(folder, text) if told[0] is not None]
    assert found == [
        (6, "task load of DAG uncalled is never called, so no run has it"),
        (9, "the default of rows in keep() is a list, which calls in the same process share"),
        (9, "the default of by in keep() is a dict, which calls in the same process share"),
        (18, "DAG empty has no tasks"),
        (
            21,
            "DAG endless updates the assets that it waits for, so each run triggers the next one",
        ),
        (
            28,
            "DAG also updates the assets that it waits for, so each run triggers the next one",
        ),
    ]


def test_branches_and_lists_that_cannot_be_are_told(folder: Folder) -> None:
    text = """
from headway import dag, task

@dag
def wrong():
    @task.branch
    def choose(many: bool = False):
        def inner():
            return "nothing"
        if many:
            return ["a", "zebra"]
        return "b"

    @task
    def number() -> int: ...
    @task
    def some() -> "list[int]": ...
    @task
    def a(x): ...
    @task
    def b(): ...

    choose() >> a.expand(x=number())
    b() >> a.override(task_id="fine").expand(x=some())
wrong()
"""
    assert [told for told in told(folder, text) if told[0] is not None] == [
        (11, "choose branches to 'zebra', which is not a task or group downstream of it"),
        (12, "choose branches to 'b', which is not a task or group downstream of it"),
        (18, "a is mapped over x=number(), which returns int"),
    ]


def test_dags_that_no_file_of_the_folder_defines_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "from headway import dag, trigger_dag, wait_for_run\n\n@dag\ndef first():\n"
        "    wait_for_run('w', dag_id='secnd')\n    trigger_dag('t', dag_id='second')\n"
        "    trigger_dag('u', dag_id='@other/x')\n    trigger_dag('v', dag_id='{{ params.x }}')\n"
    )
    (tmp_path / "b.py").write_text(
        "from headway import dag, task\n\n@dag\ndef second():\n    @task\n    def t(): ...\n    t()\n"
    )
    (warned,) = [warning for each in check(tmp_path) for warning in each.warnings]
    said = "w of first waits for a run of the DAG 'secnd', which no file of this folder defines"
    assert (warned.line, warned.message, warned.hint) == (5, said, 'did you mean "second"?')
    (alone,) = check(tmp_path / "a.py")
    assert alone.warnings == (), "the other files are not known then"
