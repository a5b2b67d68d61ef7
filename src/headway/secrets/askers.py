"""The attempt, wait or watcher that asks, as the database knows it, and the kinds of questions that it may ask."""

from typing import Any, Final, NamedTuple

from psycopg import Connection

from headway.agent.protocol import By, ByAttempt, ByWait, ByWatcher
from headway.secrets import asset_events, results, runs
from headway.store import askers

Who = tuple[int, tuple[object, ...]]  # the team, and what remains the same of who asks

UNPROVED: Final = {
    ByAttempt: "the attempt has ended, so it gets no secrets",
    ByWait: "the wait is over, or another agent looks after it, so it gets no secrets here",
    ByWatcher: "the watcher has ended, or another agent looks after it, so it gets no secrets here",
}
NOUNS: Final = {ByAttempt: "attempt", ByWait: "wait", ByWatcher: "watcher"}
OF_RUNS: Final = (results.KIND, asset_events.KIND, runs.KIND)  # a watcher has no run
OF_A_RUN_ONLY: Final = "a watcher can ask for connections and variables only"


class Asker(NamedTuple):
    """``name``: as the audit calls it; ``subject``: the run, or the DAG of a watcher.

    ``run``: the attempt, for questions about runs; None: a watcher asks.
    """

    who: Who
    team: str
    dags: frozenset[str]
    name: str
    subject: str
    noun: str
    run: runs.Asker | None


def proved(conn: Connection[Any], team_id: int, session: str, by: By) -> Asker | None:
    """Return who asks; None: nothing proves it."""
    noun = NOUNS[type(by)]
    if isinstance(by, ByWatcher):
        known = askers.watcher(conn, team_id, session, by.key.digest, by.key.life)
        if known is None:
            return None
        who, subject = (team_id, (by.key.digest,)), min(known.dags)
        return Asker(who, known.team, known.dags, f"watcher:{known.name}", subject, noun, None)
    key = by.key
    task = key.run_id, key.task_id, key.map_index
    if isinstance(by, ByAttempt):
        known = askers.attempt(conn, team_id, session, *task, key.number, by.token)
        part: tuple[object, ...] = (by.token,)
    else:
        known = askers.wait(conn, team_id, session, *task, key.number, key.deferrals)
        part = (*task, key.number)  # a task that defers itself again does not guess anew
    if known is None:
        return None
    (dag_id,) = known.dags
    run = runs.Asker(team_id, known.team, dag_id, *task, starts=isinstance(by, ByAttempt))
    name = f"task:{dag_id}/{key.task_id}"
    return Asker((team_id, part), known.team, known.dags, name, key.run_id, noun, run)
