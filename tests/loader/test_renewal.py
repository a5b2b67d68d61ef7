"""Files whose timetables know their dates up to some time: read again when it comes, and only then."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway import clock
from headway.clock import Clock
from headway.core.schedules import Dates
from headway.loader.loader import Loader
from headway.loader.sources import RENEW_AGAIN
from headway.spec import compile
from headway.store import dags as store
from tests.loader.conftest import Folder, dags, errors, rows

TURN = datetime(2027, 1, 1, tzinfo=UTC)
FILE = """
from pathlib import Path
from headway import dag, task

class Timetable:  # of another author; what it answers is not part of the folder
    def dates_schedule(self):
        fires, renew_at = Path("{answers}").read_text().split("|")
        return {{"fires": fires.split(), "renew_at": renew_at}}

@dag(dag_id="dated", schedule=Timetable())
def define():
    @task
    def work(): ...
    work()

define()
"""


class Wall(Clock):
    """The clock on the wall, set by hand."""

    def __init__(self) -> None:
        self.at = TURN - timedelta(days=1)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def wall() -> Any:
    with clock.use(found := Wall()):
        yield found


@pytest.fixture
def answers(folder: Folder, tmp_path: Path) -> Path:
    """What the timetable of a file answers."""
    found = tmp_path / "answers"
    found.write_text("2026-12-30T05:00Z 2027-01-02T05:00Z|2027-01-01T00:00Z")
    folder.write("dated.py", FILE.format(answers=found))
    folder.dag("other.py", "other")
    return found


def fires(conn: Connection[Any]) -> list[str]:
    found = compile.schedule(store.spec(conn, 1, "dated"), TURN)
    assert isinstance(found, Dates)
    return [f"{date.fire:%Y-%m-%d}" for date in found.dates]


def test_a_file_is_read_again_when_its_dates_run_out(
    loader: Loader,
    conn: Connection[Any],
    answers: Path,
    imported: list[str],
    wall: Wall,
) -> None:
    loader.settle()
    assert sorted(imported) == ["dated.py", "other.py"]
    answers.write_text("2027-01-02T05:00Z 2027-04-02T05:00Z|2027-04-01T00:00Z")
    loader.settle()
    assert len(imported) == 2, "it is read once for each version of the file"
    wall.at = TURN
    loader.settle()
    assert set(imported[2:]) == {"dated.py"}
    assert fires(conn) == ["2027-01-02", "2027-04-02"]
    assert dags(conn)["dated"] == (2, "dated.py", False)
    assert rows(conn, "SELECT next_fire_at IS NOT NULL FROM dag WHERE dag_id = 'dated'") == [
        (True,)
    ]
    count = len(imported)
    loader.settle()
    assert len(imported) == count


def test_one_that_cannot_be_read_then_keeps_its_dates_and_is_tried_again(
    loader: Loader,
    conn: Connection[Any],
    answers: Path,
    imported: list[str],
    wall: Wall,
) -> None:
    loader.settle()
    answers.unlink()
    wall.at = TURN
    loader.settle()
    assert "FileNotFoundError" in str(errors(conn)["dated.py"])
    assert fires(conn) == ["2026-12-30", "2027-01-02"]
    count = len(imported)
    loader.settle()
    assert len(imported) == count, "not with each look"
    answers.write_text("2027-04-02T05:00Z|2027-04-01T00:00Z")
    wall.at = TURN + RENEW_AGAIN
    loader.settle()
    assert errors(conn) == {}
    assert fires(conn) == ["2027-04-02"]


def test_one_that_always_wants_to_be_read_again_is_read_now_and_then(
    loader: Loader, conn: Connection[Any], answers: Path, imported: list[str], wall: Wall
) -> None:
    """Its dates are others each time, so each time it would be a version more."""
    for number in range(6):
        answers.write_text(f"2026-12-{10 + number}T05:00Z|2020-01-01T00:00Z")
        loader.settle()
        wall.at += timedelta(seconds=1)
    first = dags(conn)["dated"][0]
    assert first <= 2
    wall.at += RENEW_AGAIN
    for _ in range(6):
        loader.settle()
        assert dags(conn)["dated"][0] == first + 1
