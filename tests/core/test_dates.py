"""Schedules whose dates are written down, and schedules in time beside assets."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headway import Asset, AssetsOrTimes, Dates
from headway.core.forecast import Planned, fires
from headway.core.reasons import EndDateReached, NoDatesLeft
from headway.core.schedules import (
    DATES_MAX,
    FIRST,
    BadSchedule,
    OrAssets,
    brief,
    in_words,
    keep,
    of_data,
    read,
)
from headway.core.timetable import due, interval
from headway.core.waiting import why_nothing_fires
from headway.spec.errors import BadSpec

DAY = timedelta(days=1)
WORKDAYS = {
    "fires": [  # Friday to Saturday, Monday to Tuesday, and one that is later than its data
        "2026-01-02T00:00:00Z/2026-01-03T00:00:00Z",
        "2026-01-05T00:00:00Z/2026-01-06T00:00:00Z",
        "2026-01-06T00:00:00Z/2026-01-07T00:00:00Z/2026-01-07T04:00:00Z",
    ],
    "words": "by AfterWorkdayTimetable",
    "renew_at": "2026-04-01T00:00:00Z",
}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(**more: Any) -> Any:
    return read({"dates": {**WORKDAYS, **more}}, None)


def test_a_date_has_a_data_interval_of_its_own() -> None:
    assert list(schedule().between(FIRST, utc("2027-01-01"))) == [
        utc("2026-01-03"),
        utc("2026-01-06"),
        utc("2026-01-07T04:00"),
    ]
    assert interval(schedule(), utc("2026-01-03")) == (utc("2026-01-02"), utc("2026-01-03"))
    assert interval(schedule(), utc("2026-01-07T04:00")) == (utc("2026-01-06"), utc("2026-01-07"))


def test_a_run_on_demand_stands_for_the_data_of_the_last_date() -> None:
    assert interval(schedule(), utc("2026-01-05T12:00")) == (utc("2026-01-02"), utc("2026-01-03"))
    assert interval(schedule(), utc("2025-01-05")) == (utc("2025-01-05"), utc("2025-01-05"))


def test_a_date_without_one_reaches_back_to_the_date_before() -> None:
    found = read(keep(Dates(["2026-01-03", "2026-01-01", "2026-01-01"]), "UTC"), None)
    assert interval(found, utc("2026-01-03")) == (utc("2026-01-01"), utc("2026-01-03"))
    assert interval(found, utc("2026-01-01")) == (utc("2026-01-01"), utc("2026-01-01"))


def test_dates_are_on_the_clock_of_the_zone() -> None:
    """Those of the gap are its end, those that come twice the first, as of a cron of single hours."""
    given = Dates(["2026-03-29T02:30", "2026-10-25T02:30", "2026-12-24T05:00+09:00"])
    found = read(keep(given, "Europe/Berlin"), None)
    assert list(found.between(FIRST, utc("2027-01-01"))) == [
        utc("2026-03-29T01:00"),
        utc("2026-10-25T00:30"),
        utc("2026-12-23T20:00"),
    ]


def test_a_run_is_found_by_the_start_of_its_interval() -> None:
    assert schedule().begun_at(utc("2026-01-05")) == utc("2026-01-06")
    assert schedule().begun_at(utc("2026-01-04")) is None
    exact = read({"dates": {"fires": ["2026-01-05/2026-01-05"]}}, None)
    assert exact.begun_at(utc("2026-01-05")) == utc("2026-01-05")
    daily = read({"cron": "@daily"}, None)
    assert daily.begun_at(utc("2026-01-05")) == utc("2026-01-06")
    assert daily.begun_at(utc("2026-01-05T01:00")) is None


def dues(found: Any, now: str, catchup: bool = True, **more: Any) -> list[str]:
    bounds: dict[str, Any] = {"start_date": utc("2026-01-02"), "end_date": None, "last": None}
    dates, _ = due(found, **bounds | more, now=utc(now), catchup=catchup, limit=50)
    return [f"{date:%m-%d %H}" for date in dates]


def test_all_that_passed_is_due_with_catchup_and_else_the_last() -> None:
    assert dues(schedule(), "2026-02-01") == ["01-03 00", "01-06 00", "01-07 04"]
    assert dues(schedule(), "2026-02-01", catchup=False) == ["01-07 04"]
    assert dues(schedule(), "2026-01-07") == ["01-03 00", "01-06 00"]
    dates, again = due(
        schedule(),
        start_date=utc("2026-01-02"),
        end_date=None,
        last=utc("2026-01-03"),
        now=utc("2026-01-04"),
        catchup=False,
        limit=50,
    )
    assert (dates, again) == ([], utc("2026-01-06"))


def test_the_starts_of_intervals_may_be_what_lies_between_the_dates_of_a_dag() -> None:
    daily = read({"cron": "@daily"}, None)
    ends: dict[str, Any] = {"end_date": utc("2026-01-04")}
    assert dues(daily, "2026-02-01", **ends) == ["01-02 00", "01-03 00", "01-04 00"]
    by_start = dues(daily, "2026-02-01", **ends, by_start=True)
    assert by_start == ["01-03 00", "01-04 00", "01-05 00"]


def test_the_fires_are_left_out_where_many_dags_are_told() -> None:
    assert brief({"dates": WORKDAYS, "timezone": "Asia/Tokyo"}) == {
        "dates": {"words": "by AfterWorkdayTimetable", "renew_at": "2026-04-01T00:00:00Z"},
        "timezone": "Asia/Tokyo",
    }
    assert brief({"cron": "@daily"}) == {"cron": "@daily"}
    assert brief(None) is None


def test_dates_know_until_when_they_are_known() -> None:
    assert schedule().renew_at == utc("2026-04-01")
    assert read({"dates": WORKDAYS, "or_assets": "a"}, None).renew_at == utc("2026-04-01")
    assert schedule(skips_past=True).skips_past
    assert read({"cron": "@daily"}, None).renew_at is None


@pytest.mark.parametrize("given", [[], 5, [5], None])
def test_dates_are_dates(given: Any) -> None:
    with pytest.raises((BadSpec, TypeError), match=r"Dates takes dates|iterable"):
        Dates(given)


# -- times or assets


def test_times_beside_assets_are_both() -> None:
    kept = keep(AssetsOrTimes([Asset("a"), Asset("b")], "0 5 * * *"), "Europe/Berlin")
    assert kept == {
        "cron": "0 5 * * *",
        "timezone": "Europe/Berlin",
        "or_assets": {"all": ["a", "b"]},
    }
    found = read(kept, None)
    assert isinstance(found, OrAssets)
    assert (found.zone, found.recurs, found.idle) == ("Europe/Berlin", True, None)
    assert found.assets == {"a", "b"}
    assert (found.is_met({"a"}), found.is_met({"a", "b"})) == (False, True)
    assert found.missing({"a"}) == ("b",)
    assert found.words() == in_words(kept) == "daily at 05:00 Europe/Berlin, or on a and b"
    fire = utc("2026-01-02T04:00")
    assert found.next_after(utc("2026-01-02")) == fire
    assert found.previous_before(utc("2026-01-03")) == fire
    assert interval(found, fire) == (fire - DAY, fire)
    assert found.begun_at(fire - DAY) == fire
    assert list(found.periods(fire, fire) or ()) == [fire]
    assert not found.partitioned


@pytest.mark.parametrize("times", [timedelta(hours=1), Dates(["2026-01-01"]), "@daily"])
def test_any_schedule_in_time_may_stand_beside_assets(times: Any) -> None:
    assert read(keep(AssetsOrTimes(Asset("a"), times), "UTC"), FIRST).words().endswith(", or on a")


@pytest.mark.parametrize("times", [None, "@once", Asset("b")])
def test_others_may_not(times: Any) -> None:
    with pytest.raises(BadSchedule, match=r"one of|belongs to a cron"):
        read(keep(AssetsOrTimes(Asset("a"), times), "UTC"), FIRST)


def test_assets_are_assets() -> None:
    with pytest.raises(BadSpec, match="AssetsOrTimes takes an asset, or several"):
        keep(AssetsOrTimes("a", "@daily"), "UTC")  # type: ignore[arg-type]


def test_it_is_told_when_no_dates_are_left() -> None:
    asked: dict[str, Any] = {"file_gone": False, "paused_by": None}
    assert why_nothing_fires(schedule(), **asked, ends=True) == NoDatesLeft()
    assert why_nothing_fires(schedule(), **asked, ends=False) is None
    daily = read({"cron": "@daily"}, None)
    assert why_nothing_fires(daily, **asked, ends=True) == EndDateReached()


def test_what_is_expected_lies_within_the_dates_of_the_dag_unless_it_was_asked_with_them() -> None:
    """A data interval that begins with the end date ends after it."""
    bounds = utc("2026-01-05"), utc("2026-01-06")
    span = utc("2026-01-01"), utc("2027-01-01")
    plain = Planned("d", schedule(), *bounds)
    assert [fire.day for fire in fires(plain, *span, 9)] == [6]
    asked = Planned("d", schedule(bounded=True), *bounds)
    assert [fire.day for fire in fires(asked, *span, 9)] == [3, 6, 7]


def test_a_date_is_not_longer_than_dates_are() -> None:
    with pytest.raises(BadSchedule, match="is not a date between"):
        schedule(fires=[f"2026-01-01T00:00:00.{'0' * 1_000_000}Z"])


def test_who_asks_for_data_or_words_reads_no_dates() -> None:
    """Thousands of dates take 10 ms to read, and a scheduler or a list asks this of very many DAGs."""
    fires = ["no date"] * DATES_MAX
    kept = {"dates": {"fires": fires, "words": "by Workdays"}, "or_assets": "a"}
    found = of_data(kept, FIRST)
    assert isinstance(found, OrAssets)
    assert (found.assets, found.is_met({"a"}), found.partitioned) == (frozenset("a"), True, False)
    assert in_words(kept) == "by Workdays, or on a"
    assert in_words({"dates": {"fires": fires}}) == "on 4,000 dates"


def test_what_has_no_dates_is_read_as_ever() -> None:
    given: tuple[Any, ...] = (
        None,
        {"cron": "0 5 * * *", "or_assets": "a"},
        {"assets": "a"},
        {"dates": 7},
    )
    for kept in given:
        try:
            wanted: object = read(kept, FIRST)
        except BadSchedule as error:
            with pytest.raises(BadSchedule, match=re.escape(str(error))):
                of_data(kept, FIRST)
        else:
            assert of_data(kept, FIRST) == wanted
