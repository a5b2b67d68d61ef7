"""Versions of DAGs as they were registered. A version never changes, so it is read once."""

from collections.abc import Collection
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

from headway.spec.model import decode
from headway.store.views.memory import Memory, Version

# The ids in the order of the database's own collation, in which rows come by key.
OF_DAG: LiteralString = """
    SELECT team_id, number, spec::text,
        ARRAY(SELECT task_id FROM regexp_split_to_table(task_ids, E'\\n') AS task_id ORDER BY task_id)
    FROM dag_version WHERE dag_id = %(dag_id)s AND number = ANY(%(numbers)s)
"""


def of_dag(
    conn: Connection[Any], memory: Memory, team_id: int, dag_id: str, numbers: Collection[int]
) -> dict[int, Version]:
    found = {number: memory.versions.get((team_id, dag_id, number)) for number in numbers}
    unread = [number for number, version in found.items() if version is None]
    if unread:
        with conn.cursor(row_factory=tuple_row) as cursor:
            rows = cursor.execute(OF_DAG, {"dag_id": dag_id, "numbers": unread}).fetchall()
        for team, number, text, names in rows:
            version = Version(decode(text), tuple(names))
            memory.versions.put((team, dag_id, number), version)
            found[number] = version
    return {number: version for number, version in found.items() if version is not None}
