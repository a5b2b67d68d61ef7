"""The data work of the flights example, on the real flights and on rows made to be wrong."""

import csv
import io
import json
import re
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest

import pages
import summary
import work

DAY = date(2013, 1, 1)
DAYS = [DAY, date(2013, 7, 2), date(2013, 12, 31)]
WEATHER_ENDS = date(2013, 12, 30)
HEADER = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,"
    "carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour"
)
ROW = "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z"
FLOWN: dict[str, str] = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
NEVER_LEFT = dict.fromkeys(
    ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum"), "NA"
)


@pytest.fixture(scope="module")
def source_counts() -> Counter[tuple[int, int, str]]:
    """Flights by month, day and carrier, counted without any of the code under test."""
    with zipfile.ZipFile(work.source("flights.csv.zip")) as archive:
        lines = csv.DictReader(io.TextIOWrapper(archive.open("flights.csv"), encoding="utf-8"))
        return Counter((int(row["month"]), int(row["day"]), row["carrier"]) for row in lines)


def run_day(root: Path, day: date) -> dict[str, Any]:
    """The DAG's tasks in order, without Headway."""
    desk = root / "work" / str(day)
    work.extract_flights(day, desk / "raw.csv")
    work.extract_weather(day, desk / "weather.csv")
    accepted = desk / "accepted.parquet"
    cleaned = work.clean(desk / "raw.csv", accepted, root / "rejected" / f"{day}.csv")
    parts = [
        work.join(accepted, desk / "weather.csv", group, desk / "parts")
        for group in work.groups(accepted)
    ]
    partition = root / f"year={day.year}/month={day.month}/day={day.day}/flights.parquet"
    work.combine([part["path"] for part in parts], partition, cleaned["accepted"])
    page = pages.publish(root, day, cleaned, work.figures(partition))
    return {"cleaned": cleaned, "parts": parts, "partition": partition, "page": page}


def judged(tmp_path: Path, *rows: dict[str, str]) -> dict[str, Any]:
    lines = [HEADER, *(",".join((FLOWN | row).values()) for row in rows)]
    raw = tmp_path / "raw.csv"
    raw.write_text("\n".join(lines) + "\n")
    return work.clean(raw, tmp_path / "accepted.parquet", tmp_path / "rejected.csv")


@dataclass(frozen=True, slots=True)
class Made:
    root: Path
    made: dict[str, Any]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("flights")
    return Made(root, run_day(root, DAY))


def test_the_source_is_whole(source_counts: Counter[tuple[int, int, str]]) -> None:
    assert source_counts.total() == 336_776
    assert len({(month, day) for month, day, _ in source_counts}) == 365


@pytest.mark.long
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_flight_of_a_day_is_believed_or_rejected(
    day: date, first: Made, tmp_path: Path, source_counts: Counter[tuple[int, int, str]]
) -> None:
    expected = Counter(
        {
            carrier: n
            for (m, d, carrier), n in source_counts.items()
            if (m, d) == (day.month, day.day)
        }
    )
    root = first.root if day == DAY else tmp_path
    made = first.made if day == DAY else run_day(root, day)
    cleaned = made["cleaned"]
    assert cleaned["rows"] == expected.total()
    assert cleaned["accepted"] + sum(cleaned["rejected"].values()) == expected.total()
    assert cleaned["rejected"], "real rows are rejected on each of these days"

    found = Counter(row["carrier"] for row in read_csv(root / "rejected" / f"{day}.csv"))
    assert found.total() == sum(cleaned["rejected"].values())
    for part in made["parts"]:
        found[part["carrier"]] += part["flights"]
    assert found == expected
    stored = duckdb.read_parquet(str(made["partition"])).aggregate("count(*), count(temp_f)")
    flights, with_weather = stored.fetchall()[0]
    assert flights == cleaned["accepted"]
    assert with_weather > flights * 0.8 if day <= WEATHER_ENDS else with_weather == 0


def read_csv(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"dep_time": "five"}, "a number is not a number"),
        ({"carrier": "ZZ"}, "unknown carrier"),
        ({"origin": "XXX"}, "unknown origin"),
        ({"dest": "NA"}, "unknown destination"),
        ({"sched_dep_time": "NA"}, "no scheduled time"),
        ({"dep_time": "561", "dep_delay": "46"}, "not a time of day"),
        ({"arr_time": "2515"}, "not a time of day"),
        (NEVER_LEFT | {"arr_time": "830"}, "arrived but never departed"),
        ({"arr_time": "NA", "arr_delay": "NA", "air_time": "NA"}, "departed but never arrived"),
        ({"air_time": "NA", "arr_delay": "NA"}, "arrived, but its time in the air is missing"),
        ({"air_time": "-3"}, "time in the air is not positive"),
        ({"tailnum": "NA"}, "flew without a tail number"),
        ({"dep_delay": "7"}, "delay contradicts the times"),
        ({"air_time": "100"}, "faster than an airliner flies"),
    ],
)
def test_a_wrong_row_is_rejected_for_its_reason(
    row: dict[str, str], reason: str, tmp_path: Path
) -> None:
    made = judged(tmp_path, row, {"flight": "2"})
    assert made == {"rows": 2, "accepted": 1, "rejected": {reason: 1}}
    assert [line["reason"] for line in read_csv(tmp_path / "rejected.csv")] == [reason]


@pytest.mark.parametrize(
    "row",
    [
        {},
        NEVER_LEFT,
        {"tailnum": "N00000"},
        {"sched_dep_time": "2355", "dep_time": "2400", "dep_delay": "5"},
    ],
    ids=["flown", "cancelled", "unknown plane", "midnight is 2400"],
)
def test_an_odd_but_true_row_is_believed(row: dict[str, str], tmp_path: Path) -> None:
    assert judged(tmp_path, row) == {"rows": 1, "accepted": 1, "rejected": {}}


def test_the_second_row_of_a_flight_is_rejected(tmp_path: Path) -> None:
    made = judged(tmp_path, {}, {})
    assert made["rejected"] == {"a second row of the same flight": 1}


@pytest.mark.long
def test_a_day_done_again_leaves_the_same_files(first: Made) -> None:
    before = snapshot(first.root, first.made)
    assert before["leftovers"] == []
    assert snapshot(first.root, run_day(first.root, DAY)) == before


def snapshot(root: Path, made: dict[str, Any]) -> dict[str, Any]:
    files = {
        str(file.relative_to(root)): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file() and file.suffix in {".csv", ".html", ".json"}
    }
    rows = duckdb.read_parquet(str(made["partition"])).fetchall()
    leftovers = [file for file in root.rglob(".*") if file.name != ".index.lock"]
    return {"files": files, "rows": rows, "leftovers": leftovers}


def test_days_that_end_at_once_are_all_on_the_index(first: Made, tmp_path: Path) -> None:
    made, figures = first.made, work.figures(first.made["partition"])
    days = [date(2013, 3, n) for n in range(1, 21)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda day: pages.publish(tmp_path, day, made["cleaned"], figures), days))
    index = (tmp_path / "index.html").read_text()
    assert [day for day in days if f'href="reports/{day}.html"' not in index] == []


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "whole.txt"
    target.write_text("old")

    def write() -> None:
        with work.written(target) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write()
    assert [file.name for file in tmp_path.iterdir()] == ["whole.txt"]
    assert target.read_text() == "old"


def test_a_missing_part_is_noticed(first: Made, tmp_path: Path) -> None:
    paths = [part["path"] for part in first.made["parts"]]
    with pytest.raises(ValueError, match="were accepted"):
        work.combine(paths[1:], tmp_path / "short.parquet", first.made["cleaned"]["accepted"])
    assert not (tmp_path / "short.parquet").exists()


def test_a_day_outside_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="covers 2013 only"):
        work.extract_flights(date(2014, 1, 1), tmp_path / "raw.csv")


def test_the_report_needs_nothing_from_elsewhere(first: Made) -> None:
    page = first.made["page"].read_text()
    charts = re.findall(r"<svg.*?</svg>", page)
    assert len(charts) == 4
    assert all(len(ElementTree.fromstring(chart)) > 5 for chart in charts)
    assert "prefers-color-scheme: dark" in page
    assert not any(word in page for word in ("http://", "https://", "<script", "<link", "@import"))


def test_the_summary_counts_what_was_made(first: Made, tmp_path: Path) -> None:
    assert "no report" in summary.summary(tmp_path)
    cleaned = first.made["cleaned"]
    told = summary.summary(first.root)
    assert "842  flights read" in told
    assert f"{cleaned['accepted']}  believed" in told
    assert "1 Parquet partitions" in told
    facts = json.loads((first.root / "reports" / "2013-01-01.json").read_text())
    assert facts["rejected"] == cleaned["rejected"]
