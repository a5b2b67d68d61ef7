"""Watchers of assets through a real server: from a file that arrives to the run that reads it, whatever is killed."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from headway import wire
from headway.client import Client, client_of, connect
from headway.config import Layout, read_server_file
from tests.cli.conftest import (
    Command,
    children_of,
    copy_data,
    start,
    stop,
    wait_for_dag,
    wait_until,
)
from tests.tidy.tree import ROOT

DAGS = """
import asyncio, os, time
from pathlib import Path
from headway import Asset, Run, Watcher, WatcherEvent, dag, task

async def lines(path, cursor=None):
    at = cursor or 0
    Path(path + ".pid").write_text(str(os.getpid()))
    while True:
        for line in Path(path).read_text().split()[at:]:
            at += 1
            yield WatcherEvent({"line": line}, cursor=at)
        await asyncio.sleep(0.05)

async def breaks():
    raise OSError("no such queue")
    yield

LINES = Asset("lines", watchers=[Watcher(lines, path="PATH", what="lines of a file")])
BROKEN = Asset("broken", watchers=[Watcher(breaks)])

@dag(schedule=LINES)
def on_lines():
    @task(inlets=[LINES])
    def read(run: Run) -> list[str]:
        return [event.extra["line"] for event in run.triggering_asset_events[LINES]]
    read()

@dag(schedule=BROKEN)
def on_broken():
    @task
    def nothing() -> None: ...
    nothing()
"""


def events(client: Client, asset: str) -> list[wire.AssetEvent]:
    return list(reversed(client.asset_events(asset, 100)))


def watcher(client: Client, asset: str) -> wire.AssetWatcher:
    (found,) = client.asset(asset).watchers
    return found


def test_files_that_arrive_bring_runs(cli: Command, home: Path, tmp_path: Path) -> None:
    """The example: a new file is an event with its partition, none comes while the DAG is paused, and none is lost."""
    source = (ROOT / "examples" / "assets" / "inbox.py").read_text(encoding="utf-8")
    source = source.replace("/tmp/headway-inbox", str(tmp_path)).replace("every=2", "every=0.2")
    (tmp_path / "mail-old.csv").write_text("1\n")
    (home / "dags" / "inbox.py").write_text(source, encoding="utf-8")
    wait_for_dag(home / ".headway", "read_mail")
    with closing(client_of(Layout(home / ".headway"))) as client:
        wait_until(lambda: watcher(client, "inbox/mail").looks > 0, "nobody looks")
        (tmp_path / "mail-monday.csv").write_text("1\n2\n")
        wait_until(
            lambda: [run.state for run in client.runs(5, dag_id="read_mail")] == ["success"],
            "it did not run",
        )
        (run,) = client.runs(5, dag_id="read_mail")
        (result,) = client.xcoms(run.run_id)
        assert (run.trigger, result.value) == ("asset", {"mail-monday.csv": 2})
        (event,) = events(client, "inbox/mail")
        by = f"watcher:{tmp_path}/*.csv"
        assert (event.partition, event.extra["size"], event.by) == ("monday", 4, by)
        shown = cli("asset", "show", "inbox/mail")
        assert f"watcher {tmp_path}/*.csv: looking" in shown.stderr
        assert "looks again at" in shown.stderr
        assert cli("pause", "read_mail").returncode == 0
        wait_until(lambda: watcher(client, "inbox/mail").state == "stopped", "it still looks")
        assert "all that do are paused" in cli("asset", "show", "inbox/mail").stderr
        (tmp_path / "mail-tuesday.csv").write_text("3\n")
        assert cli("resume", "read_mail").returncode == 0
        wait_until(lambda: len(client.runs(5, dag_id="read_mail")) == 2, "what came was lost")
        assert [event.partition for event in events(client, "inbox/mail")] == ["monday", "tuesday"]


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Iterator[Path]:
    (tmp_path / "dags").mkdir()
    source = DAGS.replace("PATH", str(tmp_path / "lines"))
    (tmp_path / "lines").write_text("")
    (tmp_path / "dags" / "watched.py").write_text(source)
    copy_data(data, tmp_path)
    process = start(tmp_path)
    wait_for_dag(tmp_path / ".headway", "on_lines")
    yield tmp_path
    stop(process)


@pytest.mark.long
def test_nothing_is_lost_or_told_twice_whatever_is_killed(folder: Path) -> None:
    """Triggerer, agent and scheduler, one after the other, while lines arrive."""
    server = read_server_file(Layout(folder / ".headway"))
    assert server is not None
    with closing(connect(server)) as client:
        told: list[str] = []

        def add(word: str) -> None:
            told.append(word)
            with (folder / "lines").open("a") as file:
                file.write(f"{word}\n")

        def arrived() -> bool:
            return [event.extra["line"] for event in events(client, "lines")] == told

        add("first")
        wait_until(arrived, "no event")
        os.kill(int((folder / "lines.pid").read_text()), signal.SIGKILL)
        add("second")
        add("third")
        wait_until(arrived, f"not once each: {events(client, 'lines')}")
        for word in ("headway.agent", "headway.engine.scheduler"):
            found = children_of(server.pid).items()
            (pid,) = [pid for pid, command in found if word in command]
            os.kill(pid, signal.SIGKILL)
            add(word)
            wait_until(arrived, f"not once each: {events(client, 'lines')}")
        assert "no such queue" in (watcher(client, "broken").error or "")
        assert watcher(client, "lines").state == "looking"


def test_one_that_fails_says_why_and_when_it_begins_again(
    cli: Command, home: Path, tmp_path: Path
) -> None:
    source = DAGS.replace("PATH", str(tmp_path / "lines"))
    (home / "dags" / "watched.py").write_text(source)
    (tmp_path / "lines").write_text("")
    wait_for_dag(home / ".headway", "on_broken")
    why = "watcher breaks: failed; its last error: OSError: no such queue"
    wait_until(lambda: why in cli("why", "on_broken").stdout, "the error is not told")
    found = json.loads(cli("asset", "show", "broken", "-o", "json").stdout)
    assert found == []
    assert "OSError: no such queue" in cli("asset", "show", "broken").stderr
