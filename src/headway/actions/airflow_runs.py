"""The import of runs that Airflow did, a batch of a DAG at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec
from psycopg import Connection

from headway import wire
from headway.core import airflow_runs as core
from headway.core.run_retention import in_effect
from headway.core.schedules.base import FIRST
from headway.errors import Conflict, UsageError
from headway.store import airflow_runs as store
from headway.store import dags, run_retention
from headway.store.airflow_runs import Row

DIGEST_BYTES: Final = 16


def take(
    conn: Connection[Any],
    team_id: int,
    dag_id: str,
    asked: wire.AirflowRunsRequest,
    actor: str,
    keep_default: timedelta,
) -> wire.AirflowRunsAnswer:
    """Store runs of a DAG, and where its schedule goes on. The same again changes nothing.

    Raises UsageError for runs that no Airflow has, Conflict at the limits of the team.
    """
    now = dags.lock(conn, team_id)
    check(asked, now)
    older_than = now - in_effect(run_retention.days(conn, team_id), keep_default)
    wanted = [row(each) for each in asked.runs if each.ended_at >= older_than]
    done_until = store.announce(conn, team_id, dag_id, asked.done_until, actor, now)
    stored, changed = store.put(conn, team_id, dag_id, wanted)
    if (limit := core.flaw_of_totals(*store.totals(conn, team_id))) is not None:
        raise Conflict(
            f"the team would have more runs of Airflow than the limit allows: {limit}",
            hint="import fewer with --since or --only, or remove some: headway import-runs --forget DAG",
        )
    return wire.AirflowRunsAnswer(
        stored=stored,
        changed=changed,
        kept=len(wanted) - stored - changed,
        too_old=len(asked.runs) - len(wanted),
        done_until=done_until,
    )


def check(asked: wire.AirflowRunsRequest, now: datetime) -> None:
    if len({run.run_id for run in asked.runs}) < len(asked.runs):
        raise UsageError("two of the runs have the same id")
    for run in asked.runs:
        if (why := flaw(run, now)) is not None:
            raise UsageError(f"the run {run.run_id!r} {why}")
    if asked.done_until is not None and not FIRST <= asked.done_until <= now:
        raise UsageError(
            f"done_until must be between {FIRST:%Y} and now",
            hint="it is when the last run that ended in Airflow was due",
        )


def flaw(run: wire.AirflowRunDetail, now: datetime) -> str | None:
    """Return why a run cannot be kept."""
    own = (run.logical_date, run.interval_start, run.interval_end, run.due_at, run.started_at)
    tasks = (at for each in run.instances for at in (each.started_at, each.ended_at))
    return core.flaw_of_dates((*own, *tasks), run.ended_at, now)


def row(run: wire.AirflowRunDetail) -> Row:
    instances = msgspec.json.encode([facts(each) for each in run.instances])
    own = msgspec.json.encode(msgspec.structs.replace(run, instances=[]))
    return Row(
        **{name: getattr(run, name) for name in wire.AirflowRun.__struct_fields__},
        instances=msgspec.Raw(instances),
        size=len(instances),
        digest=sha256(own + instances).digest()[:DIGEST_BYTES].hex(),
    )


def facts(task: wire.AirflowTask) -> Sequence[object]:
    return msgspec.structs.astuple(task)
