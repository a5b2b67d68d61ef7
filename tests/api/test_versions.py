"""What ran: versions, the files they came from and how two differ; how long it took; who has the slots."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from headway import wire
from headway.bundle import Lost
from headway.client import Client
from headway.config import Layout
from headway.errors import NotFound, UsageError
from headway.loader import sourcefiles
from headway.loader.bundles import Bundles
from headway.spec import model
from headway.spec.diff import changes
from headway.store import code_changes
from headway.store.clock import clock
from headway.store.code_changes import CodeChange, FileChange
from headway.store.transact import Session, transact
from tests.api import seed
from tests.scenarios.world import Scheduler, deploy, task, trigger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "dags"
    (folder / "lib").mkdir(parents=True)
    (folder / "d.py").write_text("one\ntwo\n")
    (folder / "lib" / "näme.py").write_bytes(b"\xff = <script>\n")
    return folder


@pytest.fixture
def two_versions(conn: Session, layout: Layout, folder: Path) -> tuple[str, str]:
    """A DAG with a run of each of two versions, and real bundles of both."""
    bundles = Bundles(layout.data)
    run_ids = []
    for text, tasks in (("one\ntwo\n", ("a", "b")), ("one\n2\n", ("b", "c"))):
        (folder / "d.py").write_text(text)
        version = bundles.snapshot(folder).version
        deploy(conn, *(task(name) for name in tasks), bundle=version)
        run_ids += trigger(conn, "d", f"of {version}")
    return run_ids[0], run_ids[1]


def test_versions_tell_what_ran_with_them(
    client: Client, conn: Session, two_versions: tuple[str, str]
) -> None:
    new, old = client.versions("d")
    assert (new.version, new.runs, old.version, old.runs) == (2, 1, 1, 1)
    assert new.bundle_version != old.bundle_version
    assert old.last_run_at is not None
    spec = model.decode(bytes(client.version("d", 1)))
    assert [each.task_id for each in spec.tasks] == ["a", "b"]
    with pytest.raises(NotFound, match="no version 9"):
        client.version("d", 9)
    with pytest.raises(NotFound, match="no DAG"):
        client.versions("nothing")


@pytest.fixture
def changed(conn: Session, layout: Layout, folder: Path) -> None:
    """One version whose imported file changes: the graph stays, the code does not."""
    bundles = Bundles(layout.data)
    for text in ("VAT = 19\n", "VAT = 7\n"):
        (folder / "lib" / "rates.py").write_text(text)
        deploy(conn, task("a"), bundle=bundles.snapshot(folder).version)
        files = [] if "19" in text else [FileChange("lib/rates.py", "changed")]
        code = CodeChange("d", ["d.py", "lib/rates.py"], files, is_new=True)
        transact(conn, code_changes.record, 1, [code], transact(conn, clock))


@pytest.mark.usefixtures("changed")
def test_two_codes_of_one_version_are_two_changes_and_compared(client: Client) -> None:
    new, old = client.code_changes("d")
    assert (new.number, new.version, old.number, old.version) == (2, 1, 1, 1)
    assert [(each.change, each.file) for each in new.files] == [("changed", "lib/rates.py")]
    assert new.bundle_version != old.bundle_version
    found = client.code_change("d", 2)
    assert (found.since, found.changes, found.reason) == (old, [], None)
    (file,) = found.files
    assert file.file == "lib/rates.py"
    assert file.diff is not None
    assert file.diff.endswith("-VAT = 19\n+VAT = 7\n")
    first = client.code_change("d", 1)
    assert (first.since, first.files) == (None, [])
    with pytest.raises(NotFound, match="no change 9"):
        client.code_change("d", 9)
    with pytest.raises(UsageError, match="not before"):
        client.code_change("d", 1, since=1)


def test_the_source_is_what_the_run_ran(client: Client, two_versions: tuple[str, str]) -> None:
    old, new = two_versions
    assert client.source_of_run(old).text == client.source("d", 1).text == "one\ntwo\n"
    assert client.source_of_run(new).text == client.source("d", 2).text == "one\n2\n"
    assert client.source_of_run(new).others == ["lib/näme.py"]
    found = client.source("d", 1, "lib/näme.py")
    assert found.text == "\ufffd = <script>\n"
    assert found.others == ["d.py"]
    assert not found.truncated


@pytest.mark.parametrize(
    "wanted",
    [
        *("../../run/server.json", "/etc/passwd", "lib/../../../run/server.json", "lib", "."),
        *("./d.py", "d.py/", "lib//näme.py", "..", "%2e%2e/x", "d.py\0"),
    ],
)
def test_nothing_but_the_files_of_the_bundle_is_read(
    client: Client, layout: Layout, two_versions: tuple[str, str], wanted: str
) -> None:
    layout.server.write_text("secret")
    with pytest.raises(NotFound, match="no file"):
        client.source_of_run(two_versions[0], wanted)


def test_what_was_changed_on_disk_is_never_shown(layout: Layout, folder: Path) -> None:
    bundles = Bundles(layout.data)
    made = bundles.snapshot(folder)
    copy = bundles.path(made.version)
    copy.chmod(0o755)
    (copy / "d.py").unlink()
    (copy / "d.py").symlink_to(layout.server)
    assert sourcefiles.read(layout.data, made.version, "d.py").text == "one\ntwo\n"
    blob = bundles.blobs / made.entries["d.py"].blob
    blob.unlink()
    layout.server.write_text("secret")
    blob.symlink_to(layout.server)
    with pytest.raises(Lost, match=r"the content of d\.py is lost"):
        sourcefiles.read(layout.data, made.version, "d.py")


def test_files_that_are_gone_are_said_to_be(
    client: Client, conn: Session, two_versions: tuple[str, str]
) -> None:
    deploy(conn, task("z"), bundle="never-kept")
    with pytest.raises(NotFound, match="were removed"):
        client.source("d", 3)
    diff = client.diff("d", 2, 3)
    assert diff.reason == "the files of this version were removed"
    assert diff.source_diff == ""
    assert [each.what for each in diff.changes] == ["task added", "task removed", "task removed"]


def test_two_versions_differ_in_spec_and_source(
    client: Client, two_versions: tuple[str, str]
) -> None:
    diff = client.diff("d", 1, 2)
    assert [(each.what, each.path) for each in diff.changes] == [
        ("task added", "c"),
        ("task removed", "a"),
    ]
    assert (diff.first, diff.last) == (1, 2)
    assert diff.source_diff == "--- d.py\n+++ d.py\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
    assert diff.reason is None


def test_where_something_stands_is_no_difference() -> None:
    before = seed.spec("d", 2)
    moved = msgspec.structs.replace(
        before,
        line=99,
        tasks=tuple(msgspec.structs.replace(each, line=50) for each in before.tasks),
    )
    assert changes(before, moved) == []
    other = msgspec.structs.replace(
        before,
        schedule={"cron": "0 6 * * *"},
        tasks=(msgspec.structs.replace(before.tasks[0], retries=3), before.tasks[1]),
    )
    assert [(each.what, each.path) for each in changes(before, other)] == [
        ("schedule", "schedule"),
        ("task changed", "t0.retries"),
    ]
    assert changes(before, other)[0].after == {"cron": "0 6 * * *"}


def test_long_files_are_cut_and_not_compared(layout: Layout, folder: Path) -> None:
    (folder / "long.py").write_text("x\n" * 1_000_000)
    version = Bundles(layout.data).snapshot(folder).version
    found = sourcefiles.read(layout.data, version, "long.py")
    assert found.truncated
    assert len(found.text) == 1024 * 1024
    assert sourcefiles.difference(found, found) is None


@pytest.fixture
def measured(conn: Session) -> None:
    """Ten runs, one a day: the older half took 100 s, the newer half 150 s, and one failed."""
    seed.dag(conn, "d", tasks=2)
    for day in range(10):
        run_id = f"r{day}"
        seed.run(conn, "d", run_id, minute=day, state="failed" if day == 4 else "success")
        took_s = 150 if day < 5 else 100
        conn.execute(
            "UPDATE run SET started_at = ended - %(took)s, ended_at = ended FROM ("
            "SELECT now() - %(days)s AS ended) AS moment WHERE run_id = %(run)s",
            {"run": run_id, "days": timedelta(days=day), "took": timedelta(seconds=took_s)},
        )
        for name, share in (("t0", 0.25), ("t1", 0.5)):
            seed.instance(conn, run_id, name, "success")
            conn.execute(
                "UPDATE task_instance SET started_at = run.started_at, ended_at = run.started_at + %(took)s,"
                " ready_at = run.started_at - interval '4 s' FROM run"
                " WHERE run.run_id = task_instance.run_id AND task_instance.run_id = %(run)s"
                " AND task_id = %(task)s",
                {"run": run_id, "task": name, "took": timedelta(seconds=took_s * share)},
            )


def test_durations_are_of_the_last_days_and_tell_a_trend(client: Client, measured: None) -> None:
    found = client.durations("d", days=10)
    assert found.dag.count == 9
    assert found.dag.p50_s == pytest.approx(100)
    assert found.dag.p95_s == pytest.approx(150)
    assert found.dag.trend_pct == pytest.approx(50)
    assert [day.count for day in found.by_day] == [1, 1, 1, 1, 1, 0, 1, 1, 1, 1]
    assert sum(day.failed for day in found.by_day) == 1
    assert [each.task_id for each in found.tasks] == ["t1", "t0"]
    assert found.tasks[0].p50_s == pytest.approx(50)
    assert found.tasks[0].wait_p50_s == pytest.approx(4)
    assert found.tasks[1].trend_pct == pytest.approx(50)
    assert found.sampled_runs == 9
    assert client.durations("d", days=2).dag.count == 2
    assert client.durations("d", days=2).dag.trend_pct == pytest.approx(0)


def test_durations_are_counted_by_days_of_the_zone_that_is_asked_for(
    client: Client, conn: Session
) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "late", state="success")
    day = "date_trunc('day', now(), 'UTC') - interval '1 day'"
    conn.execute(
        f"UPDATE run SET started_at = {day} + interval '22 h', ended_at = {day} + interval '23 h'"
    )
    (in_utc,) = client.durations("d").by_day
    found = client.durations("d", timezone="Asia/Tokyo")
    (in_tokyo,) = found.by_day
    assert (found.timezone, client.durations("d").timezone) == ("Asia/Tokyo", "UTC")
    assert in_tokyo.day - in_utc.day == timedelta(days=1)
    with pytest.raises(UsageError, match="Mars"):
        client.durations("d", timezone="Mars/Olympus")


def test_durations_of_what_never_ran(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    found = client.durations("d")
    assert (found.dag.count, found.dag.p50_s, found.tasks, found.days) == (0, None, [], 30)
    with pytest.raises(NotFound):
        client.durations("nothing")
    with pytest.raises(UsageError):
        client.durations("d", days=0)


def test_the_views_of_durations_agree(client: Client, conn: Session, measured: None) -> None:
    row = conn.execute("SELECT runs, mean_s, p50_s FROM dag_durations_30d").fetchone()
    assert row is not None
    shown = client.durations("d").dag
    mean_s, p50_s = (pytest.approx(each, abs=0.001) for each in (shown.mean_s, shown.p50_s))
    assert row == (shown.count, mean_s, p50_s)  # told to the millisecond
    counted = conn.execute("SELECT count(*), count(duration_s) FROM run_durations").fetchone()
    assert counted == (10, 10)


def test_slots_tell_who_has_them_and_who_waits_for_what(client: Client, conn: Session) -> None:
    conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (1, 'etl', 3)")
    deploy(conn, *(task(f"t{n}", pool="etl", pool_slots=1) for n in range(5)), max_active_runs=1)
    (running,) = trigger(conn, "d", "k1")
    Scheduler(conn).tick()
    trigger(conn, "d", "k2")
    found = client.slots()
    (etl,) = [pool for pool in found.pools if pool.name == "etl"]
    assert (etl.slots, etl.used, etl.waiting) == (3, 3, 2)
    assert [(user.dag_id, user.run_id, user.used) for user in etl.users] == [("d", running, 3)]
    assert [(queue.reason, queue.count) for queue in etl.queue] == [
        ("pool `etl` is full: 3 of 3 slots in use", 2)
    ]
    assert [(runs.dag_id, runs.queued, runs.reason) for runs in found.runs_waiting] == [
        ("d", 1, "max_active_runs is reached: 1 of 1 running")
    ]
    client.pause("d")
    assert "paused by" in client.slots().runs_waiting[0].reason


def test_slots_of_an_empty_installation(client: Client) -> None:
    found = client.slots()
    assert [pool.name for pool in found.pools] == ["default"]
    assert (found.pools[0].users, found.pools[0].queue) == ([], [])
    assert found.runs_waiting == []


def test_times_without_a_zone_are_utc(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1", state="success")
    query = {"from": "2026-01-01T00:00:00", "to": "2026-01-02T00:00:00"}
    runs = client.get("/runs", wire.Page[wire.Run], query)
    assert [run.run_id for run in runs.items] == ["r1"]
    for path in ("/dags/d/calendar", "/calendar"):
        assert client.get(path, wire.Calendar, query).days[0].success == 1
