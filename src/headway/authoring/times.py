"""Schedules that a DAG file writes as objects: dates, and times beside assets."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from headway.authoring.assets import BaseAsset, bad


class Dates:
    """A schedule of dates that are written down: a run at each of them.

    A date is a ``datetime``, a ``date`` (its midnight) or a text such as ``"2026-12-24T05:00"``. Without an offset it
    is on the wall clock of the DAG's zone. Raises BadSpec if there is none.
    """

    def __init__(self, dates: Iterable[datetime | date | str]) -> None:
        given = [dates] if isinstance(dates, (str, date)) else list(dates)
        if not given or not all(isinstance(each, (str, date)) for each in given):
            raise bad("Dates takes dates: Dates([datetime(2026, 12, 24, 5), datetime(2027, 1, 6)])")
        self.dates = given

    def dates_schedule(self) -> dict[str, Any]:
        """Return the schedule as a spec keeps it."""
        return {"fires": [each if isinstance(each, str) else iso(each) for each in self.dates]}


class AssetsOrTimes:
    """A schedule whose runs are brought by events of assets and by time, each on its own.

    ``times``: a cron string, a preset, a ``timedelta`` or ``Dates``.
    """

    def __init__(
        self, assets: BaseAsset | Sequence[BaseAsset], times: "str | timedelta | Dates"
    ) -> None:
        self.assets = assets
        self.times = times

    def times_or_assets(self) -> tuple[object, Any]:
        """Return the schedule in time, and what a spec keeps of the assets."""
        from headway.core.schedules import OnAssets

        condition = OnAssets.keep(self.assets)
        if condition is None:
            raise bad(
                'AssetsOrTimes takes an asset, or several, and a schedule: AssetsOrTimes(orders & rates, "@daily")'
            )
        return self.times, condition


def iso(given: date) -> str:
    return given.isoformat() if isinstance(given, datetime) else f"{given.isoformat()}T00:00:00"
