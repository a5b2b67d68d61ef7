"""Tasks of Airflow whose function runs in another interpreter: it asks us, as its task does, and logs by itself."""

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from headway import wire
from headway.client import client_of
from headway.config import Layout
from headway.frontends.airflow.logs import LINE_BYTES_MAX, Others
from tests.airflow.conftest import CONNECTION, Server
from tests.cli.conftest import copy_data, start, stop, wait_for_dag

SOURCE: Final = """
import sys

from airflow.sdk import DAG, task

with DAG("elsewhere", schedule=None, catchup=False):

    @task.external_python(python=sys.executable)
    def asks(day):
        import logging
        import os

        from airflow.sdk import Connection, Variable

        print("printed on", day)
        logging.getLogger("acme").warning("logged: %s", Connection.get("warehouse").password)
        return [Variable.get("colour"), "_AIRFLOW__AS_LIBRARY" in os.environ]

    @task.external_python(python=sys.executable)
    def breaks():
        raise ValueError("no use")

    asks("{{ ds }}")
    breaks()
"""


@pytest.fixture
def server(tmp_path: Path, data: Path) -> Iterator[Server]:
    """One with a file in its folder whose names shadow no others: the other interpreter finds modules there, too."""
    copy_data(data, tmp_path)
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/elsewhere.py").write_text(SOURCE)
    process = start(tmp_path)
    try:
        with closing(client_of(Layout(tmp_path / ".headway"))) as client:
            client.set_connection("warehouse", CONNECTION)
            client.set_variable("colour", wire.VariableRequest(value="turquoise"))
        wait_for_dag(tmp_path / ".headway", "elsewhere")
        yield Server(tmp_path, process.pid)
    finally:
        stop(process)


@pytest.mark.long
def test_a_function_in_another_interpreter_has_airflow_and_asks_as_its_task_does(
    server: Server,
) -> None:
    ran = server.run("elsewhere", "--date", "2026-03-04")
    assert ran.states == {"asks": "success", "breaks": "failed"}, ran.log("asks")
    with closing(client_of(Layout(server.folder / ".headway"))) as client:
        (result,) = client.xcoms(ran.run_id)
    assert result.value == ["turquoise", False]
    log = ran.log("asks")
    assert "printed on 2026-03-04" in log
    assert "WARNING acme: logged: ***\n" in log
    assert "ValueError: no use" in ran.log("breaks")


def test_events_of_several_programs_are_logged_in_whole_lines(
    capfd: pytest.CaptureFixture[str],
) -> None:
    others = Others("/dags")
    first, second = others.open(), others.open()
    one, two = others.ends
    os.write(first, b'{"event": "a", "level": "info", "logger": "acme.x"}\n{"event": "b"')
    os.write(second, b"plain\n")
    others.read(one)
    others.read(two)
    os.write(first, b', "level": "error"}\n')
    others.read(one)
    os.close(first)
    others.read(one)
    assert others.ends == [two]
    os.write(second, b"begun")
    others.close()  # its program goes on
    assert others.ends == []
    with pytest.raises(BrokenPipeError):
        os.write(second, b"later")
    os.close(second)
    assert capfd.readouterr().out.splitlines() == ["INFO x: a", "plain", "ERROR task: b", "begun"]


def test_a_line_without_an_end_is_not_kept(capfd: pytest.CaptureFixture[str]) -> None:
    others = Others("/dags")
    place = others.open()
    (end,) = others.ends
    for _ in range(LINE_BYTES_MAX // 60_000 + 1):
        os.write(place, b"x" * 60_000)
        others.read(end)
    os.close(place)
    assert len(others.begun[end]) < LINE_BYTES_MAX
    others.close()
    assert set(capfd.readouterr().out) == {"x", "\n"}


def test_a_program_that_goes_on_and_on_is_not_waited_for(capfd: pytest.CaptureFixture[str]) -> None:
    others = Others("/dags")
    place = others.open()
    with subprocess.Popen(["yes"], stdout=place) as program:
        os.close(place)
        select.select(others.ends, [], [])  # it has begun to print
        others.close()
        assert program.wait() != 0, "nobody hears it any more"
    assert set(capfd.readouterr().out) == {"y", "\n"}


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ('"exception": "no such order"', "INFO task: a exception=no such order"),
        ('"exception": [1]', "INFO task: a exception=[1]"),
        ('"exception": [{"order": 7}]', "INFO task: a exception=[{'order': 7}]"),
        ('"exception": null', "INFO task: a"),
    ],
)
def test_a_field_called_exception_is_a_field_like_any_other(
    field: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is written by the author of a task, and by Airflow where an error was raised."""
    others = Others("/dags")
    place = others.open()
    os.write(place, f'{{"event": "a", {field}}}\n'.encode())
    os.close(place)
    others.close()
    assert capfd.readouterr().out == f"{told}\n"
