"""The column of `headway ls runs` that says for what a run is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from headway import wire
from headway.cli.ls import about
from headway.core.states import RunState

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def run(**given: Any) -> wire.Run:
    return wire.Run(
        run_id="r1",
        dag_id="d",
        state=RunState.SUCCESS,
        reason=None,
        logical_date=NOON,
        interval_start=NOON,
        interval_end=NOON,
        params={},
        created_at=NOON,
        started_at=None,
        ended_at=None,
        version=1,
        bundle_version="b",
        counts={},
        **{"trigger": "asset", **given},
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"trigger": "manual"}, None),
        ({"trigger": "manual", "note": "by hand"}, None),
        ({"trigger": "manual", "partition": "eu"}, "eu"),
        ({"assets": ["orders"]}, "orders"),
        ({"assets": ["orders", "@alias:files"]}, "orders and alias files"),
        ({"assets": ["a", "b", "c", "d"]}, "a, b and 2 others"),
        ({"assets": ["clicks"], "partition": "2026-01-31"}, "2026-01-31 of clicks"),
        ({"trigger": "callback", "note": "on_failure_callback of r0"}, "on_failure_callback of r0"),
    ],
)
def test_a_run_is_for(given: dict[str, Any], words: str | None) -> None:
    assert about(run(**given)) == words
