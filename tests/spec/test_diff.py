"""What two versions of a DAG differ by."""

from headway.spec.diff import changes
from headway.spec.model import Dag


def test_thousands_of_dates_are_not_told() -> None:
    """But where nothing else of a schedule differs, what differs are the dates."""

    def dated(year: int, renew_at: str) -> Dag:
        dates = {"fires": [f"{year}-01-01"], "renew_at": renew_at}
        return Dag(dag_id="d", file="d.py", tasks=(), schedule={"dates": dates})

    (renewed,) = changes(dated(2026, "2026-04-01"), dated(2027, "2026-07-01"))
    assert renewed.before == {"dates": {"renew_at": "2026-04-01"}}
    assert renewed.after == {"dates": {"renew_at": "2026-07-01"}}
    (edited,) = changes(dated(2026, "2026-04-01"), dated(2027, "2026-04-01"))
    assert edited.before["dates"]["fires"] == ["2026-01-01"]
