"""A world of DAGs with run strategies: their schedules fire faster than their runs end, people trigger and backfill
them, and ask for runs whose logical date lies in the future. At the end somebody marks what failed and holds others.
"""

from datetime import timedelta
from typing import Final, LiteralString

from msgspec.structs import replace

from headway.actions import commands
from headway.actions.commands import RunRequest
from headway.core.states import Event
from headway.core.strategies import Strategy
from headway.spec.model import Dag
from headway.store import strategies
from headway.store.transact import Session, transact
from tests.simulation.altered import Altered, Impatient
from tests.simulation.dags import draw
from tests.simulation.people import TEAM
from tests.simulation.world import SEAMS, Connections

STEPS: Final = 60
EVERY_S: Final = 20.0
IN_LINE: Final = [each for each in Strategy if each is not Strategy.PARALLEL]

# Nothing has become of it since the start that is looked at.
SINCE: LiteralString = """NOT EXISTS (SELECT FROM event AS later WHERE later.team_id = {run}.team_id
    AND later.run_id = {run}.run_id AND later.seq > started.seq)"""
STARTED: LiteralString = """
    event AS started JOIN run USING (team_id, run_id) JOIN dag ON dag.team_id = run.team_id AND dag.dag_id = run.dag_id
    WHERE started.seq > %(since)s AND started.subject = 'run' AND started.name = 'start'"""
INVARIANTS: Final[dict[LiteralString, LiteralString]] = {
    "I53 two runs of one line are active": """
        SELECT FROM dag JOIN run USING (team_id, dag_id) WHERE run_strategy <> 'parallel' AND state = 'running'
        GROUP BY dag.team_id, dag.dag_id HAVING count(*) > 1""",
    "I54 a run started before its turn": f"""
        SELECT FROM {STARTED} AND run_strategy IN ('sequential', 'strict_sequential') AND EXISTS (
            SELECT FROM run AS first WHERE first.team_id = run.team_id AND first.dag_id = run.dag_id
                AND first.state = 'queued' AND first.set_aside IS NULL AND first.logical_date < run.logical_date
                AND first.logical_date <= started.at AND {SINCE.format(run="first")})""",
    "I54 a run started behind one that did not succeed": f"""
        SELECT FROM {STARTED} AND run_strategy = 'strict_sequential' AND EXISTS (
            SELECT FROM (
                SELECT * FROM run AS earlier WHERE earlier.team_id = run.team_id AND earlier.dag_id = run.dag_id
                    AND earlier.logical_date < run.logical_date AND earlier.state NOT IN ('cancelled', 'skipped')
                ORDER BY logical_date DESC, created_at DESC LIMIT 1
            ) AS before WHERE before.state <> 'success' AND {SINCE.format(run="before")})""",
    "I55 a run was skipped for which somebody asked": """
        SELECT FROM event AS skipped JOIN run USING (team_id, run_id)
        WHERE skipped.seq > %(since)s AND skipped.subject = 'run' AND skipped.name = 'skip' AND (
            run.trigger NOT IN ('schedule', 'asset') OR EXISTS (
                SELECT FROM event AS early WHERE early.team_id = run.team_id AND early.run_id = run.run_id
                    AND early.subject = 'run' AND early.name IN ('start', 'reopen') AND early.seq < skipped.seq))""",
    "I55 a run was skipped for the wrong one": """
        SELECT FROM event AS skipped JOIN run USING (team_id, run_id) LEFT JOIN run AS kept
            ON kept.team_id = run.team_id AND kept.dag_id = run.dag_id AND kept.run_id = skipped.reason ->> 'run'
        WHERE skipped.seq > %(since)s AND skipped.subject = 'run' AND skipped.name = 'skip'
            AND (CASE skipped.reason ->> 'strategy'
                WHEN 'last_only' THEN kept.logical_date > run.logical_date AND kept.trigger = 'schedule'
                WHEN 'first_only' THEN kept.backfill_id IS NULL AND (
                    skipped.reason ->> 'state' = 'running' OR kept.logical_date <= run.logical_date)
            END) IS NOT TRUE""",
    "I56 a run started before its logical date": f"""
        SELECT FROM {STARTED} AND started.at < run.logical_date""",
}
CHECK: Final = " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS ({text})" for name, text in INVARIANTS.items()
)
HOLDS: Final = """
    SELECT run_id FROM run AS failed JOIN dag USING (team_id, dag_id)
    WHERE run_strategy = 'strict_sequential' AND state = 'failed' AND EXISTS (
        SELECT FROM run AS held WHERE held.team_id = failed.team_id AND held.dag_id = failed.dag_id
            AND held.state = 'queued' AND held.logical_date > failed.logical_date)
    ORDER BY run_id
"""


class Strategies(Altered):
    seams = (*SEAMS, (strategies, "lines"))

    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.people = Planners(self)

    def altered(self, dag: Dag) -> Dag:
        return replace(
            dag,
            run_strategy=IN_LINE[draw(dag.tasks[0], -1, "strategy") % len(IN_LINE)],
            max_active_runs=1,
            schedule={"interval_s": EVERY_S},
            start_date=self.now - timedelta(seconds=2 * EVERY_S),
            catchup=True,
        )

    def check(self) -> None:
        found = self.observer.execute(CHECK.encode(), {"since": self.step_from}).fetchall()
        assert not found, [name for (name,) in found]
        super().check()

    def remember(self) -> None:
        super().remember()
        self.mark_what_holds()

    def mark_what_holds(self) -> None:
        """A person sees what holds the next run, and marks it."""
        if self.trouble:
            return
        conn = self.connections.people[0]
        for (run_id,) in self.observer.execute(HOLDS).fetchall():
            self.people.touched.add(run_id)
            graphs = self.graphs(conn)
            event = Event.MARK_SUCCESS
            transact(conn, commands.mark_run, TEAM, run_id, event, graphs, "user:bob")


class Planners(Impatient):
    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            deeds = [self.trigger, self.clear, self.cancel, self.mark, self.backfill, self.switch]
            self.attempt(conn, self.chance.choice([*deeds, self.plan_ahead]))

    def plan_ahead(self, conn: Session) -> None:
        dag_id = self.chance.choice(self.world.dag_ids)
        date = self.world.now + timedelta(seconds=self.chance.choice([1, 10, 60]))
        wanted = [RunRequest(params={}, logical_date=date.isoformat())]
        self.do(conn, commands.trigger, dag_id, wanted, "user:ann")
