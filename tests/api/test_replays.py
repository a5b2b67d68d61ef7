"""A run once more as it was, what that cannot bring back, and how two runs differ."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from headway.actions import commands
from headway.actions.commands import RunRequest
from headway.bundle import list_file
from headway.client import Client
from headway.config import Layout
from headway.errors import Conflict, NotFound, UsageError
from headway.loader.bundles import Bundles
from headway.store import dags, images
from headway.store.clock import clock
from headway.store.transact import Session, transact
from tests.api import people
from tests.scenarios.world import ANN, Scheduler, deploy, states, task, trigger

IMAGE = f"sha256:{'1' * 64}"


@pytest.fixture
def bundles(layout: Layout, tmp_path: Path) -> tuple[str, str]:
    """Real ones, of the same file before and after an edit."""
    folder = tmp_path / "dags"
    folder.mkdir()
    versions = []
    for text in ("one\n", "two\n"):
        (folder / "d.py").write_text(text)
        versions.append(Bundles(layout.data).snapshot(folder).version)
    return versions[0], versions[1]


@pytest.fixture
def old(conn: Session, bundles: tuple[str, str]) -> str:
    """A run of a version that is not the current one any more."""
    deploy(conn, task("a"), task("b", "a"), bundle=bundles[0])
    (run_id,) = trigger(conn)
    Scheduler(conn).play()
    deploy(conn, task("a"), task("c", "a"), bundle=bundles[1])
    return run_id


def test_a_replay_runs_what_the_run_ran_though_the_dag_has_changed(
    client: Client, conn: Session, old: str, bundles: tuple[str, str]
) -> None:
    for digest in (IMAGE, f"sha256:{'2' * 64}"):
        transact(conn, images.tell, 1, old, "acme/jobs:2", digest)
    again, was = client.replay(old), client.run(old)
    assert again.run_id != old
    assert again.images == {"acme/jobs:2": [IMAGE]}, "what its pods use from the first on"
    for kept in ("dag_id", "version", "bundle_version", "params", "logical_date"):
        assert getattr(again, kept) == getattr(was, kept)
    assert (again.interval_start, again.interval_end) == (was.interval_start, was.interval_end)
    assert (again.trigger, again.note) == ("manual", f"replay of {old}")
    assert again.bundle_version == bundles[0]
    Scheduler(conn).play()
    assert states(conn, again.run_id) == {"a": "success", "b": "success"}
    assert client.source_of_run(again.run_id).text == "one\n"
    created = next(each for each in client.events(again.run_id) if each.name == "create")
    assert created.reason == f"replay of {old}"
    assert client.replay(again.run_id).version == 1  # of a replay, too, and as often as wished
    (newest,) = trigger(conn, "d", "anew")
    assert client.run(newest).version == 2  # what is asked for otherwise is what the DAG is now


def test_a_replay_has_the_parameters_and_the_interval_of_the_run(
    client: Client, conn: Session, bundles: tuple[str, str]
) -> None:
    deploy(conn, task("a"), bundle=bundles[0])
    date = datetime(2013, 1, 31, tzinfo=UTC)
    (run_id,) = transact(
        conn, commands.trigger, 1, "d", [RunRequest(params={}, logical_date=date.isoformat())], ANN
    )
    conn.execute(
        "UPDATE run SET params = '{\"size\": 5}', interval_end = interval_end + interval '1 day'"
    )
    conn.commit()
    again, was = client.replay(run_id), client.run(run_id)
    assert again.params == was.params == {"size": 5}
    assert (again.logical_date, again.interval_end) == (date, was.interval_end)


def test_a_dag_that_left_its_folder_is_replayed_all_the_same(
    client: Client, conn: Session, old: str
) -> None:
    transact(conn, dags.miss, 1, ["d"], transact(conn, clock))
    assert client.would_replay(old).not_reproduced[0] == (
        "the DAG is no longer in the DAG folder; the replay runs version 1"
    )
    again = client.replay(old)
    Scheduler(conn).play()
    assert client.run(again.run_id).state == "success"


def test_a_dry_run_says_what_it_would_take_and_what_cannot_be_reproduced(
    client: Client, conn: Session, old: str, bundles: tuple[str, str]
) -> None:
    would = client.would_replay(old)
    assert (would.version, would.bundle_version, would.tasks) == (1, bundles[0], 2)
    assert (would.run_id, would.dag_id, would.would_wait) == (old, "d", None)
    assert would.logical_date == client.run(old).logical_date
    assert would.not_reproduced[:2] == [
        "the DAG's current version is 2; the replay runs version 1",
        "files in the DAG folder have changed since; the replay runs the original files",
    ]
    assert any("packages" in sentence for sentence in would.not_reproduced)
    assert [run.run_id for run in client.runs(10)] == [old]  # and nothing was done
    (new,) = trigger(conn, "d", "new")
    assert not any("version" in each for each in client.would_replay(new).not_reproduced)
    client.pause("d")
    assert "paused" in (client.would_replay(old).would_wait or "")


def test_what_cannot_be_had_any_more_is_refused(
    client: Client, layout: Layout, old: str, bundles: tuple[str, str]
) -> None:
    list_file(layout.data, bundles[0]).unlink()
    for ask in (client.replay, client.would_replay):
        with pytest.raises(Conflict, match="were removed") as refused:
            ask(old)
        assert refused.value.hint == "to run the current version: headway run d"
        with pytest.raises(NotFound, match="no run"):
            ask("zzzz")
    assert [run.run_id for run in client.runs(10)] == [old]


def test_a_request_that_is_sent_again_is_one_replay(url: str, client: Client, old: str) -> None:
    people.create(url, "olga", "operator")
    olga = people.bearer(url, people.token(url, "olga", "operator"))
    path, key = f"/api/v1/runs/{old}/replay", {"Idempotency-Key": "k"}
    first, again = (olga.ask("POST", path, {}, key) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert first.json["run_id"] == again.json["run_id"]
    assert first.json["created_by"] == "user:olga"
    assert len(client.runs(10)) == 2


def test_two_runs_are_compared(client: Client, conn: Session, old: str) -> None:
    (new,) = trigger(conn, "d", "new")
    scheduler = Scheduler(conn)
    scheduler.tick()
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "failed", "detail": "no"}))
    scheduler.play()
    found = client.compare(old, new)
    assert (found.before.run_id, found.after.run_id) == (old, new)
    changed = {each.what: (each.before, each.after) for each in found.differences}
    assert changed["state"] == ("success", "failed")
    assert changed["version"] == (1, 2)
    assert {"bundle", "logical date"} < changed.keys()
    tasks = {(each.task_id, each.what): (each.before, each.after) for each in found.tasks}
    assert tasks[("a", "states")] == ({"success": 1}, {"failed": 1})
    assert (tasks[("b", "task")], tasks[("c", "task")]) == ((True, False), (False, True))
    back = client.compare(new, old)
    assert {each.what: (each.after, each.before) for each in back.differences} == changed
    alike = client.compare(old, old)
    assert (alike.differences, alike.tasks) == ([], [])


def test_only_what_takes_notably_longer_is_told(client: Client, conn: Session) -> None:
    deploy(conn, task("quick"), task("slow", "quick"))
    one, two = trigger(conn, "d", "one"), trigger(conn, "d", "two")
    Scheduler(conn).play()
    times = "UPDATE task_instance SET ended_at = started_at + %s * interval '1 second' WHERE run_id = %s"
    conn.execute(f"{times} AND task_id = 'quick'", (100, one[0]))
    conn.execute(f"{times} AND task_id = 'quick'", (110, two[0]))
    conn.execute(f"{times} AND task_id = 'slow'", (100, one[0]))
    conn.execute(f"{times} AND task_id = 'slow'", (200, two[0]))
    conn.execute(
        "UPDATE task_instance SET attempts = 3 WHERE run_id = %s AND task_id = 'slow'", two
    )
    conn.commit()
    told = client.compare(one[0], two[0]).tasks
    assert [(each.task_id, each.what, each.before, each.after) for each in told] == [
        ("slow", "attempts", 1, 3),
        ("slow", "duration", 100.0, 200.0),
    ]


def test_runs_of_different_dags_are_not_compared(client: Client, conn: Session) -> None:
    deploy(conn, task("a"))
    deploy(conn, task("a"), dag_id="e")
    (one,), (other,) = trigger(conn, "d"), trigger(conn, "e")
    with pytest.raises(UsageError, match="only runs of the same DAG"):
        client.compare(one, other)
