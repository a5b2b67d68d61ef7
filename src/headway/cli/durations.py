"""``headway durations``: how long a DAG and its tasks take, and whether they get slower."""

from typing import Annotated

import typer

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.core.words import duration


def durations(
    dag_id: Annotated[str, typer.Argument(metavar="DAG")],
    days: Annotated[int, typer.Option(min=1, max=365, help="The last so many days.")] = 30,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Show how long a DAG and its tasks take. Median, 95th percentile, waiting, and the trend; the longest first."""
    from headway.client import client_of

    found = client_of(config.layout(data)).durations(dag_id, days)
    rows = [("the whole run", *cells(found.dag), "")]
    rows += [(each.task_id, *cells(each), worded(each.wait_p50_s)) for each in found.tasks]
    show(found, output, ("TASK", "COUNT", "MEDIAN", "95 %", "TREND", "WAITS"), rows)


def cells(of: wire.DagDuration) -> tuple[str, ...]:
    trend = "" if of.trend_pct is None else f"{of.trend_pct:+.0f} %"
    return str(of.count), worded(of.p50_s), worded(of.p95_s), trend


def worded(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)
