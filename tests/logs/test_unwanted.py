"""What goes from the log store: a run that is gone, or what it wrote before a decision."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headway.config import Layout
from headway.logs import shipper, unwanted
from headway.logs.remote import Remote, open_store
from headway.logs.shipper import Shipper
from headway.logs.unwanted import Unwanted
from headway.paths import log_path, spool_name, stored_log

TEAM = "default"
FUTURE = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "data")
    layout.prepare()
    layout.spool.mkdir(exist_ok=True)
    return layout


def stored(remote: Remote, layout: Layout, run_id: str) -> str:
    """A log that the store has."""
    name = stored_log(TEAM, log_path(run_id, "t", -1, 1))
    log = layout.data / "log"
    log.write_text("x\n")
    remote.put_whole(name, log)
    return name


def spooled(layout: Layout, run_id: str) -> Path:
    """One that it does not have yet."""
    path = layout.spool / spool_name(stored_log(TEAM, log_path(run_id, "t", -1, 2)))
    path.write_text("y\n")
    path.chmod(0o440)
    return path


def waiting(layout: Layout) -> list[Unwanted]:
    return [wish for _, wish in unwanted.wishes(layout)]


def test_a_run_that_is_gone_is_gone_from_the_spool_and_the_store(
    remote: Remote, layout: Layout
) -> None:
    stored(remote, layout, "r1")
    other = stored(remote, layout, "r12")
    link = spooled(layout, "r1")
    unwanted.ask(layout, Unwanted(TEAM, "r1"))
    Shipper(remote, layout).turn()
    assert not link.exists()
    assert remote.names(TEAM, "r1") == set()
    assert remote.names(TEAM, "r12") == {other}
    assert waiting(layout) == []


def test_what_was_written_after_the_decision_stays(remote: Remote, layout: Layout) -> None:
    name = stored(remote, layout, "r1")
    old, new = spooled(layout, "r1"), spooled(layout, "r2")
    os.utime(old, (0, 0))
    for run_id in ("r1", "r2"):
        unwanted.ask(layout, Unwanted(TEAM, run_id, datetime.now(UTC) - timedelta(hours=12)))
    Shipper(remote, layout).turn()
    assert remote.names(TEAM, "r1") == {name}
    assert not old.exists()
    assert not new.exists()  # it was shipped
    assert len(remote.names(TEAM, "r2")) == 1
    for run_id in ("r1", "r2"):
        unwanted.ask(layout, Unwanted(TEAM, run_id, FUTURE))
    Shipper(remote, layout).turn()
    assert remote.names(TEAM, "r1") == remote.names(TEAM, "r2") == set()


def test_while_the_store_is_away_the_wish_waits(
    remote: Remote, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipper, "PAUSE_S_MIN", 0.0)
    unwanted.ask(layout, Unwanted(TEAM, "r1"))
    away = Shipper(
        open_store("s3://no-such-bucket", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}), layout
    )
    away.turn()
    assert (waiting(layout), "cannot use" in away.error) == ([Unwanted(TEAM, "r1")], True)
    Shipper(remote, layout).turn()
    assert waiting(layout) == []


def test_a_damaged_wish_holds_nothing_up(layout: Layout) -> None:
    unwanted.ask(layout, Unwanted(TEAM, "r2"))
    damaged = layout.unwanted / "default!r1"
    damaged.write_bytes(b"")
    assert waiting(layout) == [Unwanted(TEAM, "r2")]
    assert not damaged.exists()


def test_the_same_wish_is_one_and_a_draft_is_none(layout: Layout) -> None:
    for _ in range(2):
        unwanted.ask(layout, Unwanted(TEAM, "r1", FUTURE))
    (layout.unwanted / ".new").write_text("{")  # of somebody who died
    assert waiting(layout) == [Unwanted(TEAM, "r1", FUTURE)]
