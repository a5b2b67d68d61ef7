"""Runs as strips of letters, one for each task: read once for each revision of a run."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

from headway.core.states import State
from headway.store import states
from headway.store.views.memory import RunRevision, Strip, Version

NOTHING: Final = "."

# One statement, so that both halves are of one moment. Letters come in the order of the primary
# key, without the ids: a tenth of the bytes, and nothing is sorted.
STRIPS: LiteralString = f"""
    SELECT asked.run_id,
        (SELECT string_agg(letter, '') FROM (
            SELECT {states.LETTER} AS letter
            FROM task_instance AS instance
            WHERE instance.run_id = asked.run_id AND map_index = -1 ORDER BY task_id
        ) AS single),
        (SELECT json_agg(json_build_array(task_id, state, instances)) FROM (
            SELECT task_id, state, count(*) AS instances FROM task_instance AS instance
            WHERE instance.run_id = asked.run_id AND map_index >= 0 GROUP BY task_id, state
        ) AS many)
    FROM unnest(%(run_ids)s::text[]) AS asked (run_id)
"""


def read(conn: Connection[Any], runs: Mapping[RunRevision, Version]) -> dict[RunRevision, Strip]:
    """``runs``: with the DAG version each is pinned to."""
    if not runs:
        return {}
    keys = {key[1]: key for key in runs}
    with conn.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(STRIPS, {"run_ids": list(keys)}).fetchall()
    return {
        keys[run_id]: strip(runs[keys[run_id]].names, letters or "", counted or [])
        for run_id, letters, counted in rows
    }


def strip(names: Sequence[str], letters: str, counted: Sequence[tuple[str, str, int]]) -> Strip:
    mapped: dict[str, dict[str, int]] = {}
    for task_id, state, instances in counted:
        mapped.setdefault(task_id, {})[state] = instances
    if not letters and not mapped:
        return Strip(NOTHING * len(names), mapped)
    single = iter(letters)
    told = [telling(mapped[name]) if name in mapped else next(single, NOTHING) for name in names]
    return Strip("".join(told), mapped)


def telling(counts: Mapping[str, int]) -> str:
    """The letter of a mapped task whose instances differ."""
    return next(state.letter for state in State if state in counts)
