"""Timetables of Airflow and of other authors, for tests. To import this is to import Airflow."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import pendulum
import pytest
from airflow.sdk import Asset
from airflow.timetables import simple
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from airflow.timetables.events import EventsTimetable
from airflow.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable
from airflow.timetables.trigger import (
    CronTriggerTimetable,
    DeltaTriggerTimetable,
    MultipleCronTriggerTimetable,
)

from headway.frontends.airflow.timetables import instance

relative: Any = pytest.importorskip("dateutil.relativedelta")  # it has no types
relativedelta = relative.relativedelta
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
CRON_KINDS: Final = (CronDataIntervalTimetable, CronTriggerTimetable)
OTHERS: Final[Mapping[str, Any]] = {
    "an interval of its own": CronTriggerTimetable(
        "0 5 * * *", timezone="Asia/Tokyo", interval=3 * HOUR
    ),
    "several": MultipleCronTriggerTimetable(
        "0 5 * * *", "30 7 * * 1", timezone="America/New_York", interval=HOUR
    ),
    "seconds": CronTriggerTimetable("0 5 * * * 30", timezone="UTC"),
    "a fixed offset": CronTriggerTimetable("0 5 * * *", timezone=pendulum.timezone(3600)),
    "events": EventsTimetable([pendulum.datetime(2026, 1 + n % 12, 2 + n, 5) for n in range(24)]),
}
STEPS: Final[Mapping[str, Any]] = {
    "2 hours": timedelta(hours=2),
    "3 days": timedelta(days=3),
    "a month": relativedelta(months=1),
    "a year": relativedelta(years=1),
    "the first of a month": relativedelta(months=1, day=1),
    "Fridays": relativedelta(days=1, weekday=relative.FR(1)),
    "a year and 2 days": relativedelta(years=1, days=2),
}
WIDE: Final = DeltaTriggerTimetable(DAY, interval=relativedelta(days=2))


def cron(place: int, text: str, zone: str) -> Any:
    return CRON_KINDS[place](text, timezone=zone)


def delta(name: str, trigger: bool) -> Any:
    return (DeltaTriggerTimetable if trigger else DeltaDataIntervalTimetable)(STEPS[name])


def beside_assets(timetable: Any) -> Any:
    return AssetOrTimeSchedule(timetable=timetable, assets=[Asset("a")])


def simple_one(name: str) -> Any:
    return getattr(simple, name)()


# -- what Airflow's scheduler makes of one


def fires(
    timetable: Any, start: datetime, end: datetime | None, count: int
) -> list[tuple[datetime, datetime, datetime]]:
    """Return the fires with catchup, and their data intervals."""
    found: list[tuple[datetime, datetime, datetime]] = []
    last = None
    restriction = TimeRestriction(instance(start), instance(end), catchup=True)
    while len(found) < count:
        info = timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=restriction
        )
        if info is None:
            break
        last = info.data_interval
        found.append((info.run_after, last.start, last.end))
    return found


def first_runs(
    timetable: Any, start: datetime, now: datetime, count: int, monkeypatch: pytest.MonkeyPatch
) -> list[datetime]:
    """Return the first runs without catchup of a DAG that is new now."""
    restriction = TimeRestriction(instance(start), None, catchup=False)
    last, found = None, list[datetime]()
    for _ in range(count):
        set_clock(monkeypatch, lambda now=now: now)  # type: ignore[misc]
        info = timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=restriction
        )
        last, now = info.data_interval, max(now, info.run_after)
        found.append(info.run_after)
    return found


def set_clock(monkeypatch: pytest.MonkeyPatch, now: Callable[[], datetime]) -> None:
    for name in ("interval", "trigger"):
        monkeypatch.setattr(f"airflow.timetables.{name}.utcnow", lambda: instance(now()))
    times = type("Times", (), {"time": staticmethod(lambda: now().timestamp())})
    monkeypatch.setattr("airflow.timetables.trigger.time", times)
    zone = type("Zone", (), {"utcnow": staticmethod(now)})
    monkeypatch.setattr("airflow.timetables.events.timezone", zone)


# -- of other authors


class Own(Timetable):  # type: ignore[misc]
    """Answers what it is given, one after another."""

    def __init__(self, *answers: Any) -> None:
        self.answers = answers

    def next_dagrun_info(self, *, last_automated_data_interval: Any, restriction: Any) -> Any:
        known = [None, *(getattr(each, "data_interval", None) for each in self.answers)]
        place = known.index(last_automated_data_interval)
        return self.answers[place] if place < len(self.answers) else None


class Every(Timetable):  # type: ignore[misc]
    """A fire at the start date and at each whole number of steps from it. Without one there are none."""

    def __init__(self, step: timedelta) -> None:
        self.step = step

    def next_dagrun_info(self, *, last_automated_data_interval: Any, restriction: Any) -> Any:
        if last_automated_data_interval is not None:
            return DagRunInfo.exact(last_automated_data_interval.end + self.step)
        return DagRunInfo.exact(restriction.earliest) if restriction.earliest else None


class Always(Every):
    """One that takes the clock where there is no start date."""

    def next_dagrun_info(self, *, last_automated_data_interval: Any, restriction: Any) -> Any:
        start = restriction.earliest or pendulum.datetime(2026, 12, 1, 8, 15)
        return super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval,
            restriction=restriction._replace(earliest=start),
        )


def moment(month: int) -> Any:
    return pendulum.datetime(2026, month, 1)


def info(run_after: Any, data_interval: Any) -> DagRunInfo:
    """Return the information with all that 3.2 asks for, where partitions have no default."""
    given = {"run_after": run_after, "data_interval": data_interval}
    return DagRunInfo(**{**dict.fromkeys(DagRunInfo._fields), **given})


WRONG: Final[Mapping[str, tuple[Any, ...]]] = {
    "answers 5, which is not a DagRunInfo": (5,),
    "is not a DagRunInfo": (info(moment(1), (1, 2)),),
    "a date without a time zone": (DagRunInfo.exact(pendulum.naive(2026, 1, 1)),),
    "answers 2026-01-01 00:00:00+00:00 after 2026-02-01": (
        DagRunInfo.exact(moment(2)),
        DagRunInfo.exact(moment(1)),
    ),
    "which is not at least a second later": (
        DagRunInfo.exact(moment(2)),
        info(moment(2), DataInterval(moment(1), moment(2))),
    ),
    "a data interval that ends": (info(moment(2), DataInterval(moment(2), moment(1))),),
}
