"""Partitions as DAG files say them: what a spec keeps, what is refused, and what a run is told."""

from pathlib import Path
from typing import Any

import pytest

from headway import (
    Asset,
    ChainMapper,
    DayWindow,
    FanOutMapper,
    FixedKeyMapper,
    IdentityMapper,
    MonthWindow,
    PartitionedAssets,
    PartitionedCron,
    ProductMapper,
    RollupMapper,
    Run,
    SegmentWindow,
    StartOfDayMapper,
    StartOfMonthMapper,
    StartOfWeekMapper,
    WeekWindow,
    dag,
    task,
)
from headway.authoring.loading import load_file
from headway.core import schedules
from headway.errors import UsageError
from headway.spec.errors import BadSpec
from headway.testing import run_dag

EXAMPLES = Path(__file__).parents[2] / "examples" / "partitions"
clicks, costs = Asset("clicks"), Asset("costs")
DAY = {"kind": "start_of", "period": "day"}


def kept(schedule: object) -> Any:
    found = schedules.keep(schedule, "UTC")
    schedules.read(found, None)
    return found


def test_the_example_runs_from_hours_to_months() -> None:
    found = {
        each.dag_id: each.spec("clicks.py") for each in load_file(EXAMPLES / "clicks.py", EXAMPLES)
    }
    assert found["load_clicks"].schedule == {"cron": "0 * * * *", "partition_key": {"offset": -1}}
    day = found["sum_up_day"]
    assert day.schedule == {
        "partitions": {
            "on": "hourly_clicks",
            "mapper": {"kind": "rollup", "upstream": DAY, "window": {"period": "day"}},
        }
    }
    assert [asset.name for asset in day.assets] == ["daily_clicks", "hourly_clicks"]
    month = found["report_month"].schedule
    assert month is not None
    assert (month["partitions"]["late"], month["partitions"]["mapper"]["at_least"]) == ("run", -1)


@pytest.mark.parametrize(
    ("schedule", "partitions"),
    [
        (PartitionedAssets(clicks), {"on": "clicks"}),
        (PartitionedAssets([clicks, costs]), {"on": {"all": ["clicks", "costs"]}}),
        (
            PartitionedAssets(clicks | costs, mappers={costs: StartOfDayMapper(timezone="Asia/Tokyo")}),
            {"on": {"any": ["clicks", "costs"]}, "mappers": {"costs": {**DAY, "timezone": "Asia/Tokyo"}}},
        ),
        (
            PartitionedAssets(clicks, ProductMapper(IdentityMapper(), StartOfDayMapper(), delimiter="/")),
            {"on": "clicks", "mapper": {"kind": "product", "mappers": [{"kind": "identity"}, DAY], "delimiter": "/"}},
        ),
        (
            PartitionedAssets(clicks, FanOutMapper(StartOfWeekMapper(), WeekWindow(direction="backward"))),
            {
                "on": "clicks",
                "mapper": {
                    "kind": "fan_out",
                    "upstream": {"kind": "start_of", "period": "week"},
                    "window": {"period": "week", "direction": "backward"},
                },
            },
        ),
        (
            PartitionedAssets(clicks, RollupMapper(FixedKeyMapper("all"), SegmentWindow(["eu", "us"]), at_least=1)),
            {
                "on": "clicks",
                "mapper": {
                    "kind": "rollup",
                    "upstream": {"kind": "fixed", "to": "all"},
                    "window": {"segments": ["eu", "us"]},
                    "at_least": 1,
                },
            },
        ),
        (
            PartitionedAssets(
                clicks, ChainMapper(StartOfDayMapper(), RollupMapper(StartOfMonthMapper(), MonthWindow()))
            ),
            {
                "on": "clicks",
                "mapper": {
                    "kind": "chain",
                    "mappers": [
                        DAY,
                        {
                            "kind": "rollup",
                            "upstream": {"kind": "start_of", "period": "month"},
                            "window": {"period": "month"},
                        },
                    ],
                },
            },
        ),
    ],
)  # fmt: skip
def test_a_schedule_on_partitions_is_data(schedule: PartitionedAssets, partitions: Any) -> None:
    assert kept(schedule) == {"partitions": partitions}


def test_wrong_mappers_are_refused_where_they_stand() -> None:
    with pytest.raises(BadSpec, match="needs a mapper of times") as error:
        RollupMapper(IdentityMapper(), DayWindow())
    assert error.value.line is not None
    with pytest.raises(BadSpec, match="StartOfDayMapper: keys of the format"):
        StartOfDayMapper(output_format="%Y-%m")
    with pytest.raises(BadSpec, match="late is one of wait, run"):
        PartitionedAssets(clicks, late="never")
    with pytest.raises(
        schedules.BadSchedule, match="mappers are of assets that the schedule names: 'costs'"
    ):
        kept(PartitionedAssets(clicks, mappers={costs: IdentityMapper()}))
    with pytest.raises(BadSpec, match="takes an asset"):
        kept(PartitionedAssets("clicks"))  # type: ignore[arg-type]


def test_a_timetable_has_partitions_in_a_format() -> None:
    made = kept(PartitionedCron("0 5 * * *", key_format="%d.%m.%Y", offset=0))
    assert made == {"cron": "0 5 * * *", "partition_key": {"offset": 0, "format": "%d.%m.%Y"}}
    with pytest.raises(schedules.BadSchedule, match="belongs to a cron or an interval"):
        kept(PartitionedCron("@once"))


def test_a_run_in_a_test_is_about_a_partition() -> None:
    @dag(schedule=PartitionedAssets(clicks, RollupMapper(StartOfDayMapper(), DayWindow())))
    def daily() -> None:
        @task
        def tell(run: Run) -> list[object]:
            return [run.partition, run.data_interval.start.isoformat()]

        tell()

    result = run_dag(daily, partition="2026-03-01")
    assert result["tell"].value == ["2026-03-01", "2026-03-01T00:00:00+00:00"]
    with pytest.raises(UsageError, match="no such partition"):
        run_dag(daily, partition="soon")
