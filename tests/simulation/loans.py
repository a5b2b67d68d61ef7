"""A world of teams of which one lends a pool to the others, while grants are given and taken back, the pool grows and
shrinks, weights change and tasks need one slot of it or two.

In the end, with all at work, no slot of the pool is idle while a team waits that may use it, and none stays behind
the others for longer than their tasks last. A team whose grant was taken back starts nothing until it has it again.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NamedTuple
from unittest import mock

from headway.spec.model import Dag, Task
from headway.store import lending, pools
from headway.store.transact import Session, transact
from tests.simulation.teams import (
    PATIENCE_S,
    STEPS_OF_TEAMS,
    TEAMS,
    WIDTH,
    Owners,
    Teams,
)
from tests.simulation.world import Connections

OWNER, *GUESTS = TEAMS
POOL_OF: Final = {team: "gpu" if team == OWNER else "@default/gpu" for team in TEAMS}
NEEDS_MAX: Final = 2  # slots of a task
SEAMS: Final = ("lock", "forget", "parts", "allot", "others")
TAKEN_BACK, GIVEN_AGAIN = 1, 3  # rounds; then there is time to see who stays behind
SIZE_OF_ALL: Final = (
    9  # so many that a team of little weight with an equal part is seen to have too much
)

GRANT: Final = """
    INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, changed_by, changed_in)
    VALUES ('g' || %(team)s, 'default', 'team' || %(team)s, 'gpu', 'use_pool', %(state)s, 'user:bob', 'default')
    ON CONFLICT (owner, grantee, name, kind) DO UPDATE SET state = excluded.state
"""
PARTS: Final = """
    SELECT part.team_id, part.used, part.allotted, is_open, team.weight::double precision, (
            SELECT pool_slots FROM task_instance AS ti
            WHERE ti.team_id = part.team_id AND ti.pool = part.name AND rank IS NOT NULL ORDER BY rank LIMIT 1),
        coalesce(share.used < least(share.allotted, share.fair), true)
    FROM pool AS part JOIN team USING (team_id) JOIN share USING (team_id)
    WHERE part.lender_id = 1 OR (part.team_id = 1 AND part.name = 'gpu')
    ORDER BY 1
"""
GRANTED_SINCE: Final = """
    SELECT count(*) FROM event JOIN task_instance AS ti USING (team_id, run_id, task_id, map_index)
    WHERE event.name = 'grant' AND seq > %s AND team_id = %s AND ti.pool = %s
"""


class Part(NamedTuple):
    team_id: int
    used: int
    allotted: int | None
    is_open: bool
    weight: float
    needs: int | None  # the first that waits
    has_slots: bool  # of its team

    @property
    def waits(self) -> bool:
        return self.is_open and self.needs is not None and self.has_slots


class Loans(Teams):
    places = 36  # more than there are slots
    quiet_turns = 12  # a division that no tick asks for comes once a second

    def __init__(self, seed: int, connections: Connections, *, steps: int = STEPS_OF_TEAMS) -> None:
        super().__init__(seed, connections, steps=steps)
        self.slots = self.chance.choice([4, self.places])  # of teams: few, or enough
        self.meanwhile = 0.6
        self.granted: set[int] = set()
        self.ended_at: dict[int, int] = {}  # the last event before a team lost its grant
        self.behind_in_pool: dict[int, float] = {}
        self.people = Lenders(self)

    def populate(self) -> None:
        self.observer.execute("DELETE FROM team_grant")
        size = self.chance.choice([2, 3, 4])
        self.observer.execute("INSERT INTO pool VALUES (1, 'gpu', %s)", [size])
        super().populate()
        for team in GUESTS:
            if self.chance.random() < 0.7:
                self.grant(team, "given")

    def dag_of(self, team: int) -> Dag:
        pool = [POOL_OF[team]] * (WIDTH - 1) + ["default"]
        needs = self.chance.choice([1, 1, NEEDS_MAX])
        tasks = tuple(
            Task(
                task_id=f"t{number}",
                pool=name,
                pool_slots=1 if name == "default" else needs,
                doc=f"{self.chance.randrange(1 << 30)}",
            )
            for number, name in enumerate(pool)
        )
        return Dag(dag_id=f"d{team}", file=f"d{team}.py", tasks=tasks, max_active_runs=16)

    @contextmanager
    def patched(self) -> Iterator[None]:
        with super().patched(), ExitStack() as stack:
            for name in SEAMS:
                work = self.seam(name, getattr(lending, name))
                stack.enter_context(mock.patch.object(lending, name, work))
            yield

    # -- what the owner of the pool does

    def grant(self, team: int, state: str) -> None:
        """Raises LockNotAvailable where a transaction that goes on holds the team's part."""
        with self.observer.transaction():
            self.observer.execute("SET LOCAL lock_timeout = '1ms'")
            self.observer.execute(GRANT, {"team": team, "state": state})
        self.note(f"grant to {team}: {state}")
        self.behind_in_pool.clear()
        if state == "given":
            self.granted.add(team)
            self.ended_at.pop(team, None)
        elif team in self.granted:
            self.granted.discard(team)
            row = self.observer.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
            assert row is not None
            self.ended_at[team] = row[0]

    def resize(self, conn: Session, size: int) -> None:
        transact(conn, pools.resize, OWNER, "gpu", size, "user:bob", self.now)
        self.behind_in_pool.clear()

    def set_shares(self, team: int) -> None:
        super().set_shares(team)
        self.behind_in_pool = {}

    # -- what must hold

    def parts(self) -> list[Part]:
        return [Part(*row) for row in self.observer.execute(PARTS)]

    def size(self) -> int:
        row = self.observer.execute(
            "SELECT slots FROM pool WHERE team_id = 1 AND name = 'gpu'"
        ).fetchone()
        return row[0] if row else 0

    def check(self) -> None:
        super().check()
        for team, seq in self.ended_at.items():
            row = self.observer.execute(GRANTED_SINCE, [seq, team, POOL_OF[team]]).fetchone()
            assert row == (0,), f"I49 team {team} started something in a pool that it has lost"

    def all_ends_well(self) -> None:
        for team in GUESTS:
            self.grant(team, "given")
        self.resize(self.observer, SIZE_OF_ALL)
        super().all_ends_well()

    def round_begins(self, number: int) -> None:
        if number in (TAKEN_BACK, GIVEN_AGAIN):
            self.grant(GUESTS[0], "given" if number == GIVEN_AGAIN else "revoked")

    def check_shares(self) -> None:
        super().check_shares()
        parts = self.parts()
        free = self.size() - sum(part.used for part in parts)
        waiting = [part for part in parts if part.waits]
        # Fewer may be kept for the one whose turn it is.
        if waiting and free > 0:
            most = max(part.needs or 0 for part in waiting)
            assert free < most, f"S9 {free} slots of the pool are idle: {parts}"
        behind = {poor.team_id for poor in waiting if is_behind(poor, parts)}
        since = self.behind_in_pool
        self.behind_in_pool = {team: since.get(team, self.elapsed) for team in sorted(behind)}
        for team, begun in self.behind_in_pool.items():
            waits_s = self.elapsed - begun
            assert waits_s <= PATIENCE_S, (
                f"S9 team {team} is behind in the pool for {waits_s} s: {parts}"
            )

    def turn_round(self) -> None:
        super().turn_round()
        self.behind_in_pool.clear()


def is_behind(poor: Part, parts: list[Part]) -> bool:
    """Whether another team had no less than this one if it gave it what it waits for."""
    with_more = (poor.used + (poor.needs or 0)) / poor.weight
    return any(
        (rich.used - NEEDS_MAX) / rich.weight > with_more
        for rich in parts
        if rich.team_id != poor.team_id
    )


class Lenders(Owners):
    world: Loans

    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is not None:
            deeds: list[Any] = [self.trigger_some, self.resize, self.give, self.take_back] * 2
            self.attempt(conn, self.chance.choice([*deeds, self.set_shares]))

    def give(self, conn: Session) -> None:
        self.world.grant(self.chance.choice(GUESTS), "given")

    def take_back(self, conn: Session) -> None:
        self.world.grant(self.chance.choice(GUESTS), "revoked")

    def resize(self, conn: Session) -> None:
        self.world.resize(conn, self.chance.choice([1, 2, 3, 5]))
