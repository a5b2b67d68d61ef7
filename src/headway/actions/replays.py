"""Replays: a new run with the spec and files of an earlier run, even if its DAG has changed.

The spec and files to which a run is pinned (docs/adr/0009) are kept as long as the run. Everything
else (limits, packages, external data) is current; the preview says so.
"""

from pathlib import Path
from typing import Any

import msgspec
from psycopg import Connection

from headway import ids, wire
from headway.core.triggers import MANUAL_KEY, Trigger
from headway.core.waiting import held_back
from headway.core.wording import said
from headway.errors import Conflict, NotFound
from headway.loader.bundles import Bundles
from headway.runs.limits import check_new_runs
from headway.runs.new import create
from headway.spec.model import Dag
from headway.store import dags, images, queue, runs
from headway.store.clock import clock
from headway.store.dags import Standing
from headway.store.runs import Claimed, NewRun

TODAY = (
    "pools, the DAG's max_active_runs and whether the DAG is paused are current, not those of the original run",
    "Python and packages outside the bundle are the ones installed now",
    "environment variables and secrets have their current values",
    "external data that tasks read (files, databases, services) may have changed; "
    "tasks write their outputs again",
)


def replay(conn: Connection[Any], data: Path, team_id: int, run_id: str, actor: str) -> str:
    """Create the replay and return its id.

    Raises:
        NotFound: the run does not exist. Conflict: its spec or files are no longer available.
    """
    check_new_runs(conn, team_id, 1, clock(conn))  # it locks the team, and so comes before the DAG
    runs.announce(conn, team_id, run_id)
    row = runs.lock(conn, team_id, run_id)  # while it is there, nobody removes its bundle
    if row is None:
        raise NotFound(f'there is no run "{run_id}"')
    whole(conn, data, row)
    again = ids.run_id()
    new = NewRun(
        team_id=team_id,
        run_id=again,
        dag_id=row.dag_id,
        run_key=f"{MANUAL_KEY}{again}",
        trigger=Trigger.MANUAL,
        logical_date=row.logical_date,
        interval_start=row.interval_start,
        interval_end=row.interval_end,
        params=msgspec.json.decode(row.params),
        created_by=actor,
        version=row.version,
        bundle_version=row.bundle_version,
        note=f"replay of {row.run_id}",
        partition=row.partition,
    )
    create(conn, [new], clock(conn))
    images.copy(conn, team_id, run_id, again)
    return again


def would_replay(
    conn: Connection[Any], data: Path, team_id: int, run_id: str
) -> wire.ReplayPreview:
    """Preview a replay. Raises what ``replay`` raises."""
    row = runs.read(conn, team_id, run_id)
    if row is None:
        raise NotFound(f'there is no run "{run_id}"')
    spec = whole(conn, data, row)
    why = held_back(queue.line_of(conn, queue.Waiting(team_id, row.dag_id, row.logical_date)))
    return wire.ReplayPreview(
        run_id=row.run_id,
        dag_id=row.dag_id,
        version=row.version,
        bundle_version=row.bundle_version,
        params=msgspec.json.decode(row.params),
        logical_date=row.logical_date,
        interval_start=row.interval_start,
        interval_end=row.interval_end,
        tasks=len(spec.tasks),
        would_wait=None if why is None else said(why),
        not_reproduced=not_reproduced(row, dags.standing(conn, team_id, row.dag_id)),
        why=why,
    )


def whole(conn: Connection[Any], data: Path, row: Claimed) -> Dag:
    """Return the run's spec, if its files exist, too."""
    spec = dags.spec(conn, row.team_id, row.dag_id, row.version)
    if spec.file not in Bundles(data).entries(row.bundle_version):
        raise Conflict(
            f"the files of run {row.run_id} were removed: bundle {row.bundle_version} no longer "
            f"contains {spec.file}",
            hint=f"to run the current version: headway run {row.dag_id}",
        )
    return spec


def not_reproduced(row: Claimed, today: Standing) -> list[str]:
    """List the known differences first, then the unknown ones."""
    said = []
    if today.missing:
        said.append(
            f"the DAG is no longer in the DAG folder; the replay runs version {row.version}"
        )
    elif today.version != row.version:
        said.append(
            f"the DAG's current version is {today.version}; the replay runs version {row.version}"
        )
    if today.bundle_version != row.bundle_version:
        said.append(
            "files in the DAG folder have changed since; the replay runs the original files"
        )
    if row.trigger != Trigger.MANUAL:
        said.append(f"the trigger of the run was {row.trigger}; the replay says {Trigger.MANUAL}")
    if row.backfill_id is not None:
        said.append(
            f"the run belonged to backfill {row.backfill_id}, which has its own limit; the replay "
            f"counts towards the DAG's max_active_runs"
        )
    return [*said, *TODAY]
