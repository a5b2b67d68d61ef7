"""The examples of single features, in this process."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from headway.authoring.dag import DAG
from headway.authoring.loading import load_file
from headway.testing import run_dag

EXAMPLES = Path(__file__).parents[2] / "examples"
AT = datetime(2026, 1, 2, 3, tzinfo=UTC)


def example(folder: str, file: str) -> DAG:
    (dag,) = load_file(EXAMPLES / folder / file, EXAMPLES / folder)
    return dag


@pytest.mark.parametrize(
    ("full", "skipped"), [(False, {"in_bulk", "vacuum"}), (True, {"row_by_row"})]
)
def test_branches_skip_what_a_run_does_not_need(full: bool, skipped: set[str]) -> None:
    nightly = example("branches", "choose.py")
    found = run_dag(nightly, logical_date=AT, params={"full": full})
    assert {name for name in nightly.tasks if found[name].state == "skipped"} == skipped
    assert found["tell_the_team"].value == "the data of 2026-01-02 is there"


def test_mapping_has_an_instance_for_each_combination(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES / "mapping")
    monkeypatch.setenv("HEADWAY_CONN_CALENDAR", "sqlite:///:memory:")
    found = run_dag(example("mapping", "shops.py"), logical_date=AT)
    assert found["fetch"].values == [5, 10, 6, 12, 4, 8]
    assert found["add_up"].value == "all shops, told on 2026-01-02: 45"
    assert found["read"].value == "2026-01-01"


def test_waiting_goes_on_with_what_was_delivered(tmp_path: Path) -> None:
    (tmp_path / "2026-01-02.csv").write_text("1\n2\nEND\n")
    found = run_dag(
        example("waiting", "deliveries.py"), logical_date=AT, params={"inbox": str(tmp_path)}
    )
    assert found["load"].value == 2


def test_a_delivery_that_does_not_end_is_skipped_in_time(tmp_path: Path) -> None:
    (tmp_path / "2026-01-02.csv").write_text("1\n")
    found = run_dag(
        example("waiting", "deliveries.py"), logical_date=AT, params={"inbox": str(tmp_path)}
    )
    assert (found["complete"].state, found["load"].state) == ("skipped", "skipped")
