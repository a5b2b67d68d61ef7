"""Waits and watchers that ask for connections while they look out, through a real server: who gets which, what a change
does, what a kill between question and answer leaves, and that no secret is found anywhere afterwards.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from headway import clock, wire
from headway.agent.masking import forms
from headway.client import Client
from headway.config import Layout, read_server_file
from tests.cli.conftest import (
    PATIENCE_S,
    children_of,
    connected,
    copy_data,
    headway,
    start,
    stop,
    wait_for_dag,
    wait_until,
)

pytestmark = pytest.mark.long

CANARY = "c4nary 'waits'/for+it=\"&ä"
SECRETS = """
order = ["files", "builtin"]
[files]
folder = "{}"
"""
DAGS = """
import asyncio, os
from pathlib import Path
from headway import Asset, Run, Trigger, Watcher, WatcherEvent, aconnection, avariable, connection, dag, defer, task
from headway.authoring.looking import looked

async def reads(path):
    lake = connection("lake")
    print("lake", lake.host, lake.password)
    looked(f"looks with {lake.password}")
    return lake.host if Path(path).exists() else None

async def forbidden():
    return (await aconnection("not-for-waits")).host

async def fails():
    raise OSError(f"cannot log in with {(await aconnection('lake')).password}")

async def slow(path):
    Path(path + ".pid").write_text(str(os.getpid()))
    return await avariable("slow")

async def letters(cursor=None):
    for number in range(cursor or 0, 2):
        lake = await aconnection("lake")
        extra = {"number": number, "by": lake.password, "host": lake.host}
        yield WatcherEvent(extra, key=f"{lake.password}{number}", cursor=number + 1)
    await asyncio.Event().wait()

@dag()
def waits(gate: str = "/nowhere"):
    @task
    def changed(gate: str, run: Run):
        if run.found is None:
            defer(Trigger(reads, every=0.1, path=gate))
    @task(retries=0)
    def denied():
        defer(Trigger(forbidden))
    @task(retries=0)
    def broken():
        defer(Trigger(fails))
    @task.sensor(poke_interval=0.1)
    async def sensed():
        return (await aconnection("lake")).host
    changed(gate), denied(), broken(), sensed()

@dag()
def slow_waits(gate: str = "/nowhere"):
    @task
    def wait(gate: str, run: Run):
        if run.found is None:
            defer(Trigger(slow, path=gate))
        print("found", run.found)
    wait(gate)

LETTERS = Asset("letters", watchers=[Watcher(letters)])

@dag(schedule=LETTERS)
def on_letters():
    @task
    def nothing(): ...
    nothing()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("asking")
    (folder / "dags").mkdir()
    (folder / "dags" / "asking.py").write_text(DAGS)
    copy_data(data, folder)
    kept = folder / "kept" / "default" / "variables"
    kept.mkdir(parents=True)
    os.mkfifo(kept / "slow")  # who reads it waits until somebody writes
    (folder / ".headway" / "secrets.toml").write_text(SECRETS.format(folder / "kept"))
    process = start(folder)
    wait_for_dag(folder / ".headway", "waits")
    with closing(connected(folder / ".headway")) as client:
        put(client, "lake", "first")
        only = wire.ConnectionRequest(uri="http://me@secret-place", dags=["on_letters"])
        client.set_connection("not-for-waits", only)
    yield folder
    release(kept / "slow", "nobody reads it")
    stop(process)


def put(client: Client, name: str, host: str) -> None:
    wanted = wire.ConnectionRequest(conn_type="aws", host=host, password=CANARY)
    client.set_connection(name, wanted)


def release(fifo: Path, text: str) -> bool:
    """Answer who reads it now. Return whether anybody did."""
    try:
        end = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # nobody
        return False
    with suppress(BrokenPipeError):
        os.write(end, text.encode())
    os.close(end)
    return True


def triggered(folder: Path, dag_id: str, gate: Path) -> str:
    done = headway("run", dag_id, "--detach", "-p", f"gate={gate}", cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def in_state(client: Client, run_id: str, task_id: str, state: str) -> None:
    def there() -> bool:
        return any(each.state == state for each in client.instances(run_id, task_id=task_id))

    wait_until(there, f"{task_id} did not become {state}")


def test_a_wait_has_what_its_dag_may_have_and_sees_what_changes(
    folder: Path, client: Client
) -> None:
    gate = folder / "gate"
    run_id = triggered(folder, "waits", gate)
    in_state(client, run_id, "changed", "deferred")
    log = ""

    def says(word: str) -> bool:
        nonlocal log
        log = headway("logs", run_id, "changed", cwd=folder).stdout
        return word in log

    wait_until(lambda: says("lake first ***"), "no look asked")
    put(client, "lake", "second")
    wait_until(lambda: says("lake second ***"), "a look did not see the change")
    gate.touch()
    in_state(client, run_id, "changed", "success")
    for task_id, why in (
        ("denied", "there is no connection 'not-for-waits' for this DAG"),
        ("broken", "OSError: cannot log in with ***"),
    ):
        in_state(client, run_id, task_id, "failed")
        assert why in headway("why", run_id, task_id, cwd=folder).stdout
    in_state(client, run_id, "sensed", "success")
    assert client.xcoms(run_id, task_id="sensed")[0].value in ("first", "second")


def test_a_watcher_has_what_its_dag_may_have(folder: Path, client: Client) -> None:
    wait_until(lambda: len(client.asset_events("letters", 5)) == 2, "no events")
    events = client.asset_events("letters", 5)
    assert [event.extra["by"] for event in events] == ["***", "***"]
    assert sorted(event.extra["number"] for event in events) == [0, 1]


def test_what_is_killed_between_question_and_answer_asks_anew(folder: Path, client: Client) -> None:
    gate = folder / "slow"
    fifo = folder / "kept" / "default" / "variables" / "slow"
    pid_file = Path(f"{gate}.pid")
    run_id = triggered(folder, "slow_waits", gate)
    wait_until(lambda: pid_file.exists() and pid_file.read_text() != "", "nobody asks")
    first = pid_file.read_text()
    os.kill(int(first), signal.SIGKILL)
    wait_until(lambda: pid_file.read_text() not in ("", first), "the triggerer was not replaced")
    server = read_server_file(Layout(folder / ".headway"))
    assert server is not None
    found = children_of(server.pid).items()
    (agent,) = [pid for pid, command in found if "headway.agent" in command]
    second = pid_file.read_text()
    os.kill(agent, signal.SIGKILL)
    wait_until(lambda: pid_file.read_text() not in ("", second), "no other agent took over")
    deadline = clock.monotonic() + PATIENCE_S
    while client.instances(run_id, task_id="wait")[0].state != "success":
        release(fifo, "there at last")  # to each that still reads: those of the dead are for nobody
        assert clock.monotonic() < deadline, headway("why", run_id, "wait", cwd=folder).stdout
        clock.sleep(0.05)
    assert client.instance(run_id, "wait", None).attempts == 1
    assert "found ***" in headway("logs", run_id, "wait", cwd=folder).stdout


def test_the_secret_is_found_nowhere(folder: Path, client: Client) -> None:
    """After the tests before: in no table, log, event or file."""
    found = [
        (str(file), form)
        for file in sorted((folder / ".headway").rglob("*"))
        if file.is_file() and file.name != "secrets.key"
        for content in [file.read_bytes()]
        for form in forms(CANARY)
        if form in content
    ]
    assert found == []
