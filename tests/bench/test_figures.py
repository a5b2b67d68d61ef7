"""Statistics and records of the benches: a wrong median would praise or damn at will."""

from pathlib import Path

import pytest
from bench.figures import Figure, Record, Summary, read, summaries, summarise


def test_summary_of_an_even_number_of_values() -> None:
    assert summarise([4.0, 1.0, 3.0, 2.0]) == Summary(2.5, 1.0, 4.0, 4, 4.0)


def test_p95_of_thirty_is_the_second_greatest() -> None:
    assert summarise(float(value) for value in range(1, 31)).p95 == 29.0


def test_p95_of_one_is_itself() -> None:
    assert summarise([7.0]) == Summary(7.0, 7.0, 7.0, 1, 7.0)


def test_no_values_have_no_summary() -> None:
    with pytest.raises(ValueError, match="no median"):
        summarise([])


def test_summaries_keep_workloads_and_metrics_apart() -> None:
    figures = [
        Figure("x", "W1", "wall_s", 1.0),
        Figure("x", "W2", "wall_s", 9.0),
        Figure("x", "W1", "wall_s", 3.0, 1),
    ]
    found = summaries(figures)
    assert list(found) == [("W1", "wall_s"), ("W2", "wall_s")]
    assert found["W1", "wall_s"].median == 2.0


def test_a_record_reads_back(tmp_path: Path) -> None:
    record = Record("test", tmp_path)
    figures = [Figure("x", "W1", "wall_s", 1.5), Figure("x", "W1", "wall_s", 2.5, 1)]
    record.add(figures[0])
    record.add(figures[1])
    assert read(record.path) == figures == record.figures
