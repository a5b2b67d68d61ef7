"""An attempt that ends its process and goes on in another one: same number, same log."""

import json

import pytest

from headway import ids
from headway.agent.protocol import Deferral, Resumed
from tests.agent.gateway import Gateway, grant_of


@pytest.fixture
def run_id() -> str:
    return ids.run_id()


def test_from_the_top_with_what_was_found(shared: Gateway, run_id: str) -> None:
    ended = shared.run("waits", run_id=run_id)
    assert (ended.outcome, ended.cause, ended.xcoms) == ("deferred", "", [])
    assert ended.deferral == Deferral("time", delay_s=60.0, timeout_s=60.0)
    resumed = Resumed(None, None, b'"the file"', False, 61.0)
    ended = shared.run("waits", run_id=run_id, deferrals=1, resumed=resumed)
    assert ended.outcome == "success"
    assert ended.xcoms[0].value == b'"the file after 61 s, try 1"'
    words = [line.split(" ", 1)[1] for line in shared.log(ended.key).splitlines()]
    assert words == ["looks", "looks again"]


def test_with_a_function_and_its_arguments(shared: Gateway, run_id: str) -> None:
    ended = shared.run("starts_a_job", run_id=run_id)
    assert ended.deferral is not None
    assert (ended.deferral.method, ended.deferral.kwargs) == ("finish_job", b'{"job":[7]}')
    resumed = Resumed("finish_job", ended.deferral.kwargs, b'{"x": 1}', False, 61.0)
    ended = shared.run("starts_a_job", run_id=run_id, deferrals=1, resumed=resumed)
    assert ended.xcoms[0].value is not None
    assert json.loads(ended.xcoms[0].value) == [{"x": 1}, [7]]


def test_each_process_of_an_attempt_is_started_once(shared: Gateway, run_id: str) -> None:
    grant = grant_of("waits", run_id=run_id)
    shared.grant(grant)
    assert shared.ended(grant.key).outcome == "deferred"
    shared.grant(grant)  # again, as after a scheduler's restart
    resumed = Resumed(None, None, None, False, 1.0)
    ended = shared.run("waits", run_id=run_id, deferrals=1, resumed=resumed)
    assert ended.outcome == "success"
    assert shared.log(grant.key).count("looks\n") == 1
