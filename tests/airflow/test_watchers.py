"""Watchers of Airflow's assets: files as they are, their triggers in our triggerer, and what is refused."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from headway.authoring.looking import Facts
from headway.authoring.watchers import WatcherEvent
from headway.authoring.watching import Watched
from headway.client import client_of
from headway.config import Layout
from headway.frontends.airflow import FRONT_END, triggering
from headway.spec.errors import BadSpec
from headway.spec.model import Watcher
from tests.airflow.conftest import Server
from tests.airflow.releases import IS_NEWEST
from tests.cli.conftest import wait_for_dag, wait_until

pytestmark = pytest.mark.long

FILE = "airflow.providers.standard.triggers.file.FileDeleteTrigger"
SOURCE = """
from airflow.providers.standard.triggers.file import FileDeleteTrigger
from airflow.sdk import DAG, Asset, AssetWatcher, task

trigger = FileDeleteTrigger(filepath="PATH", poke_interval=0.1)
flag = Asset("flag", watchers=[AssetWatcher(name="flag_watcher", trigger=trigger)])
same = Asset("same", watchers=[AssetWatcher(name="other_name", trigger=trigger)])

with DAG(dag_id="on_flag", schedule=flag & same, catchup=False):
    @task(inlets=[flag])
    def extras(triggering_asset_events=None):
        return [event.extra for event in triggering_asset_events[flag]]
    extras()
"""
NUMBERS = """
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

class Numbers(BaseEventTrigger):
    def __init__(self, upto):
        super().__init__()
        self.upto = upto

    def serialize(self):
        return "numbered.Numbers", {"upto": self.upto}

    async def run(self):
        last = await self.asset_state_store.aget("last", 0)
        upto = self.asset_state_store.get("upto", self.upto)
        for number in range(last + 1, upto + 1):
            yield TriggerEvent({"number": number})
            await self.asset_state_store.aset("last", number)
"""
COUNTING = """
from airflow.sdk import DAG, Asset, AssetWatcher, task
from numbered import Numbers

numbers = Asset("numbers", watchers=[AssetWatcher(name="numbered", trigger=Numbers(upto=2))])

with DAG(dag_id="counting", schedule=numbers, catchup=False):
    @task
    def one(): ...
    one()

with DAG(dag_id="moves_on", schedule=None, catchup=False):
    @task(inlets=[numbers])
    def move(asset_state_store=None):
        assert asset_state_store.get("last") == 2
        asset_state_store.set("last", 9)
        asset_state_store.set("upto", 10)
    move()
"""


def load(folder: Path, source: str) -> Any:
    (folder / "flags.py").write_text(source)
    return FRONT_END.load(folder, "flags.py")


def test_a_file_keeps_its_watchers(tmp_path: Path) -> None:
    (dag,) = load(tmp_path, SOURCE).dags
    found = {asset.name: asset.watchers for asset in dag.assets}
    assert {name: [each.name for each in of] for name, of in found.items()} == {
        "flag": ["flag_watcher"],
        "same": ["other_name"],
    }
    (watcher,) = found["flag"]
    assert watcher == Watcher(
        name="flag_watcher",
        trigger=f"airflow:{FILE}",
        what="trigger FileDeleteTrigger",
        kwargs={"filepath": "PATH", "poke_interval": 0.1},
    )


def test_a_trigger_that_is_not_for_events_is_refused_with_airflows_words(tmp_path: Path) -> None:
    source = SOURCE.replace(
        "from airflow.providers.standard.triggers.file import FileDeleteTrigger",
        "from airflow.providers.standard.triggers.file import FileTrigger as FileDeleteTrigger",
    )
    with pytest.raises(
        BadSpec, match="Asset watcher trigger must inherit BaseEventTrigger"
    ) as error:
        load(tmp_path, source)
    assert error.value.where == "flags.py:6"


class Kept:
    """What a watcher has told, and the cursor behind it."""

    def __init__(self, cursor: Any = None) -> None:
        self.extras: list[Any] = []
        self.cursor = cursor

    async def tell(self, events: Sequence[WatcherEvent], cursor: Any) -> None:
        self.extras += [event.extra for event in events]
        if cursor is not None:
            self.cursor = cursor

    def run(self, trigger: str, **kwargs: Any) -> "Kept":
        facts = Facts(f"airflow:{trigger}", kwargs=kwargs)
        asyncio.run(triggering.watched(Watched(facts, self.cursor, self.tell)))
        return self


def test_each_event_has_the_extra_that_airflow_gives_it(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    kept = Kept().run(FILE, filepath=str(flag), poke_interval=0.01)
    assert (kept.extras, flag.exists()) == ([{"from_trigger": True, "payload": True}], False)


@pytest.mark.skipif(not IS_NEWEST, reason="Airflow keeps state since 3.3")
def test_the_state_of_its_assets_outlives_the_trigger_and_is_that_of_tasks(
    server: Server,
) -> None:
    """It ends after two events, begins again, and goes on where it was; a task moves it on."""
    folder = server.folder / "dags"
    (folder / "numbered.py").write_text(NUMBERS)
    (folder / "counting.py").write_text(COUNTING)
    wait_for_dag(server.folder / ".headway", "counting")
    with closing(client_of(Layout(server.folder / ".headway"))) as client:

        def told() -> list[int]:
            events = reversed(client.asset_events("numbers", 10))
            return [event.extra["payload"]["number"] for event in events]

        wait_until(lambda: told() == [1, 2], "it told nothing")
        assert server.run("moves_on").state == "success"
        wait_until(lambda: told() == [1, 2, 10], "it does not go on where the task has moved it")


def test_a_watcher_of_airflow_brings_runs(server: Server, tmp_path: Path) -> None:
    """One trigger of two assets runs once: a file that it deletes is an event of both."""
    path = tmp_path / "flag"
    (server.folder / "dags" / "flags.py").write_text(SOURCE.replace("PATH", str(path)))
    wait_for_dag(server.folder / ".headway", "on_flag")
    with closing(client_of(Layout(server.folder / ".headway"))) as client:
        path.touch()
        wait_until(
            lambda: [run.state for run in client.runs(5, dag_id="on_flag")] == ["success"],
            "it did not run",
        )
        (run,) = client.runs(5, dag_id="on_flag")
        (result,) = client.xcoms(run.run_id)
        assert result.value == [{"from_trigger": True, "payload": True}]
        assert [event.by for event in client.asset_events("same", 5)] == ["watcher:other_name"]
        path.touch()  # it ended after its event, and begins again
        wait_until(lambda: len(client.runs(5, dag_id="on_flag")) == 2, "it did not begin again")
