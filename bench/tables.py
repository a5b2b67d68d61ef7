"""Figures as a table for people."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from bench.figures import Summary


def number(value: float) -> str:
    """Three digits that matter, thousands in groups."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def show(found: Mapping[tuple[str, str], Summary], title: str) -> None:
    table = Table("workload", "metric", title=title)
    for heading in ("median", "min", "max", "n"):
        table.add_column(heading, justify="right")
    for (workload, metric), each in found.items():
        numbers = (number(value) for value in (each.median, each.least, each.greatest))
        table.add_row(workload, metric, *numbers, str(each.count))
    Console().print(table)
