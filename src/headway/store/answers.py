"""Answers to questions of tasks, written once. Every function takes a connection; none commits.

``WRITE`` and ``RESULTS`` are for ``store.changes``. Results of an answer are new rows: what an earlier life of the
task instance left was forgotten when it was cleared.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection
from psycopg.rows import class_row

from headway.core.run import Run
from headway.store.rows import Columns, names, typed

ANSWER: Final[Columns] = {
    "team_id": "integer",
    "run_id": "text",
    "task_id": "text",
    "map_index": "integer",
    "attempt": "integer",
    "deferrals": "integer",
    "question": "json",
    "asked_at": "timestamptz",
    "answered_at": "timestamptz",
    "answered_by": "text",
    "timed_out": "boolean",
    "link_id": "text",
    "chosen": "text[]",
    "params": "json",
}

WRITE: LiteralString = f"""
    INSERT INTO answer ({names(ANSWER)})
    SELECT {names(ANSWER)} FROM json_to_recordset(%(rows)s::json) AS new ({typed(ANSWER)})
"""

RESULTS: LiteralString = """
    INSERT INTO xcom (team_id, run_id, task_id, map_index, key, attempt, value, size, length, masked)
    SELECT team_id, run_id, task_id, map_index, key, attempt, value, size, length, false
    FROM json_to_recordset(%(rows)s::json) AS new (
        team_id integer, run_id text, task_id text, map_index integer, key text, attempt integer,
        value json, size bigint, length integer)
"""

LAST: LiteralString = """
    SELECT attempt, deferrals, answered_by, answered_at, timed_out, chosen, params FROM answer
    WHERE team_id = %(team_id)s AND run_id = %(run_id)s AND task_id = %(task_id)s AND map_index = %(map_index)s
    ORDER BY attempt DESC, deferrals DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Known:
    """The latest answer that a task instance got."""

    attempt: int
    deferrals: int
    answered_by: str
    answered_at: datetime
    timed_out: bool
    chosen: list[str]
    params: dict[str, Any]


def last(
    conn: Connection[Any], team_id: int, run_id: str, task_id: str, map_index: int
) -> Known | None:
    values = {"team_id": team_id, "run_id": run_id, "task_id": task_id, "map_index": map_index}
    with conn.cursor(row_factory=class_row(Known)) as cursor:
        return cursor.execute(LAST, values).fetchone()


def rows_of(run: Run) -> Iterator[dict[str, Any]]:
    for given in run.changes.given:
        yield {
            "team_id": run.team_id,
            "run_id": run.run_id,
            "task_id": given.instance.node.task_id,
            "map_index": given.instance.map_index,
            "attempt": given.attempt,
            "deferrals": given.deferrals,
            "question": given.deferral.facts,
            "asked_at": given.deferral.since,
            "answered_at": given.answer.at,
            "answered_by": given.answer.by,
            "timed_out": given.answer.timed_out,
            "link_id": given.answer.link,
            "chosen": given.answer.chosen,
            "params": given.answer.params,
        }


def results(run: Run) -> Iterator[dict[str, Any]]:
    for given in run.changes.given:
        for key, value in given.values.items():
            yield {
                "team_id": run.team_id,
                "run_id": run.run_id,
                "task_id": given.instance.node.task_id,
                "map_index": given.instance.map_index,
                "key": key,
                "attempt": given.attempt,
                "value": value,
                "size": len(msgspec.json.encode(value)),
                "length": len(value) if isinstance(value, list | dict) else None,
            }
