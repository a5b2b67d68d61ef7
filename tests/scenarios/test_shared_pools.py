"""Pools that a team lends to others by a grant, by the transactions of schedulers that know nothing of each other."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest
from psycopg import Connection
from psycopg.errors import LockNotAvailable

from headway.core.reasons import PoolNotShared, PoolShared, Reason
from headway.core.stored_reasons import stored
from headway.engine.sharing import divide_all, divide_pools, divide_slots
from headway.store import lending, pools, shares
from headway.store.clock import clock
from headway.store.transact import ENGINE, Session, connect, transact
from headway.store.views.present import Present
from tests.scenarios.world import Scheduler, deploy, task, trigger, value

INFRA, SHOP, STATS = 1, 2, 3
GPU = {INFRA: "gpu", SHOP: "@infra/gpu", STATS: "@infra/gpu"}
AGENTS = ["agents"]


class Teams:
    """Team infra has a pool. Each team has a scheduler, an agent with many places, and a DAG whose tasks want it."""

    def __init__(self, owner: Session, conns: Mapping[int, Connection[Any]]) -> None:
        self.owner, self.conn = owner, conns[INFRA]
        owner.execute("UPDATE team SET name = 'infra' WHERE team_id = 1")
        owner.execute("INSERT INTO team (team_id, name) VALUES (2, 'shop'), (3, 'stats')")
        owner.execute(
            "INSERT INTO pool (team_id, name, slots) VALUES (1, 'gpu', 6), (2, 'default', 9), (3, 'default', 9)"
        )
        self.schedulers = {team: Scheduler(conn, team_id=team) for team, conn in conns.items()}
        for team in conns:
            self.deploy(team, 12)

    def deploy(self, team: int, count: int, **options: Any) -> None:
        tasks = [task(f"t{number}", pool=GPU[team], **options) for number in range(count)]
        deploy(self.conn, *tasks, team_id=team)

    def grant(self, state: str, team: str = "shop", pool: str = "gpu") -> None:
        self.owner.execute(
            "INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, changed_by, changed_in)"
            " VALUES (gen_random_uuid(), 'infra', %s, %s, 'use_pool', %s, 'user:ann', 'infra')"
            " ON CONFLICT (owner, grantee, name, kind) DO UPDATE SET state = excluded.state",
            [team, pool, state],
        )

    def resize(self, slots: int) -> None:
        now = transact(self.conn, clock)
        transact(self.conn, pools.resize, INFRA, "gpu", slots, "user:ann", now)

    def divide(self) -> bool:
        return transact(self.conn, divide_pools, AGENTS, [INFRA, SHOP, STATS])

    def trigger(self, *teams: int) -> None:
        for team in teams:
            trigger(self.conn, team_id=team)

    def tick(self, team: int, ends: int = 0) -> Any:
        scheduler = self.schedulers[team]
        held = list(scheduler.held.values())[:ends]
        return scheduler.tick(*[scheduler.end(grant) for grant in held])

    def used(self) -> list[int]:
        found = dict(self.conn.execute("SELECT team_id, used FROM pool WHERE allotted IS NOT NULL"))
        return [found.get(team, 0) for team in (INFRA, SHOP, STATS)]

    def why(self, team: int) -> Reason:
        """As it is shown now."""
        row = self.conn.execute(
            "SELECT blocked_reason::text, pool, pool_slots, queue, executor FROM task_instance"
            " WHERE team_id = %s AND rank IS NOT NULL ORDER BY rank DESC LIMIT 1",
            [team],
        ).fetchone()
        assert row is not None
        return stored(Present(self.conn, team).text(*row) or "")


@pytest.fixture
def teams(owner_conn: Session, database: str) -> Iterator[Teams]:
    with ExitStack() as stack:
        conns = {
            team: stack.enter_context(connect(database, role=ENGINE))
            for team in (INFRA, SHOP, STATS)
        }
        yield Teams(owner_conn, conns)


def test_a_task_that_waits_is_counted_once_however_many_executors_there_are(teams: Teams) -> None:
    teams.grant("given")
    teams.trigger(INFRA, SHOP)
    teams.tick(INFRA)  # it takes all of the pool
    teams.tick(SHOP)

    def wants(executors: list[str]) -> dict[int, int]:
        return {
            each.team_id: len(each.wants) for each in lending.parts(teams.conn, both, executors)
        }

    both = [(INFRA, "gpu"), (SHOP, "@infra/gpu")]
    teams.conn.execute("UPDATE task_instance SET rank = NULL WHERE task_id NOT IN ('t1', 't2')")
    for executors in (AGENTS, [*AGENTS, "pods"]):
        assert wants(executors) == {INFRA: 0, SHOP: 2}


def test_without_a_grant_nothing_runs_and_nothing_is_told(teams: Teams) -> None:
    deploy(
        teams.conn,
        *(task(name, pool=f"@{name}") for name in ("infra/gpu", "infra/missing", "nobody/gpu")),
        team_id=SHOP,
    )
    teams.trigger(SHOP)
    assert teams.tick(SHOP).grants == []
    assert not teams.divide()
    found = teams.conn.execute("SELECT task_id, blocked_reason::text FROM task_instance").fetchall()
    told = {name: stored(text) for name, text in found}
    assert told == {
        "infra/gpu": PoolNotShared("gpu", "infra"),
        "infra/missing": PoolNotShared("missing", "infra"),
        "nobody/gpu": PoolNotShared("gpu", "nobody"),
    }


def test_a_pool_is_divided_over_the_teams_that_want_it(teams: Teams) -> None:
    teams.grant("given")
    teams.grant("given", "stats")
    teams.trigger(INFRA, SHOP, STATS)
    turn = teams.tick(INFRA)  # it starts the runs of all
    assert (len(turn.grants), turn.uneven) == (6, True)
    assert teams.tick(SHOP).grants == []
    assert not teams.divide(), "nothing is ended for it"
    assert teams.why(SHOP) == PoolShared("@infra/gpu", 0, 0, 6)
    for _ in range(4):
        turn = teams.tick(INFRA, ends=1)
        assert (turn.grants, turn.uneven) == ([], True)
        assert teams.divide()
        for team in (SHOP, STATS):
            teams.tick(team)
        assert sum(teams.used()) == 6
    assert teams.used() == [2, 2, 2]
    # Who has the least of it goes first, so each keeps its part.
    for team in (INFRA, SHOP, STATS, SHOP):
        teams.tick(team, ends=1)
        teams.divide()
        for each in (INFRA, SHOP, STATS):
            teams.tick(each)
        assert teams.used() == [2, 2, 2]


def test_by_weight(teams: Teams) -> None:
    teams.owner.execute("UPDATE team SET weight = 2 WHERE name = 'shop'")
    teams.grant("given")
    teams.grant("given", "stats")
    teams.divide()
    teams.trigger(SHOP, STATS)
    for team in (SHOP, STATS):
        teams.tick(team)
    assert teams.divide()
    for team in (SHOP, STATS):
        teams.tick(team)
    assert teams.used() == [0, 4, 2]


def test_what_nobody_wants_the_owner_has_at_once(teams: Teams) -> None:
    teams.grant("given")
    teams.divide()
    teams.trigger(INFRA)
    turn = teams.tick(INFRA)
    assert (len(turn.grants), turn.uneven) == (6, False)


def test_taken_back_in_mid_flight(teams: Teams) -> None:
    """What runs ends by itself, nothing new starts; given again, it goes on."""
    teams.grant("given")
    teams.divide()
    teams.trigger(SHOP)
    teams.tick(SHOP)
    assert teams.divide()
    assert len(teams.tick(SHOP).grants) == 6
    teams.grant("revoked")
    assert teams.tick(SHOP, ends=2).grants == []
    assert teams.why(SHOP) == PoolNotShared("gpu", "infra")
    assert teams.used() == [0, 4, 0]
    teams.trigger(INFRA)
    teams.tick(INFRA)
    assert teams.divide()
    assert len(teams.tick(INFRA).grants) == 2, "what still runs there counts"
    assert teams.tick(SHOP, ends=4).grants == []
    teams.divide()
    assert len(teams.tick(INFRA).grants) == 4
    assert value(teams.conn, "SELECT count(*) FROM pool WHERE lender_id IS NOT NULL") == 0
    assert value(teams.conn, "SELECT allotted FROM pool WHERE name = 'gpu'") is None
    teams.grant("given")
    teams.divide()
    teams.tick(INFRA, ends=6)
    teams.divide()
    teams.tick(INFRA)
    assert len(teams.tick(SHOP).grants) == 3
    assert teams.used() == [3, 3, 0]


def test_given_again_before_all_has_ended(teams: Teams) -> None:
    teams.grant("given")
    teams.divide()
    teams.trigger(SHOP)
    teams.tick(SHOP)
    teams.divide()
    teams.tick(SHOP)
    teams.grant("revoked")
    teams.divide()
    teams.grant("given")
    assert teams.tick(SHOP, ends=1).grants == []
    assert teams.divide()
    assert len(teams.tick(SHOP).grants) == 1
    assert teams.used() == [0, 6, 0]


def test_a_smaller_pool_is_never_used_above_its_size(teams: Teams) -> None:
    """Neither before the next division."""
    teams.grant("given")
    teams.divide()
    teams.trigger(INFRA, SHOP)
    teams.tick(SHOP)
    teams.divide()
    teams.resize(4)
    assert teams.tick(SHOP).grants == teams.tick(INFRA).grants == []
    teams.divide()
    for team in (SHOP, INFRA):
        teams.tick(team)
    assert teams.used() == [2, 2, 0]
    teams.resize(8)
    teams.divide()
    for team in (SHOP, INFRA):
        teams.tick(team)
    assert teams.used() == [4, 4, 0]
    teams.resize(2)
    for _ in range(3):
        for team in (SHOP, INFRA):
            assert teams.tick(team, ends=1).grants == []
        teams.divide()
    assert teams.used() == [1, 1, 0]


def test_a_large_task_is_not_held_up_by_small_ones(teams: Teams) -> None:
    teams.deploy(SHOP, 2, pool_slots=4)
    teams.grant("given")
    teams.divide()
    teams.trigger(INFRA)
    teams.tick(INFRA)
    teams.trigger(SHOP)
    assert teams.tick(SHOP).uneven
    for _ in range(4):
        teams.divide()
        teams.tick(INFRA, ends=1)
        teams.divide()
        assert teams.tick(INFRA).grants == []
    assert len(teams.tick(SHOP).grants) == 1
    assert teams.used() == [2, 4, 0]


def test_who_has_no_agent_holds_up_nobody(teams: Teams) -> None:
    teams.grant("given")
    teams.trigger(SHOP, INFRA)
    teams.tick(SHOP)
    teams.owner.execute("UPDATE agent_session SET ended_at = now() WHERE team_id = 2")
    teams.divide()
    assert len(teams.tick(INFRA).grants) == 6


def test_the_slots_of_a_team_bound_what_it_has_of_a_pool(teams: Teams) -> None:
    """And neither division waits for the other."""
    shares.provide(teams.conn, "here", 9)
    teams.owner.execute("""UPDATE team SET limits = '{"running_tasks": 1}' WHERE name = 'shop'""")
    teams.grant("given")
    teams.trigger(SHOP, INFRA)
    for _ in range(3):
        transact(teams.conn, divide_slots_and_pools)
        for team in (SHOP, INFRA):
            teams.tick(team)
    assert teams.used() == [5, 1, 0]


def divide_slots_and_pools(conn: Connection[Any]) -> None:
    divide_slots(conn, AGENTS, [INFRA, SHOP, STATS])
    divide_pools(conn, AGENTS, [INFRA, SHOP, STATS])


@pytest.mark.parametrize("gone", ["infra", "shop"])
def test_a_loan_ends_with_its_teams(teams: Teams, gone: str) -> None:
    teams.grant("given")
    teams.divide()
    teams.trigger(SHOP)
    teams.tick(SHOP)
    teams.divide()
    teams.tick(SHOP)
    teams.owner.execute("UPDATE team SET deleted_at = now() WHERE name = %s", [gone])
    assert teams.tick(SHOP, ends=1).grants == []
    teams.divide()
    assert teams.tick(SHOP).grants == []
    teams.tick(SHOP, ends=5)
    teams.divide()
    assert value(teams.conn, "SELECT count(*) FROM pool WHERE lender_id IS NOT NULL") == 0


def test_a_division_and_a_tick_take_turns(teams: Teams, database: str) -> None:
    """What one has read as free, the other could give away before it is written."""
    teams.grant("given")
    teams.divide()
    teams.conn.execute("SET lock_timeout = '50ms'")
    with connect(database, role=ENGINE) as other, other.transaction():
        assert lending.lock(other) == [(INFRA, "gpu"), (SHOP, "@infra/gpu")]
        for key in ((INFRA, "gpu"), (SHOP, "@infra/gpu")):
            with pytest.raises(LockNotAvailable):
                transact(teams.conn, pools.lock, {key})


def test_a_pool_of_the_same_name_is_another_one(teams: Teams) -> None:
    teams.owner.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'gpu', 2)")
    teams.grant("given")
    teams.divide()
    deploy(teams.conn, task("own", pool="gpu"), task("lent", pool="@infra/gpu"), team_id=SHOP)
    teams.trigger(SHOP)
    assert [str(grant.instance) for grant in teams.tick(SHOP).grants] == ["own"]
    teams.divide()
    assert [str(grant.instance) for grant in teams.tick(SHOP).grants] == ["lent"]


def test_alone_nothing_is_divided(teams: Teams) -> None:
    teams.trigger(INFRA)
    assert not divide_all(teams.conn, AGENTS, [INFRA])
    assert len(teams.tick(INFRA).grants) == 6
    assert value(teams.conn, "SELECT count(*) FROM pool WHERE allotted IS NOT NULL") == 0
