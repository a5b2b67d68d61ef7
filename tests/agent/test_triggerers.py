"""Triggers in an agent: what they find, what they break, and who goes on when their process dies."""

import json
import os
import signal
import socket
from pathlib import Path

import pytest

from headway import ids
from headway.agent.protocol import AttemptKey, Unwatch
from tests.agent.gateway import Gateway
from tests.cli.conftest import wait_until


@pytest.fixture
def run_id() -> str:
    return ids.run_id()


def result(gateway: Gateway, key: AttemptKey) -> object:
    found = gateway.found(key)
    assert found.error == ""
    assert found.found is not None
    return json.loads(found.found)


def running(path: Path) -> int:
    """Return the process in which ``Forever`` runs, once it does."""
    wait_until(lambda: path.exists() and path.read_text() != "", "no trigger runs")
    return int(path.read_text())


def test_triggers_find_what_they_look_out_for(shared: Gateway, run_id: str, tmp_path: Path) -> None:
    """Functions and classes of the DAG file, and those of Headway, which share a process of their own."""
    gate = tmp_path / "gate"
    polled = shared.watch("arrives", run_id=run_id, kwargs={"path": str(gate)}, every_s=0.05)
    ours = shared.watch(
        "headway.authoring.looking:files",
        run_id=run_id,
        map_index=1,
        kwargs={"path": f"{tmp_path}/g*"},
        every_s=0.05,
        shared=True,
    )
    look = shared.looked(polled)
    assert (look.looks >= 1, look.again_s) == (True, 0.05)
    pid = result(shared, shared.watch("Pid", run_id=run_id, map_index=2))
    assert result(shared, shared.watch("Pid", run_id=run_id, map_index=3)) == pid
    gate.touch()
    assert result(shared, polled) == [str(gate)]
    assert result(shared, ours) == [str(gate)]


def test_addresses_that_do_not_answer_hold_up_nobody_else(
    shared: Gateway, run_id: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:  # it accepts nobody
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/ready"
        kwargs: dict[str, object] = {"url": url, "status": None, "contains": "", "headers": {}}
        asked = [
            shared.watch(
                "headway.authoring.looking:answers",
                run_id=run_id,
                map_index=index,
                kwargs=kwargs,
                every_s=60.0,
                shared=True,
            )
            for index in range(40)
        ]
        (tmp_path / "gate").touch()
        other = shared.watch(
            "headway.authoring.looking:files",
            run_id=run_id,
            map_index=99,
            kwargs={"path": f"{tmp_path}/g*"},
            every_s=60.0,
            shared=True,
        )
        assert result(shared, other) == [f"{tmp_path}/gate"]
        shared.send(Unwatch(asked))


def test_one_that_raises_fails_its_own_attempt_only(
    shared: Gateway, run_id: str, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    other = shared.watch("Forever", run_id=run_id, map_index=1, kwargs={"path": str(mark)})
    pid = running(mark)
    bad = shared.watch("raises_later", run_id=run_id, kwargs={"text": "no flights"})
    assert shared.found(bad).error == "ValueError: no flights"
    log = shared.log(bad)
    assert ("about to fail" in log, "headway: the trigger failed: ValueError" in log) == (
        True,
        True,
    )
    unknown = shared.watch("nobody", run_id=run_id, map_index=2)
    assert "has no trigger 'nobody'" in shared.found(unknown).error
    assert running(mark) == pid
    shared.send(Unwatch([other]))  # what is cancelled tidies up
    wait_until(lambda: not mark.exists(), "the trigger was not ended")


def test_one_that_blocks_gets_a_process_of_its_own(own: Gateway, tmp_path: Path) -> None:
    gate, mark = tmp_path / "gate", tmp_path / "mark"
    own.watch("Forever", run_id="r1", map_index=1, kwargs={"path": str(mark)})
    running(mark)
    bad = own.watch("blocks", run_id="r1", kwargs={"path": str(gate)})
    look = own.looked(bad)
    assert "blocked the event loop of its triggerer for 5 s at flow.py:" in look.note
    assert result(own, own.watch("Pid", run_id="r1", map_index=2)) == running(mark)
    assert "it goes on in a process of its own" in own.log(bad)
    gate.touch()
    assert result(own, bad) == "unblocked"


def test_a_triggerer_that_dies_is_replaced_with_its_waits(own: Gateway, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for index, path in enumerate((first, second)):
        own.watch("Forever", run_id="r1", map_index=index, kwargs={"path": str(path)})
    pid = running(first)
    assert running(second) == pid
    first.write_text("")
    second.write_text("")
    os.kill(pid, signal.SIGKILL)
    assert own.found(own.watch("Pid", run_id="r1", map_index=7)).error == ""
    assert pid not in (running(first), running(second))  # each in whose code it died is alone
    crash = own.watch("crashes", run_id="r1", map_index=8, kwargs={"path": f"{tmp_path}/crash"})
    assert result(own, crash) != running(first)  # it was moved


def test_what_was_found_is_told_until_it_is_acknowledged(own: Gateway) -> None:
    own.acks = False
    key = own.watch("Pid", run_id="r1")
    pid = result(own, key)
    own.said.clear()
    own.hang_up()
    hello = own.accept()
    assert hello.watched == []
    assert result(own, key) == pid
