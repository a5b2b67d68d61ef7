"""What ``headway why`` says of each asset that the next run of a DAG waits for."""

from datetime import UTC, datetime

import pytest

from headway import wire
from headway.cli.asset import told

AT = datetime(2026, 1, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("events", "missing", "text"),
    [
        (1, False, "1 new event, the first at 2026-01-01 05:00:00"),
        (1200, False, "1,200 new events, the first at 2026-01-01 05:00:00"),
        (0, True, "no event since the last run"),
        (0, False, "no event since the last run; the next run does not need one"),
    ],
)
def test_an_asset_is_told_of(events: int, missing: bool, text: str) -> None:
    since = AT if events else None
    wait = wire.AssetWait(asset="a", events=events, since=since, missing=missing)
    assert told(wait).startswith(text)
