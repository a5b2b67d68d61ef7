"""The example of operators of one's own, in this process."""

from pathlib import Path

from headway.authoring.loading import load_file
from headway.testing import run_dag

EXAMPLE = Path(__file__).parents[2] / "examples" / "operators"


def test_the_operators_count_and_a_run_is_started_for_each_poor_column(tmp_path: Path) -> None:
    orders, complaint = load_file(EXAMPLE / "orders.py", EXAMPLE)
    file = tmp_path / "orders.csv"
    file.write_text("customer,price\nann,3\n,4\n")
    found = run_dag(orders, params={"path": str(file)})
    assert (found["count_customer"].value, found["count_price"].value) == (1, 2)
    assert found["poor"].value == [{"column": "customer"}]
    (started,) = found["complain"].values
    assert started["dag_id"] == "complaint"
    told = run_dag(complaint, params={"column": "customer"})
    assert told["write"].value == "the column customer has too few values"
