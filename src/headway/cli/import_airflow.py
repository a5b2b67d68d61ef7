"""``headway import-airflow``: report which DAGs of an Airflow folder run, and take over what Airflow exports."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from headway import config
from headway.cli import airflow_exports
from headway.cli.airflow_exports import Change, Found
from headway.cli.options import Data, Format, Output
from headway.cli.output import located, show
from headway.cli.terminal import paint, say
from headway.core.roles import Role
from headway.core.words import counted
from headway.errors import UsageError
from headway.spec.errors import listing

if TYPE_CHECKING:
    from headway.loader.migration import Report

TOLD = (
    ("runs", "run as they are", "green"),
    ("runs with a remark", "with a remark", "yellow"),
    ("does not", "do not run", "red"),
)
COLUMNS = ("DAG", "VERDICT", "WHERE", "WHY", "WHAT TO DO")
Export = Annotated[
    Path | None, typer.Option(help="What `airflow … export` wrote: JSON, YAML or .env.")
]


def import_airflow(
    folder: Annotated[
        Path | None, typer.Argument(help="A DAG folder of Airflow, or one file.")
    ] = None,
    connections: Export = None,
    variables: Export = None,
    pools: Export = None,
    metadata: Annotated[
        Path | None,
        typer.Option(help="Read all three from Airflow's database, which this airflow.cfg names."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only what matches, such as 'shop_*'. Can be repeated."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AIRFLOW_ROLE=ROLE",
            help="With --metadata: add who has this role in Airflow, with this role. Can be repeated.",
        ),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Set what is planned.")] = False,
    html: Annotated[Path | None, typer.Option(help="Also write the report as a page.")] = None,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Report which DAGs of an Airflow folder run.

    Says why others do not, without running a task, and imports connections, variables, pools and users.
    """
    from headway.loader import migration

    given = any((connections, variables, pools, metadata))
    if folder is None and not given:
        raise UsageError(
            "there is nothing to import", hint="name a DAG folder, or --metadata airflow.cfg"
        )
    if apply and not given:
        raise UsageError(
            "--apply needs something to set",
            hint="--metadata, or --connections, --variables or --pools",
        )
    if role and metadata is None:
        raise UsageError(
            "roles are read from Airflow's database", hint="add --metadata airflow.cfg"
        )
    report = migration.Report([]) if folder is None else migration.analyse(folder)
    found = found_in(connections, variables, pools)
    if metadata is not None:
        found = read_metadata(metadata, roles_of(role or ()), found)
    plan = taken_over(found, only or (), data, apply=apply) if given else []
    if html is not None:
        write_page(html, folder, report, plan)
    if output is not Output.TABLE:
        told = {**msgspec.to_builtins(report), "plan": msgspec.to_builtins(plan)}
        show(told, output, (), [])
    else:
        tell(folder, report, plan)
    summary(folder, report, plan, applied=apply)
    if report.count(migration.DOES_NOT):
        raise typer.Exit(1)


def found_in(connections: Path | None, variables: Path | None, pools: Path | None) -> Found:
    exported = airflow_exports.exported
    return Found(exported(connections), exported(variables), exported(pools))


def roles_of(given: Sequence[str]) -> dict[str, str]:
    pairs = [each.rpartition("=") for each in given]
    if wrong := next((each for each in pairs if not (each[0] and each[2])), None):
        hint = f"for instance --role User={Role.OPERATOR}"
        raise UsageError(f"--role {''.join(wrong)!r} does not name two roles", hint=hint)
    return {theirs: ours for theirs, _, ours in pairs}


def read_metadata(file: Path, roles: dict[str, str], exports: Found) -> Found:
    """Return what the database has; a file of an export goes before it."""
    from headway.cli import airflow_metadata

    found = airflow_metadata.read(airflow_metadata.source_of(file, os.environ))
    if found.members and not roles:
        held = sorted(found.roles().items(), key=lambda each: -each[1])
        counts = ", ".join(f"{count} {role}" for role, count in held)
        say(f"users are not imported ({counts}); to import some: --role Viewer={Role.VIEWER}")
    taken = found.taken_over(roles)
    return Found(
        exports.connections or taken.connections,
        exports.variables or taken.variables,
        exports.pools or taken.pools,
        taken.users,
    )


def taken_over(
    found: Found, only: Sequence[str], data: Path | None, *, apply: bool
) -> list[Change]:
    """Return the plan, and do it if it is to be done."""
    from headway.client import client_of

    steps = airflow_exports.planned(client_of(config.layout(data)), found, only)
    if apply:
        airflow_exports.apply(steps)
    return [step.change for step in steps]


def write_page(html: Path, folder: Path | None, report: "Report", plan: Sequence[Change]) -> None:
    from headway.cli import report_page

    name = "no folder" if folder is None else folder.resolve().name
    try:
        html.write_text(report_page.page(name, report, plan), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write the page: {error.strerror}", where=str(html)) from error
    say(f"the report as a page: {html}")


def tell(folder: Path | None, report: "Report", plan: Sequence[Change]) -> None:
    if folder is not None:
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
        show(msgspec.to_builtins(report), Output.TABLE, COLUMNS, rows)
    if plan:
        steps = [
            (each.kind, each.name, each.action, ", ".join(each.fields) or None) for each in plan
        ]
        head = ("KIND", "NAME", "ACTION", "WHAT DIFFERS")
        show(msgspec.to_builtins(plan), Output.TABLE, head, steps)


def summary(
    folder: Path | None, report: "Report", plan: Sequence[Change], *, applied: bool
) -> None:
    if folder is not None:
        say(", ".join(paint(f"{report.count(each)} {told}", hue) for each, told, hue in TOLD))
    for pool in report.pools:
        say(f"a DAG uses the pool {pool}; to create it: headway pool set {pool} SLOTS")
    for queue in report.queues:
        say(f"a DAG uses the queue {queue}; an agent must serve it: headway up --queue {queue}")
    if report.others:
        say(f"not read for DAGs: {listing(report.others)}")
    left = [each for each in plan if each.action == airflow_exports.LEAVE]
    changing = sum(
        each.action not in (airflow_exports.KEEP, airflow_exports.LEAVE) for each in plan
    )
    if plan and applied:
        say(f"{changing} of {len(plan)} are set")
    elif plan:
        say(f"{changing} of {len(plan)} would be set; to do it, add --apply")
    if left:
        say(
            f"{counted(len(left), 'is', 'are')} left out: a name has letters, digits, _, - and ., at most 200, "
            "and a value at most 64,000 characters; rename them in Airflow"
        )
