"""Mapping keys to partitions: every mapper and window, in zones that change their clocks, forth and back."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from headway.core.partitions import BadKey, BadMapping, Period, Span, read
from headway.core.partitions.keys import key_of, moments
from headway.core.partitions.periods import SIZES, following, parts, preceding, start_of

ZONES: Final = (
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo",
    "Pacific/Apia", "America/Havana", "Africa/Casablanca", "Antarctica/Troll",
)  # fmt: skip
# With each change of the clock in these years, a leap day, and the day that Apia left out.
YEARS: Final = (2011, 2018, 2024, 2026)


def start(period: str, **more: Any) -> dict[str, Any]:
    return {"kind": "start_of", "period": period, **more}


def rollup(upstream: dict[str, Any], window: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "rollup", "upstream": upstream, "window": window, **more}


def days(year: int, zone: str) -> list[datetime]:
    """The first of each month, and each day within two days of a change of the clock: the others are as those."""
    first = datetime(year, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    last = datetime(year + 1, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    starts = list(parts(Span(first, last), Period.DAY, zone))
    lengths = [after - this for this, after in zip(starts, [*starts[1:], last], strict=True)]
    odd = [place for place, length in enumerate(lengths) if length != timedelta(days=1)]
    near = {place for each in odd for place in range(each - 2, each + 3)}
    return [
        day
        for place, day in enumerate(starts)
        if place in near or day.astimezone(ZoneInfo(zone)).day == 1
    ]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", YEARS)
def test_the_hours_of_days_follow_each_other_without_gap_or_overlap(zone: str, year: int) -> None:
    """Each instant lies in one hour, and each hour has a key of its own that leads back to it."""
    for day in days(year, zone):
        end = following(day, Period.DAY, zone)
        assert timedelta(hours=22) <= end - day <= timedelta(hours=26)  # of Troll
        hours = parts(Span(day, end), Period.HOUR, zone)
        assert hours[0] == day
        for this, after in zip(hours, [*hours[1:], end], strict=True):
            assert this < after <= this + timedelta(minutes=90)
            assert following(this, Period.HOUR, zone) == after
            assert preceding(after, Period.HOUR, zone) == this
            assert {start_of(this + timedelta(minutes=n), Period.HOUR, zone) for n in (0, 7)} == {
                this
            }
        named = [key_of(each, Period.HOUR, None, zone) for each in hours]
        assert len(set(named)) == len(hours)
        for hour, key in zip(hours, named, strict=True):
            assert [start_of(each, Period.HOUR, zone) for each in moments(key, None, zone)] == [
                hour
            ]


@pytest.mark.parametrize("zone", ZONES)
def test_every_period_consists_of_its_parts(zone: str) -> None:
    """Those of any size that begin in it, and of no other."""
    first = datetime(2023, 12, 25, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    last = first + timedelta(days=500)
    for place, size in enumerate(SIZES):
        if size is Period.MINUTE or size is Period.HOUR:
            continue
        starts = list(parts(Span(first, last), size, zone))
        for this, after in pairwise(starts):
            assert following(this, size, zone) == after
            assert preceding(after, size, zone) == this
            assert start_of(after - timedelta(seconds=1), size, zone) == this
            key = key_of(this, size, None, zone)
            assert start_of(moments(key, None, zone)[0], size, zone) == this
            smaller = SIZES[place - 1] if size is not Period.MONTH else Period.DAY
            assert all(
                start_of(part, size, zone) == this
                for part in parts(Span(this, after), smaller, zone)
                if smaller is not Period.HOUR
            )


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", YEARS)
def test_a_day_waits_for_as_many_hours_as_pass_in_it(zone: str, year: int) -> None:
    mapper = read(rollup(start("day"), {"period": "day"}), zone)
    counts = set()
    for day in days(year, zone):
        key = key_of(day, Period.DAY, None, zone)
        members = mapper.members(key)
        span = mapper.span(key)
        assert span is not None
        assert len(members) == len(parts(span, Period.HOUR, zone))
        counts.add(len(members))
        for member, shown in members.items():
            assert mapper.map(shown) == (key,)
            assert list(mapper.brought(shown, key)) == [member], shown
    assert counts <= ({22, 24, 26} if zone == "Antarctica/Troll" else {23, 24, 25})
    changes = {"Europe/Berlin", "America/New_York", "America/Havana"}
    assert zone not in changes or counts == {23, 24, 25}


def test_an_hour_that_comes_twice_is_two_keys_and_without_an_offset_both() -> None:
    mapper = read(rollup(start("day"), {"period": "day"}), "Europe/Berlin")
    assert len(mapper.members("2026-10-25")) == 25
    assert len(mapper.brought("2026-10-25T02", "2026-10-25")) == 2
    assert len(mapper.brought("2026-10-25T02+02:00", "2026-10-25")) == 1
    assert mapper.brought("2026-10-25T02+01:00", "2026-10-25") == mapper.brought(
        "2026-10-25T01Z", "2026-10-25"
    )
    with pytest.raises(BadKey, match="does not exist in Europe/Berlin"):
        mapper.map("2026-03-29T02")


@pytest.mark.parametrize(
    ("period", "key", "partition"),
    [
        ("hour", "2026-05-20T13:45", "2026-05-20T13"),
        ("day", "2026-05-20T13", "2026-05-20"),
        ("week", "2026-05-20", "2026-05-18 (W21)"),
        ("week", "2021-01-03", "2020-12-28 (W53)"),
        ("month", "2026-05-18 (W21)", "2026-05"),
        ("quarter", "2026-05", "2026-Q2"),
        ("quarter", "2026-12-31T23:59:59Z", "2027-Q1"),
        ("year", "2026-Q2", "2026"),
        ("day", "2026-05-20T23:30Z", "2026-05-21"),
        ("day", "2026-05-20 23:30+0500", "2026-05-20"),
    ],
)
def test_a_time_belongs_to_its_period(period: str, key: str, partition: str) -> None:
    zone = "Europe/Berlin"
    assert read(start(period), zone).map(key) == (partition,)


def test_the_zone_of_a_mapper_goes_before_that_of_the_dag() -> None:
    given = start("day", timezone="Asia/Tokyo")
    assert read(given, "Europe/Berlin").map("2026-05-20T20Z") == ("2026-05-21",)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "moon",
        "2026-13",
        "2026-02-30",
        "2026-W05",
        "1066",
        "2026-05-20T25",
        "2026-05-20T",
        "²026",
    ],
)
def test_what_is_no_time_is_refused(key: str) -> None:
    with pytest.raises(BadKey):
        read(start("day"), "UTC").map(key)


def test_formats_are_read_and_written() -> None:
    mapper = read(start("day", input_format="%d.%m.%Y %H", output_format="day %j of %Y"), "UTC")
    assert mapper.map("20.05.2026 13") == ("day 140 of 2026",)
    assert mapper.span("day 140 of 2026") == Span(
        datetime(2026, 5, 20, tzinfo=UTC), datetime(2026, 5, 21, tzinfo=UTC)
    )
    assert read(start("quarter", output_format="Q{quarter}/%Y"), "UTC").map("2026-05") == (
        "Q2/2026",
    )


@pytest.mark.parametrize(
    ("mapper", "why"),
    [
        (start("day", output_format="%Y-%m"), "do not say which day"),
        (start("day", output_format="%H"), "has no year"),
        (start("day", input_format="%Y %A"), "%A"),
        (start("day", input_format="%Y %Y"), "twice"),
        (start("fortnight"), "period is one of"),
        ({"kind": "magic"}, "a partition mapper is one of"),
        (None, "a partition mapper is one of"),
        (rollup({"kind": "identity"}, {"period": "day"}), "needs a mapper of times"),
        (rollup(start("day"), {"segments": ["a"]}), "need a mapper of keys"),
        (rollup(start("day"), {"period": "day", "part": "week"}), "cannot have a week"),
        (rollup(start("day"), {"period": "day", "part": "minute"}), "cannot have a minute"),
        (rollup(start("day"), {"period": "day"}, at_least=0), "other than 0"),
        (rollup(start("day"), {"period": "day"}, at_least=27), "can never be"),
        (rollup({"kind": "fixed", "to": "x"}, {"segments": []}), "not empty"),
        ({"kind": "allowed", "keys": []}, "not empty"),
        ({"kind": "product", "mappers": [start("day")]}, "from 2 to 10"),
        ({"kind": "chain", "mappers": [{"kind": "identity"}] * 11}, "from 2 to 10"),
        ({"kind": "product", "mappers": [rollup(start("day"), {"period": "day"}, at_least=2)] * 2}, "all parts"),
        ({"kind": "fan_out", "upstream": start("week"), "window": {"period": "week"}, "at_most": 0}, "from 1 to"),
    ],
)  # fmt: skip
def test_what_could_never_map_is_refused(mapper: Any, why: str) -> None:
    with pytest.raises(BadMapping, match=why):
        read(mapper, "UTC")


def test_nesting_is_bounded() -> None:
    given: dict[str, Any] = {"kind": "identity"}
    for _ in range(5):
        given = {"kind": "chain", "mappers": [given, {"kind": "identity"}]}
    with pytest.raises(BadMapping, match="nested more than"):
        read(given, "UTC")


@pytest.mark.parametrize(
    ("window", "partition", "first", "last", "count"),
    [
        ({"period": "hour"}, "2026-05-20T13", "2026-05-20T13:00", "2026-05-20T13:59", 60),
        ({"period": "week"}, "2026-05-18 (W21)", "2026-05-18", "2026-05-24", 7),
        ({"period": "month"}, "2024-02", "2024-02-01", "2024-02-29", 29),
        ({"period": "month", "part": "week"}, "2026-03", "2026-03-02 (W10)", "2026-03-30 (W14)", 5),
        ({"period": "quarter"}, "2026-Q2", "2026-04", "2026-06", 3),
        ({"period": "year"}, "2026", "2026-01", "2026-12", 12),
        ({"period": "year", "part": "quarter"}, "2026", "2026-Q1", "2026-Q4", 4),
        (
            {"period": "day", "direction": "backward"},
            "2026-05-20",
            "2026-05-19T01",
            "2026-05-20T00",
            24,
        ),
        (
            {"period": "week", "direction": "backward"},
            "2026-05-18 (W21)",
            "2026-05-12",
            "2026-05-18",
            7,
        ),
        ({"period": "month", "direction": "backward"}, "2024-03", "2024-02-02", "2024-03-01", 29),
        ({"period": "quarter", "direction": "backward"}, "2026-Q2", "2026-02", "2026-04", 3),
    ],
)
def test_windows_have_these_parts(
    window: dict[str, str], partition: str, first: str, last: str, count: int
) -> None:
    """And each of them leads to the partition."""
    mapper = read(rollup(start(window["period"]), window), "UTC")
    shown = list(mapper.members(partition).values())
    assert (shown[0], shown[-1], len(shown)) == (first, last, count)
    assert {mapper.map(key) for key in shown} == {(partition,)}
    brought = {member for key in shown for member in mapper.brought(key, partition)}
    assert brought == set(mapper.members(partition))


def test_at_least_so_many_or_all_but_so_many() -> None:
    upstream, window = {"kind": "fixed", "to": "all"}, {"segments": ["a", "b", "c"]}
    needed = [
        read(rollup(upstream, window, at_least=n), "UTC").needed(3) for n in (None, 2, 3, -1, -5)
    ]
    assert needed == [3, 2, 3, 2, 0]


def test_a_segment_that_is_not_named_is_refused() -> None:
    with pytest.raises(BadKey, match="not one of a, b"):
        read(rollup({"kind": "fixed", "to": "all"}, {"segments": ["a", "b"]}), "UTC").map("c")
    with pytest.raises(BadKey, match="not one of"):
        read({"kind": "allowed", "keys": ["eu"]}, "UTC").map("us")


def test_a_key_fans_out_to_the_parts_of_its_period() -> None:
    weekly = {"kind": "fan_out", "upstream": start("week"), "window": {"period": "week"}}
    assert read(weekly, "UTC").map("2026-05-20") == tuple(f"2026-05-{day}" for day in range(18, 25))
    assert (
        len(
            read({**weekly, "window": {"period": "week", "direction": "backward"}}, "UTC").map(
                "2026-05-18"
            )
        )
        == 7
    )
    regions = {
        "kind": "fan_out",
        "upstream": {"kind": "identity"},
        "window": {"segments": ["eu", "us"]},
        "downstream": {"kind": "identity"},
    }
    assert read(regions, "UTC").map("any") == ("eu", "us")
    with pytest.raises(BadKey, match="the limit is 6"):
        read({**weekly, "at_most": 6}, "UTC").map("2026-05-20")


def test_dimensions_are_mapped_one_by_one() -> None:
    mapper = read({"kind": "product", "mappers": [{"kind": "identity"}, start("day")]}, "UTC")
    assert mapper.map("eu|2026-05-20T13") == ("eu|2026-05-20",)
    assert mapper.span("eu|2026-05-20") == read(start("day"), "UTC").span("2026-05-20")
    with pytest.raises(BadKey, match="2 parts"):
        mapper.map("eu")


def test_a_dimension_may_be_rolled_up() -> None:
    """Of each region a day waits for its own hours."""
    hourly = rollup(start("day"), {"period": "day"})
    mapper = read(
        {"kind": "product", "mappers": [{"kind": "identity"}, hourly], "delimiter": "/"}, "UTC"
    )
    members = mapper.members("eu/2026-05-20")
    assert list(members.values())[5] == "eu/2026-05-20T05"
    assert set(mapper.brought("eu/2026-05-20T05", "eu/2026-05-20")) <= set(members)
    assert len(members) == 24
    with pytest.raises(BadKey, match="the limit is"):
        read({"kind": "product", "mappers": [hourly] * 3}, "UTC").members(
            "|".join(["2026-05-20"] * 3)
        )


def test_mappers_follow_one_another() -> None:
    """From hours by days to the month, which waits for its days."""
    monthly = rollup(start("month"), {"period": "month"})
    mapper = read({"kind": "chain", "mappers": [start("day"), monthly]}, "UTC")
    assert mapper.map("2026-05-20T13") == ("2026-05",)
    assert list(mapper.brought("2026-05-20T13", "2026-05")) == [datetime(2026, 5, 20, tzinfo=UTC)]
    assert len(mapper.members("2026-05")) == 31


@pytest.mark.parametrize("zone", ZONES)
def test_the_partitions_between_two_times(zone: str) -> None:
    first = datetime(2026, 3, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    last = datetime(2026, 4, 30, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    found = read(rollup(start("day"), {"period": "day"}), zone).between(first, last)
    assert found == [(date(2026, 3, 1) + timedelta(days=n)).isoformat() for n in range(61)]
    assert read({"kind": "identity"}, zone).between(first, last) is None
