"""What a person may write as a schedule, and what each mistake is answered with."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from time import process_time

import pytest
from cronsim import CronSim, CronSimError

from headway.core.schedules import (
    FIRST,
    BadSchedule,
    Cron,
    Every,
    Once,
    OnDemand,
    Schedule,
    keep,
    read,
)
from headway.core.schedules.presets import PRESETS
from headway.core.zones import UnknownZone, check_zone

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


def parse(written: object, zone: str, anchor: datetime = MIDNIGHT) -> Schedule:
    """From a DAG file to the schedule, by way of the spec."""
    return read(keep(written, zone), anchor)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0 5 * * *", Cron("0 5 * * *", "Europe/Berlin")),
        ("  0  5 * * mon-fri ", Cron("0 5 * * mon-fri", "Europe/Berlin")),
        ("@daily", Cron("0 0 * * *", "Europe/Berlin")),
        ("@Once", Once()),
        (None, OnDemand()),
        (timedelta(hours=6), Every(timedelta(hours=6), MIDNIGHT)),
    ],
)
def test_what_is_written_is_read(written: str | timedelta | None, expected: Schedule) -> None:
    assert parse(written, "Europe/Berlin") == expected


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_fires(preset: str) -> None:
    assert parse(preset, "UTC").next_after(MIDNIGHT) is not None


CATASTROPHES = [
    ("* " * 60, "needs 5 fields and has 60"),
    (",".join("1" * 5000) + " * * * *", "too long"),
    ("*/0 * * * *", 'minute "*/0" is not valid: 0 to 59'),
    ("0/" * 100 + " * * * *", "minute"),
    ("9" * 200 + " * * * *", "minute"),
    ("0 0 */31 2 MON#5", "never fires"),
    ("@" + "x" * 200, "unknown preset"),
]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("61 * * * *", 'cron "61 * * * *": minute "61" is not valid: 0 to 59; also *, lists'),
        ("0 24 * * *", 'hour "24" is not valid: 0 to 23'),
        ("0 0 0 * *", 'day of month "0" is not valid: 1 to 31, L or LW'),
        ("0 0 1 13 *", 'month "13" is not valid: 1 to 12 or JAN to DEC'),
        ("0 0 * * MONDAY", 'day of week "MONDAY" is not valid: 0 to 7 or SUN to SAT'),
        ("0 0 * * FRI-MON", "day of week"),
        ("0 0 ? * *", "day of month"),
        ("", 'cron "" needs 5 fields and has 0'),
        ("0 0 5 * * *", "needs 5 fields and has 6: minute, hour, day of month, month, day of week"),
        ("0 0 31 2,4 *", 'cron "0 0 31 2,4 *" never fires'),
        ("@dayly", 'unknown preset "@dayly": did you mean @daily?'),
        ("@sometimes-or-other", "known are @hourly"),
        ("@continuously", "did you mean @continuous?"),
        (timedelta(0), "too short: at least 1 second"),
        (timedelta(days=-1), "too short"),
        (timedelta.max, "too long: at most 36500 days"),
        *CATASTROPHES,
    ],
)
def test_a_mistake_is_named(written: str | timedelta, message: str) -> None:
    with pytest.raises(BadSchedule) as caught:
        parse(written, "UTC")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 600


def test_another_type_is_named() -> None:
    with pytest.raises(BadSchedule, match="not int"):
        parse(5, "UTC")


@pytest.mark.parametrize(
    ("zone", "message"),
    [
        ("Europe/Berln", 'unknown time zone "Europe/Berln": did you mean Europe/Berlin?'),
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("New York", "did you mean America/New_York?"),
        ("", "an IANA name such as Europe/Berlin is needed"),
        ("../../etc/passwd", "unknown time zone"),
        ("America", "unknown time zone"),
        ("nul\0", "unknown time zone"),
        ("x" * 100_000, "unknown time zone"),
    ],
)
def test_an_unknown_zone_is_named(zone: str, message: str) -> None:
    with pytest.raises(UnknownZone) as caught:
        check_zone(zone)
    assert message in str(caught.value)


def test_a_hostile_schedule_is_refused_at_once() -> None:
    begin = process_time()
    for written, _ in CATASTROPHES:
        with pytest.raises(BadSchedule):
            parse(written, "UTC")
    assert process_time() - begin < 0.1 * len(CATASTROPHES)


def test_an_anchor_in_the_dark_ages_does_no_harm() -> None:
    schedule = parse(timedelta(days=1), "UTC", anchor=datetime.min.replace(tzinfo=UTC))
    assert schedule == Every(timedelta(days=1), FIRST)


def test_zones_are_known_where_the_system_has_no_zone_data() -> None:
    reading = "from headway.core.schedules import *; read(keep('@daily', 'Europe/Berlin'), None)"
    subprocess.run(
        [sys.executable, "-c", reading], env={**os.environ, "PYTHONTZPATH": ""}, check=True
    )


def test_what_cronsim_does_not_document_is_there() -> None:
    """``core.cron`` reads these four of a parsed expression: a release without them stops here."""
    sim = CronSim("5,10 1-3 29 FEB *", MIDNIGHT.replace(tzinfo=None))
    assert (sim.minutes, sim.hours, sim.months) == ({5, 10}, {1, 2, 3}, {2})
    matching = [sim.match_day(date(2028, 2, day)) for day in (28, 29)]
    assert matching == [False, True]
    with pytest.raises(CronSimError):
        CronSim("61 * * * *", MIDNIGHT)
