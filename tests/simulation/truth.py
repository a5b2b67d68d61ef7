"""What really happened outside the database, and the promises about it (S1, S2, S3)."""

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from headway.agent.protocol import AttemptKey, Ended

Key3 = tuple[str, str, int]

KNOWN = """
    SELECT EXISTS (SELECT FROM attempt WHERE run_id = %(run)s AND task_id = %(task)s
            AND map_index = %(index)s AND number = %(number)s AND token = %(token)s)
        AND NOT EXISTS (SELECT FROM report WHERE run_id = %(run)s)
"""
RESULTS = """
    SELECT run_id, task_id, map_index, number, state FROM attempt
    WHERE state IN ('success', 'failed', 'skipped')
"""
FAILURES = """
    SELECT failures FROM task_instance
    WHERE run_id = %(run)s AND task_id = %(task)s AND map_index = %(index)s
"""


class Truth:
    def __init__(self, conn: Connection[Any], note: Callable[[str], None]) -> None:
        self.conn = conn
        self.note = note
        self.ran: set[AttemptKey] = set()
        self.running: dict[Key3, AttemptKey] = {}
        self.acks: list[Ended] = []
        self.ends: dict[AttemptKey, str] = {}

    def start(self, key: AttemptKey) -> int:
        """The user's code begins."""
        self.note(f"-- begins: {name(key)}")
        assert key not in self.ran, f"S1 one attempt ran twice: {key}"
        self.ran.add(key)
        place = (key.run_id, key.task_id, key.map_index)
        other = self.running.get(place)
        assert other is None, f"S2 two executions at once: {key} and {other}"
        self.running[place] = key
        return 1000 + len(self.ran)

    def stop(self, key: AttemptKey) -> None:
        place = (key.run_id, key.task_id, key.map_index)
        if self.running.get(place) == key:
            self.note(f"-- over: {name(key)}")
            del self.running[place]

    def ended(self, ended: Ended) -> None:
        self.stop(ended.key)
        self.ends[ended.key] = ended.outcome

    def acknowledged(self, ended: Ended) -> None:
        self.acks.append(ended)

    def failures(self, key: AttemptKey) -> int:
        """How often this task instance has failed by itself, as the user's code may know."""
        row = self.conn.execute(FAILURES, values(key)).fetchone()
        return 0 if row is None else int(row[0])

    def check_results(self) -> None:
        """A result in the database is what its own attempt brought."""
        for *key, state in self.conn.execute(RESULTS):
            brought = self.ends.get(AttemptKey(*key))
            assert brought == state, f"G5 {key} is {state}, but it brought {brought}"

    def check(self) -> None:
        """An acknowledged end is in the database, or in the inbox of reports."""
        for ended in self.acks:
            row = self.conn.execute(KNOWN, {**values(ended.key), "token": ended.token}).fetchone()
            assert row == (False,), f"S3 an acknowledged report is not in the database: {ended}"
        self.acks.clear()


def name(key: AttemptKey) -> str:
    return f"{key.run_id} {key.task_id} {key.map_index} {key.number}"


def values(key: AttemptKey) -> dict[str, object]:
    return {
        "run": key.run_id,
        "task": key.task_id,
        "index": key.map_index,
        "number": key.number,
    }
