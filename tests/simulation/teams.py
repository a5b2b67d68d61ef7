"""A world of several teams that share slots: each with a weight, most with nominal slots, agents of its own and more
work than fits, while somebody changes weights and one team floods the others.

In the end, with all teams at work and nothing wrong, no slot is idle while a team that may use it waits, and none
stays behind what it is due for longer than the tasks of the others last.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any, Final, NamedTuple
from unittest import mock

from headway.actions import commands
from headway.actions.commands import RunRequest
from headway.spec.model import Dag, Task
from headway.store import shares
from headway.store.transact import Session, transact
from tests.agent_tokens import let_in
from tests.simulation.agents import Agent
from tests.simulation.people import People, put
from tests.simulation.process import Process
from tests.simulation.world import Connections, World

TEAMS: Final = (1, 2, 3)
WIDTH: Final = 4
STEPS_OF_TEAMS: Final = 15
PLACES: Final = 8  # of each team's agent: more than there are slots
TURN_ROUND: Final = 3
TOGETHER: Final = 11  # rounds in which every team has work
ROUND_S: Final = 3.0
TURN_S: Final = 0.1
TURNS_MAX: Final = 60
PATIENCE_S: Final = 18.0  # the longest task is 12 s
SEAMS: Final = ("lock", "lock_all", "claims", "divide")

STANDING: Final = """
    SELECT share.team_id, share.used, coalesce(team.slots, 0), team.weight::double precision, EXISTS (
        SELECT FROM pool CROSS JOIN LATERAL (
            SELECT pool_slots FROM task_instance AS ti
            WHERE ti.team_id = pool.team_id AND ti.pool = pool.name AND rank IS NOT NULL ORDER BY rank LIMIT 1
        ) AS first
        WHERE pool.team_id = share.team_id AND first.pool_slots <= coalesce(pool.allotted, pool.slots) - pool.used)
    FROM share JOIN team USING (team_id) ORDER BY 1
"""


class Standing(NamedTuple):
    team_id: int
    used: int
    nominal: int
    weight: float
    waits: bool  # and its pool has room


class Teams(World):
    quiet_turns = 4
    places = PLACES

    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS_OF_TEAMS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.meanwhile = 0.3
        self.slots = self.chance.choice([3, 4, 6])
        self.team_of: dict[str, int] = {}
        self.behind: dict[int, float] = {}  # since when a team has less than it is due
        self.processes = [
            Process(conn, self.note)
            for conn in connections.engines[: self.chance.choice([1, 2, 3])]
        ]
        self.agents = [
            Agent(
                self,
                f"agent{team}",
                slots=self.places,
                processes=self.places,
                rate=1.0,
                secret=f"secret of {team}",
            )
            for team in TEAMS
        ]
        self.people = Owners(self)

    def populate(self) -> None:
        observer = self.observer
        for team in TEAMS:
            observer.execute(
                "INSERT INTO team (team_id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                [team, f"team{team}"],
            )
            let_in(observer, team, f"secret of {team}")
            observer.execute(
                "INSERT INTO bundle VALUES (%s, 'v', 1, 1, %s) ON CONFLICT DO NOTHING",
                [team, self.now],
            )
            observer.execute(
                "INSERT INTO pool VALUES (%s, 'default', 99), (%s, 'narrow', 1)", [team, team]
            )
            self.set_shares(team)
        observer.execute("INSERT INTO capacity VALUES ('here', %s)", [self.slots])
        for team in TEAMS:
            self.team_of[f"d{team}"] = team
            self.dag_ids.append(f"d{team}")
            transact(self.connections.people[0], put, team, self.dag_of(team), self)
        for _ in range(4):
            self.trigger(1)  # the flood

    def dag_of(self, team: int) -> Dag:
        return wide_dag(self.chance, f"d{team}")

    def set_shares(self, team: int) -> None:
        self.observer.execute(
            "UPDATE team SET slots = %s, weight = %s WHERE team_id = %s",
            [self.chance.choice([None, 0, 1, 2]), self.chance.choice([0.5, 1, 2, 4]), team],
        )
        self.behind.clear()

    def trigger(self, team: int) -> None:
        dag_id = f"d{team}"
        conn = self.connections.people[0]
        transact(conn, commands.trigger, team, dag_id, [RunRequest(params={})], "user:ann")

    @contextmanager
    def patched(self) -> Iterator[None]:
        with super().patched(), ExitStack() as stack:
            for name in SEAMS:
                work = self.seam(name, getattr(shares, name))
                stack.enter_context(mock.patch.object(shares, name, work))
            yield

    def time_passes(self) -> None:
        """Never back: a wait is to be measured."""
        self.pass_time(self.chance.choice([0.5, 1.0, 4.0, 8.0]))

    # -- what must hold

    def standing(self) -> list[Standing]:
        return [Standing(*row) for row in self.observer.execute(STANDING)]

    def check(self) -> None:
        super().check()
        used = sum(team.used for team in self.standing())
        assert used <= self.slots, f"I36 {used} attempts on {self.slots} slots"
        row = self.observer.execute("SELECT sum(allotted) FROM share").fetchone()
        assert row is not None
        assert (row[0] or 0) <= self.slots, f"I36 {row[0]} slots allotted of {self.slots}"

    def all_ends_well(self) -> None:
        self.trouble = False
        for process in self.processes:
            process.frozen_until = 0.0
        for agent in self.agents:
            agent.away_until = 0.0
        self.pass_time(20.0)  # what was lost is found
        self.everybody_works()
        super().all_ends_well()

    def everybody_works(self) -> None:
        for number in range(TOGETHER):
            for team in TEAMS:
                self.trigger(team)
            if number == TURN_ROUND:
                self.turn_round()
            self.round_begins(number)
            still = self.come_to_rest()
            self.check()
            if still and number >= 2:
                self.check_shares()
            self.pass_time(ROUND_S)

    def round_begins(self, number: int) -> None:
        """Let something more happen in some rounds."""

    def turn_round(self) -> None:
        """Who had most is now to have least: what it was lent comes back."""
        used = {team.team_id: team.used for team in self.standing()}
        for place, team in enumerate(sorted(TEAMS, key=lambda team: (used[team], team))):
            self.observer.execute(
                "UPDATE team SET slots = %s, weight = %s WHERE team_id = %s",
                [2 if place == 0 else None, 4 if place == 0 else 0.5, team],
            )
        self.behind.clear()

    def come_to_rest(self) -> bool:
        """Return whether nothing happens any more before the next task ends."""
        quiet = 0
        for _ in range(TURNS_MAX):
            before = self.checked
            for process in self.processes:
                process.turn()
            for agent in self.agents:
                agent.turn()
            self.remember()
            self.pass_time(TURN_S)
            quiet = quiet + 1 if self.checked == before else 0
            if quiet >= self.quiet_turns:
                return True
        return False

    def check_shares(self) -> None:
        standing = self.standing()
        idle = self.slots - sum(team.used for team in standing)
        waiting = [team for team in standing if team.waits]
        assert not (idle and waiting), f"S9 {idle} slots are idle and somebody waits: {standing}"
        behind = {team.team_id for team in waiting if is_behind(team, standing)}
        self.behind = {team: self.behind.get(team, self.elapsed) for team in sorted(behind)}
        for team, since in self.behind.items():
            waits_s = self.elapsed - since
            assert waits_s <= PATIENCE_S, f"S9 team {team} is behind for {waits_s} s: {standing}"


def is_behind(poor: Standing, standing: list[Standing]) -> bool:
    """Whether another team has borrowed more for its weight, by more than a slot."""
    for rich in standing:
        borrowed = rich.used - rich.nominal
        if rich.team_id == poor.team_id or borrowed <= 0:
            continue
        if poor.used < poor.nominal:
            return True
        if borrowed / rich.weight > (poor.used + 1 - poor.nominal) / poor.weight + 1e-9:
            return True
    return False


class Owners(People):
    """They want runs, and change what teams may use."""

    world: Teams

    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            deeds: list[Any] = [self.trigger_some, self.trigger_some, self.flood, self.set_shares]
            self.attempt(conn, self.chance.choice(deeds))

    def trigger_some(self, conn: Session) -> None:
        team = self.chance.choice(TEAMS)
        self.ask(conn, team)

    def flood(self, conn: Session) -> None:
        for _ in range(2):
            self.ask(conn, 1)

    def ask(self, conn: Session, team: int) -> None:
        request = [RunRequest(params={})]
        transact(conn, commands.trigger, team, f"d{team}", request, "user:ann")

    def set_shares(self, conn: Session) -> None:
        self.world.set_shares(self.chance.choice(TEAMS))

    def calm_down(self, conn: Session) -> None:
        """Nothing was paused, and no pool is too small."""


def wide_dag(chance: Random, dag_id: str) -> Dag:
    flavour = f"{chance.randrange(1 << 30)}"
    tasks = tuple(
        Task(task_id=f"t{n}", pool="narrow" if n == 0 else "default", doc=flavour)
        for n in range(WIDTH)
    )
    return Dag(dag_id=dag_id, file=f"{dag_id}.py", tasks=tasks, max_active_runs=16)
