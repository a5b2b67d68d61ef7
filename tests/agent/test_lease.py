"""The connection, the lease and the fence."""

import os
import signal
from pathlib import Path

import pytest

from headway.agent.processes import children_of
from headway.agent.protocol import Ended, Hello, Refused
from tests.agent.conftest import FLOW
from tests.agent.gateway import WAIT_S, Gateway, grant_of
from tests.agent.test_ends import is_over

pytestmark = pytest.mark.long


def test_reports_are_sent_again_on_a_new_connection(own: Gateway) -> None:
    first = own.last(Hello)
    own.acks = False
    ended = own.run("hello")
    own.hang_up()
    own.said.clear()
    own.acks = True
    hello = own.accept()
    assert first is not None
    assert hello.session == first.session
    assert hello.held == [ended.key]
    again = own.ended(ended.key)
    assert (again.seq, again.token) == (ended.seq, ended.token)


def test_without_acknowledgement_everything_is_killed_and_a_new_session_begins(
    fenced: Gateway,
) -> None:
    first = fenced.last(Hello)
    grant = grant_of("writes_far")
    fenced.grant(grant)
    pid = int(fenced.until_written(fenced.data.parent / "far"))
    fenced.beats = False
    while fenced.listen(WAIT_S):
        pass
    fenced.hang_up()
    fenced.beats = True
    fenced.said.clear()
    hello = fenced.accept()
    assert first is not None
    assert hello.session != first.session
    assert hello.held == []
    assert is_over(pid)
    assert fenced.run("hello").outcome == "success"
    assert not any(isinstance(one, Ended) and one.key == grant.key for one in fenced.said)


def test_refused_comes_back_as_a_new_session(own: Gateway) -> None:
    first = own.last(Hello)
    own.said.clear()
    own.send(Refused("the session is dead"))
    own.hang_up()
    hello = own.accept()
    assert first is not None
    assert hello.session != first.session


def test_refused_for_good_ends(own: Gateway) -> None:
    own.run("hello")
    own.send(Refused("the token is wrong", again=False))
    assert own.process is not None
    assert own.process.wait(WAIT_S) == 1


def test_over_tcp(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path, kind="tcp")
    gateway.bundle(FLOW)
    try:
        gateway.start_agent(processes=1)
        grants = [grant_of("hello", map_index=n, priority=float(-n % 5)) for n in range(5)]
        gateway.grant(*grants)
        for grant in grants:
            gateway.ended(grant.key)
        ends = [one for one in gateway.said if isinstance(one, Ended)]
        assert [one.key.map_index for one in ends] == [0, 4, 3, 2, 1], "the most urgent first"
    finally:
        gateway.stop_agent()


def test_a_frozen_agent_leaves_nothing_running(fenced: Gateway) -> None:
    fenced.grant(grant_of("writes_far"))
    pid = int(fenced.until_written(fenced.data.parent / "far"))
    fenced.signal_agent(signal.SIGSTOP)
    assert is_over(pid)
    fenced.signal_agent(signal.SIGCONT)


def test_a_killed_agent_leaves_nothing_running(own: Gateway) -> None:
    own.grant(grant_of("writes_far"))
    pid = int(own.until_written(own.data.parent / "far"))
    own.signal_agent(signal.SIGKILL)
    assert is_over(pid)


def test_a_killed_fork_server_loses_its_attempts_and_is_replaced(own: Gateway) -> None:
    grant = grant_of("writes_far")
    own.grant(grant)
    pid = int(own.until_written(own.data.parent / "far"))
    assert own.process is not None
    (base,) = children_of(own.process.pid)
    (server,) = children_of(base)
    os.kill(server, signal.SIGKILL)
    assert own.ended(grant.key).outcome == "lost"
    assert is_over(pid)
    assert own.run("hello").outcome == "success"


def test_a_killed_base_server_is_replaced(own: Gateway) -> None:
    grant = grant_of("writes_far")
    own.grant(grant)
    pid = int(own.until_written(own.data.parent / "far"))
    assert own.process is not None
    (base,) = children_of(own.process.pid)
    os.kill(base, signal.SIGKILL)
    assert own.ended(grant.key).outcome == "lost"
    assert is_over(pid)
    assert own.run("hello").outcome == "success"


def test_stopped_agent_reports_what_it_ran(own: Gateway) -> None:
    grant = grant_of("sleeps")
    own.grant(grant)
    own.started(grant.key)
    own.signal_agent(signal.SIGTERM)
    ended = own.ended(grant.key)
    assert (ended.outcome, ended.cause) == ("lost", "stopped")
    assert own.process is not None
    assert own.process.wait(WAIT_S) == 0


def test_sigterm_ignored(own: Gateway) -> None:
    ended = own.run("deaf", timeout_s=0.3)
    assert (ended.outcome, ended.cause) == ("failed", "timeout")
    assert 5 <= ended.run_s < WAIT_S
