"""The example of retries by cause, in this process."""

from pathlib import Path

from headway.authoring.loading import load_file
from headway.testing import run_dag

EXAMPLE = Path(__file__).parents[2] / "examples" / "retries"


def test_each_cause_has_its_rule() -> None:
    (rates,) = load_file(EXAMPLE / "rates.py", EXAMPLE)
    good = run_dag(rates)
    assert {name: (good[name].state, good[name].attempts) for name in rates.tasks} == {
        "fetch": ("success", 3),
        "read": ("success", 1),
        "send": ("success", 4),
    }
    bad = run_dag(rates, params={"answer": "n/a"})
    assert (bad["read"].state, bad["read"].attempts) == ("failed", 1)
