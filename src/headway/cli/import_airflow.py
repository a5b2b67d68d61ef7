"""``headway import-airflow``: report which DAGs of an Airflow folder run."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from headway.cli.options import Format, Output
from headway.cli.output import located, show
from headway.cli.terminal import paint, say
from headway.spec.errors import listing

TOLD = (
    ("runs", "run as they are", "green"),
    ("runs with a remark", "with a remark", "yellow"),
    ("does not", "do not run", "red"),
)


def import_airflow(
    folder: Annotated[Path, typer.Argument(help="A DAG folder of Airflow, or one file.")],
    output: Format = Output.TABLE,
) -> None:
    """Report which DAGs of an Airflow folder run, which do not and why, without running a task."""
    from headway.loader import migration

    report = migration.analyse(folder)
    root = folder if folder.is_dir() else folder.parent
    rows = [
        (
            each.dag_id,
            each.verdict,
            located(root / each.file, each.line),
            each.reason or None,
            each.hint or None,
        )
        for each in report.findings
    ]
    columns = ("DAG", "VERDICT", "WHERE", "WHY", "WHAT TO DO")
    show(msgspec.to_builtins(report), output, columns, rows)
    say(", ".join(paint(f"{report.count(each)} {told}", hue) for each, told, hue in TOLD))
    for pool in report.pools:
        say(f"a DAG uses the pool {pool}; to create it: headway pool set {pool} SLOTS")
    for queue in report.queues:
        say(f"a DAG uses the queue {queue}; an agent must serve it: headway up --queue {queue}")
    if report.others:
        say(f"not read for DAGs: {listing(report.others)}")
    if report.count(migration.DOES_NOT):
        raise typer.Exit(1)
