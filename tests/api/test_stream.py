"""Live changes through the real server: nothing lost, nothing doubled, nobody held up."""

import pytest

from headway.api.live import reading, watcher
from headway.api.server import HttpServer
from headway.client import Client
from headway.config import Layout
from headway.errors import UsageError
from headway.paths import log_path
from headway.store.transact import Session, connect
from tests.api import seed
from tests.api.stream import listening


@pytest.fixture
def runs(conn: Session) -> None:
    seed.dag(conn, "d")
    for name in ("r1", "r2"):
        seed.run(conn, "d", name)
        for task in ("t0", "t1"):
            seed.instance(conn, name, task, "waiting")


def happen(conn: Session, run_id: str, task_id: str | None = None, index: int = -1) -> None:
    """As a tick does it: the row of history in the transaction of the change."""
    conn.execute(
        "INSERT INTO event (team_id, at, subject, dag_id, run_id, task_id, map_index, name, actor)"
        " VALUES (1, %s, %s, 'd', %s, %s, %s, 'start', 'scheduler')",
        [
            seed.NOON,
            "task_instance" if task_id else "run",
            run_id,
            task_id,
            index if task_id else None,
        ],
    )
    conn.execute("SELECT pg_notify('headway_run', %s)", [run_id])


@pytest.mark.usefixtures("runs")
def test_a_change_is_told_as_things_stand_now(url: str, conn: Session) -> None:
    with listening(url, run_id="r1") as stream:
        assert stream.next().event == "ready"
        with conn.transaction():
            conn.execute("UPDATE task_instance SET state = 'ready' WHERE run_id = 'r1'")
            happen(conn, "r1", "t0")
            happen(conn, "r1", "t1")
            happen(conn, "r2", "t0")
        told = stream.next("run").data
        assert (told["run_id"], told["state"], told["version"]) == ("r1", "running", 1)
        assert told["counts"] == {"ready": 2}
        told = stream.next("task_instance").data
        assert (told["run_id"], told["dag_id"]) == ("r1", "d")
        assert {(one["task_id"], one["state"]) for one in told["changes"]} == {
            ("t0", "ready"),
            ("t1", "ready"),
        }


@pytest.mark.usefixtures("runs")
def test_an_instance_that_is_gone_has_no_state(url: str, conn: Session) -> None:
    with listening(url, dag_id="d", topics="task_instance") as stream:
        stream.next("ready")
        with conn.transaction():
            conn.execute("DELETE FROM task_instance WHERE run_id = 'r2' AND task_id = 't1'")
            happen(conn, "r2", "t1")
        (change,) = stream.next("task_instance").data["changes"]
        assert (change["task_id"], change["state"]) == ("t1", None)


@pytest.mark.usefixtures("runs")
def test_what_commits_out_of_order_is_neither_lost_nor_doubled(
    url: str, conn: Session, dsn: str
) -> None:
    """The lower number becomes visible after the higher one has been told."""
    with (
        connect(dsn) as slow,
        listening(url, topics="run") as stream,
        listening(url, topics="run") as broken,
    ):
        stream.next("ready")
        broken.next("ready")
        with slow.transaction():
            happen(slow, "r1")
            happen(conn, "r2")
            assert stream.next().data["run_id"] == "r2"
            assert broken.next().data["run_id"] == "r2"
            position = broken.position
        assert stream.next().data["run_id"] == "r1"
        with listening(url, position, topics="run") as again:
            happen(conn, "r2")
            # Once each: r1, which was open when the connection broke, and then what is new.
            assert [again.next().data["run_id"] for _ in range(2)] == ["r1", "r2"]
        assert stream.next().data["run_id"] == "r2"


@pytest.mark.usefixtures("runs")
def test_a_client_that_comes_again_hears_what_it_missed(url: str, conn: Session) -> None:
    with listening(url, run_id="r1") as stream:
        stream.next("ready")
        position = stream.position
    for _ in range(3):
        happen(conn, "r1", "t0")
    happen(conn, "r2", "t0")
    with listening(url, position, run_id="r1") as stream:
        assert stream.next().event == "run"
        assert len(stream.next("task_instance").data["changes"]) == 1
        position = stream.position
    with listening(url, run_id="r1", last_event_id=position) as stream:
        happen(conn, "r1", "t1")
        assert stream.next("task_instance").data["changes"][0]["task_id"] == "t1"


@pytest.mark.parametrize("position", ["17", "0.1:2:", "1.1:99999999999:", "x" * 5000, "1.1:2:3,,4"])
def test_a_position_that_leads_nowhere_is_a_reset(url: str, position: str) -> None:
    with listening(url, position) as stream:
        assert stream.next().event == "reset"
        assert stream.position not in ("", position)


@pytest.mark.usefixtures("runs")
def test_too_much_to_tell_is_a_reset(
    url: str, conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "RUNS_MAX", 1)
    with listening(url, topics="run") as stream:
        stream.next("ready")
        with conn.transaction():
            happen(conn, "r1")
            happen(conn, "r2")
        assert stream.next().event == "reset"
        happen(conn, "r1")
        assert stream.next().event == "run"


@pytest.mark.usefixtures("runs")
def test_who_does_not_fetch_is_told_to_begin_anew_and_let_go(
    url: str, conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "QUEUE_BYTES_MAX", 100)
    with listening(url, run_id="r1") as stream, listening(url, topics="dag") as neighbour:
        stream.next("ready")
        neighbour.next("ready")
        happen(conn, "r1", "t0")
        assert [said.event for said in stream.rest()] == ["reset"]
        conn.execute(
            "INSERT INTO event (team_id, at, subject, dag_id, name, actor)"
            " VALUES (1, %s, 'dag', 'd', 'pause', 'user:x')",
            [seed.NOON],
        )
        assert neighbour.next().event == "reset"


@pytest.mark.usefixtures("runs")
def test_another_team_is_not_heard(url: str, conn: Session) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    with listening(url, topics="run,dag,pool") as stream:
        stream.next("ready")
        with conn.transaction():
            conn.execute(
                "INSERT INTO event (team_id, at, subject, dag_id, run_id, name, actor)"
                " SELECT 2, at, subject, 'd', run, 'x', 'x' FROM (VALUES (%(at)s::timestamptz, 'run',"
                " 'r1'), (%(at)s, 'dag', NULL), (%(at)s, 'pool', NULL)) AS new (at, subject, run)",
                {"at": seed.NOON},
            )
            conn.execute("SELECT pg_notify('headway_run', 'r1')")
        happen(conn, "r2")
        assert stream.next().data["run_id"] == "r2"


@pytest.mark.usefixtures("runs")
def test_dags_and_pools(url: str, client: Client) -> None:
    with listening(url, topics="dag,pool") as stream:
        stream.next("ready")
        client.pause("d")
        told = stream.next("dag").data
        assert told["dag_id"] == "d"
        assert told["paused_at"] is not None
        client.set_pool("etl", 3)
        assert {"name": "etl", "slots": 3, "used": 0} in stream.next("pool").data["pools"]


@pytest.mark.usefixtures("runs")
def test_a_log_that_grows(url: str, conn: Session, layout: Layout) -> None:
    seed.attempt(conn, "r1", "t0")
    log = layout.data / log_path("r1", "t0", -1, 1)
    log.parent.mkdir(parents=True)
    log.write_bytes(b"one\n")
    with listening(url, run_id="r1", task_id="t0", topics="log") as stream:
        assert stream.next("log").data["size"] == 4
        with log.open("ab") as file:
            file.write(b"two\n")
        told = stream.next("log").data
        assert (told["size"], told["complete"], told["attempt"]) == (8, True, 1)


def test_a_quiet_stream_says_that_it_is_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "HEARTBEAT_S", 0.05)
    with listening(url) as stream:
        stream.next("ready")
        assert stream.response.readline() == b": still here\n"
        assert stream.response.readline() == f"id: {stream.position}\n".encode()


def test_a_stream_ends_by_itself(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "LIFE_S", 1.0)
    with listening(url) as stream:
        assert [said.event for said in stream.rest()] == ["ready"]
        assert stream.position


def test_the_server_ends_though_somebody_watches(url: str, server: HttpServer) -> None:
    with listening(url) as stream:
        stream.next("ready")
        server.stop()
        assert list(stream.rest()) == []


@pytest.mark.parametrize(
    "query",
    [
        {"topics": "runs"},
        {"topics": "task_instance"},
        {"topics": "log"},
        {"topics": "log", "run_id": "r1"},
    ],
)
@pytest.mark.usefixtures("runs")
def test_a_strange_wish_is_refused(client: Client, query: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        client.ask("GET", "/stream", None, query)
