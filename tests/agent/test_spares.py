"""Children forked ahead, and children used again."""

import json
import os
import signal
from pathlib import Path

import pytest

from headway import clock, ids
from headway.agent.children import SPARES
from headway.agent.processes import children_of
from headway.agent.protocol import AxisItem, Cancel, Refused, XComRef
from tests.agent.gateway import WAIT_S, Gateway, grant_of
from tests.agent.test_ends import is_over


@pytest.fixture
def run_id() -> str:
    return ids.run_id()


def server_of(gateway: Gateway) -> int:
    assert gateway.process is not None
    (base,) = children_of(gateway.process.pid)
    (server,) = children_of(base)
    return server


def spares_of(gateway: Gateway) -> list[int]:
    """As soon as they wait for an order: their output is nobody's and they sleep."""
    deadline = clock.monotonic() + WAIT_S
    while len(pids := children_of(server_of(gateway))) != SPARES or not all(map(waits, pids)):
        assert clock.monotonic() < deadline, pids
        gateway.listen(0.01)  # an agent whose heartbeats are not answered ends them
    return pids


def waits(pid: int) -> bool:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return fields[0] == "S" and Path(f"/proc/{pid}/cwd").resolve().parent.parent.name == "local"
    except OSError:
        return False


def pid_of(gateway: Gateway, task_id: str, run_id: str, number: int) -> int:
    ended = gateway.run(task_id, run_id=run_id, number=number)
    assert ended.outcome == "success", ended
    return gateway.started(ended.key).pid


def test_each_attempt_has_a_process_of_its_own_that_was_there_before(own: Gateway) -> None:
    own.run("hello")
    waiting = spares_of(own)
    pids = [pid_of(own, "hello", "r1", number) for number in (2, 3, 4, 5)]
    assert len(set(pids)) == 4
    assert pids[0] in waiting
    assert os.getpgid(spares_of(own)[0]) != os.getpgid(server_of(own))


def test_the_environment_is_the_orders(own: Gateway) -> None:
    own.run("hello")
    spares_of(own)
    ended = own.run("looks_around", run_id="r7", number=3)
    environment, _, _, _, _ = json.loads(json.loads(ended.xcoms[0].value or b""))
    assert environment["HEADWAY_RUN_ID"] == "r7"
    assert environment["HEADWAY_TASK_ID"] == "looks_around"
    assert environment["HEADWAY_TRY_NUMBER"] == "3"


def test_a_spare_that_died_is_not_used(own: Gateway) -> None:
    own.run("hello")
    for pid in spares_of(own):
        os.kill(pid, signal.SIGKILL)
        assert is_over(pid)
    for number in (2, 3, 4):
        assert own.run("hello", number=number).outcome == "success"


def test_a_spare_that_dies_with_its_order_unread_loses_the_attempt(own: Gateway) -> None:
    own.run("hello")
    spares = spares_of(own)
    for pid in spares:
        os.kill(pid, signal.SIGSTOP)
    grant = grant_of("hello", number=2)
    own.grant(grant)
    own.started(grant.key)
    for pid in spares:
        os.kill(pid, signal.SIGKILL)
        assert is_over(pid)
    ended = own.ended(grant.key)
    assert (ended.outcome, ended.cause) == ("lost", "never_started")
    assert "SIGKILL" in ended.detail
    assert own.run("hello", number=3).outcome == "success"


def test_spares_do_not_outlive_a_fence(own: Gateway) -> None:
    own.run("hello")
    spares = spares_of(own)
    own.send(Refused("the session is dead"))
    own.hang_up()
    own.accept()
    for pid in spares:
        assert is_over(pid)


def test_spares_do_not_outlive_a_frozen_agent(fenced: Gateway) -> None:
    fenced.run("hello")
    spares = spares_of(fenced)
    fenced.signal_agent(signal.SIGSTOP)
    for pid in spares:
        assert is_over(pid)
    fenced.signal_agent(signal.SIGCONT)


def test_a_stopped_agent_ends_its_spares(own: Gateway) -> None:
    own.run("hello")
    spares = spares_of(own)
    own.signal_agent(signal.SIGTERM)
    assert own.process is not None
    assert own.process.wait(WAIT_S) == 0
    for pid in spares:
        assert is_over(pid)


def test_a_cancelled_attempt_on_a_spare(own: Gateway) -> None:
    own.run("hello")
    spares_of(own)
    grant = grant_of("sleeps")
    own.grant(grant)
    own.started(grant.key)
    own.send(Cancel([grant.key]))
    assert own.ended(grant.key).outcome == "cancelled"


# -- reused children


def test_a_child_runs_as_many_attempts_as_its_dag_allows(own: Gateway) -> None:
    first = grant_of("hello", run_id="r1")
    own.grant(first, reuse=3)
    own.ended(first.key)
    pids = [own.started(first.key).pid]
    pids += [pid_of(own, "hello", "r1", number) for number in range(2, 8)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]
    for number in range(1, 8):
        key = grant_of("hello", run_id="r1", number=number).key
        assert own.log(key).count("\n") == 3


def test_nothing_of_an_attempt_reaches_the_next_one(shared: Gateway, run_id: str) -> None:
    dirty = grant_of("makes_a_mess", run_id=run_id)
    shared.grant(dirty, reuse=10)
    ended = shared.ended(dirty.key)
    assert ended.outcome == "success", ended
    stray = int(ended.xcoms[0].value or b"0")
    assert is_over(stray)
    clean = shared.run("sees_no_mess", run_id=run_id)
    assert shared.started(clean.key).pid == shared.started(dirty.key).pid
    assert clean.xcoms[0].value == b'"[]"', clean
    assert "late" not in shared.log(clean.key)


@pytest.mark.parametrize("task", ["raises", "leaves_a_thread", "closes_its_output"])
def test_an_attempt_that_may_go_on_ends_its_child(shared: Gateway, run_id: str, task: str) -> None:
    first = grant_of(task, run_id=run_id)
    shared.grant(first, reuse=10)
    shared.ended(first.key)
    assert pid_of(shared, "hello", run_id, 1) != shared.started(first.key).pid


def test_what_cannot_be_brought_back_ends_the_child_and_not_the_attempt(
    shared: Gateway, run_id: str
) -> None:
    first = grant_of("replaces_its_folder", run_id=run_id)
    shared.grant(first, reuse=10)
    ended = shared.ended(first.key)
    assert (ended.outcome, ended.detail) == ("success", "")
    assert pid_of(shared, "hello", run_id, 1) != shared.started(first.key).pid


def test_a_timed_out_attempt_ends_its_child(shared: Gateway, run_id: str) -> None:
    first = grant_of("sleeps", run_id=run_id, timeout_s=0.2)
    shared.grant(first, reuse=10)
    assert shared.ended(first.key).cause == "timeout"
    assert pid_of(shared, "hello", run_id, 1) != shared.started(first.key).pid


def test_a_fan_in_reused_children(shared: Gateway, run_id: str) -> None:
    numbers = grant_of("numbers", run_id=run_id)
    shared.grant(numbers, reuse=100)
    shared.ended(numbers.key)
    ref = XComRef("numbers")
    grants = [
        grant_of("double", run_id=run_id, map_index=n, axes=[AxisItem(n, ref)]) for n in range(300)
    ]
    shared.grant(*grants)
    for grant in grants:
        assert shared.ended(grant.key).xcoms[0].value == b"%d" % (2 * grant.key.map_index)
    assert len({shared.started(grant.key).pid for grant in grants}) <= 10


SLOW_SERVER = """
import os, time

from headway import dag, task

os.register_at_fork(after_in_parent=lambda: time.sleep(0.3))


@dag
def flow():
    @task
    def quick():
        return 1

    quick()


flow()
"""


def test_an_end_comes_after_its_start_even_if_the_server_tells_of_the_start_late(
    own: Gateway,
) -> None:
    own.bundle(SLOW_SERVER, "v2")
    grants = [grant_of("quick", number=number) for number in (1, 2, 3)]
    own.grant(*grants, version="v2", reuse=10)
    for grant in grants:
        assert own.ended(grant.key).outcome == "success"
        assert own.said.index(own.started(grant.key)) < own.said.index(own.ended(grant.key))
        assert own.started(grant.key).pid > 0
