"""Patterns of Airflow's lists, which whoever asks may choose, compared in the process that answers all teams."""

import pytest

from headway.api.airflow.filters import like


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("ail", "daily", True),
        ("D%y", "daily", True),
        ("y%d", "daily", False),
        ("d_ily", "daily", True),
        ("d_ly", "daily", False),
        ("hourly|da%", "daily", True),
        ("a%i%l", "all", False),
        ("a.c", "abc", False),
        ("", "daily", True),
        ("%", "", True),
        ("~", "", True),
    ],
)
def test_a_pattern_is_looked_for_in_the_text(pattern: str, text: str, found: bool) -> None:
    assert like("dag_id", pattern)({"dag_id": text}) is found


def test_a_pattern_of_many_signs_is_compared_in_one_pass() -> None:
    """As a regular expression it takes longer than anyone waits."""
    many = "%a" * 200
    assert not like("dag_id", f"{many}%b")({"dag_id": "a" * 250})
    assert like("dag_id", many)({"dag_id": "a" * 200})
    assert not like("dag_id", many)({"dag_id": "a" * 199})
