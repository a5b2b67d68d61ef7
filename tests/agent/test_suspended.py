"""Processes that somebody suspends (SIGSTOP) or kills: nothing waits for ever, and only what must be is lost."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from headway import clock
from headway.agent.processes import children_of, state_of
from headway.agent.protocol import Cancel, Ended
from tests.agent.gateway import WAIT_S, Gateway, grant_of
from tests.agent.test_ends import is_over

pytestmark = pytest.mark.long

GATED = """
import time
from pathlib import Path
from headway import dag, task

while not Path("{gate}").exists():
    time.sleep(0.01)

@dag
def flow() -> None:
    @task
    def hello() -> str:
        return "hello"
    hello()
"""

CULPRITS = """
import atexit, os, signal, time
from headway import dag, task

@task
def suspends_its_server() -> None:
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(600)

@task
def suspends_its_server_and_ends() -> int:
    os.kill(os.getppid(), signal.SIGSTOP)
    return 1

@task
def suspends_itself() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)

@task
def suspends_itself_at_its_end() -> int:
    atexit.register(os.kill, os.getpid(), signal.SIGSTOP)
    return 3

@task
def hello() -> int:
    return 2

@dag
def flow() -> None:
    suspends_its_server()
    suspends_its_server_and_ends()
    suspends_itself()
    suspends_itself_at_its_end()
    hello()
"""


def wait_for(true: Callable[[], object], gateway: Gateway) -> None:
    """An agent whose heartbeats are not answered would end what it runs."""
    deadline = clock.monotonic() + WAIT_S
    while not true():
        assert clock.monotonic() < deadline
        gateway.listen(0.01)


def base_of(gateway: Gateway) -> int:
    assert gateway.process is not None
    (base,) = children_of(gateway.process.pid)
    return base


@pytest.mark.parametrize("victim", ["file server", "base server"])
def test_killed_while_it_imports_what_waits_loses_one_attempt_each(
    own: Gateway, tmp_path: Path, victim: str
) -> None:
    gate = tmp_path / "gate"
    own.bundle(GATED.format(gate=gate), version="gated")
    grants = [grant_of("hello", map_index=n) for n in range(16)]
    own.grant(*grants, version="gated")
    base = base_of(own)
    wait_for(lambda: children_of(base), own)
    (server,) = children_of(base)
    os.kill(server if victim == "file server" else base, signal.SIGKILL)
    ends = [own.ended(grant.key) for grant in grants]
    assert {(one.outcome, one.cause) for one in ends} == {("lost", "never_started")}
    what = "process that imports flow.py" if victim == "file server" else "fork server"
    assert ends[0].detail.startswith(f"the {what} was ended by SIGKILL")
    assert is_over(server)
    gate.touch()
    again = [grant_of("hello", map_index=n, number=2) for n in range(16)]
    own.grant(*again, version="gated")
    assert {own.ended(grant.key).outcome for grant in again} == {"success"}
    of_one = [one for one in own.said if isinstance(one, Ended) and one.key.map_index == 3]
    assert len(of_one) == 2


def test_tasks_suspend_their_server_and_themselves(own: Gateway) -> None:
    own.bundle(CULPRITS, version="culprits")
    culprit, gone = grant_of("suspends_its_server", timeout_s=1.0), grant_of("suspends_itself")
    ending = [grant_of("suspends_its_server_and_ends"), grant_of("suspends_itself_at_its_end")]
    own.grant(culprit, gone, *ending, version="culprits")
    own.started(gone.key)
    own.send(Cancel([gone.key]))
    assert [own.ended(grant.key).outcome for grant in ending] == ["success"] * 2
    ended = own.ended(culprit.key)
    assert (ended.outcome, ended.cause) == ("failed", "timeout")
    assert own.ended(gone.key).outcome == "cancelled"
    other = grant_of("hello", run_id="other")
    own.grant(other, version="culprits")
    assert own.ended(other.key).outcome == "success"


def test_a_suspended_base_server_is_resumed_and_nothing_is_lost(own: Gateway) -> None:
    own.run("hello")
    base = base_of(own)
    os.kill(base, signal.SIGSTOP)
    own.bundle((own.data / "bundles/v1/flow.py").read_text(), version="v2")
    grant = grant_of("hello", run_id="r2")
    own.grant(grant, version="v2")
    assert own.ended(grant.key).outcome == "success"
    assert base_of(own) == base


def test_a_server_that_is_suspended_again_and_again_is_replaced(own: Gateway) -> None:
    far = grant_of("writes_far")
    own.grant(far)
    pid = int(own.until_written(own.data.parent / "far"))
    (server,) = children_of(base_of(own))

    def suspended() -> bool:
        if state_of(server) not in ("", "T", "Z"):
            os.kill(server, signal.SIGSTOP)
        return any(isinstance(one, Ended) for one in own.said)

    wait_for(suspended, own)
    ended = own.ended(far.key)
    assert (ended.outcome, ended.detail) == ("lost", "the fork server was ended by SIGKILL")
    assert is_over(pid)
    assert own.run("hello").outcome == "success"


def test_a_suspended_spare_takes_no_attempt_into_its_sleep(own: Gateway) -> None:
    own.run("hello")
    (server,) = children_of(base_of(own))
    wait_for(lambda: len(children_of(server)) >= 2, own)
    for spare in children_of(server):
        os.kill(spare, signal.SIGSTOP)
    assert own.run("hello", run_id="r2").outcome == "success"


def test_what_is_suspended_does_not_outlive_a_killed_agent(own: Gateway) -> None:
    own.grant(grant_of("writes_far"))
    pid = int(own.until_written(own.data.parent / "far"))
    base = base_of(own)
    (server,) = children_of(base)
    for suspended in (pid, server, base):
        os.kill(suspended, signal.SIGSTOP)
    own.signal_agent(signal.SIGKILL)
    for suspended in (pid, server, base):
        assert is_over(suspended)


def test_an_agent_ends_in_time_though_its_servers_are_suspended(own: Gateway) -> None:
    own.run("hello")
    base = base_of(own)
    (server,) = children_of(base)
    for suspended in (server, base):
        os.kill(suspended, signal.SIGSTOP)
    own.signal_agent(signal.SIGTERM)
    assert own.process is not None
    assert own.process.wait(WAIT_S) == 0
    assert is_over(server)
    assert is_over(base)
