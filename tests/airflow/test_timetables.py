"""Airflow's own timetables asked for their dates, beside the runs that their schedules bring here."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headway import clock
from headway.clock import Clock
from headway.core import schedules
from headway.core.schedules import DATES_MAX, Dates
from headway.core.timetable import due
from headway.frontends import airflow
from headway.frontends.airflow import dates, ground
from headway.frontends.airflow import schedules as reading
from headway.frontends.airflow.schedules import Read
from headway.frontends.airflow.timetables import Bounds
from headway.spec.errors import BadSpec
from headway.spec.model import Dag, spec_hash

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
QUARTER = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
COUNT = 50
# Before both changes of the clock, on a boundary and between two; one that months of 28 days must bear.
STARTS = (
    datetime(2026, 3, 20, 5, tzinfo=UTC),
    datetime(2026, 3, 28, 23, 17, tzinfo=UTC),
    datetime(2026, 10, 20, 2, 30, tzinfo=UTC),
    datetime(2025, 1, 31, 12, tzinfo=UTC),
)
EXPRESSIONS = ("0 5 * * *", "*/30 * * * *", "15 6 L * *", "0 9 * * 5#2", "0 9 * * 1-5", "@weekly")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
CRONS = [("cron", kind, text, zone) for kind in (0, 1) for text in EXPRESSIONS for zone in ZONES]
OTHERS = [
    ("other", name)
    for name in ("an interval of its own", "several", "seconds", "a fixed offset", "events")
]
DELTAS = [
    ("delta", name, trigger)
    for trigger in (False, True)
    for name in ("2 hours", "3 days", "a month", "a year", "the first of a month", "Fridays")
]


class Wall(Clock):
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@pytest.fixture(autouse=True)
def wall() -> Iterator[Wall]:
    with clock.use(found := Wall(NOW)):
        yield found


@pytest.fixture(scope="module")
def known() -> Any:
    """Imported only now, because it imports Airflow."""
    ground.prepare()
    return import_module("tests.airflow.timetables")


def made(known: Any, which: tuple[Any, ...]) -> Any:
    kind, *how = which
    return known.OTHERS[how[0]] if kind == "other" else getattr(known, kind)(*how)


def read(
    timetable: Any,
    start: datetime | None = STARTS[0],
    end: datetime | None = None,
    catchup: bool = True,
) -> Read:
    place = reading.Place(Bounds(start, end, catchup), "UTC", "f.py", 7)
    return reading.of(timetable, place, {})


def kept(timetable: Any, start: datetime | None = STARTS[0]) -> dict[str, Any]:
    schedule = read(timetable, start).schedule
    assert schedule is not None
    found: dict[str, Any] = schedule["dates"]
    return found


# -- beside Airflow


def here(
    timetable: Any, start: datetime, end: datetime | None
) -> list[tuple[datetime, datetime, datetime]]:
    """Return the fires, with the data intervals of which tasks are told."""
    schedule = schedules.read(read(timetable, start, end).schedule, start)
    found, _ = due(
        schedule,
        start_date=start,
        end_date=end,
        last=None,
        now=datetime(2190, 1, 1, tzinfo=UTC),
        catchup=True,
        limit=COUNT,
        by_start=reading.has_data_interval(timetable),
    )
    return [
        (fire, *dates.interval(timetable, fire, schedule.data_interval(fire), "schedule"))
        for fire in found
    ]


@pytest.mark.long
@pytest.mark.parametrize("length", [None, timedelta(days=40)])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("which", [*CRONS, *OTHERS, *DELTAS])
def test_fires_and_intervals_are_airflows(
    known: Any, which: tuple[Any, ...], start: datetime, length: timedelta | None
) -> None:
    """Of those that are asked for their dates: as far as these go, which is ten from this quarter on at least."""
    timetable = made(known, which)
    end = None if length is None else start + length
    expected, found = known.fires(timetable, start, end, COUNT), here(timetable, start, end)
    if reading.is_asked(timetable) and len(found) < len(expected):
        assert sum(fire >= QUARTER for fire, *_ in found) >= 10
        expected = expected[: len(found)]
    assert found == expected


def first_runs(timetable: Any, start: datetime, now: datetime, count: int) -> list[datetime]:
    """Return the first runs without catchup of a DAG that is new now."""
    schedule = schedules.read(read(timetable, start, catchup=False).schedule, start)
    last, found = now if schedule.skips_past else None, list[datetime]()
    while len(found) < count:
        fires, again = due(
            schedule,
            start_date=start,
            end_date=None,
            last=found[-1] if found else last,
            now=now,
            catchup=False,
            limit=count,
            by_start=reading.has_data_interval(timetable),
        )
        found += fires
        if again is None:
            break
        now = max(now, again)
    return found


@pytest.mark.long
@pytest.mark.parametrize("after", [5.1 * HOUR, timedelta(days=43, seconds=1), timedelta(days=60)])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("which", [*CRONS, *OTHERS])
def test_the_first_runs_without_catchup_are_airflows(
    known: Any,
    which: tuple[Any, ...],
    start: datetime,
    after: timedelta,
    wall: Wall,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timetable = made(known, which)
    wall.at = start + after
    known.set_clock(monkeypatch, lambda: wall.at)
    found = first_runs(timetable, start, wall.at, 6)
    assert found == known.first_runs(timetable, start, wall.at, len(found), monkeypatch)


@pytest.mark.parametrize(
    ("midnight", "ours", "theirs"),
    [
        (datetime(2026, 3, 29, tzinfo=UTC), 1, 1.5),
        (datetime(2026, 10, 25, tzinfo=UTC), 0.5, 1.5),
    ],
)
def test_a_time_that_the_change_of_the_clock_names_has_our_rule(
    known: Any, midnight: datetime, ours: float, theirs: float
) -> None:
    """The end of the gap, and the first of two; in Airflow half an hour into what follows the gap, and the second."""
    daily = known.cron(1, "30 2 * * *", "Europe/Berlin")
    assert here(daily, midnight - HOUR, None)[0][0] == midnight + ours * HOUR
    assert known.fires(daily, midnight - HOUR, None, 1)[0][0] == midnight + theirs * HOUR


# -- timetables that are asked


def test_dates_are_the_same_until_the_quarter_is_over(known: Any, wall: Wall) -> None:
    daily = known.Every(DAY)
    before = kept(daily)
    assert before["renew_at"] == "2027-01-01T00:00:00Z"
    assert before["fires"][-1] == "2027-03-31T05:00:00Z/2027-03-31T05:00:00Z"
    wall.at = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert kept(daily) == before
    wall.at += timedelta(seconds=1)
    later = kept(daily)
    assert later["renew_at"] == "2027-04-01T00:00:00Z"
    assert later["fires"][: len(before["fires"])] == before["fires"]
    assert later["fires"][-1].startswith("2027-06-30")


@pytest.mark.parametrize(
    ("step", "renewed", "last"),
    [
        (timedelta(days=365), "2027-01-01T00:00:00Z", "2036-03-17"),
        (DAY, "2027-01-01T00:00:00Z", "2027-03-31"),
        (timedelta(minutes=50), "2027-01-01T00:00:00Z", "2027-01-31T23"),
        (timedelta(minutes=2), "2026-12-02T00:00:00Z", "2026-12-02T23:58"),
        (timedelta(seconds=5), "2026-12-01T10:00:00Z", "2026-12-01T10:59:55"),
    ],
)
def test_the_more_often_it_fires_the_less_far_its_dates_go(
    known: Any, step: timedelta, renewed: str, last: str
) -> None:
    """Yet there are ten at least."""
    start = STARTS[0] if step > HOUR / 2 else datetime(2026, 11, 30, tzinfo=UTC)
    found = kept(known.Every(step), start)
    assert found["renew_at"] == renewed
    assert found["fires"][-1].startswith(last)
    assert len(found["fires"]) <= DATES_MAX


def test_dates_long_before_are_left_out_and_that_is_told(known: Any) -> None:
    found = read(known.Every(timedelta(minutes=5)), datetime(2020, 1, 1, tzinfo=UTC))
    assert "the dates of its timetable Every before 2026-" in found.differs
    assert "2026-12-01T09:00" in str(found.schedule)


def test_each_date_is_asked_for_once(known: Any) -> None:
    """However many stretches of time are tried. Else one DAG with a start date long ago takes half a minute to read."""
    asked: list[Any] = []

    class Counted(known.Every):  # type: ignore[misc]
        def next_dagrun_info(self, *, last_automated_data_interval: Any, restriction: Any) -> Any:
            asked.append((last_automated_data_interval, *restriction))
            return super().next_dagrun_info(
                last_automated_data_interval=last_automated_data_interval, restriction=restriction
            )

    kept(Counted(timedelta(minutes=5)), datetime(2024, 1, 1, tzinfo=UTC))
    assert len(asked) == len(set(asked)) > 10_000


def test_a_cron_expression_is_read_once(known: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    cron = import_module("airflow.timetables._cron")
    croniter = cron.croniter

    def counted(expression: str, *args: Any, **kwargs: Any) -> Any:
        reads.append(expression)
        return croniter(expression, *args, **kwargs)

    several = known.OTHERS["several"]
    monkeypatch.setattr(cron, "croniter", counted)
    assert len(kept(several)["fires"]) > COUNT
    assert len(reads) < COUNT
    assert cron.croniter is counted


def test_a_date_that_passes_while_dates_are_asked_for_is_no_date_to_come(
    known: Any, wall: Wall
) -> None:
    """Else a file that takes a while to read is now and then another DAG."""

    class Slow(known.Every):  # type: ignore[misc]
        def next_dagrun_info(self, *, last_automated_data_interval: Any, restriction: Any) -> Any:
            wall.at += timedelta(minutes=1)
            if not restriction.catchup:
                return known.DagRunInfo.exact(known.instance(wall.at))
            return super().next_dagrun_info(
                last_automated_data_interval=last_automated_data_interval, restriction=restriction
            )

    found = read(Slow(DAY), catchup=False)
    assert found.schedule is not None
    assert "skips_past" not in found.schedule["dates"]


def test_the_dags_of_a_file_share_its_dates(known: Any) -> None:
    """Those to come are there in any case."""
    many = [SimpleNamespace(timetable=known.Every(DAY))] * 2_000
    assert reading.share([*many, SimpleNamespace(timetable=known.delta("3 days", True))]) == 50
    place = reading.Place(
        Bounds(datetime(2020, 1, 1, tzinfo=UTC), None, True), "UTC", "f.py", 7, 50
    )
    found = reading.of(known.Every(DAY), place, {})
    assert found.schedule is not None
    assert (
        len(found.schedule["dates"]["fires"]) == 92 + 92 + 90
    )  # from the last quarter to the next
    assert "before 2026-07-01 00:00 UTC are left out" in found.differs


def test_more_dates_than_anybody_needs_are_refused(known: Any) -> None:
    with pytest.raises(BadSpec, match="more than 3,000 dates in two hours") as caught:
        read(known.Every(timedelta(seconds=1)))
    assert (caught.value.file, caught.value.line) == ("f.py", 7)


@pytest.mark.parametrize(
    "told",
    [
        "answers 5, which is not a DagRunInfo",
        "is not a DagRunInfo",
        "a date without a time zone",
        "answers 2026-01-01 00:00:00+00:00 after 2026-02-01",
        "which is not at least a second later",
        "a data interval that ends",
    ],
)
def test_an_answer_that_leads_nowhere_is_an_error_of_the_file(known: Any, told: str) -> None:
    with pytest.raises(BadSpec, match=r"the timetable Own answers") as caught:
        read(known.Own(*known.WRONG[told]))
    assert told in str(caught.value)
    assert "correct next_dagrun_info of Own" in (caught.value.hint or "")


def test_without_a_start_date_it_answers_as_in_airflow(known: Any) -> None:
    """Most answer nothing. The dates of one that does begin where the clock is not asked."""
    found = read(known.Every(HOUR), None)
    assert found.schedule is not None
    assert found.schedule["dates"]["fires"] == []
    assert found.differs == "its timetable Every gives no dates, because the DAG has no start_date"
    assert kept(known.Always(HOUR), None)["fires"][0].startswith("2026-11-01T00:00:00Z")


def test_what_it_says_of_itself_are_the_words(known: Any) -> None:
    assert kept(known.Every(HOUR))["words"] == "by Every"
    named = known.Every(HOUR)
    named.description = "each\nhour\0"
    assert kept(named)["words"] == "each hour"
    assert kept(known.OTHERS["events"])["words"].startswith("24 events between")
    assert kept(known.WIDE)["words"] == "every day"
    assert kept(known.OTHERS["an interval of its own"])["words"] == "daily at 05:00 Asia/Tokyo"
    assert kept(known.OTHERS["a fixed offset"])["words"] == "0 5 * * * +01:00"
    for name, words in (
        ("a month", "every month"),
        ("a year and 2 days", "every 1 year and 2 days"),
        ("the first of a month", "every relativedelta(months=+1, day=1)"),
    ):
        assert kept(known.delta(name, True))["words"] == words


def test_a_list_of_events_is_all_that_there_is(known: Any) -> None:
    assert "renew_at" not in kept(known.OTHERS["events"])
    assert kept(known.EventsTimetable([]))["fires"] == []


def test_one_that_cannot_be_scheduled_is_triggered(known: Any) -> None:
    quiet = known.Every(HOUR)
    quiet.can_be_scheduled = False
    assert read(quiet) == Read(None)


def test_one_that_makes_partitions_is_told(known: Any) -> None:
    keyed = known.Every(HOUR)
    keyed.partitioned = True
    assert read(keyed) == Read(None, "its timetable Every makes partitions")


@pytest.mark.parametrize(
    ("zone", "shown"), [("Asia/Tokyo", "Asia/Tokyo"), ("here", None), (5, None), (None, None)]
)
def test_its_zone_is_shown_if_it_has_one(known: Any, zone: Any, shown: str | None) -> None:
    daily = known.Every(DAY)
    daily.timezone = zone
    schedule = read(daily).schedule
    assert schedule is not None
    assert schedule.get("timezone") == shown


def test_any_timetable_may_stand_beside_assets(known: Any) -> None:
    found = read(known.beside_assets(known.Every(DAY)))
    schedule = schedules.read(found.schedule, STARTS[0])
    assert schedule.assets == {"a"}
    assert schedule.bounded
    assert found.differs == ""
    assert schedule.next_after(NOW) == datetime(2026, 12, 2, 5, tzinfo=UTC)
    once = read(known.beside_assets(known.simple_one("OnceTimetable"))).schedule
    assert once is not None
    assert once["dates"]["fires"] == ["2026-03-20T05:00:00Z/2026-03-20T05:00:00Z"]
    never = read(known.beside_assets(known.simple_one("NullTimetable")))
    assert never == Read({"assets": "a"})


def test_a_manual_run_has_the_interval_that_the_timetable_infers(known: Any) -> None:
    run_after, stored = datetime(2026, 5, 5, 12, tzinfo=UTC), (NOW, NOW)
    events = known.OTHERS["events"]
    assert dates.interval(events, run_after, stored, "manual") == (run_after, run_after)
    assert dates.interval(events, run_after, stored, "schedule") == stored
    assert dates.interval(known.Every(HOUR), run_after, stored, "manual") == stored


# -- DAG files

FILE = """
import pendulum
from airflow.sdk import DAG, task
from airflow.timetables.base import DagRunInfo, Timetable

class Mine(Timetable):
    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        {body}

with DAG("mine", schedule=Mine(), start_date=pendulum.datetime(2026, 1, 1)):
    @task
    def a(): ...
    a()
"""
WEEKLY = """last = last_automated_data_interval
        return DagRunInfo.exact(last.end.add(days=7) if last else restriction.earliest)"""


def loaded(folder: Path, body: str) -> Dag:
    (folder / "mine.py").write_text(FILE.format(body=body))
    (dag,) = airflow.FRONT_END.load(folder, "mine.py").dags
    return dag


def test_a_class_of_the_file_needs_no_plugin(tmp_path: Path) -> None:
    dag = loaded(tmp_path, WEEKLY)
    schedule = schedules.read(dag.schedule, dag.start_date)
    assert isinstance(schedule, Dates)
    assert schedule.next_after(NOW) == datetime(2026, 12, 3, tzinfo=UTC)
    assert dag.dated_by_start
    assert spec_hash(loaded(tmp_path, WEEKLY)) == spec_hash(dag)


def test_what_it_raises_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="boom") as caught:
        loaded(tmp_path, "raise RuntimeError('boom')")
    assert caught.value.line == 8


def test_one_that_never_answers_ends_with_the_import(tmp_path: Path) -> None:
    """The importer's time limit stops it, as it stops a file that never ends; here an alarm does."""

    def stop(*_: Any) -> None:
        raise RuntimeError("stopped")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(BadSpec, match="stopped") as caught:
            loaded(tmp_path, "while True: pass")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert caught.value.line == 8


def test_airflows_example_of_workdays() -> None:
    from airflow.example_dags import example_workday_timetable as example

    file = Path(example.__file__)
    found = airflow.FRONT_END.load(file.parent, file.name)
    assert found.warnings == []
    (dag,) = found.dags
    schedule = schedules.read(dag.schedule, dag.start_date)
    assert schedule.words() == "by AfterWorkdayTimetable"
    assert schedule.skips_past
    saturday = datetime(2026, 12, 5, tzinfo=UTC)
    assert schedule.next_after(saturday - HOUR) == saturday
    assert schedule.data_interval(saturday) == (saturday - DAY, saturday)
    assert schedule.next_after(saturday) == saturday + 3 * DAY
