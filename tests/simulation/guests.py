"""A world of teams that use what another one has, by grant: an asset that its DAG updates, and waits for its runs.
Grants are given and taken back at any moment, between an event and what it brings, and while a task waits.

Without the grant nothing is handed on, and no wait ends but by its time. With it everything is handed on.
"""

from random import Random
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from headway.agent.protocol import AttemptKey, Deferral
from headway.core.states import RunState
from headway.spec.model import Asset, Dag, Task
from headway.store import assets, deferrals
from headway.store.clock import clock
from headway.store.transact import Session, transact
from tests.simulation import asset_invariants
from tests.simulation.assets import STEPS_OF_ASSETS, updating
from tests.simulation.dags import draw
from tests.simulation.teams import ROUND_S, TEAMS, Owners, Teams, wide_dag
from tests.simulation.world import SEAMS, Connections

OWNER, *GUESTS = TEAMS
ASSET, DAG = "orders", f"d{OWNER}"
THEIRS, THEIR_DAG = f"@default/{ASSET}", f"@default/{DAG}"
USE, WAIT = "use_asset", "wait"
NAMES: Final = {USE: ASSET, WAIT: DAG}
WAITS_S: Final = 9.0
STEPS: Final = 8
ROUNDS: Final = 5  # in which what was started is over, but for its waits

GRANT: Final = """
    INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, changed_by, changed_in)
    VALUES (%(kind)s || %(team)s, 'default', 'team' || %(team)s, %(name)s, %(kind)s, %(state)s, 'user:bob', 'default')
    ON CONFLICT (owner, grantee, name, kind) DO UPDATE SET state = excluded.state
"""
HANDED: Final = "SELECT team_id, idempotency_key FROM asset_event WHERE asset = %s"
WAITED: Final = """
    SELECT team_id, run_id, task_id, map_index, deferrals FROM wait
    WHERE target_team IS NOT NULL AND NOT timed_out AND (reported OR is_over)
"""
OWED: Final = "SELECT event_id FROM asset_event WHERE team_id = %s AND asset = %s AND position > %s"
LATEST: Final = "SELECT coalesce(max(position), 0) FROM asset_event WHERE team_id = %s"
DATES: Final = "SELECT logical_date FROM run WHERE team_id = %s ORDER BY run_id LIMIT 3"


class Right(NamedTuple):
    team: int
    kind: str


class Guests(Teams):
    seams = (
        *SEAMS,
        (deferrals, "look"),
        *((assets, name) for name in STEPS_OF_ASSETS),
    )

    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.slots = self.places
        self.meanwhile = 0.6
        self.given: set[Right] = set()
        self.recent: set[Right] = set()  # given at some moment since the last look
        self.owed_after: dict[int, int] = {}  # the position of the last event before the grant
        self.drawn: dict[int, Dag] = {}
        self.handed: set[Any] = set()
        self.waited: set[Any] = set()
        self.people = Hosts(self)

    def populate(self) -> None:
        self.observer.execute("DELETE FROM team_grant")
        self.observer.execute("ALTER SEQUENCE asset_position RESTART")
        for team in GUESTS:
            for kind in NAMES:
                if self.chance.random() < 0.6:
                    self.grant(Right(team, kind), "given")
        self.trouble = False
        super().populate()
        for team, dag in self.drawn.items():
            transact(self.connections.people[0], register, team, dag)
        self.trouble = True

    def dag_of(self, team: int) -> Dag:
        dag = wide_dag(self.chance, f"d{team}")
        if team == OWNER:
            first, *others = dag.tasks
            tasks = (updating(first, dag.dag_id, ASSET), *others)
            dag = replace(dag, tasks=tasks, assets=(Asset(name=ASSET),))
        else:
            dag = replace(dag, schedule={"assets": THEIRS}, assets=(Asset(name=THEIRS),))
        self.drawn[team] = dag
        return dag

    def wait_of(self, key: AttemptKey, dag: Dag, task: Task) -> Deferral | None:
        if dag.dag_id == DAG or key.deferrals or draw(task, key.map_index, "waits") % 2:
            return None
        dates = [row[0] for row in self.observer.execute(DATES, [OWNER])]
        place = draw(task, key.map_index, key.run_id) % (len(dates) + 1)
        if place == len(dates):
            return None
        facts = {"dag": THEIR_DAG, "date": dates[place], "states": list(RunState)}
        body = msgspec.json.encode(facts)
        return Deferral("run", body, timeout_s=WAITS_S, overdue="resume")

    # -- what the owner does

    def grant(self, right: Right, state: str) -> None:
        values = {**right._asdict(), "name": NAMES[right.kind], "state": state}
        self.observer.execute(GRANT, {**values, "team": str(right.team)})
        self.note(f"{right.kind} to {right.team}: {state}")
        if state != "given":
            self.given.discard(right)
            self.owed_after.pop(right.team, None) if right.kind == USE else None
        elif right not in self.given:
            self.given.add(right)
            if right.kind == USE:
                row = self.observer.execute(LATEST, [OWNER]).fetchone()
                assert row is not None
                self.owed_after[right.team] = row[0]
        self.recent |= self.given

    # -- what must hold

    def check(self) -> None:
        super().check()
        handed = set(self.observer.execute(HANDED, [THEIRS]).fetchall())
        for team, event in handed - self.handed:
            assert Right(team, USE) in self.recent, f"I50 team {team} has {event} without a grant"
        waited = set(self.observer.execute(WAITED).fetchall())
        for team, *task in waited - self.waited:
            assert Right(team, WAIT) in self.recent, f"I51 {task} of {team} waited without a grant"
        self.handed, self.waited, self.recent = handed, waited, set(self.given)

    def everybody_works(self) -> None:
        """Leave shares to the world of teams: here one team loses its grants, and then all have theirs."""
        for state in ("revoked", "given"):
            for team in GUESTS:
                for kind in NAMES:
                    self.grant(Right(team, kind), state if team == GUESTS[0] else "given")
            self.check()  # from here on nothing of what was lost may come
            self.trigger(OWNER)
            self.trigger(GUESTS[0])
            for _ in range(ROUNDS):
                self.come_to_rest()
                self.check()
                self.pass_time(ROUND_S)

    def unfinished(self) -> list[str]:
        return super().unfinished() or asset_invariants.left(self.observer)

    def all_is_quiet(self) -> None:
        super().all_is_quiet()
        for team, after in self.owed_after.items():
            owed = {str(row[0]) for row in self.observer.execute(OWED, [OWNER, ASSET, after])}
            missing = owed - {event for guest, event in self.handed if guest == team}
            assert not missing, f"I52 team {team} never got {len(missing)} events"


def register(conn: Session, team_id: int, dag: Dag) -> None:
    assets.register(conn, team_id, [dag], clock(conn))


class Hosts(Owners):
    world: Guests

    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            deeds: list[Any] = [self.trigger_some, self.flood, self.give, self.take_back]
            self.attempt(conn, self.chance.choice(deeds))

    def give(self, conn: Session) -> None:
        self.world.grant(drawn(self.chance), "given")

    def take_back(self, conn: Session) -> None:
        self.world.grant(drawn(self.chance), "revoked")


def drawn(chance: Random) -> Right:
    return Right(chance.choice(GUESTS), chance.choice([USE, WAIT]))
