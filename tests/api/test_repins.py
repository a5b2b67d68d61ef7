"""Which code a cleared run continues with: told, chosen, and written down."""

from pathlib import Path

import pytest

from headway import wire
from headway.client import Client
from headway.config import Layout
from headway.errors import Conflict, NotFound, UsageError
from headway.executors.base import Grant
from headway.loader.bundles import Bundles
from headway.spec.model import Param
from headway.store import dags
from headway.store.clock import clock
from headway.store.transact import Session, transact
from tests.scenarios.world import Scheduler, deploy, states, task, trigger


def fail_b(grant: Grant) -> dict[str, str]:
    bad = grant.instance.node.task_id == "b"
    return {"outcome": "failed", "detail": "no"} if bad else {"outcome": "success"}


@pytest.fixture
def bundles(layout: Layout, tmp_path: Path) -> tuple[str, str]:
    folder = tmp_path / "dags"
    folder.mkdir()
    (folder / "old.py").write_text("")
    found = []
    for text in ("one\n", "two\n"):
        (folder / "d.py").write_text(text)
        found.append(Bundles(layout.data).snapshot(folder).version)
        (folder / "old.py").unlink(missing_ok=True)
        (folder / "new.py").write_text("")
    return found[0], found[1]


@pytest.fixture
def failed(conn: Session, bundles: tuple[str, str]) -> str:
    """a succeeded, b failed, c waits for b; then the file was fixed: c is gone, d is new."""
    deploy(conn, task("a"), task("b", "a"), task("c", "b"), bundle=bundles[0])
    (run_id,) = trigger(conn)
    Scheduler(conn).play(fail_b)
    deploy(conn, task("a"), task("b", "a", pool="etl"), task("d", "b"), bundle=bundles[1])
    conn.execute("INSERT INTO pool VALUES (1, 'etl', 4)")
    conn.commit()
    return run_id


def retry(**options: object) -> wire.ClearRequest:
    return wire.ClearRequest(failed_only=True, **options)  # type: ignore[arg-type]


def test_a_dry_run_tells_both_codes_and_which_is_better(
    client: Client, failed: str, bundles: tuple[str, str]
) -> None:
    answer = client.clear(failed, retry(dry_run=True))
    choice = answer.choice
    assert choice is not None
    assert (choice.version, choice.latest_version) == (1, 2)
    assert (choice.bundle_version, choice.latest_bundle_version) == bundles
    assert [(each.change, each.file) for each in choice.files] == [
        ("changed", "d.py"),
        ("added", "new.py"),
        ("removed", "old.py"),
    ]
    assert [(each.what, each.path) for each in choice.tasks] == [
        ("task changed", "b.pool"),
        ("task added", "d"),
        ("task removed", "c"),
    ]
    assert (choice.advised, choice.refused) == ("latest", None)
    assert (answer.version, answer.bundle_version) == (1, bundles[0])
    latest = client.clear(failed, retry(dry_run=True, code="latest"))
    assert (latest.version, latest.bundle_version) == (2, bundles[1])
    assert [each.task_id for each in latest.cleared] == ["b"]
    assert client.run(failed).version == 1, "nothing was done"


def test_a_retry_on_the_latest_code_keeps_what_succeeded(
    client: Client, conn: Session, failed: str, bundles: tuple[str, str]
) -> None:
    answer = client.clear(failed, retry(code="latest"))
    assert (answer.version, answer.choice) == (2, None)
    Scheduler(conn).play()
    assert states(conn, failed) == {"a": "success", "b": "success", "d": "success"}
    run = client.run(failed)
    assert (run.state, run.version, run.bundle_version) == ("success", 2, bundles[1])
    assert (run.first_version, run.repinned_by) == (1, "user:admin")
    assert run.repinned_at is not None
    assert client.instance(failed, "a").attempts == 1
    assert client.instance(failed, "b").pool == "etl"
    told = {each.name: each for each in client.events(failed) if each.task_id is None}
    assert told["repin"].reason == "continues with version 2 instead of version 1, by admin"
    gone = [each for each in client.events(failed) if each.task_id == "c"]
    assert [each.name for each in gone] == ["block", "remove"], "its history stays"
    assert client.clear(failed, wire.ClearRequest(dry_run=True)).choice is not None


def test_a_retry_as_it_was_stays_on_its_code(client: Client, conn: Session, failed: str) -> None:
    answer = client.clear(failed, retry())
    assert answer.version == 1
    Scheduler(conn).play()
    assert states(conn, failed) == {"a": "success", "b": "success", "c": "success"}
    assert client.run(failed).first_version is None


def test_the_latest_is_advised_only_after_a_failure_and_for_tasks_that_it_has(
    client: Client, conn: Session, failed: str
) -> None:
    def advised(run_id: str, *tasks: str) -> str:
        choice = client.clear(run_id, wire.ClearRequest(tasks=list(tasks), dry_run=True)).choice
        assert choice is not None
        return choice.advised

    assert advised(failed, "b") == "latest"
    assert advised(failed, "c") == "run", "the latest has no such task"
    (good,) = trigger(conn, "d", "good")
    Scheduler(conn).play()
    assert advised(good) == "run"
    with pytest.raises(NotFound, match='has no task "c"'):
        client.clear(failed, wire.ClearRequest(tasks=["c"], code="latest"))


def test_running_task_instances_keep_a_run_on_its_code(
    client: Client, conn: Session, failed: str
) -> None:
    client.clear(failed, retry())
    Scheduler(conn).tick()
    choice = client.clear(failed, wire.ClearRequest(dry_run=True)).choice
    assert choice is not None
    assert choice.refused is not None
    with pytest.raises(Conflict, match="has running task instances"):
        client.clear(failed, wire.ClearRequest(code="latest"))
    assert client.run(failed).version == 1


def test_a_dag_without_a_file_has_no_latest_code(
    client: Client, conn: Session, failed: str
) -> None:
    transact(conn, dags.miss, 1, ["d"], transact(conn, clock))
    with pytest.raises(Conflict, match="no longer in the DAG folder"):
        client.clear(failed, retry(code="latest"))


def test_parameters_become_those_of_the_latest(client: Client, conn: Session, failed: str) -> None:
    deploy(conn, task("a"), task("b", "a"), params=(Param(name="size", default=3),))
    client.clear(failed, retry(code="latest"))
    assert client.run(failed).params == {"size": 3}
    deploy(conn, task("a"), task("b", "a"), params=(Param(name="day", required=True),))
    with pytest.raises(UsageError, match='needs a value for the parameter "day"'):
        client.clear(failed, wire.ClearRequest(code="latest"))


def test_a_code_is_one_of_two(client: Client, failed: str) -> None:
    with pytest.raises(UsageError, match="code"):
        client.clear(failed, retry(code="newest"))


def test_a_scheduler_with_the_run_in_memory_goes_on_with_the_latest(
    client: Client, conn: Session, bundles: tuple[str, str]
) -> None:
    """A run that waits for a retry is in memory under its old version."""
    deploy(conn, task("a", retries=1, retry_delay_s=1e6), bundle=bundles[0])
    (run_id,) = trigger(conn)
    scheduler = Scheduler(conn)
    scheduler.play(lambda _: {"outcome": "failed", "detail": "no"})
    deploy(conn, task("a"), task("b", "a"), bundle=bundles[1])
    client.clear(run_id, wire.ClearRequest(code="latest"))
    scheduler.tick()
    (grant,) = scheduler.held.values()
    assert grant.row.bundle_version == bundles[1]
    scheduler.tick(*scheduler.work())
    scheduler.play()
    assert states(conn, run_id) == {"a": "success", "b": "success"}
