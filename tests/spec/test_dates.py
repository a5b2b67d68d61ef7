"""A day is all of it on the clock of its zone, however long it is there."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.core.schedules import Cron, OnDemand
from headway.errors import UsageError
from headway.spec.dates import between, logical_date, span

TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "day", "first", "hours"),
    [
        ("UTC", "2013-12-31", "2013-12-31T00:00+00:00", 24),
        ("Europe/Berlin", "2026-03-28", "2026-03-27T23:00+00:00", 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00+00:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00+00:00", 25),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00+00:00", 23),  # no midnight
        ("America/Sao_Paulo", "2018-11-03", "2018-11-03T03:00+00:00", 24),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00+00:00", 25),  # its 23 h come twice
        ("Asia/Beirut", "2022-03-27", "2022-03-26T22:00+00:00", 23),  # no midnight
        ("America/Havana", "2026-11-01", "2026-11-01T04:00+00:00", 25),  # midnight comes twice
        ("America/Scoresbysund", "2024-03-31", "2024-03-31T01:00+00:00", 24),
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00+00:00", 24),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00+00:00", 0),  # left out
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00+00:00", 24),
    ],
)
def test_a_day_is_all_of_it(zone: str, day: str, first: str, hours: int) -> None:
    begin, end = span(day, zone)
    assert begin == datetime.fromisoformat(first)
    assert end - begin + TICK == timedelta(hours=hours)


@given(
    st.dates(datetime(1950, 1, 1).date(), datetime(2037, 1, 1).date()),  # noqa: DTZ001
    st.sampled_from(["America/St_Johns", "Asia/Gaza", "Africa/Cairo", "Asia/Kathmandu", "UTC"]),
)
def test_days_touch_and_hold_what_their_clock_says(day: object, zone: str) -> None:
    begin, end = span(str(day), zone)
    assert begin <= end
    for instant in (begin, begin + (end - begin) / 2, end):
        assert instant.astimezone(ZoneInfo(zone)).date() == day
    assert span((end + TICK).astimezone(ZoneInfo(zone)).date().isoformat(), zone)[0] == end + TICK


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2013-01-31T05:00+01:00", "2013-01-31T04:00+00:00"),
        ("2013-01-31 05:00Z", "2013-01-31T05:00+00:00"),
        ("2013-01-31T05:00", "2013-01-31T04:00+00:00"),
        ("2026-03-29T02:30", "2026-03-29T01:00+00:00"),  # skipped: the end of the gap
        ("2026-10-25T02:30", "2026-10-25T00:30+00:00"),  # twice: the first
    ],
)
def test_a_time_is_one_instant(text: str, at: str) -> None:
    assert span(text, "Europe/Berlin") == (datetime.fromisoformat(at),) * 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("yesterday", "'yesterday' is not a valid date"),
        ("", "'' is not a valid date"),
        ("2013-02-30", "is not a valid date"),
        ("2013-01-31T25:00", "is not a valid date"),
        ("9999-12-31", "is not between 0001-01-02 and 9999-12-30"),
        ("0001-01-01T00:00+14:00", "is not between 0001-01-02 and 9999-12-30"),
        ("9999-12-31T23:59:59-14:00", "is not between 0001-01-02 and 9999-12-30"),
        ("1\0", "is not a valid date"),
    ],
)
def test_what_is_no_date_says_so(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        span(text, "UTC")


def test_a_range_has_both_its_ends() -> None:
    january = between("2013-01-01", "2013-01-31", "UTC")
    assert len(list(Cron("0 5 * * *").between(*january))) == 31
    assert len(list(Cron("0 5 * * *").between(*between("2013-01-31", "2013-01-31", "UTC")))) == 1
    berlin = Cron("0 0 * * *", "Europe/Berlin")
    found = berlin.between(*between("2026-03-28", "2026-03-30", "Europe/Berlin"))
    local = [slot.astimezone(ZoneInfo("Europe/Berlin")) for slot in found]
    assert [f"{at:%d %H}" for at in local] == ["28 00", "29 00", "30 00"]
    with pytest.raises(UsageError, match=r"ends \(2013-01-30\) before it starts \(2013-01-31\)"):
        between("2013-01-31", "2013-01-30", "UTC")


def test_the_logical_date_of_a_day_is_when_it_fires() -> None:
    zone = "Europe/Paris"
    at = datetime(2026, 3, 28, 4, tzinfo=UTC)
    assert logical_date("2026-03-28", zone, Cron("0 5 * * *", zone)) == at
    midnight = datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert logical_date("2026-03-28", zone, Cron("0 5 * * 1", zone)) == midnight  # a Saturday
    assert logical_date("2026-03-28", zone, OnDemand()) == midnight
    assert logical_date("2026-03-28T05:00", zone, OnDemand()) == at
