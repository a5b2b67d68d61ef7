"""Every way in which an attempt ends, with its cause, its words and its log."""

import json
import os
from pathlib import Path

import pytest

from headway import clock, ids
from headway.agent.logs import HEAD_BYTES_MAX, TAIL_BYTES_MAX
from headway.agent.protocol import Ack, Ask, AttemptKey, AxisItem, Cancel, Ended, Stored, XComRef
from tests.agent.gateway import TOKEN, WAIT_S, Gateway, grant_of

LINES = Path(__file__).with_name("flow.py").read_text().splitlines()


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(LINES, 1) if text in line)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def is_over(pid: int) -> bool:
    """Whether the process ends; it is waited for."""
    deadline = clock.monotonic() + WAIT_S
    while not (ended := gone(pid)) and clock.monotonic() < deadline:
        clock.sleep(0.01)
    return ended


@pytest.fixture
def run_id() -> str:
    return ids.run_id()


def test_parameters_arrive_as_they_were_stored(shared: Gateway, run_id: str) -> None:
    """Whatever JSON can say: integers of any size, the last digit of a float, every character."""
    given = {
        "n": 2**70,
        "least": -(2**64),
        "x": 0.1 + 0.2,
        "text": "\u2028 \U0001f600",
        "__proto__": None,
    }
    grant = grant_of("shows_params", run_id=run_id)
    shared.grant(grant, params=json.dumps(given).encode())
    ended = shared.ended(grant.key)
    assert ended.xcoms[0].value is not None
    assert json.loads(ended.xcoms[0].value) == repr(given)


def test_success(shared: Gateway, run_id: str) -> None:
    ended = shared.run("hello", run_id=run_id)
    assert (ended.outcome, ended.cause) == ("success", "")
    assert ended.xcoms[0].value == b'"hello"'
    assert ended.run_s > 0
    texts = [line.split(" ", 1)[1] for line in shared.log(ended.key).splitlines()]
    assert texts == ["to stdout", "WARNING mine: to the log", "from a program"]


@pytest.mark.parametrize(
    ("task", "outcome", "cause", "detail"),
    [
        ("raises", "failed", "exception", "ValueError: no flights on 2013-02-30"),
        ("segfault", "failed", "signal", "SIGSEGV"),
        ("exits", "failed", "exit_code", "code 3"),
        ("calls_exit", "failed", "exit_code", "sys.exit(4)"),
        ("giant", "failed", "result", "100 MB"),
        ("unstorable", "failed", "result", "object"),
        ("skips", "skipped", "skip", "nothing to do"),
        ("gives_up", "failed", "fail", "never again"),
    ],
)
def test_other_ends(
    shared: Gateway, run_id: str, task: str, outcome: str, cause: str, detail: str
) -> None:
    ended = shared.run(task, run_id=run_id)
    assert (ended.outcome, ended.cause) == (outcome, cause)
    assert detail in ended.detail
    assert ended.retry is (task not in ("gives_up", "giant"))


def test_an_exception_names_the_line_and_logs_only_the_users_frames(
    shared: Gateway, run_id: str
) -> None:
    ended = shared.run("raises", run_id=run_id)
    assert ended.line == line_of("no flights on")
    log = shared.log(ended.key)
    assert "Traceback" in log
    assert f'File "flow.py", line {ended.line}, in raises' in log
    assert "headway/agent" not in log
    assert "headway/authoring" not in log


def test_a_timeout(shared: Gateway, run_id: str) -> None:
    ended = shared.run("sleeps", run_id=run_id, timeout_s=0.2)
    assert (ended.outcome, ended.cause) == ("failed", "timeout")
    assert ended.run_s < WAIT_S
    assert "0.2 s" in shared.log(ended.key)


def test_memory_over_its_limit(shared: Gateway, run_id: str) -> None:
    ended = shared.run("eats", run_id=run_id, memory_limit_mb=100)
    assert (ended.outcome, ended.cause) == ("failed", "memory"), ended


def test_cancel(shared: Gateway, run_id: str) -> None:
    grant = grant_of("sleeps", run_id=run_id)
    shared.grant(grant)
    shared.started(grant.key)
    shared.send(Cancel([grant.key]))
    assert shared.ended(grant.key).outcome == "cancelled"


def test_cancel_before_the_start(shared: Gateway, run_id: str) -> None:
    running = [grant_of("sleeps", run_id=run_id, number=n) for n in range(1, 5)]
    waiting = grant_of("hello", run_id=run_id)
    shared.grant(*running)
    shared.grant(waiting)
    shared.send(Cancel([waiting.key]))
    ended = shared.ended(waiting.key)
    assert (ended.outcome, ended.cause) == ("cancelled", "never_started")
    shared.send(Cancel([one.key for one in running]))
    for one in running:
        shared.ended(one.key)


def test_cancel_before_the_grant(shared: Gateway, run_id: str) -> None:
    grant = grant_of("hello", run_id=run_id)
    shared.send(Cancel([grant.key]))
    shared.grant(grant)
    ended = shared.ended(grant.key)
    assert (ended.outcome, ended.cause) == ("cancelled", "never_started")


def test_cancel_of_what_is_over_is_answered(shared: Gateway, run_id: str) -> None:
    ended = shared.run("hello", run_id=run_id)
    shared.send(Ack(ended.seq))
    shared.send(Cancel([ended.key]))

    def answered() -> Ended | None:
        last = shared.last(Ended)
        return None if last == ended else last

    again = shared.wait(answered)
    assert (again.key, again.token, again.outcome) == (ended.key, "", "cancelled")


def test_a_hundred_megabytes_of_output(shared: Gateway, run_id: str) -> None:
    ended = shared.run("chatty", run_id=run_id)
    assert ended.outcome == "success"
    log = shared.log(ended.key)
    assert HEAD_BYTES_MAX < len(log) < HEAD_BYTES_MAX + 2 * TAIL_BYTES_MAX
    assert log.rstrip().endswith("the last line")
    assert "bytes were left out here" in log


def test_a_daemon_left_behind_is_killed(shared: Gateway, run_id: str) -> None:
    assert shared.run("leaves_daemon", run_id=run_id).outcome == "success"
    assert is_over(int((shared.data.parent / "daemon").read_text()))


def test_a_child_has_no_credentials_and_no_open_ends(shared: Gateway, run_id: str) -> None:
    ended = shared.run("looks_around", run_id=run_id)
    assert ended.xcoms[0].value is not None
    environment, initial, links, cwd, _ = json.loads(json.loads(ended.xcoms[0].value))
    everything = str([environment, initial])
    assert TOKEN not in everything
    assert "canary" not in everything
    kinds = {link.split(" ")[0]: link.split(" ")[1].split(":")[0] for link in links}
    assert kinds.pop("0") == "/dev/null"
    assert kinds.pop("1") == "pipe"
    assert kinds.pop("2") == "pipe"
    assert sorted(kinds.values()) == ["socket"]
    shared.run("hello", run_id=run_id)  # by then the server has looked
    assert os.listdir(cwd) == []
    assert shared.process is not None
    assert TOKEN.encode() not in Path(f"/proc/{shared.process.pid}/environ").read_bytes()


def test_random_numbers_differ(shared: Gateway, run_id: str) -> None:
    ends = [shared.run("looks_around", run_id=run_id, number=n) for n in (1, 2)]
    drawn = [json.loads(json.loads(end.xcoms[0].value or b""))[4] for end in ends]
    assert drawn[0] != drawn[1]


def test_secrets_are_masked(shared: Gateway, run_id: str) -> None:
    ended = shared.run("secretive", run_id=run_id)
    assert ended.detail == "ValueError: *** is wrong"
    log = shared.log(ended.key)
    assert "hunter2" not in log
    assert "my password is ***." in log
    assert "split ***" in log


def test_a_secret_is_no_parameter_of_a_run(shared: Gateway, run_id: str) -> None:
    ended = shared.run("starts_a_run", run_id=run_id)
    assert ended.detail.startswith("SecretRefused: the run is not started: its parameters")
    assert [said for said in shared.said if isinstance(said, Ask)] == []


def test_what_a_result_reveals_is_masked_in_who_receives_it(shared: Gateway, run_id: str) -> None:
    returned = shared.run("returns_a_secret", run_id=run_id).xcoms[0]
    assert (returned.value, returned.shown) == (b'"is hunter2-hunter2"', b'"is ***"')
    assert returned.secrets == ["hunter2-hunter2"]
    elsewhere = ids.run_id()
    shared.stored.append((elsewhere, Stored("returns_a_secret", -1, returned)))
    for run in (run_id, elsewhere):  # from the agent itself, and from the server
        ended = shared.run("passes_on", run_id=run, inputs=[XComRef("returns_a_secret")])
        assert ended.outcome == "success", ended
        (result,) = ended.xcoms
        assert (result.value, result.shown) == (b'"it is hunter2-hunter2"', b'"it is ***"')
        assert "it is ***" in shared.log(ended.key)


def test_a_broken_file(shared: Gateway, run_id: str) -> None:
    shared.bundle("import nothing_like_it\n", version="broken")
    grant = grant_of("hello", run_id=run_id)
    shared.grant(grant, version="broken")
    ended = shared.ended(grant.key)
    assert (ended.outcome, ended.cause) == ("failed", "import")
    assert "nothing_like_it" in ended.detail


def test_a_file_that_ends_its_process(shared: Gateway, run_id: str) -> None:
    shared.bundle("import os\nos._exit(7)\n", version="exits")
    grant = grant_of("hello", run_id=run_id)
    shared.grant(grant, version="exits")
    ended = shared.ended(grant.key)
    assert (ended.outcome, ended.cause) == ("failed", "import")
    assert "code 7" in ended.detail


def test_mapped_over_a_list_and_reduced(shared: Gateway, run_id: str) -> None:
    shared.run("numbers", run_id=run_id)
    fetched = len(shared.fetches)
    ref = XComRef("numbers")
    grants = [
        grant_of("double", run_id=run_id, map_index=n, axes=[AxisItem(n, ref)]) for n in range(40)
    ]
    shared.grant(*grants)
    for grant in grants:
        ended = shared.ended(grant.key)
        assert ended.outcome == "success", ended
        assert ended.xcoms[0].value == b"%d" % (2 * grant.key.map_index)
    assert len(shared.fetches) == fetched, "the list is at hand"
    ended = shared.run("total", run_id=run_id, inputs=[XComRef("double", map_index=None)])
    assert ended.xcoms[0].value == b"%d" % sum(2 * n for n in range(40))


def test_no_such_item(shared: Gateway, run_id: str) -> None:
    shared.run("hello", run_id=run_id)
    ended = shared.run("double", run_id=run_id, map_index=3, axes=[AxisItem(3, XComRef("hello"))])
    assert (ended.outcome, ended.cause) == ("failed", "input")


def test_a_large_result_goes_through_a_file(shared: Gateway, run_id: str) -> None:
    ended = shared.run("large", run_id=run_id)
    (xcom,) = ended.xcoms
    assert xcom.value is None
    assert xcom.length == 1000
    assert xcom.file is not None
    assert (shared.data / xcom.file).stat().st_size == xcom.size
    ended = shared.run("length", run_id=run_id, inputs=[XComRef("large")])
    assert ended.xcoms[0].value == b"1000"


def test_mapped_over_a_list_in_a_file(shared: Gateway, run_id: str) -> None:
    shared.run("large", run_id=run_id)
    axes = [AxisItem(999, XComRef("large"))]
    ended = shared.run("double", run_id=run_id, map_index=999, axes=axes)
    assert ended.xcoms[0].value == b'"%s"' % (b"x" * 200)


def test_a_duplicate_grant_is_ignored(shared: Gateway, run_id: str) -> None:
    grant = grant_of("hello", run_id=run_id)
    shared.grant(grant, grant)
    shared.ended(grant.key)
    shared.grant(grant)
    shared.run("hello", run_id=run_id, number=2)
    assert len(ends_of(shared, grant.key)) == 1


def ends_of(gateway: Gateway, key: AttemptKey) -> list[Ended]:
    return [one for one in gateway.said if isinstance(one, Ended) and one.key == key]
