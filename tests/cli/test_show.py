"""``headway show`` of a DAG whose file is gone, and what a backfill says of dates outside of a DAG's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import headway, served, wait_until

pytestmark = pytest.mark.long

DAG = """
from datetime import datetime
from headway import dag, task

@dag(schedule="0 0 * * *", start_date=datetime(2026, 1, 3), end_date=datetime(2026, 1, 4))
def shop():
    @task
    def nothing(): ...
    nothing()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Path]:
    files = {"shop.py": DAG, "old.py": DAG.replace("shop", "old")}
    with served(tmp_path_factory.mktemp("shown"), data, files, "shop") as folder:
        yield folder


def test_a_dag_whose_file_is_gone_is_not_active(folder: Path) -> None:
    file = folder / "dags" / "old.py"
    first = headway("show", "old", cwd=folder).stderr
    assert first.rstrip().endswith(", active")
    file.unlink()

    def said() -> str:
        return headway("show", "old", cwd=folder).stderr

    wait_until(lambda: ", its file is gone" in said(), "it still says that the DAG is active")
    assert "old.py is no longer in the DAG folder, or no longer defines old, since 20" in said()
    assert "nothing will start. To have runs again, put it back" in said()
    assert headway("show", "shop", cwd=folder).stderr.rstrip().endswith(", active")
    file.write_text(DAG.replace("shop", "old"))
    wait_until(lambda: said().rstrip().endswith(", active"), "it is not there again")


def test_a_backfill_says_which_dates_the_schedule_would_not_run(folder: Path) -> None:
    dates = ("--from", "2026-01-01", "--to", "2026-01-05")
    said = (
        "2 dates are before the start date of the DAG, 2026-01-03 00:00: its schedule creates no run for them, "
        "and the backfill runs them all the same",
        "1 date is after the end date of the DAG, 2026-01-04 00:00: its schedule creates no run for it, "
        "and the backfill runs it all the same",
    )
    planned = headway("backfill", "shop", *dates, "--dry-run", cwd=folder)
    assert len(planned.stdout.splitlines()) == 6
    done = headway("backfill", "shop", *dates, cwd=folder)
    assert "5 succeeded" in done.stderr
    for each in (planned, done):
        assert [line for line in each.stderr.splitlines() if " of the DAG, " in line] == [*said]
    within = headway(
        "backfill", "shop", *dates[:1], "2026-01-03", "--to", "2026-01-04", "--dry-run", cwd=folder
    )
    assert "of the DAG" not in within.stderr
