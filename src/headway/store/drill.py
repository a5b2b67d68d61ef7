"""A drill of a restore: a backup becomes a database beside the one in use, is looked through, and goes again."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString

from psycopg import Connection

from headway import clock
from headway.store import bundles, soundness
from headway.store.migrate import left_to_apply
from headway.store.restore import UNLIMITED, restored_beside
from headway.store.transact import ENGINE, connect, transact

COUNTS: LiteralString = """
    SELECT (SELECT count(*) FROM team), (SELECT count(*) FROM dag), (SELECT count(*) FROM run),
        (SELECT count(*) FROM task_instance), (SELECT max(at) FROM event)
"""
RESULTS: LiteralString = "SELECT DISTINCT file FROM xcom WHERE file IS NOT NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """``bundles``, ``results``: the versions and the files, below the data directory, that the database refers to."""

    teams: int
    dags: int
    runs: int
    instances: int
    latest: datetime | None
    left_to_apply: int
    broken: list[str]
    took_s: float
    bundles: set[str] = field(default_factory=set)
    results: set[str] = field(default_factory=set)


def drill(dsn: str, file: Path) -> Drilled:
    """Restore a backup beside the database of ``dsn`` and look through it. Raises what ``restore`` raises."""
    began = clock.monotonic()
    with restored_beside(dsn, file) as beside:
        with connect(beside, application="headway drill") as conn:
            lacking = transact(conn, left_to_apply)
        with connect(beside, role=ENGINE, application="headway drill", limits=UNLIMITED) as conn:
            return transact(conn, looked_through, lacking, began)


def looked_through(conn: Connection[Any], lacking: int, began: float) -> Drilled:
    row = conn.execute(COUNTS).fetchone()
    assert row is not None
    teams, dags, runs, instances, latest = row
    return Drilled(
        teams=teams,
        dags=dags,
        runs=runs,
        instances=instances,
        latest=latest,
        left_to_apply=lacking,
        # Statements are those of this version's schema.
        broken=[] if lacking else soundness.broken(conn),
        took_s=clock.monotonic() - began,
        bundles=bundles.in_use(conn),
        results={str(name) for (name,) in conn.execute(RESULTS)},
    )
