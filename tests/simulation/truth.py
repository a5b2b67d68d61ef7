"""What really happened outside the database, and the promises about it (S1, S2, S3)."""

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from headway.agent.protocol import AttemptKey, Ended, Grant
from headway.agent.watchers import Fired
from headway.spec.model import Dag, Task
from tests.simulation.reference import are_peers, not_chosen, places

Key3 = tuple[str, str, int]

CLOCKS_DIFFER = (
    0.1  # of an agent from the database's: between them is no room for what a fast one measured
)

KNOWN = """
    SELECT EXISTS (SELECT FROM attempt WHERE run_id = %(run)s AND task_id = %(task)s
            AND map_index = %(index)s AND number = %(number)s AND token = %(token)s)
        AND NOT EXISTS (SELECT FROM report WHERE run_id = %(run)s)
"""
RESULTS = """
    SELECT run_id, task_id, map_index, number, deferrals,
        -- Of a gate that may not lead on, a failure is made.
        CASE WHEN cause = 'max_iterations' THEN 'success' ELSE state END,
        CASE WHEN deferrals = 0 THEN extract(epoch FROM ended_at - started_at)::float8 END FROM attempt
    WHERE state IN ('success', 'failed', 'skipped')
"""
FAILURES = """
    SELECT failures FROM task_instance
    WHERE run_id = %(run)s AND task_id = %(task)s AND map_index = %(index)s
"""

# Of an attempt that a person wants ended no result counts; a mark brings no item.
ITEMS = """
    SELECT count(*), min(xcom.length) FROM xcom
    WHERE run_id = %(run)s AND task_id = %(source)s AND key = 'return_value'
"""
EXCUSED = """
    SELECT EXISTS (SELECT FROM event WHERE run_id = %(run)s AND name LIKE 'mark%%')
        OR NOT EXISTS (SELECT FROM task_instance WHERE run_id = %(run)s AND task_id = %(task)s
            AND map_index = %(index)s AND attempts = %(number)s AND intent IS NULL
            AND state IN ('queued', 'running'))
"""

ABOUT_TO_RUN = """
    SELECT run_id, dag_id, run.version, task_id, map_index FROM task_instance AS ti JOIN run USING (team_id, run_id)
    WHERE ti.state = 'ready' OR (ti.state = 'queued' AND intent IS NULL)
"""
# A person's mark chooses nothing, and takes back what was chosen.
CHOICES = """
    SELECT map_index, state, attempts, reason ->> 'kind' IS DISTINCT FROM 'marked' AND NOT EXISTS (
        SELECT FROM event WHERE event.run_id = ti.run_id AND event.task_id = ti.task_id
            AND event.map_index = ti.map_index AND name LIKE 'mark%%')
    FROM task_instance AS ti WHERE run_id = %(run)s AND task_id = %(task)s
"""
DONE = {"success", "failed", "skipped", "upstream_failed", "cancelled"}


class Truth:
    def __init__(self, conn: Connection[Any], note: Callable[[str], None]) -> None:
        self.conn = conn
        self.note = note
        self.ran: set[AttemptKey] = set()
        self.running: dict[Key3, AttemptKey] = {}
        self.acks: list[Ended] = []
        self.ends: dict[AttemptKey, str] = {}
        self.choices: dict[tuple[str, str, int, int], set[str]] = {}
        self.ran_s: dict[AttemptKey, float] = {}
        self.source = 0  # how many numbers there are for watchers to tell
        self.told: list[Fired] = []  # by any of them, in any life

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

    def items_there(self, grant: Grant, dag: Dag, task: Task) -> bool:
        """Whether the agent finds what the instance is mapped over. It must be its own items."""
        if task.mapping is None:
            assert not grant.axes
            return True
        tasks = {each.task_id: each for each in dag.tasks}
        leaves = [leaf for axis in task.mapping.axes for leaf in axis.leaves()]
        lengths = []
        for leaf in leaves:
            if leaf.task_id is None:
                lengths.append(leaf.length or 0)
                continue
            asked = {"run": grant.key.run_id, "source": leaf.task_id}
            row = self.conn.execute(ITEMS, asked).fetchone()
            assert row is not None
            lengths.append((row[1] if tasks[leaf.task_id].mapping is None else row[0]) or 0)
        got = tuple(item.position for item in grant.axes)
        there = all(place < length for place, length in zip(got, lengths, strict=True))
        points = places(task.mapping, lengths)
        if grant.key.map_index >= len(points) or got != points[grant.key.map_index]:
            excused = self.conn.execute(EXCUSED, values(grant.key)).fetchone()
            assert excused == (True,), f"G5 {grant.key} got {got} of {lengths}"
        return there

    def stop(self, key: AttemptKey) -> None:
        place = (key.run_id, key.task_id, key.map_index)
        if self.running.get(place) == key:
            self.note(f"-- over: {name(key)}")
            del self.running[place]

    def ended(self, ended: Ended) -> None:
        self.stop(ended.key)
        self.ends[ended.key] = ended.outcome
        if ended.follow is not None:
            key = ended.key
            self.choices[key.run_id, key.task_id, key.map_index, key.number] = set(ended.follow)
        self.ran_s[ended.key] = ended.run_s

    def acknowledged(self, ended: Ended) -> None:
        self.acks.append(ended)

    def failures(self, key: AttemptKey) -> int:
        """How often this task instance has failed by itself, as the user's code may know."""
        row = self.conn.execute(FAILURES, values(key)).fetchone()
        return 0 if row is None else int(row[0])

    def check_results(self, set_back_s: float) -> None:
        """A result in the database is what its own attempt brought, and took as long as that ran.

        While the database's clock shows again what it has shown before, nothing takes any time.
        """
        for *key, state, took_s in self.conn.execute(RESULTS):
            if self.is_told_by_others(AttemptKey(*key)):
                continue
            brought = self.ends.get(AttemptKey(*key))
            assert brought == state, f"G5 {key} is {state}, but it brought {brought}"
            ran_s = self.ran_s[AttemptKey(*key)]
            slack_s = CLOCKS_DIFFER * ran_s + 1e-5 + set_back_s
            assert took_s is None or abs(took_s - ran_s) <= slack_s, (
                f"{key} ran {ran_s} s, not {took_s}"
            )

    def is_told_by_others(self, key: AttemptKey) -> bool:
        """Whether somebody else than the attempt's process may have told how it ended: here nobody."""
        return False

    def check_choices(self, version: Callable[[str, int], Dag]) -> None:
        """What is about to run was chosen by each branch above it, as the branch's own attempts said."""
        for run_id, dag_id, number, task_id, index in self.conn.execute(ABOUT_TO_RUN):
            dag = version(dag_id, number)
            tasks = {task.task_id: task for task in dag.tasks}
            for name in tasks:
                if tasks[name].branch:
                    only = index if are_peers(dag, name, task_id) else None
                    chosen = self.chosen(run_id, name, only)
                    out = chosen is not None and task_id in not_chosen(dag, tasks[name], chosen)
                    assert not out, f"I12 {task_id} of {run_id} is to run, but {name} left it out"

    def chosen(self, run_id: str, branch: str, only: int | None) -> set[str] | None:
        """None: it has not ended, or left nothing out. ``only``: the index of a mapped group."""
        found: set[str] | None = None
        asked = {"run": run_id, "task": branch}
        for index, state, number, brought in self.conn.execute(CHOICES, asked):
            if only not in (None, index):
                continue
            if state not in DONE:
                return None
            if state == "success":
                choice = self.choices.get((run_id, branch, index, number))
                if choice is None or not brought:
                    return None
                found = (found or set()) | choice
        return found

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
