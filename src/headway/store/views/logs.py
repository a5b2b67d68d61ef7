"""The logs of a run, in the order of its tasks; and those of many runs, the newest first."""

from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import args_row

from headway import wire
from headway.paths import log_path
from headway.store.views import runs

LOGS_MAX: Final = 2000
RUNS_MAX: Final = 20  # at once

OF_RUN: LiteralString = """
    SELECT task_id, map_index, number FROM attempt
    WHERE run_id = %(run_id)s
        AND (task_id, map_index, number) >= (%(task_id)s, %(map_index)s, %(number)s)
    ORDER BY task_id, map_index, number LIMIT %(limit)s
"""


WHEREABOUTS: LiteralString = """
    SELECT host, data FROM attempt JOIN agent_session USING (team_id, session_id)
    WHERE run_id = %(run_id)s AND task_id = %(task_id)s AND number = %(number)s
        AND (%(map_index)s::integer IS NULL OR map_index = %(map_index)s) AND data IS NOT NULL
"""


class Key(NamedTuple):
    """An attempt of a run."""

    task_id: str
    map_index: int
    number: int


FIRST: Final = Key("", -2, 0)  # before every attempt


class Logs(NamedTuple):
    keys: list[Key]
    following: tuple[Key, int] | None  # the log and line that come after these


def of_run(conn: Connection[Any], run_id: str, first: Key, line: int) -> Logs:
    """Return a bounded number of the run's logs from ``first`` on."""
    values = {"run_id": run_id, **first._asdict(), "limit": LOGS_MAX + 1}
    with conn.cursor(row_factory=args_row(Key)) as cursor:
        keys = cursor.execute(OF_RUN, values).fetchall()
    if len(keys) <= LOGS_MAX:
        return Logs(keys, None)
    return Logs(keys[:LOGS_MAX], (keys[LOGS_MAX], 1))


def path(run_id: str, key: Key) -> str:
    """Below the data directory."""
    return log_path(run_id, *key)


def whereabouts(
    conn: Connection[Any], run_id: str, task_id: str, map_index: int | None, number: int
) -> tuple[str, str] | None:
    """The host, and the data directory on it, where the log of an attempt was written, if that is known."""
    values = {"run_id": run_id, "task_id": task_id, "map_index": map_index, "number": number}
    return conn.execute(WHEREABOUTS, values).fetchone()


class Place(NamedTuple):
    """A log among those of many runs, and the line to begin with; ``after`` is the page's cursor that
    leads to its run. What a search goes on from.
    """

    after: str | None
    run_id: str
    key: Key
    line: int


class Places(NamedTuple):
    found: list[Place]
    following: Place | None
    runs: dict[str, wire.Run]  # those of the places, by their ids


def of_runs(
    conn: Connection[Any], wanted: runs.Filter, task_id: str | None, start: Place | None
) -> Places:
    """The logs of the next runs, as many as may be searched at once. Runs that are gone are passed over."""
    page = runs.page(conn, wanted, RUNS_MAX, start.after if start else None)
    by_id = {run.run_id: run for run in page.items}
    after, found = start.after if start else None, list[Place]()
    for run in page.items:
        goes_on = start is not None and run.run_id == start.run_id
        first, line = (start.key, start.line) if start and goes_on else (FIRST, 1)
        if task_id is not None and first.task_id < task_id:
            first = Key(task_id, -2, 0)
        logs = of_run(conn, run.run_id, first, line)
        for key in logs.keys:
            if len(found) == LOGS_MAX:
                return Places(found, Place(after, run.run_id, key, 1), by_id)
            if task_id in (None, key.task_id):
                found.append(Place(after, run.run_id, key, line if key == first else 1))
        if logs.following is not None and task_id in (None, logs.following[0].task_id):
            return Places(found, Place(after, run.run_id, *logs.following), by_id)
        after = runs.cursor_after(wanted, run)
    following = Place(page.next_cursor, "", FIRST, 1) if page.next_cursor else None
    return Places(found, following, by_id)
