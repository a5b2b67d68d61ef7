"""The grid: rows are tasks, columns runs. What has not changed since it was last asked is not read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import dict_row, tuple_row

from headway import wire
from headway.spec.outline import Outline, outline
from headway.store.views import dags, pages, strips, versions
from headway.store.views.memory import Memory, RunRevision, Strip, Version

RUNS_MAX: Final = 200

CURRENT: LiteralString = "SELECT team_id, version FROM dag WHERE dag_id = %(dag_id)s"

RUNS: LiteralString = """
    SELECT team_id, run_id, revision, version, state, trigger, logical_date,
        created_at, started_at, ended_at, backfill_id, note
    FROM run
    WHERE dag_id = %(dag_id)s
        AND (%(after)s::timestamptz IS NULL OR (
            logical_date <= %(after)s
            AND (logical_date < %(after)s OR run_id > %(after_id)s)))
    ORDER BY logical_date DESC, run_id LIMIT %(limit)s
"""

Versions = Mapping[int, Version]


def page(
    conn: Connection[Any], memory: Memory, dag_id: str, limit: int, before: str | None
) -> wire.Grid:
    """The newest runs, or those older than a cursor."""
    limit = min(limit, RUNS_MAX)
    with conn.cursor(row_factory=tuple_row) as cursor:
        current = cursor.execute(CURRENT, {"dag_id": dag_id}).fetchone()
    if current is None:
        raise dags.unknown(conn, dag_id)
    team_id, version = current
    rows = runs(conn, dag_id, limit + 1, before)
    shown = rows[:limit]
    pinned = {version, *(row["version"] for row in shown)}
    known = versions.of_dag(conn, memory, team_id, dag_id, pinned)
    order = (version, *sorted(pinned - {version}, reverse=True))
    outlined = memory.outlines.get((team_id, dag_id, order))
    if outlined is None:
        outlined = outline(known[version].dag, [known[older].dag for older in order[1:]])
        memory.outlines.put((team_id, dag_id, order), outlined)
    last = rows[limit - 1] if len(rows) > limit else None
    return wire.Grid(
        dag_id=dag_id,
        tasks=tasks(outlined),
        groups=[
            wire.GridGroup(
                group_id=group.group_id,
                label=group.label,
                parent=group.parent,
                tooltip=group.tooltip,
                mapped=group.mapped,
            )
            for group in outlined.groups
        ],
        runs=columns(shown, strips_of(conn, memory, shown, known), outlined, known),
        next_cursor=None if last is None else pages.encode((last["logical_date"], last["run_id"])),
    )


def runs(
    conn: Connection[Any], dag_id: str, limit: int, before: str | None
) -> list[dict[str, Any]]:
    after, after_id = pages.decode(before, tuple[datetime, str]) if before else (None, None)
    values = {"dag_id": dag_id, "after": after, "after_id": after_id, "limit": limit}
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(RUNS, values).fetchall()


def strips_of(
    conn: Connection[Any], memory: Memory, rows: Sequence[Mapping[str, Any]], known: Versions
) -> dict[str, Strip]:
    keys: dict[RunRevision, Version] = {
        (row["team_id"], row["run_id"], row["revision"]): known[row["version"]] for row in rows
    }
    found = {key: memory.strips.get(key) for key in keys}
    unread = {key: version for key, version in keys.items() if found[key] is None}
    for key, strip in strips.read(conn, unread).items():
        memory.strips.put(key, strip)
        found[key] = strip
    return {key[1]: strip for key, strip in found.items() if strip is not None}


def tasks(outlined: Outline) -> list[wire.GridTask]:
    places = outlined.places()
    return [
        wire.GridTask(
            task_id=row.task.task_id,
            label=row.label,
            group=row.group,
            depth=row.depth,
            kind=row.task.kind,
            mapped=row.task.mapping is not None or bool(row.task.loop),
            upstream=[places[name] for name in row.task.upstream],
            removed=row.removed,
        )
        for row in outlined.rows
    ]


def columns(
    rows: Sequence[Mapping[str, Any]],
    found: Mapping[str, Strip],
    outlined: Outline,
    known: Versions,
) -> list[wire.GridRun]:
    """The newest last."""
    places = outlined.places()
    picks = {version: pick(outlined, spec.names) for version, spec in known.items()}
    columns = []
    for row in reversed(rows):
        strip = found[row["run_id"]]
        padded = strip.letters + strips.NOTHING
        columns.append(
            wire.GridRun(
                **{name: row[name] for name in SHOWN},
                cells="".join(map(padded.__getitem__, picks[row["version"]])),
                mapped={str(places[name]): dict(each) for name, each in strip.mapped.items()},
            )
        )
    return columns


SHOWN: Final = tuple(
    name for name in wire.GridRun.__struct_fields__ if name not in ("cells", "mapped")
)


def pick(outlined: Outline, names: Sequence[str]) -> list[int]:
    """Return for each row the place of its letter in a strip; behind its end: the version has no such task."""
    places = {name: place for place, name in enumerate(names)}
    return [places.get(row.task.task_id, len(names)) for row in outlined.rows]
