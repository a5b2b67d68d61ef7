"""Words that are close to others."""

from headway.core.words import nearest


def test_the_nearest_word_is_found_whatever_its_case() -> None:
    assert nearest("Marts", ["sales", "mart", "stocks"]) == "mart"
    assert nearest("zzz", ["sales", "mart"]) is None


def test_what_takes_longer_than_a_person_waits_is_not_compared() -> None:
    """Names are their authors' choice, and processes that all teams share compare them: each of these takes an hour."""
    assert nearest("ab" * 100_000, ["ba" * 100_000 + str(number) for number in range(50)]) is None
    assert nearest("ab" * 120, ["ba" * 120 + str(number) for number in range(9_000)]) is None
    assert nearest("name 7", [f"name {number}" for number in range(9_000)]) == "name 7"
