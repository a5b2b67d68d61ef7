"""The code that a cleared run continues with: that of the run, or the latest of its DAG (docs/adr/0009).

``core.repin`` decides what the run keeps; here are the pins, what differs between them, and what is written.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from psycopg import Connection

from headway import wire
from headway.bundle import Entry
from headway.core.reasons import CodeChanged
from headway.core.repin import Code, repin
from headway.core.run import Instance, Run
from headway.core.states import RunState, State
from headway.errors import Conflict
from headway.loader.bundles import Bundles
from headway.spec import compile, diff
from headway.spec.model import Dag
from headway.spec.validate import check_params
from headway.store import dags, images, runs
from headway.store.dags import Standing
from headway.store.runs import Claimed
from headway.store.views import code_changes

FILES_MAX: Final = 200  # of a difference that is told


@dataclass(frozen=True, slots=True)
class Switch:
    """A run on the latest code, not written yet. ``again``: what runs again because of the switch."""

    run: Run
    again: list[tuple[Instance, State]]
    version: int
    bundle_version: str
    params: dict[str, Any]
    why: CodeChanged


def switch(conn: Connection[Any], row: Claimed, run: Run, actor: str) -> Switch | None:
    """Put the run on the latest code. None: it is on that already. Writes nothing; ``run`` is used up.

    Raises:
        Conflict: the DAG's file was removed, or task instances are running. UsageError: the run's parameters
            are invalid in the latest version.
    """
    latest = dags.standing(conn, row.team_id, row.dag_id)
    refused = refusal(row, run, latest)
    if refused is not None:
        raise refused
    if (latest.version, latest.bundle_version) == (row.version, row.bundle_version):
        return None
    spec = dags.spec(conn, row.team_id, row.dag_id, latest.version)
    why = CodeChanged(
        by=actor,
        version=latest.version,
        version_before=row.version,
        bundle=latest.bundle_version,
        bundle_before=row.bundle_version,
    )
    moved, again = repin(run, compile.graph(spec), why, actor)
    params = params_of(row, spec)
    return Switch(moved, again, latest.version, latest.bundle_version, params, why)


def write(conn: Connection[Any], row: Claimed, switched: Switch) -> None:
    """Pin the run, and let its task instances need what their tasks need now. ``changes.write`` follows."""
    runs.repin(
        conn,
        row.team_id,
        row.run_id,
        version=switched.version,
        bundle_version=switched.bundle_version,
        params=switched.params,
        nodes=switched.run.graph.nodes,
        actor=switched.why.by,
        now=switched.run.now,
    )


def refusal(row: Claimed, run: Run, latest: Standing) -> Conflict | None:
    """Why the run cannot continue with the latest code."""
    if latest.missing:
        return Conflict(
            f'the DAG "{row.dag_id}" is no longer in the DAG folder, so it has no latest code',
            hint=f"to use the code of the run: headway retry {row.run_id} --as-it-was",
        )
    if run.live:
        return Conflict(
            f"run {row.run_id} has running task instances, which belong to version {row.version}",
            hint="wait until they end, or cancel the run; then choose the latest code",
        )
    return None


def params_of(row: Claimed, spec: Dag) -> dict[str, Any]:
    """The run's parameters as the version has them: without those that it does not take, with its new defaults."""
    known = {param.name for param in spec.params}
    given = msgspec.json.decode(row.params, type=dict[str, Any])
    kept = {name: value for name, value in given.items() if spec.open_params or name in known}
    return check_params(spec, kept)


def difference(
    conn: Connection[Any], data: Path, row: Claimed, run: Run, tasks: Collection[str]
) -> wire.CodeChoice:
    """Tell the run's code from the latest, and which is the better one to run ``tasks`` again; none: what failed."""
    latest = dags.standing(conn, row.team_id, row.dag_id)
    before = dags.spec(conn, row.team_id, row.dag_id, row.version)
    after = dags.spec(conn, row.team_id, row.dag_id, latest.version)
    files = changed_files(data, row.bundle_version, latest.bundle_version)
    imported = code_changes.imported(conn, row.dag_id) | {before.file}
    refused = refusal(row, run, latest)
    wanted = tasks or {each.node.task_id for each in run.all() if each.state is State.FAILED}
    better = (
        refused is None
        and run.state is RunState.FAILED
        and (latest.version != row.version or not imported.isdisjoint(each.file for each in files))
        and set(wanted) <= {task.task_id for task in after.tasks}
    )
    return wire.CodeChoice(
        version=row.version,
        bundle_version=row.bundle_version,
        latest_version=latest.version,
        latest_bundle_version=latest.bundle_version,
        file=before.file,
        files=files[:FILES_MAX],
        more_files=max(0, len(files) - FILES_MAX),
        tasks=[
            wire.SpecChange(what=each.what, path=each.path, before=each.before, after=each.after)
            for each in diff.changes(before, after)
        ],
        refused=None if refused is None else refused.message,
        advised=Code.LATEST if better else Code.RUN,
        images=sorted(images.pinned(conn, row.team_id, row.run_id)),
    )


def changed_files(data: Path, before: str, after: str) -> list[wire.FileChange]:
    """Return the files that differ between two bundles, none if one of them was removed."""
    bundles = Bundles(data)
    old, new = bundles.entries(before), bundles.entries(after)
    if not old or not new:
        return []
    return [
        wire.FileChange(file=path, change=change(old.get(path), new.get(path)))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def change(before: Entry | None, after: Entry | None) -> str:
    return "added" if before is None else "removed" if after is None else "changed"
