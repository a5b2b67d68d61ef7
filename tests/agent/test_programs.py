"""Tasks are ordinary programs: what any Python program may do, and leave at its end, a task may."""

import json
import os
import random
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway import clock, ids
from headway.agent.protocol import AxisItem, Cancel, Ended
from tests.agent.conftest import LONG_S
from tests.agent.gateway import WAIT_S, Gateway, grant_of
from tests.agent.test_ends import is_over

PROGRAMS = Path(__file__).with_name("programs.py").read_text()


def line_of(text: str) -> int:
    lines = PROGRAMS.splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


AMOUNT = line_of('raise KeyError("amount")')


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("programs")
    gateway = Gateway(folder, LONG_S)
    gateway.bundle(PROGRAMS)
    try:
        gateway.start_agent(
            MARKS=str(folder),
            PGHOST="warehouse",
            PGPASSWORD="of the database",
            HEADWAY_SECRET="x",
            HEADWAY_PRIVATE="PGPASSWORD,PGUSER",
        )
        yield gateway
    finally:
        gateway.stop_agent()


@pytest.fixture
def marks(gateway: Gateway) -> Path:
    folder = gateway.data.parent
    for mark in folder.iterdir():
        if mark.is_file():
            os.truncate(mark, 0) if mark.name == "audit" else mark.unlink()
    return folder


def run(gateway: Gateway, task: str, **options: Any) -> Ended:
    return gateway.run(task, run_id=ids.run_id(), **options)


def wait_for(gateway: Gateway, mark: Path) -> None:
    deadline = clock.monotonic() + WAIT_S
    while not mark.exists():
        gateway.listen(0.01)
        assert clock.monotonic() < deadline


def value_of(ended: Ended) -> Any:
    assert ended.outcome == "success", ended
    return json.loads(ended.xcoms[0].value or b"null")


# -- the end


def test_open_files_are_written_before_the_end_is_told(gateway: Gateway, marks: Path) -> None:
    ended = run(gateway, "leaves_files")
    assert value_of(run(gateway, "reads_files")) == ["of the file\n", "of the task", "packed"]
    assert "of the C library" in gateway.log(ended.key)


def test_logs_are_written_before_the_end_is_told(gateway: Gateway, marks: Path) -> None:
    assert run(gateway, "logs_in_memory").outcome == "success"
    assert (marks / "log").read_text() == "kept back\n"


def test_exit_handlers_are_called_and_change_no_outcome(gateway: Gateway, marks: Path) -> None:
    ended = run(gateway, "registers")
    assert ended.outcome == "success"
    assert (marks / "handler").exists()
    assert (marks / "handlers").read_text() == "registers\n"
    assert "no such handler" in gateway.log(ended.key)
    assert value_of(run(gateway, "sees_what_is_shared")) is True


def test_threads_and_processes_are_waited_for(gateway: Gateway, marks: Path) -> None:
    assert run(gateway, "leaves_work").outcome == "success"
    assert (marks / "returned").read_text() == "False"
    assert {"thread", "executor", "process"} <= {mark.name for mark in marks.iterdir()}


def test_what_does_not_end_is_ended_and_said(gateway: Gateway, marks: Path) -> None:
    ended = run(gateway, "leaves_an_endless_thread")
    assert value_of(ended) == 1
    assert "SIGALRM before its threads" in gateway.log(ended.key)
    ended = run(gateway, "fails_with_an_endless_handler")
    assert (ended.outcome, ended.detail) == ("failed", "ValueError: too bad")
    assert "SIGALRM before its threads" in gateway.log(ended.key)


# -- processes


def test_sigterm_is_not_inherited(gateway: Gateway) -> None:
    ended = run(gateway, "terminates")
    assert value_of(ended) == -signal.SIGTERM


def test_pools_end(gateway: Gateway) -> None:
    keys = [grant_of("pools", run_id=ids.run_id()) for _ in range(3)]
    gateway.grant(*keys)
    for grant in keys:
        assert value_of(gateway.ended(grant.key)) == 5
        folder = gateway.data / "logs" / grant.key.run_id
        assert not list(folder.rglob("*.log"))


def test_spawned_processes_find_the_file(gateway: Gateway) -> None:
    assert value_of(run(gateway, "spawns")) == [1, 4, 9, 1, 4, 9, 16, "flow", True]


def test_orphans_are_reaped_but_not_what_the_task_waits_for(gateway: Gateway) -> None:
    assert value_of(run(gateway, "leaves_orphans")) == [1, 7]


def test_an_orphan_lives_as_long_as_its_attempt(gateway: Gateway, marks: Path) -> None:
    grant = grant_of("keeps_an_orphan", run_id=ids.run_id())
    gateway.grant(grant)
    wait_for(gateway, marks / "kept")
    for number in (1, 2, 3):  # each looks for strays at its end
        run(gateway, "nothing", number=number)
    (marks / "go").touch()
    assert value_of(gateway.ended(grant.key)) is True
    assert is_over(int((marks / "orphan").read_text()))


def test_a_fork_that_returns_reports_nothing(gateway: Gateway, marks: Path) -> None:
    assert value_of(run(gateway, "forks_and_returns")) == "task 0 of the fork"


def test_memory_of_an_orphan_counts(gateway: Gateway) -> None:
    ended = run(gateway, "leaves_an_eater", memory_limit_mb=150)
    assert (ended.outcome, ended.cause) == ("failed", "memory")


def test_an_orphan_does_not_outlive_its_agent(tmp_path: Path) -> None:
    own = Gateway(tmp_path, LONG_S)
    own.bundle(PROGRAMS)
    try:
        own.start_agent(MARKS=str(tmp_path))
        own.grant(grant_of("keeps_an_orphan"))
        wait_for(own, tmp_path / "kept")
    finally:
        own.stop_agent()
    assert is_over(int((tmp_path / "orphan").read_text()))


# -- what it has


def test_generators_without_a_seed_differ(gateway: Gateway) -> None:
    first, second = (value_of(run(gateway, "draws")) for _ in range(2))
    assert first[0] != second[0]
    assert first[1] != second[1]
    assert first[2] == second[2] == random.Random(42).random()


def test_only_headways_own_variables_are_kept_from_it(gateway: Gateway) -> None:
    assert value_of(run(gateway, "reads_environment")) == ["warehouse", None, None]


# -- a reused process


def test_files_are_written_after_each_attempt_handlers_called_at_the_end(
    gateway: Gateway, marks: Path
) -> None:
    run_id = ids.run_id()
    grants = [grant_of("appends", run_id=run_id, number=number) for number in (1, 2)]
    ends = []
    for grant in grants:
        gateway.grant(grant, reuse=2)
        ends.append(value_of(gateway.ended(grant.key)).split(" ", 1))
    assert ends[0][0] == ends[1][0]
    assert [rest for _, rest in ends] == ["False", "1\nFalse"]
    assert (marks / "at the end").exists()


# -- words


@pytest.mark.parametrize(
    ("task", "outcome", "cause", "detail"),
    [
        ("skips_by_surrogate", "skipped", "skip", "caf\\udce9.csv is no table"),
        ("fails_by_surrogate", "failed", "fail", "caf\\udce9.csv is broken"),
        ("raises_surrogate", "failed", "exception", "ValueError: caf\\udce9.csv"),
        (
            "raises_speechless",
            "failed",
            "exception",
            "Speechless (its message cannot be shown: KeyError)",
        ),
        (
            "exits_speechless",
            "failed",
            "exit_code",
            "the task called sys.exit((its message cannot be shown: KeyError))",
        ),
        (
            "raises_unseen",
            "failed",
            "exception",
            "Unseen",
        ),
        (
            "raises_with_a_note",
            "failed",
            "exception",
            "ValueError: what it is\nnote: what was done then",
        ),
        (
            "raises_with_causes",
            "failed",
            "exception",
            f"Broken: cannot render\n"
            f"caused by KeyError: 'amount' in raises_with_causes, flow.py:{AMOUNT}\n"
            f"while handling ValueError: could not convert string to float: '12,5' in parse, "
            f"flow.py:{line_of('return float')}",
        ),
        ("raises_its_own_cause", "failed", "exception", "Broken: first\ncaused by Broken: second"),
        (
            "raises_a_group",
            "failed",
            "exception",
            "ExceptionGroup: two uploads failed (2 sub-exceptions)\n1 of 3: ValueError: a\n"
            "2 of 3: ValueError: b\n3 of 3: Speechless (its message cannot be shown: KeyError)",
        ),
        (
            "counts",
            "failed",
            "exception",
            "CommandFailed: the command ended with exit code 3: no numbers",
        ),
    ],
)
def test_a_message_is_told_whatever_is_in_it(
    gateway: Gateway, task: str, outcome: str, cause: str, detail: str
) -> None:
    ended = run(gateway, task)
    assert (ended.outcome, ended.cause, ended.detail) == (outcome, cause, detail)
    assert ended.retry is (cause != "fail")
    if task in ("raises_surrogate", "raises_speechless", "raises_unseen"):
        lines = PROGRAMS.splitlines()
        assert lines[(ended.line or 0) - 1].strip().startswith("raise ")


def test_who_closes_our_descriptors_is_told(gateway: Gateway) -> None:
    ended = run(gateway, "closes_what_is_not_its_own")
    assert (ended.outcome, ended.cause, ended.exit_code) == ("failed", "exit_code", 1)
    log = gateway.log(ended.key)
    assert "closed a file descriptor that it did not open" in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("task", "exit_code", "shown"),
    [
        ("exits_by_a_flag", 1, "True"),
        ("exits_by_a_large_number", 3, str(2**70 + 3)),
        ("exits_by_a_number_without_text", 4, "(its message cannot be shown: ValueError)"),
        ("exits_by_nothing", 1, "0.0"),
    ],
)
def test_an_exit_code_is_that_of_a_program(
    gateway: Gateway, task: str, exit_code: int, shown: str
) -> None:
    ended = run(gateway, task)
    assert (ended.outcome, ended.cause, ended.exit_code) == ("failed", "exit_code", exit_code)
    assert ended.detail == f"the task called sys.exit({shown})"


def test_a_message_of_megabytes_is_cut(gateway: Gateway) -> None:
    ended = run(gateway, "raises_at_length")
    assert len(ended.detail) == 1000
    assert ended.detail.endswith("x…")


def test_no_stack_of_ours_is_shown(gateway: Gateway) -> None:
    log = gateway.log(run(gateway, "counts").key)
    texts = [line.split(" ", 1)[1] for line in log.splitlines()]
    assert sorted(texts) == [
        "3",
        "CommandFailed: the command ended with exit code 3: no numbers",
        "no numbers",
    ]
    log = gateway.log(run(gateway, "unrendered").key)
    assert "Traceback" not in log
    assert "nothing_like_it" in log


def test_the_advice_for_a_result_that_cannot_be_stored(gateway: Gateway) -> None:
    ended = run(gateway, "unstorable")
    assert 'the result["rows"][0]' in ended.detail.replace("'", '"')
    assert "return plain data" in ended.detail


def test_what_a_task_got_is_shown_escaped(gateway: Gateway) -> None:
    ended = run(gateway, "takes")
    assert ended.outcome == "success", ended


# -- files of results


def test_results_and_logs_are_the_owners(gateway: Gateway) -> None:
    for task in ("large", "very_closed"):
        (xcom,) = run(gateway, task).xcoms
        assert xcom.file is not None
        path = gateway.data / xcom.file
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for folder in ("xcom", "logs"):
        assert stat.S_IMODE((gateway.data / folder).stat().st_mode) == 0o700


# -- threads at the top of the file

THREADS = """
import fcntl, os, threading, time
from concurrent.futures import ThreadPoolExecutor
from headway import dag, task

POOL = ThreadPoolExecutor(4)
SIZES = list(POOL.map(len, ["a", "bb", "ccc"]))
LOCK = threading.Lock()
PORT = open(os.environ["MARKS"] + "/port", "w")
fcntl.flock(PORT, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as a port that an exporter listens on

def exporter():
    while True:
        with LOCK:
            time.sleep(0.002)

threading.Thread(target=exporter, daemon=True).start()

@dag
def flow():
    @task
    def pool_again() -> int:
        return POOL.submit(len, "dddd").result()

    @task
    def takes_the_lock(i: int) -> int:
        with LOCK:
            return i

    @task
    def sleeps() -> None:
        print("asleep")
        time.sleep(600)

    pool_again()
    takes_the_lock.expand(i=[1, 2, 3])
    sleeps()
"""


def test_a_file_with_threads_runs_unforked(gateway: Gateway, marks: Path) -> None:
    gateway.bundle(THREADS, version="threads")

    def end_of(task: str, **options: Any) -> Ended:
        grant = grant_of(task, run_id=ids.run_id(), **options)
        gateway.grant(grant, version="threads")
        return gateway.ended(grant.key)

    assert value_of(end_of("pool_again")) == 4
    for n in range(3):
        assert value_of(end_of("takes_the_lock", map_index=n, axes=[AxisItem(n)])) == n + 1
    assert end_of("sleeps", timeout_s=0.5).cause == "timeout"
    grant = grant_of("sleeps", run_id=ids.run_id())
    gateway.grant(grant, version="threads")
    gateway.started(grant.key)
    gateway.send(Cancel([grant.key]))
    assert gateway.ended(grant.key).outcome == "cancelled"
