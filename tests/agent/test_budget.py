"""The limit of a team's log bytes in a minute: what an agent leaves out, says of it, and hides all the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headway import clock
from headway.agent.budget import LogBudget
from headway.agent.logs import AttemptLog
from headway.agent.masking import Masker

SECRET = "the-password-of-the-warehouse"


class Hands(clock.Clock):
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 6_000.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def hands() -> Iterator[Hands]:
    hands = Hands()
    with clock.use(hands):
        yield hands


def lines(path: Path) -> list[str]:
    return [line.split(" ", 1)[1] for line in path.read_text().splitlines()]


def test_output_beyond_the_limit_is_left_out_for_the_minute_and_said(
    tmp_path: Path, hands: Hands
) -> None:
    budget = LogBudget()
    budget.limit = 10
    path, other = tmp_path / "a.log", tmp_path / "b.log"
    log, second = (AttemptLog(str(each), Masker(), budget=budget) for each in (path, other))
    log.write(b"0123456789\n")
    log.write(b"gone\n")
    second.write(b"of another attempt, gone as well\n")
    log.note("exception: said in any case")
    log.write(b"half a li")
    hands.at += 60
    log.write(b"ne\nback\n")
    log.close()
    second.close()
    limit = (
        "headway: the logs of this team reached 10 bytes in a minute, the limit of this agent "
        "(log_bytes_per_minute): output is left out until the minute is over"
    )
    assert lines(path) == [
        "0123456789", limit, "headway: exception: said in any case", "headway: 17 bytes were left out here", "back",
    ]  # fmt: skip
    assert lines(other) == [limit, "headway: 33 bytes were left out here"]


@pytest.mark.parametrize("cut", range(1, len(SECRET)))
def test_no_part_of_a_secret_is_left_beside_a_gap(tmp_path: Path, hands: Hands, cut: int) -> None:
    """Its beginning comes before the limit, or its end after the minute."""
    for begins in (True, False):
        budget = LogBudget()
        budget.limit = 4
        path = tmp_path / f"{begins}.log"
        log = AttemptLog(str(path), Masker([SECRET]), budget=budget)
        log.write(b"before " + (SECRET[:cut].encode() if begins else b""))
        log.write((SECRET[cut:] if begins else SECRET[:cut]).encode())
        hands.at += 60
        log.write((b"" if begins else SECRET[cut:].encode()) + b"\n" + b"x" * 200 + b" after\n")
        log.close()
        written = path.read_text()
        assert "after" in written
        pieces = (SECRET[:cut], SECRET[cut:])
        assert not [piece for piece in pieces if len(piece) > 3 and piece in written]


def test_what_was_used_is_of_the_last_minute(hands: Hands) -> None:
    budget = LogBudget()
    assert budget.take(600)
    hands.at += 30
    assert budget.used() == 600
    hands.at += 45  # a quarter of the next minute has passed
    assert budget.used() == 450
    hands.at += 120
    assert budget.used() == 0


def test_a_new_one_has_spent_nothing(hands: Hands) -> None:
    hands.at = 0.0
    budget = LogBudget()
    assert (budget.used(), budget.limit) == (0, None)
    hands.at = 60.0
    assert LogBudget().used() == 0
    budget = LogBudget()
    budget.limit = 5
    assert [budget.take(5), budget.take(1)] == [True, False], "at the limit nothing more is taken"
    assert budget.used() == 5


def test_what_is_written_in_any_case_is_counted(hands: Hands) -> None:
    budget = LogBudget()
    budget.limit = 10
    budget.spend(10)
    assert not budget.take(1)
    hands.at += 60
    budget.spend(4)
    assert budget.used() == 14
    hands.at += 180
    budget.spend(0)
    assert budget.used() == 0, "long ago"
