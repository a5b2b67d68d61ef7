"""What the API shows, asked through the real server."""

import threading
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from headway import clock, wire
from headway.api.routes.runs import WAIT_S_MAX
from headway.client import Client
from headway.config import Layout
from headway.errors import NotFound, UsageError
from headway.loader.bundles import Bundles
from headway.loader.teams import MARK
from headway.paths import log_path
from headway.store.transact import Session
from tests.api import seed


def test_dags_are_listed_by_page(client: Client, conn: Session) -> None:
    for name in ("b", "a", "c"):
        seed.dag(conn, name)
    seed.run(conn, "a", "r0", state="success")
    listed = client.dags()
    assert [dag.dag_id for dag in listed] == ["a", "b", "c"]
    assert listed[0].schedule == {"cron": "0 5 * * *"}
    assert listed[0].schedule_words == "daily at 05:00 UTC"
    assert listed[0].tags == ["demo"]
    assert (listed[0].last_run_state, listed[1].last_run_state) == ("success", None)


def test_a_dag_shows_its_spec_as_it_was_hashed(client: Client, conn: Session) -> None:
    seed.dag(conn, "flights")
    detail = client.dag("flights")
    assert detail.spec == seed.spec("flights")
    assert [version.version for version in detail.versions] == [1]


def test_an_unknown_dag_is_answered_with_a_suggestion(client: Client, conn: Session) -> None:
    seed.dag(conn, "daily_delays")
    with pytest.raises(NotFound, match="daily_delay") as caught:
        client.dag("daily_delay")
    assert caught.value.hint == 'did you mean "daily_delays"?'


def test_a_run_is_found_by_prefix_and_by_word(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "abc123abc123", 0, "failed")
    seed.run(conn, "d", "abd123abc123", 1, "success")
    assert client.run("abc").run_id == "abc123abc123"
    assert client.run("@latest").run_id == "abd123abc123"
    assert client.run("@failed").run_id == "abc123abc123"
    with pytest.raises(UsageError, match="more than one"):
        client.run("ab")
    with pytest.raises(NotFound, match="there is no run"):
        client.run("zzz")
    with pytest.raises(UsageError, match="@newest"):
        client.run("@newest")


def test_a_whole_id_means_its_run_though_another_begins_with_it(
    client: Client, conn: Session
) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    seed.run(conn, "d", "r1fefy48bn9s", 1)
    assert client.run("r1").run_id == "r1"


@pytest.mark.parametrize("dag_id", [None, "d"])
def test_pages_of_runs_neither_repeat_nor_omit(
    client: Client, conn: Session, dag_id: str | None
) -> None:
    seed.dag(conn, "d")
    for number in range(7):
        seed.run(conn, "d", f"r{number}", minute=number // 2)  # some at the same moment
    query = {"limit": 3, "dag_id": dag_id}
    seen = [run.run_id for run in client.all_pages("/runs", wire.Run, query)]
    assert sorted(seen) == [f"r{number}" for number in range(7)]
    assert seen[0] == "r6"


def test_a_run_counts_its_instances(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    for index in range(5):
        seed.instance(conn, "r1", "t1", "success" if index < 3 else "failed", index)
    seed.instance(conn, "r1", "t0", "success")
    seed.instance(conn, "r1", "t2", "waiting")
    assert client.run("r1").counts == {"success": 4, "failed": 2, "waiting": 1}
    tasks = client.tasks("r1")
    assert [(task.task_id, task.mapped) for task in tasks] == [
        ("t0", False),
        ("t1", True),
        ("t2", False),
    ]
    assert tasks[1].counts == {"success": 3, "failed": 2}
    assert len(client.instances("r1")) == 7
    assert len(client.instances("r1", state="failed")) == 2


def test_an_instance_shows_its_attempts_and_log(
    client: Client, conn: Session, layout: Layout
) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    seed.instance(conn, "r1", "t1", "failed", 0)
    seed.attempt(conn, "r1", "t1", 0, "ValueError: no flights")
    found = client.instance("r1", "t1")
    assert found.history[0].detail == "ValueError: no flights"
    log = layout.data / log_path("r1", "t1", 0, 1)
    log.parent.mkdir(parents=True)
    log.write_bytes(b"one\ntwo\n")
    assert layout.data / found.history[0].log == log
    assert client.log("r1", "t1") == (b"one\ntwo\n", 8, True)
    assert client.log("r1", "t1", offset=4) == (b"two\n", 8, True)
    with pytest.raises(NotFound, match="no task 't9'"):
        client.instance("r1", "t9")
    with pytest.raises(NotFound, match="no attempt 4"):
        client.log("r1", "t1", attempt=4)


def test_a_mapped_task_needs_its_index(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    for index in range(2):
        seed.instance(conn, "r1", "t1", "success", index)
    with pytest.raises(UsageError, match="mapped"):
        client.instance("r1", "t1")
    assert client.instance("r1", "t1", 1).map_index == 1


def test_a_long_poll_ends_with_the_run(client: Client, conn: Session) -> None:
    """Woken by the notice, well before its time is over."""
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    answers = []
    began = clock.monotonic()
    waiting = threading.Thread(target=lambda: answers.append(client.run("r1", wait_s=WAIT_S_MAX)))
    waiting.start()
    conn.execute("UPDATE run SET state = 'success', ended_at = %s", [seed.NOON + timedelta(1)])
    conn.execute("SELECT pg_notify('headway_run', 'r1')")
    waiting.join()
    assert answers[0].state == "success"
    assert clock.monotonic() - began < WAIT_S_MAX


def test_a_long_poll_gives_up_in_time(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    assert client.run("r1", wait_s=0.05).state == "running"
    assert client.events("r1", wait_s=0.05) == []


def test_events_follow_from_the_last_seen(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    for name in ("start", "succeed"):
        conn.execute(
            "INSERT INTO event (team_id, at, subject, run_id, name, actor)"
            " VALUES (1, %s, 'run', 'r1', %s, 'scheduler')",
            [seed.NOON, name],
        )
    events = client.events("r1")
    assert [event.name for event in events] == ["start", "succeed"]
    assert client.events("r1", after=events[0].seq) == events[1:]


def test_a_broken_file_shows_its_code_and_the_dags_that_keep_an_older_version(
    client: Client, conn: Session, layout: Layout, tmp_path: Path
) -> None:
    folder = tmp_path / "dags"
    folder.mkdir()
    lines = [f"# {number}" for number in range(1, 12)]
    lines[6] = "def broken(:"
    (folder / "d.py").write_text("\n".join(lines))
    version = Bundles(layout.data).snapshot(folder).version
    seed.dag(conn, "d")
    conn.execute("INSERT INTO bundle VALUES (1, %s, 1, 1, %s)", [version, seed.NOON])
    later = seed.NOON + timedelta(hours=1)
    conn.execute(
        "INSERT INTO import_error VALUES (1, 'd.py', 7, 'SyntaxError', %s, %s, %s),"
        " (1, 'e.py', 7, 'SyntaxError', 'gone', %s, NULL)",
        [version, later, seed.NOON, later],
    )
    broken, gone = client.import_errors()
    assert (broken.at, broken.since, gone.since) == (later, seed.NOON, later)
    assert broken.dags == [wire.LastGood(dag_id="d", version=1)]
    assert broken.code == wire.Excerpt(first=3, text="\n".join(lines[2:11]))
    assert (gone.dags, gone.code) == ([], None)


def test_import_errors_and_health(client: Client, conn: Session) -> None:
    conn.execute(
        "INSERT INTO import_error VALUES (1, 'broken.py', 3, 'invalid syntax', 'b1', %s)",
        [seed.NOON],
    )
    assert [(error.file, error.line) for error in client.import_errors()] == [("broken.py", 3)]
    health = client.health()
    assert not health.healthy  # no scheduler, no agent
    assert {component.name: component.healthy for component in health.components} == {
        "database": True,
        "scheduler": False,
        "agent": False,
    }


def test_the_folder_of_a_team_is_told(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dags").mkdir()
    assert client.health().dags == "dags"
    (Path("dags") / MARK).touch()
    assert client.health().dags == "dags/default"


@pytest.mark.parametrize(
    "query", [{"cursor": "%%%"}, {"cursor": "bm9uZQ"}, {"limit": 0}, {"state": "done"}]
)
def test_a_strange_question_is_refused(client: Client, query: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        client.get("/runs", msgspec.Raw, query)
