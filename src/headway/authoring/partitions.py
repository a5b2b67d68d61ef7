"""Partitions as a DAG file names them, in Airflow's words: mappers, windows, and the two schedules that use them.

``PartitionedAssets(clicks, RollupMapper(StartOfDayMapper(), DayWindow()))`` runs a DAG for each day whose hours are all
there. ``PartitionedCron("@hourly")`` gives each run the partition of its hour.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from headway.authoring.assets import Asset, BaseAsset, bad
from headway.core.partitions import BadMapping, Period, read
from headway.core.schedules.on_partitions import Late

Data = dict[str, Any]


class PartitionMapper:
    """A rule by which keys of an asset become partitions of a run. By itself: the same key (``IdentityMapper``)."""

    def __init__(self, **data: Any) -> None:
        self.data: Data = {name: value for name, value in data.items() if value is not None}
        try:
            read(self.data, "UTC")
        except BadMapping as error:
            raise bad(f"{type(self).__name__}: {error}") from None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.data})"


class IdentityMapper(PartitionMapper):
    """The same key."""

    def __init__(self) -> None:
        super().__init__(kind="identity")


class AllowedKeyMapper(PartitionMapper):
    """The same key, if it is one of these."""

    def __init__(self, allowed_keys: Iterable[str]) -> None:
        super().__init__(kind="allowed", keys=list(allowed_keys))


class FixedKeyMapper(PartitionMapper):
    """One partition for all keys."""

    def __init__(self, downstream_key: str) -> None:
        super().__init__(kind="fixed", to=downstream_key)


class StartOf(PartitionMapper):
    """The period that a time lies in, on the clock of ``timezone``: of the DAG unless it is given.

    Formats are those of ``strftime``, with ``{quarter}``. Without ``input_format`` a key is a date or a time in ISO
    8601, or what these mappers make.
    """

    period: ClassVar[Period]

    def __init__(
        self,
        *,
        timezone: str | None = None,
        input_format: str | None = None,
        output_format: str | None = None,
    ) -> None:
        super().__init__(
            kind="start_of",
            period=self.period.value,
            timezone=timezone,
            input_format=input_format,
            output_format=output_format,
        )


class StartOfHourMapper(StartOf):
    """``2026-01-31T05:42`` becomes ``2026-01-31T05``."""

    period = Period.HOUR


class StartOfDayMapper(StartOf):
    """``2026-01-31T05`` becomes ``2026-01-31``."""

    period = Period.DAY


class StartOfWeekMapper(StartOf):
    """``2026-01-31`` becomes ``2026-01-26 (W05)``, the Monday before."""

    period = Period.WEEK


class StartOfMonthMapper(StartOf):
    """``2026-01-31`` becomes ``2026-01``."""

    period = Period.MONTH


class StartOfQuarterMapper(StartOf):
    """``2026-01-31`` becomes ``2026-Q1``."""

    period = Period.QUARTER


class StartOfYearMapper(StartOf):
    """``2026-01-31`` becomes ``2026``."""

    period = Period.YEAR


class Window:
    """A period as its parts of one size (``part``): that which begins with a key, or ends with it (``direction``)."""

    period: ClassVar[Period]

    def __init__(self, *, part: str | None = None, direction: str = "forward") -> None:
        given = {"period": self.period.value, "part": part, "direction": direction}
        self.data: Data = {
            name: value for name, value in given.items() if value not in (None, "forward")
        }


class HourWindow(Window):
    """Its minutes."""

    period = Period.HOUR


class DayWindow(Window):
    """Its hours: 24, or 23 or 25 where the clock of the zone is changed."""

    period = Period.DAY


class WeekWindow(Window):
    """Its days, from Monday."""

    period = Period.WEEK


class MonthWindow(Window):
    """Its days, or its weeks: ``MonthWindow(part="week")``, those whose Monday lies in it."""

    period = Period.MONTH


class QuarterWindow(Window):
    """Its months."""

    period = Period.QUARTER


class YearWindow(Window):
    """Its months."""

    period = Period.YEAR


class SegmentWindow:
    """Some keys, all of which make one partition."""

    def __init__(self, segments: Iterable[str]) -> None:
        self.data: Data = {"segments": list(segments)}


class RollupMapper(PartitionMapper):
    """Many keys for one partition: it waits for all parts of a window, or for ``at_least`` so many.

    A negative ``at_least`` says how many may be missing.
    """

    def __init__(
        self,
        upstream_mapper: PartitionMapper,
        window: Window | SegmentWindow,
        *,
        at_least: int | None = None,
    ) -> None:
        super().__init__(
            kind="rollup", upstream=upstream_mapper.data, window=window.data, at_least=at_least
        )


class FanOutMapper(PartitionMapper):
    """One key for many partitions: one for each part of a window."""

    def __init__(
        self,
        upstream_mapper: PartitionMapper,
        window: Window | SegmentWindow,
        downstream_mapper: PartitionMapper | None = None,
        *,
        max_downstream_keys: int | None = None,
    ) -> None:
        super().__init__(
            kind="fan_out",
            upstream=upstream_mapper.data,
            window=window.data,
            downstream=None if downstream_mapper is None else downstream_mapper.data,
            at_most=max_downstream_keys,
        )


class ProductMapper(PartitionMapper):
    """A mapper for each part of a key such as ``eu|2026-01-31``."""

    def __init__(self, *mappers: PartitionMapper, delimiter: str = "|") -> None:
        super().__init__(
            kind="product", mappers=[each.data for each in mappers], delimiter=delimiter
        )


class ChainMapper(PartitionMapper):
    """One mapper after another."""

    def __init__(self, *mappers: PartitionMapper) -> None:
        super().__init__(kind="chain", mappers=[each.data for each in mappers])


class PartitionedAssets:
    """A schedule: one run for each partition of which all that it waits for has arrived.

    ``mapper`` maps the keys of all assets but those that ``mappers`` names. ``late``: a key that arrives after the run
    of its partition waits until all arrive again (``"wait"``), or brings another run (``"run"``). ``due``: how long
    after the end of its time a partition may have no run; then an event tells that it is overdue.
    """

    def __init__(
        self,
        assets: BaseAsset | Iterable[BaseAsset],
        mapper: PartitionMapper | None = None,
        *,
        mappers: Mapping[Asset | str, PartitionMapper] | None = None,
        late: str = "wait",
        due: timedelta | None = None,
    ) -> None:
        self.assets = assets
        self.mapper = mapper
        self.mappers = {
            each.name if isinstance(each, Asset) else each: found
            for each, found in (mappers or {}).items()
        }
        if late not in tuple(Late):
            raise bad(f"late is one of {', '.join(Late)}, not {late!r:.40}")
        self.late = late
        if due is not None and not isinstance(due, timedelta):
            raise bad(f"due is a timedelta, not {due!r:.40}")
        self.due = due

    def partition_schedule(self) -> Data:
        """Return the schedule as a spec keeps it."""
        from headway.core.schedules import OnAssets

        kept: Data = {"on": OnAssets.keep(self.assets)}
        if kept["on"] is None:
            raise bad(
                "PartitionedAssets takes an asset, or several: PartitionedAssets(orders & rates)"
            )
        if self.mapper is not None:
            kept["mapper"] = self.mapper.data
        if self.mappers:
            kept["mappers"] = {name: each.data for name, each in sorted(self.mappers.items())}
        if self.late != "wait":
            kept["late"] = self.late
        if self.due is not None:
            kept["due_s"] = self.due.total_seconds()
        return kept


class PartitionedCron:
    """A schedule in time whose runs have a partition.

    The key is the time that lies ``offset`` fires after the run's logical date: by default the start of its data
    interval (-1). ``key_format`` is one of ``strftime``; by default it is as long as the time between fires needs.
    """

    def __init__(
        self, schedule: str | timedelta, *, key_format: str | None = None, offset: int = -1
    ) -> None:
        self.schedule = schedule
        self.key: Data = {"offset": offset} | ({} if key_format is None else {"format": key_format})

    def partitioned_by_time(self) -> tuple[object, Data]:
        """Return the schedule without partitions, and what a spec keeps of them."""
        return self.schedule, self.key
