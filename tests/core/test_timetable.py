"""Fires over daylight saving, against tables, a minute-by-minute reference, and cronsim itself."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from headway.core.schedules import FIRST, LAST, Cron, Every, Once, OnDemand, Schedule
from headway.core.timetable import due, interval, outside

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ZONES = sorted(available_timezones() - {"localtime", "Factory"})

# Each with its minutes of the day, for the reference. They are read daily but for the last four.
EXPRESSIONS = (
    "30 2 * * *",
    "0 0 * * *",
    "0,30 1-3 * * *",
    "*/30 2 * * *",
    "0 */2 * * *",
    "59 23 * * *",
    "0 * * * *",
    "45 0-23 * * *",
    "*/20 * * * *",
    "*/15 */1 * * *",
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def fired(expression: str, zone: str, start: str, end: str) -> list[str]:
    """The fires of a time span, on the clock on the wall."""
    found = Cron(expression, zone).between(utc(start), utc(end))
    return [f"{fire.astimezone(ZoneInfo(zone)):%d %H:%M %z}" for fire in found]


@pytest.mark.parametrize(
    ("expression", "zone", "start", "end", "expected"),
    [
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28",
            "2026-03-31",
            ["28 02:30 +0100", "29 03:00 +0200", "30 02:30 +0200"],
            id="daily in the spring gap: at its end",
        ),
        pytest.param(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24",
            "2026-10-26T02:00",
            ["24 02:30 +0200", "25 02:30 +0200", "26 02:30 +0100"],
            id="daily in the autumn fold: the first time",
        ),
        pytest.param(
            "0,30 2 * * *",
            "Europe/Berlin",
            "2026-03-29",
            "2026-03-29T23:00",
            ["29 03:00 +0200"],
            id="two wall times in one gap are one fire",
        ),
        pytest.param(
            "30 * * * *",
            "Europe/Berlin",
            "2026-10-24T23:00",
            "2026-10-25T03:00",
            ["25 01:30 +0200", "25 02:30 +0200", "25 02:30 +0100", "25 03:30 +0100"],
            id="hourly in the fold: once per real hour",
        ),
        pytest.param(
            "30 * * * *",
            "Europe/Berlin",
            "2026-03-29",
            "2026-03-29T03:00",
            ["29 01:30 +0100", "29 03:30 +0200", "29 04:30 +0200"],
            id="hourly in the gap: once per real hour",
        ),
        pytest.param(
            "0 */2 * * *",
            "Europe/Berlin",
            "2026-10-24T21:00",
            "2026-10-25T04:00",
            ["25 00:00 +0200", "25 02:00 +0200", "25 04:00 +0100"],
            id="every other hour is a list of wall times",
        ),
        pytest.param(
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03",
            "2026-10-04T23:00",
            ["04 02:30 +1100", "05 02:15 +1100"],
            id="Lord Howe's gap of half an hour",
        ),
        pytest.param(
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04",
            "2026-04-05T23:00",
            ["05 01:45 +1100", "06 01:45 +1030"],
            id="Lord Howe's fold of half an hour",
        ),
        pytest.param(
            "45 * * * *",
            "Australia/Lord_Howe",
            "2026-04-04T13:50",
            "2026-04-04T16:20",
            ["05 01:45 +1100", "05 01:45 +1030", "05 02:45 +1030"],
            id="hourly in a fold of half an hour",
        ),
        pytest.param(
            "0 12 * * *",
            "Pacific/Apia",
            "2011-12-29",
            "2011-12-31",
            ["29 12:00 -1000", "31 12:00 +1400"],
            id="Apia had no 30 December 2011",
        ),
        pytest.param(
            "0 * * * *",
            "Pacific/Apia",
            "2011-12-30T09:00",
            "2011-12-30T11:00",
            ["29 23:00 -1000", "31 00:00 +1400", "31 01:00 +1400"],
            id="hourly over the missing day",
        ),
        pytest.param(
            "30 23 * * *",
            "America/Nuuk",
            "2024-03-30T00:00",
            "2024-04-01T00:00",
            ["29 23:30 -0200", "31 00:00 -0100"],
            id="a gap that ends the day: at midnight",
        ),
        pytest.param(
            "0 0 29 2 *",
            "UTC",
            "2095-01-01",
            "2105-01-01",
            ["29 00:00 +0000", "29 00:00 +0000"],
            id="2100 has no 29 February",
        ),
        pytest.param(
            "0 0 31 * *",
            "UTC",
            "2026-01-01",
            "2026-06-01",
            ["31 00:00 +0000"] * 3,
            id="the 31st only where there is one",
        ),
        pytest.param(
            "0 6 L * *",
            "UTC",
            "2028-02-01",
            "2028-03-01",
            ["29 06:00 +0000"],
            id="the last day of a month",
        ),
    ],
)
def test_fires_on_the_wall_clock(
    expression: str, zone: str, start: str, end: str, expected: list[str]
) -> None:
    assert fired(expression, zone, start, end) == expected


# --- the reference: every minute of some days, looked at on the wall ---


@cache
def changes(zone: str, year: int) -> list[datetime]:
    """The days of a year after which the zone's offset is another one."""
    clock = ZoneInfo(zone)
    days = [datetime(year, 1, 1, tzinfo=UTC) + n * DAY for n in range(366)]
    offsets = [day.astimezone(clock).utcoffset() for day in days]
    return [day for day, (a, b) in zip(days, pairwise(offsets), strict=False) if a != b]


def minutes_of(expression: str) -> list[int]:
    """Minutes since midnight, counted out on a day in a zone without surprises."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    fires = islice(CronSim(expression, day - MINUTE), 1440)
    return [(t - day) // MINUTE for t in fires if t < day + DAY]


def by_minute(expression: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    """The fires by looking at every minute: no offsets, no folds, only what the clock shows."""
    clock = ZoneInfo(zone)
    instants = [start + n * MINUTE for n in range((end - start) // MINUTE)]
    shown = [(t.astimezone(clock).replace(tzinfo=None, fold=0), t) for t in instants]
    named = minutes_of(expression)
    if len({minute // 60 for minute in named}) == 24:
        return [t for wall, t in shown if wall.hour * 60 + wall.minute in named]
    found = set()
    for day in {wall.date() for wall, _ in shown}:
        for minute in named:
            wanted = datetime(day.year, day.month, day.day) + minute * MINUTE  # noqa: DTZ001
            found.add(next((t for wall, t in shown if wall >= wanted), None))
    return sorted(t for t in found if t)


@settings(max_examples=40)
@given(st.sampled_from(ZONES), st.integers(1970, 2099), st.sampled_from(EXPRESSIONS), st.data())
def test_fires_are_what_the_clock_on_the_wall_says(
    zone: str, year: int, expression: str, data: st.DataObject
) -> None:
    middles = changes(zone, year) or [datetime(year, 6, 1, tzinfo=UTC)]
    middle = data.draw(st.sampled_from(middles))
    start, end = middle - 2 * DAY, middle + 3 * DAY
    offset = middle.astimezone(ZoneInfo(zone)).utcoffset()
    assume(offset is not None and offset % MINUTE == timedelta())
    # The outer day belongs to the reference alone: there it cannot see whole wall days.
    inner = (start + DAY, end - DAY)
    expected = [t for t in by_minute(expression, zone, start, end) if inner[0] <= t <= inner[1]]
    schedule = Cron(expression, zone)
    assert list(schedule.between(*inner)) == expected
    backwards = list[datetime]()
    fire = schedule.previous_before(inner[1] + MINUTE)
    while fire is not None and fire >= inner[0]:
        backwards.insert(0, fire)
        fire = schedule.previous_before(fire)
    assert backwards == expected


# Wall times to hypothesis, which adds the zone itself.
FROM, TO = datetime(1970, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001
MOMENTS = st.datetimes(FROM, TO, timezones=st.just(UTC))
SCHEDULES = st.one_of(
    st.builds(
        Cron,
        st.sampled_from([*EXPRESSIONS, "0 0 29 2 *", "5 4 L * *", "0 9 13 * FRI"]),
        st.sampled_from(ZONES),
    ),
    st.builds(
        Every,
        st.timedeltas(timedelta(seconds=1), timedelta(days=400)),
        MOMENTS,
    ),
)


@settings(max_examples=300)
@given(SCHEDULES, MOMENTS)
def test_next_and_previous_are_inverse_and_strict(schedule: Schedule, moment: datetime) -> None:
    later = schedule.next_after(moment)
    earlier = schedule.previous_before(moment)
    assert later is not None
    assert earlier is not None
    assert earlier < moment < later
    assert schedule.next_after(earlier) in (moment, later), "a fire lost or doubled"
    assert schedule.previous_before(later) in (moment, earlier), "a fire lost or doubled"
    further = schedule.next_after(later)
    assert further is not None
    assert schedule.previous_before(further) == later
    assert later.tzinfo is earlier.tzinfo is UTC
    assert interval(schedule, later) == (schedule.previous_before(later), later)


@settings(max_examples=60)
@given(
    st.sampled_from(ZONES),
    MOMENTS,
    st.sampled_from(
        [
            "30 2 * * *",
            "5 * * * *",
            "*/15 * * * *",
            "0 9 * * 1-5",
            "0 0 L * *",
            "1 0 LW * *",
            "0 5 1,15 * MON",
            "0 5 * * TUE#2",
            "0 5 * 2-4 5L",
            "0 0 1 1 *",
            "10 4 */9 */5 *",
        ]
    ),
)
def test_it_agrees_with_cronsim_where_both_read_a_schedule_alike(
    zone: str, moment: datetime, expression: str
) -> None:
    clock = ZoneInfo(zone)
    offsets = {(moment + n * DAY).astimezone(clock).utcoffset() or HOUR for n in range(-5, 400)}
    assume(max(offsets) - min(offsets) < 12 * HOUR)  # cronsim fires for days that a zone left out
    assume(all(offset % MINUTE == timedelta() for offset in offsets))
    moment = moment.replace(second=0, microsecond=0)
    theirs = [t.astimezone(UTC) for t in islice(CronSim(expression, moment.astimezone(clock)), 30)]
    theirs = [t for t in theirs if moment < t <= moment + 390 * DAY]
    ours = Cron(expression, zone).between(moment + MINUTE, moment + 390 * DAY)
    assert list(islice(ours, len(theirs))) == theirs


# --- intervals, edges ---


def test_an_interval_counts_from_its_anchor_in_both_directions() -> None:
    schedule = Every(6 * HOUR, utc("2026-01-01T01:00"))
    assert schedule.next_after(utc("2026-01-01T01:00")) == utc("2026-01-01T07:00")
    assert schedule.next_after(utc("2026-01-01T00:59:59")) == utc("2026-01-01T01:00")
    assert schedule.previous_before(utc("2026-01-01T01:00")) == utc("2025-12-31T19:00")
    assert schedule.previous_before(utc("2026-01-01T01:00:01")) == utc("2026-01-01T01:00")


@pytest.mark.parametrize("schedule", [Cron("0 0 * * *"), Every(DAY), Once(), OnDemand()])
def test_time_has_ends(schedule: Schedule) -> None:
    assert schedule.next_after(LAST) is None
    assert schedule.previous_before(FIRST) is None
    assert schedule.next_after(datetime.max.replace(tzinfo=UTC)) is None
    assert schedule.previous_before(datetime.min.replace(tzinfo=UTC)) is None
    fires = isinstance(schedule, Cron | Every)
    assert schedule.next_after(datetime.min.replace(tzinfo=UTC)) == (FIRST if fires else None)
    assert schedule.previous_before(datetime.max.replace(tzinfo=UTC)) == (LAST if fires else None)


def test_a_run_on_demand_stands_for_what_came_since_the_last_fire() -> None:
    at = utc("2026-05-05T13:37")
    assert interval(Cron("0 5 * * *"), at) == (utc("2026-05-05T05:00"), at)
    assert interval(OnDemand(), at) == interval(Once(), at) == (at, at)


# --- catch-up ---

DAILY = Cron("0 5 * * *")
START = utc("2026-01-01")
NOW = utc("2026-01-10T12:00")


def fives(*days: int) -> list[datetime]:
    return [utc(f"2026-01-{day:02}T05:00") for day in days]


def decide(
    schedule: Schedule = DAILY,
    start_date: datetime = START,
    end_date: datetime | None = None,
    last: datetime | None = None,
    now: datetime = NOW,
    catchup: bool = False,
    limit: int = 100,
) -> tuple[list[datetime], datetime | None]:
    return due(
        schedule,
        start_date=start_date,
        end_date=end_date,
        last=last,
        now=now,
        catchup=catchup,
        limit=limit,
    )


def test_without_catchup_only_the_latest_missed_fire_is_due() -> None:
    (next_look,) = fives(11)
    assert decide() == (fives(10), next_look)
    assert decide(last=fives(4)[0]) == (fives(10), next_look)
    assert decide(last=fives(9)[0]) == (fives(10), next_look)
    assert decide(last=fives(10)[0]) == ([], next_look)


def test_with_catchup_every_missed_fire_is_due_in_bounded_bursts() -> None:
    assert decide(catchup=True) == (fives(*range(1, 11)), fives(11)[0])
    found, last = [], None
    for _ in range(4):
        burst, again = decide(catchup=True, limit=3, last=last)
        assert len(burst) <= 3
        found += burst
        last = found[-1]
    assert found == fives(*range(1, 11))
    assert again == fives(11)[0]
    assert decide(catchup=True, limit=3) == (fives(1, 2, 3), fives(4)[0])


@pytest.mark.parametrize("catchup", [True, False])
def test_a_fire_is_due_from_its_very_moment(catchup: bool) -> None:
    (fire, following) = fives(11, 12)
    last = fives(10)[0]
    assert decide(last=last, now=fire - MINUTE, catchup=catchup) == ([], fire)
    assert decide(last=last, now=fire, catchup=catchup) == ([fire], following)


@pytest.mark.parametrize("catchup", [True, False])
def test_start_and_end_are_included(catchup: bool) -> None:
    (fire,) = fives(10)
    assert decide(start_date=fire, end_date=fire, catchup=catchup) == ([fire], None)
    assert decide(start_date=fire, end_date=fire, last=fire, catchup=catchup) == ([], None)
    assert decide(start_date=utc("2026-02-01"), catchup=catchup) == ([], utc("2026-02-01T05:00"))


def test_after_its_end_a_schedule_catches_up_only_if_told_to() -> None:
    end = utc("2026-01-03")
    assert decide(end_date=end) == ([], None)
    assert decide(end_date=end, catchup=True) == (fives(1, 2), None)


@pytest.mark.parametrize("by_start", [True, False])
@pytest.mark.parametrize("hour", [0, 5, 9])
def test_what_is_outside_is_what_is_never_due(by_start: bool, hour: int) -> None:
    start, end = utc(f"2026-01-03T{hour:02}:00"), utc(f"2026-01-07T{hour:02}:00")
    fires = fives(*range(1, 11))
    found, _ = due(
        DAILY,
        start_date=start,
        end_date=end,
        last=None,
        now=NOW,
        catchup=True,
        limit=100,
        by_start=by_start,
    )
    before, after = outside(DAILY, fires, start, end, by_start=by_start)
    assert found == fires[before : len(fires) - after]
    assert outside(DAILY, fires, None, None, by_start=by_start) == (0, 0)


def test_a_clock_that_goes_back_creates_nothing_twice() -> None:
    (last, following) = fives(12, 13)
    for catchup in (True, False):
        assert decide(last=last, now=NOW, catchup=catchup) == ([], following)


def test_once_is_once() -> None:
    for catchup in (True, False):
        assert decide(Once(), catchup=catchup) == ([START], None)
        assert decide(Once(), last=START, catchup=catchup) == ([], None)
        assert decide(Once(), start_date=NOW + DAY, catchup=catchup) == ([], NOW + DAY)
        assert decide(OnDemand(), catchup=catchup) == ([], None)


def test_an_edited_schedule_goes_on_after_the_last_run() -> None:
    assert decide(Cron("30 7 * * *"), last=fives(8)[0], catchup=True) == (
        [utc("2026-01-08T07:30"), utc("2026-01-09T07:30"), utc("2026-01-10T07:30")],
        utc("2026-01-11T07:30"),
    )


def test_a_start_date_before_time_began_is_no_flood() -> None:
    dawn = datetime.min.replace(tzinfo=UTC)
    assert decide(start_date=dawn) == (fives(10), fives(11)[0])
    assert decide(start_date=dawn, catchup=True, limit=1)[0] == [FIRST + 5 * HOUR]


@settings(max_examples=200)
@given(
    schedule=SCHEDULES,
    start=MOMENTS,
    catchup=st.booleans(),
    limit=st.integers(1, 4),
    pauses=st.lists(st.integers(0, 72), max_size=6),
)
def test_looking_again_and_again_loses_and_doubles_nothing(
    schedule: Schedule, start: datetime, catchup: bool, limit: int, pauses: list[int]
) -> None:
    now, created = start, list[datetime]()
    for pause in pauses:
        now += pause * HOUR
        last = created[-1] if created else None
        found, again = decide(schedule, start, None, last, now, catchup, limit)
        created += found
        assert len(found) <= (limit if catchup else 1)
        assert again is not None
        assert all(fire <= now for fire in found)
        assert again > now or len(found) == limit
    assert all(a < b for a, b in pairwise(created))
    if catchup:
        assert created == list(islice(schedule.between(start, now), len(created)))
