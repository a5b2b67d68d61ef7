"""Questions of triggers and watchers in an agent: in whose name they are, how many, what is masked, and what a kill
leaves of them.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headway import ids
from headway.agent.protocol import Answer, Ask, AttemptKey, ByWait, ByWatcher, Heartbeat, Unwatch
from headway.agent.standing import CURSOR_FLAW
from headway.agent.trigger_asking import ELSEWHERE, NOBODY
from headway.agent.trigger_asks import OUT_MAX
from headway.agent.watchers import Taken
from tests.agent.conftest import LONG_S
from tests.agent.gateway import Gateway, grant_of

SOURCE = Path(__file__).with_name("asking.py").read_text()
PASSWORD = "hunter2-hunter2"
WAREHOUSE = json.dumps({"conn_type": "postgres", "login": "ann", "password": PASSWORD})


def answered(ask: Ask) -> Answer:
    value, secrets = (WAREHOUSE, [PASSWORD]) if ask.kind == "connection" else (f"<{ask.name}>", [])
    return Answer(ask.request, value, secrets)


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    yield from running(tmp_path_factory.mktemp("asking"))


@pytest.fixture
def own_agent(tmp_path: Path) -> Iterator[Gateway]:
    yield from running(tmp_path)


def running(folder: Path) -> Iterator[Gateway]:
    gateway = Gateway(folder, LONG_S)
    gateway.bundle(SOURCE)
    gateway.secrets = answered
    try:
        gateway.start_agent()
        yield gateway
    finally:
        gateway.stop_agent()


@pytest.fixture
def run_id(agent: Gateway) -> str:
    agent.said.clear()
    agent.secrets = answered
    return ids.run_id()


def result(gateway: Gateway, key: AttemptKey) -> object:
    found = gateway.found(key)
    assert found.error == ""
    assert found.found is not None
    return json.loads(found.found)


def questions(gateway: Gateway) -> list[Ask]:
    return [one for one in gateway.said if isinstance(one, Ask)]


def open_ones(gateway: Gateway) -> list[Ask]:
    """Let a gateway answer nothing, and return the list of what it is asked."""
    found: list[Ask] = []

    def keep(ask: Ask) -> None:
        found.append(ask)

    gateway.secrets = keep
    return found


def until(gateway: Gateway, there: Callable[[], object]) -> None:
    gateway.wait(lambda: True if there() else None)


def test_a_trigger_asks_in_the_name_of_its_wait(agent: Gateway, run_id: str) -> None:
    key = agent.watch("in_the_loop", run_id=run_id, kwargs={"conn_id": "warehouse"})
    assert result(agent, key) == {"login": "ann", "dsn": f"postgres://{PASSWORD}@db"}
    (ask,) = questions(agent)
    assert (ask.by, ask.kind, ask.name) == (ByWait(key), "connection", "warehouse")
    found = agent.found(key)
    assert (found.secrets, PASSWORD in str(found.shown)) == ([PASSWORD], False)
    assert "the password is ***\n" in agent.log(key)
    other = agent.watch("awaits", run_id=run_id, map_index=1, kwargs={"conn_id": "warehouse"})
    assert result(agent, other) == "ann"
    assert questions(agent)[-1].by == ByWait(other)


def test_threads_ask_for_their_trigger_and_those_started_by_hand_are_told(
    agent: Gateway, run_id: str
) -> None:
    key = agent.watch("in_a_thread", run_id=run_id, kwargs={"key": "size"})
    assert result(agent, key) == ["<size>"] * 3
    assert {ask.by for ask in questions(agent)} == {ByWait(key)}
    stray = agent.watch("in_a_thread_by_hand", run_id=run_id, map_index=1, kwargs={"key": "size"})
    assert result(agent, stray) == NOBODY
    fork = agent.watch("in_a_fork", run_id=run_id, map_index=2, kwargs={"key": "size"})
    assert result(agent, fork) == ELSEWHERE


def test_a_refusal_and_a_lack_fail_the_wait_with_their_words(agent: Gateway, run_id: str) -> None:
    agent.secrets = lambda ask: Answer(ask.request, refused="the backend is down")
    key = agent.watch("awaits", run_id=run_id, kwargs={"conn_id": "warehouse"})
    assert agent.found(key).error == "SecretRefused: the backend is down"
    agent.secrets = lambda ask: Answer(ask.request)
    lacks = agent.watch("awaits", run_id=run_id, map_index=1, kwargs={"conn_id": "nope"})
    assert "SecretNotFound: there is no connection 'nope' for this DAG" in agent.found(lacks).error
    default = agent.watch("optional", run_id=run_id, map_index=2, kwargs={"key": "nope"})
    assert result(agent, default) == "none"


def test_each_look_asks_anew(agent: Gateway, run_id: str) -> None:
    values = iter(["not yet", "there"])
    agent.secrets = lambda ask: Answer(ask.request, next(values))
    key = agent.watch("looks", run_id=run_id, every_s=0.01, kwargs={"key": "flag"})
    assert result(agent, key) == "there"


def test_a_slow_answer_holds_up_nobody_who_awaits(
    agent: Gateway, run_id: str, tmp_path: Path
) -> None:
    asked = open_ones(agent)
    slow = agent.watch("awaits", run_id=run_id, kwargs={"conn_id": "warehouse"})
    agent.asked("warehouse")
    other = agent.watch("announces", run_id=run_id, map_index=1)
    assert result(agent, other) == "done"
    agent.send(answered(asked[0]))
    assert result(agent, slow) == "ann"


def test_few_questions_are_out_at_once_and_all_are_answered(agent: Gateway, run_id: str) -> None:
    asked = open_ones(agent)
    keys = [
        agent.watch("many", run_id=run_id, map_index=index, kwargs={"count": 20})
        for index in range(3)
    ]
    until(agent, lambda: len(asked) == OUT_MAX)
    other = agent.watch("announces", run_id=run_id, map_index=9)
    assert result(agent, other) == "done"  # and nothing more was asked meanwhile
    assert len(asked) == OUT_MAX
    agent.secrets = answered
    for ask in asked:
        agent.send(answered(ask))
    for key in keys:
        assert result(agent, key) == [f"<v{number}>" for number in range(20)]


def test_a_wait_may_not_ask_without_end(agent: Gateway, run_id: str) -> None:
    key = agent.watch("many", run_id=run_id, kwargs={"count": 1_000})
    assert "it asks more than 100 questions at once" in agent.found(key).error


def test_questions_of_a_wait_that_is_over_are_forgotten(agent: Gateway, run_id: str) -> None:
    """Also those that are out: they hold up no others."""
    asked = open_ones(agent)
    gone = agent.watch("many", run_id=run_id, kwargs={"count": 50})
    until(agent, lambda: len(asked) == OUT_MAX)
    agent.send(Unwatch([gone]))
    agent.secrets = answered
    key = agent.watch("awaits", run_id=run_id, map_index=1, kwargs={"conn_id": "warehouse"})
    assert result(agent, key) == "ann"
    for ask in asked:
        agent.send(answered(ask))  # to nobody
    assert {ask.by for ask in questions(agent)} == {ByWait(gone), ByWait(key)}
    assert len(questions(agent)) == OUT_MAX + 1


def test_what_is_told_holds_no_secret_also_of_others_in_the_process(
    agent: Gateway, run_id: str, tmp_path: Path
) -> None:
    heard = agent.watch("hears", run_id=run_id, kwargs={"path": f"{tmp_path}/heard"})
    split = agent.watch("splits", run_id=run_id, map_index=1, kwargs={"conn_id": "warehouse"})
    assert result(agent, split) is True
    assert "a line with ***\n" in agent.log(split)
    assert "and no end: ***\n" in agent.log(split)
    failed = agent.watch("raises", run_id=run_id, map_index=2, kwargs={"conn_id": "warehouse"})
    assert agent.found(failed).error == "ValueError: cannot log in with ***"
    (tmp_path / "heard").write_text(PASSWORD)
    assert agent.found(heard).shown == b'"***"'
    announced = agent.watch("announces", run_id=run_id, map_index=3)
    agent.found(announced)
    logs = [agent.log(key) for key in (heard, split, failed, announced)]
    assert [PASSWORD in log or "my-own-secret" in log for log in logs] == [False] * 4
    assert ("heard: ***" in logs[0], "it is ***" in logs[3]) == (True, True)


def test_a_watcher_asks_in_its_life_and_tells_no_secret(agent: Gateway, run_id: str) -> None:
    key = agent.stand("letters", kwargs={"conn_id": "warehouse"}, life=7)
    fired = agent.fired(key, 1)
    assert questions(agent)[0].by == ByWatcher(key)
    (event,) = fired.events
    assert (event.extra, event.partition, event.key) == (b'{"by":"***"}', "of-***", "***")
    agent.send(Taken(key, 1))
    assert agent.stopped(key).error == "OSError: refused ***"
    keeps = agent.stand("keeps", kwargs={"conn_id": "warehouse"})
    assert agent.stopped(keeps).error == CURSOR_FLAW


@pytest.mark.long
def test_a_trigger_that_blocks_for_an_answer_is_not_taken_for_one_that_hangs(
    own_agent: Gateway, tmp_path: Path
) -> None:
    """Nothing of this loop goes on meanwhile; its process stays, and goes on when the answer is there."""
    asked = open_ones(own_agent)
    mark = tmp_path / "turns"
    own_agent.watch("turns", run_id="r1", map_index=1, kwargs={"path": str(mark)})
    pid = own_agent.until_written(mark)
    key = own_agent.watch("in_the_loop", run_id="r1", kwargs={"conn_id": "warehouse"})
    own_agent.asked("warehouse")
    before = beats(own_agent)
    # More looks at the loop than one that hangs is given.
    until(own_agent, lambda: beats(own_agent) > before + 1)
    own_agent.send(answered(asked[0]))
    assert result(own_agent, key) == {"login": "ann", "dsn": f"postgres://{PASSWORD}@db"}
    assert "process of its own" not in own_agent.log(key)
    mark.unlink()
    assert own_agent.until_written(mark) == pid


def beats(gateway: Gateway) -> int:
    return sum(isinstance(one, Heartbeat) for one in gateway.said)


def test_whatever_is_killed_is_asked_anew(own_agent: Gateway, tmp_path: Path) -> None:
    """A connection is lost, and the triggerer dies, between question and answer."""
    asked = open_ones(own_agent)
    mark = tmp_path / "turns"
    turns = own_agent.watch("turns", run_id="r1", map_index=1, kwargs={"path": str(mark)})
    key = own_agent.watch("awaits", run_id="r1", kwargs={"conn_id": "warehouse"})
    held = own_agent.stand("Held", kwargs={"conn_id": "lake"})
    own_agent.asked("lake")
    own_agent.asked("warehouse")
    first = {ask.name: ask for ask in asked}
    own_agent.hang_up()
    asked.clear()
    own_agent.accept()
    until(own_agent, lambda: len(asked) == 2)
    assert {ask.name: ask for ask in asked} == first  # the same questions, sent again
    pid = int(own_agent.until_written(mark))
    own_agent.send(Unwatch([turns]))
    asked.clear()
    os.kill(pid, signal.SIGKILL)
    until(own_agent, lambda: len(asked) == 2)
    own_agent.send(answered(first["warehouse"]))  # what comes late is for nobody
    own_agent.send(answered(first["lake"]))
    assert {ask.request for ask in asked}.isdisjoint(ask.request for ask in first.values())
    for ask in asked:
        own_agent.send(answered(ask))
    assert result(own_agent, key) == "ann"
    assert own_agent.fired(held, 1).events[0].extra == b'{"login":"ann"}'


def test_a_task_is_answered_while_waits_ask_for_more_than_is_out(own_agent: Gateway) -> None:
    own_agent.bundle(TASK, version="task")
    own_agent.secrets = lambda ask: answered(ask) if ask.name == "of-a-task" else None
    for index in range(5):
        own_agent.watch("many", run_id="r1", map_index=index, kwargs={"count": 50})
    until(own_agent, lambda: len(questions(own_agent)) == OUT_MAX)
    grant = grant_of("asks", run_id="r2")
    own_agent.grant(grant, version="task")
    assert own_agent.ended(grant.key).outcome == "success"


TASK = """
from headway import dag, task, variable

@task
def asks() -> str:
    return variable("of-a-task")

@dag
def flow() -> None:
    asks()
"""
