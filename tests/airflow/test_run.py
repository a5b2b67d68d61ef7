"""Airflow's own task runner, under our agent: states, XComs, secrets, logs."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing

import pytest

from headway.client import client_of
from headway.config import Layout
from tests.airflow.conftest import Server
from tests.airflow.releases import IS_NEWEST
from tests.cli.conftest import children_of, headway, of_process, wait_until

pytestmark = pytest.mark.long


def test_a_dag_runs_as_in_airflow(server: Server) -> None:
    ran = server.run("flow", "--date", "2026-03-04", "--param", "size=3")
    assert ran.states == {
        "numbers": "success",
        "double[0]": "success",
        "double[1]": "success",
        "double[2]": "success",
        "add": "success",
        "choose": "success",
        "many.say": "success",
        "few": "skipped",
        "end": "success",
    }
    assert ran.state == "success"
    assert ran.attempts["double[1]"] == 2
    assert "3 numbers of 2026-03-04: a 12 2026-01-02" in ran.log("many.say")
    assert "adding [2, 4, 6]" in ran.log("add")
    shown = headway("show", ran.run_id, "double", "--output", "json", cwd=server.folder)
    names = [each["rendered_map_index"] for each in json.loads(shown.stdout)]
    assert names == ["1, twice 1", "2, twice 2", "3, twice 3"]


def test_params_obey_their_schema(server: Server) -> None:
    for given, told in (
        ("size=0", 'the parameter "size" of flow is 0, but must be at least 1'),
        ("note=abcdef", 'the parameter "note" of flow is "abcdef", but must be at most 5'),
    ):
        done = headway("run", "flow", "--param", given, cwd=server.folder)
        assert told in done.stderr
    ran = server.run("flow", "--param", "size=3", "--param", "note=null", "--date", "2026-03-05")
    assert "3 numbers of 2026-03-05: None" in ran.log("many.say")


def test_a_mapped_group_runs_index_by_index(server: Server) -> None:
    """As Airflow 3.3.2 runs the same file: states and results."""
    ran = server.run("grouped")
    assert ran.states == {
        "numbers": "success",
        "each.check[0]": "success",
        "each.check[1]": "failed",
        "each.check[2]": "success",
        "each.multiply[0]": "success",
        "each.multiply[1]": "upstream_failed",
        "each.multiply[2]": "success",
        "total": "success",
    }
    assert "4 of 3" in ran.log("each.multiply", "--index", "2")
    assert "adding [20, 40]" in ran.log("total")


def test_a_log_has_what_the_task_says_and_not_how_airflow_starts(server: Server) -> None:
    log = server.run("flow", "--param", "size=1").log("numbers")
    assert "Returned value was: [1]" in log
    for noise in ("::group::", "Filling up the DagBag", "ti_id=", "RuntimeTaskInstance"):
        assert noise not in log


def test_every_end_of_a_task_is_told(server: Server) -> None:
    ran = server.run("ends")
    assert ran.state == "failed"
    assert ran.states == {
        "skips": "skipped",
        "fails_for_good": "failed",
        "raises": "failed",
        "exits": "failed",
        "stop": "success",
        "after": "skipped",
        "later": "skipped",
        "killed": "failed",
        "leaves_a_program": "success",
        "leaves_a_fork": "success",
        "asks": "failed",
    }
    assert ran.attempts["fails_for_good"] == ran.attempts["asks"] == 1  # not again: it is of no use
    assert "AirflowFailException: no use" in ran.why("fails_for_good")
    assert "KeyError: 'x'" in ran.why("raises")
    assert "SIGKILL" in ran.why("killed")
    assert "GetHITLDetailResponse" in ran.why("asks")
    log = ran.log("raises")
    assert 'File "ends.py"' in log
    assert "task_runner.py" not in log


def test_a_task_sets_lists_and_deletes_variables(server: Server) -> None:
    ran = server.run("writes_variables")
    assert ran.state == "success", ran.log("change") + ran.log("read")
    log = ran.log("read")
    assert "last_id 42 {'a': [1]} turquoise" in log
    if IS_NEWEST:  # 3.2 has no list
        assert "keys ['written_id', 'written_shape', 'written_token']" in log
    assert "a-word-to-hide" not in log
    with closing(client_of(Layout(server.folder / ".headway"))) as client:
        found = {each.key: each for each in client.variables()}
    assert "written_gone" not in found
    assert (found["written_id"].value, found["written_id"].description) == ("42", "of orders")
    assert found["written_id"].changed_by.startswith("task:writes_variables/")
    assert found["written_token"].is_secret
    assert "cannot be the name of a variable" in ran.log("refused")


def test_a_deferred_task_goes_on_with_its_method(server: Server) -> None:
    ran = server.run("waits")
    assert ran.states == {
        "looks_again": "success",
        "later": "success",
        "until": "success",
        "watches": "success",
        "gives_up": "failed",
        "breaks": "failed",
        "ends": "skipped",
        "reads": "success",
    }
    assert set(ran.attempts.values()) == {1}
    assert "second look, since the first: True" in ran.log("looks_again")
    assert "goes on: 7 of 2026-01-02, at a moment: True" in ran.log("later")
    assert "an event: {'file': 'orders'}" in ran.log("watches")
    assert "Trigger timeout" in ran.why("gives_up")
    assert "the feed is closed" in ran.why("breaks")
    assert "before and after" in ran.log("reads")


def test_a_task_starts_in_its_trigger(server: Server) -> None:
    ran = server.run("at_once", "--date", "2026-03-04")
    assert ran.states == {
        "templated": "success",
        "each[0]": "success",
        "each[1]": "success",
        "gives_up": "failed",
        "ends": "skipped",
        "told_not_to": "failed",
        "until": "success",
    }
    assert set(ran.attempts.values()) == {1}
    log = ran.log("templated")
    what = "day 2026-03-04" if IS_NEWEST else "day {{ ds }}"  # 3.2 renders no trigger
    assert f"goes on: 7 with {{'file': '{what}'}}" in log
    assert log.count("called") == 1
    assert "goes on: 7 with {'file': 'b'}" in ran.log("each", "--index", "1")
    assert "Trigger timeout" in ran.why("gives_up")
    assert "it executes" in ran.why("told_not_to")


def test_hooks_get_the_connections_and_variables_of_the_team(server: Server) -> None:
    ran = server.run("secrets")
    log = ran.log("use")
    assert "connection db.example me 5432 main {'timeout': '3'}" in log
    assert "password *** 13" in log
    assert "a-secret-word" not in log
    assert "variable turquoise red" in log
    assert "missing The conn_id `nosuch` isn't defined" in log
    why = server.run("lacking").why("lacks")
    assert "Variable nosuch not found" in why
    assert "to create it: headway var set nosuch" in why


def test_a_folder_holds_files_of_both_kinds(server: Server) -> None:
    assert server.run("own").states == {"one": "success"}


def test_what_airflowignore_names_is_not_read(server: Server) -> None:
    with closing(client_of(Layout(server.folder / ".headway"))) as client:
        assert client.import_errors() == []


def test_what_has_airflow_imported_is_one_process_and_may_die(server: Server) -> None:
    """The base server forks it for the first such file; it forks the servers of them all."""
    server.run("secrets")
    server.run("flow", "--param", "size=1")
    (before,) = heavy_ones(server.pid)
    assert len(children_of(before)) >= 2
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: before not in heavy_ones(server.pid), "it was not missed")
    assert server.run("flow", "--param", "size=1").state == "success"
    assert server.run("own").state == "success"
    (after,) = heavy_ones(server.pid)
    assert after != before


def heavy_ones(pid: int) -> list[int]:
    """Of the processes below the agent's base server, those that have what Airflow imports."""
    base = (
        child
        for child in descendants(pid)
        if any("forkserver" in command for command in children_of(child).values())
        and b"forkserver" in of_process(f"{child}/cmdline")
    )
    return [
        child
        for child in children_of(next(base, 0))
        if b"pydantic_core" in of_process(f"{child}/maps")
    ]


def descendants(pid: int) -> Iterator[int]:
    for child in children_of(pid):
        yield child
        yield from descendants(child)
