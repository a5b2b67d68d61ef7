"""What holds of every kind of schedule: each of the registry, and none at all, by examples of its own.

A new kind adds its examples here, and nothing else.
"""

import contextlib
import json
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway import Asset
from headway import Dates as Written
from headway.authoring.partitions import PartitionedAssets
from headway.core.schedules import (
    FIRST,
    KINDS,
    LAST,
    BadSchedule,
    Continuous,
    Cron,
    Dates,
    Every,
    OnAssets,
    Once,
    OnDemand,
    OnPartitions,
    Schedule,
    in_words,
    keep,
    read,
    schema,
)

DAY = timedelta(days=1)
# With gaps and folds in both halves of the year, of an hour and of half of one, at midnight, and none.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Kolkata",
)
ANCHOR = datetime(2026, 1, 31, 5, tzinfo=UTC)


class Example(NamedTuple):
    given: Any  # what a DAG file gives
    words: str  # in UTC


EXAMPLES: dict[type[Schedule], tuple[Example, ...]] = {
    Every: (
        Example(timedelta(seconds=900), "every 15 minutes"),
        Example(timedelta(hours=1), "every hour"),
        Example(timedelta(days=2), "every 2 days"),
        Example(timedelta(seconds=1.5), "every 1.5 seconds"),
        Example(timedelta(days=36_500), "every 36500 days"),
    ),
    Continuous: (Example("@continuous", "continuously"), Example(" @Continuous", "continuously")),
    Once: (Example("@once", "once"), Example(" @Once", "once")),
    Cron: (
        Example("@daily", "daily at 00:00 UTC"),
        Example("@Hourly", "every hour"),
        Example("30 6 * * *", "daily at 06:30 UTC"),
        Example(" 30  2\n* * * ", "daily at 02:30 UTC"),
        Example("*/15 * * * *", "every 15 minutes"),
        Example("*/1 * * * *", "every minute"),
        Example("* * * * *", "every minute"),
        Example("05 * * * *", "every hour, 5 min past"),
        Example("0 */1 * * *", "every hour"),
        Example("5 */6 * * *", "every 6 hours, 5 min past"),
        Example("0 9 * * 1-5", "weekdays at 09:00 UTC"),
        Example("0 9 * * sun,SAT", "weekends at 09:00 UTC"),
        Example("0 9 * * MON", "Mondays at 09:00 UTC"),
        Example("0 9 * * 7", "Sundays at 09:00 UTC"),
        Example("0 9 1 * *", "monthly on day 1 at 09:00 UTC"),
        Example("0 9 1-7 * 1", "0 9 1-7 * 1 UTC"),
        Example("0 0 29 2 *", "0 0 29 2 * UTC"),
        Example("0 9 * * 1,3", "0 9 * * 1,3 UTC"),
    ),
    Dates: (
        Example(Written(["2026-12-24T05:00Z"]), "on 2026-12-24 05:00 UTC"),
        Example(Written("2026-12-24T05:00Z"), "on 2026-12-24 05:00 UTC"),
        Example(
            Written([datetime(2026, 3, 29, 2, 30), date(2026, 1, 6)]),  # noqa: DTZ001
            "on 2 dates, 2026-01-06 to 2026-03-29",
        ),
        Example(
            Written(
                [
                    datetime(2026, 1, 1, hour, tzinfo=UTC) + n * DAY
                    for hour in (5, 17)
                    for n in range(300)
                ]
            ),
            "on 600 dates, 2026-01-01 to 2026-10-27",
        ),
    ),
    OnAssets: (
        Example(Asset("orders"), "on orders"),
        Example([Asset("orders"), Asset("rates")], "on orders and rates"),
        Example(Asset("a") & Asset("b") & (Asset("c") | Asset("d")), "on a, b and (c or d)"),
        Example([Asset("a")], "on a"),
    ),
    OnPartitions: (
        Example(PartitionedAssets(Asset("a")), "on partitions of a"),
        Example(PartitionedAssets([Asset("a"), Asset("b")]), "on partitions of a and b"),
    ),
    OnDemand: (Example(None, "on demand"),),
}
ALL = [(kind, example) for kind, examples in EXAMPLES.items() for example in examples]
RECURRING = [pair for pair in ALL if pair[0].recurs]


def schedule_of(given: object, zone: str = "UTC") -> Schedule:
    """By way of a spec that was stored."""
    kept = keep(given, zone)
    stored = json.loads(json.dumps(kept))
    assert stored == kept, "not JSON"
    return read(stored, ANCHOR)


MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
ANY = st.builds(
    lambda pair, zone: schedule_of(pair[1].given, zone),
    st.sampled_from(RECURRING),
    st.sampled_from(ZONES),
)


def test_every_kind_has_examples() -> None:
    assert set(EXAMPLES) == {*KINDS, OnDemand}


@pytest.mark.parametrize(("kind", "example"), ALL)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_spec_brings_back_what_a_dag_file_gave(
    kind: type[Schedule], example: Example, zone: str
) -> None:
    schedule = schedule_of(example.given, zone)
    assert type(schedule) is kind
    assert schedule == schedule_of(example.given, zone)
    assert hash(schedule) == hash(schedule_of(example.given, zone))
    kept = keep(example.given, zone)
    if kept is not None:
        assert {kept.get("timezone", "UTC")} == {zone}
        assert set(kept) <= set(schema()["properties"])
    assert schedule.zone in ("UTC", zone)


@pytest.mark.parametrize(("kind", "example"), ALL)
@pytest.mark.parametrize("zone", ZONES)
def test_its_words_are_a_line(kind: type[Schedule], example: Example, zone: str) -> None:
    words = schedule_of(example.given, zone).words()
    assert words.strip() == words != ""
    assert "\n" not in words
    assert words == in_words(keep(example.given, zone))
    assert zone in words or kind is not Cron or zone == "UTC"
    if zone == "UTC":
        assert words == example.words


@settings(max_examples=200)
@given(ANY, MOMENTS)
def test_next_and_previous_are_strict_inverses(schedule: Schedule, moment: datetime) -> None:
    slots = list(islice(slots_after(schedule, moment), 4))
    assert all(moment < slot for slot in slots)
    assert all(a < b for a, b in pairwise(slots))
    assert all(schedule.previous_before(b) == a for a, b in pairwise(slots))
    assert all(FIRST <= slot <= LAST and slot.tzinfo is UTC for slot in slots)
    back = schedule.previous_before(moment)
    after = slots[0] if slots else None
    assert back is None or (back < moment and schedule.next_after(back) in (moment, after))
    assert slots or back is not None, "it fires nowhere"


def slots_after(schedule: Schedule, moment: datetime) -> Any:
    while (slot := schedule.next_after(moment)) is not None:
        yield slot
        moment = slot


@settings(max_examples=100)
@given(ANY, MOMENTS, st.integers(0, 40))
def test_between_is_next_again_and_again(schedule: Schedule, start: datetime, count: int) -> None:
    expected = list(islice(slots_after(schedule, start), count))
    end = expected[-1] if expected else start
    assert list(islice(schedule.between(start + timedelta.resolution, end), count + 1)) == expected
    if expected:  # both ends are included
        assert list(islice(schedule.between(expected[0], end), count + 1)) == expected


@pytest.mark.parametrize(("kind", "example"), RECURRING)
@pytest.mark.parametrize("zone", ZONES)
def test_no_slot_is_lost_or_doubled_over_a_change_of_the_clock(
    kind: type[Schedule], example: Example, zone: str
) -> None:
    """Forwards and backwards over each change of a year, three days wide: the gap and the fold."""
    schedule, clock = schedule_of(example.given, zone), ZoneInfo(zone)
    noons = [datetime(2026, 1, 1, 12, tzinfo=UTC) + n * DAY for n in range(365)]
    offsets = [noon.astimezone(clock).utcoffset() for noon in noons]
    for noon in [noon for noon, (a, b) in zip(noons, pairwise(offsets), strict=False) if a != b]:
        start, end = noon - DAY, noon + 2 * DAY
        forwards = list(islice(schedule.between(start, end), 5_000))
        backwards, at = list[datetime](), end + timedelta.resolution
        while len(backwards) < 5_000 and (slot := schedule.previous_before(at)) and slot >= start:
            backwards.append(slot)
            at = slot
        if len(forwards) < 5_000:
            assert forwards == backwards[::-1]
        assert all(a < b for a, b in pairwise(forwards))


@pytest.mark.parametrize(("kind", "example"), ALL)
def test_the_calendar_has_ends(kind: type[Schedule], example: Example) -> None:
    schedule = schedule_of(example.given)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert schedule.next_after(last) is schedule.next_after(LAST) is None
    assert schedule.previous_before(first) is schedule.previous_before(FIRST) is None
    earliest, latest = schedule.next_after(first), schedule.previous_before(last)
    assert (earliest is None) == (latest is None) == (not schedule.recurs)
    if earliest is not None and latest is not None:
        assert FIRST <= earliest <= latest <= LAST
        assert schedule.upcoming(first, None) == schedule.upcoming(first, first) == earliest
        assert schedule.upcoming(first, latest) is None
    else:
        assert schedule.idle
        assert list(schedule.between(first, last)) == []
    for anchor in (first, last):
        assert read(keep(example.given, "UTC"), anchor).previous_before(LAST) or not kind.recurs


# As earlier versions of Headway kept them.
OLD: list[tuple[dict[str, Any] | None, Schedule]] = [
    (None, OnDemand()),
    ({"once": True}, Once()),
    ({"once": True, "timezone": "Europe/Berlin"}, Once()),
    ({"interval_s": 60.0, "once": False}, Every(timedelta(minutes=1), ANCHOR)),
    ({"interval_s": 60, "cron": None}, Every(timedelta(minutes=1), ANCHOR)),
    ({"cron": "0 5 * * *"}, Cron("0 5 * * *")),
    ({"cron": "0  5 * * *", "timezone": "Asia/Tokyo"}, Cron("0 5 * * *", "Asia/Tokyo")),
    ({"cron": "@Daily"}, Cron("0 0 * * *")),
    ({"cron": "@Once"}, Once()),
]


@pytest.mark.parametrize(("kept", "schedule"), OLD)
def test_old_specs_are_read(kept: dict[str, Any] | None, schedule: Schedule) -> None:
    assert read(kept, ANCHOR) == schedule
    assert in_words(kept) == schedule.words()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "one of interval_s, once, continuous, cron"),
    ({"once": False}, "and only one"),
    ({"once": True, "cron": "0 5 * * *"}, "and only one"),
    ({"moon": "full"}, "not 'moon'"),
    ({"continuous": 1}, "continuous must be true or omitted"),
    ({"continuous": True, "or_assets": "a"}, "or_assets belongs to"),
    ({"once": "yes"}, "once must be true or omitted"),
    ({"cron": 5}, "a cron expression is a text"),
    ({"cron": "0 0 30 2 *"}, "never fires"),
    ({"interval_s": "60"}, "a number of seconds"),
    ({"interval_s": True}, "a number of seconds"),
    ({"interval_s": float("nan")}, "too short"),
    ({"interval_s": float("inf")}, "too long"),
    ({"interval_s": 10**4000}, "too long"),
    ({"interval_s": -(10**4000)}, "too short"),
    ({"assets": []}, "a condition is the name of an asset"),
    ({"assets": {"all": []}}, "a condition is the name of an asset"),
    ({"assets": {"all": ["a"], "any": ["b"]}}, "a condition is the name of an asset"),
    ({"assets": {"all": ["a"] * 201}}, "names 201 assets"),
    ({"dates": {"fires": ["2026-13-01"]}}, "'2026-13-01' is not a date"),
    ({"dates": {"fires": ["1066-10-14"]}}, "is not a date between 1900 and 2200"),
    ({"dates": {"fires": "2026-01-01"}}, "fires are a list"),
    ({"dates": ["2026-01-01"]}, "dates have bounded, fires"),
    ({"dates": {"fires": ["2026-01-01"] * 4_001}}, "4,001 dates; the limit is 4,000"),
    ({"dates": {"fires": ["2026-01-02/2026-01-01/2026-01-03"]}}, "with the start first"),
    ({"dates": {"fires": ["2026-01-01T00:00Z", "2026-01-01T00:00:00.5Z"]}}, "less than a second"),
    ({"dates": {"fires": ["2026-01-01"], "words": "a\nb"}}, "words are a line"),
    (
        {"dates": {"fires": ["2026-01-01"], "skips_past": 1}},
        "skips_past and bounded are true or false",
    ),
    ({"once": True, "or_assets": "a"}, "or_assets belongs to a cron, an interval or dates"),
    ({"assets": "b", "or_assets": "a"}, "or_assets belongs to a cron, an interval or dates"),
    ({"cron": "@daily", "partition_key": {}, "or_assets": "a"}, "or_assets belongs to"),
    ({"cron": "@daily", "or_assets": {"all": []}}, "a condition is the name of an asset"),
    ({"or_assets": "a"}, "and only one"),
    ({"once": True, "timezone": 5}, "a time zone is an IANA name"),
    ({"once": True, "timezone": "Mars/Base"}, "unknown time zone"),
]


@pytest.mark.parametrize(("kept", "told"), WRONG)
def test_a_wrong_spec_is_refused_with_the_next_step(kept: dict[str, Any], told: str) -> None:
    with pytest.raises(BadSchedule) as caught:
        read(kept, ANCHOR)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 300
    assert in_words(kept) == "a schedule that this version of Headway does not know"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
)
KEYS = st.sampled_from([*schema()["properties"], "else"])


@settings(max_examples=300)
@given(st.dictionaries(KEYS, JSON, max_size=2))
def test_whatever_a_spec_says_is_read_or_refused(kept: dict[str, Any]) -> None:
    with contextlib.suppress(BadSchedule):
        assert read(kept, ANCHOR).words()
    assert in_words(kept)


def test_an_interval_needs_a_start() -> None:
    with pytest.raises(BadSchedule, match="needs a start_date"):
        read({"interval_s": 60.0}, None)


@pytest.mark.parametrize("given", [5, 1.5, ["0 5 * * *"], {"cron": "0 5 * * *"}, object])
def test_what_no_kind_takes_is_refused(given: object) -> None:
    with pytest.raises(
        BadSchedule, match=r"a timedelta, @once, @continuous, a cron string.* or None, not"
    ):
        keep(given, "UTC")
