"""Teams that share slots, by the transactions of schedulers that know nothing of each other."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from psycopg import Connection

from headway.core.reasons import TeamSlots
from headway.core.stored_reasons import stored
from headway.engine.sharing import divide_slots
from headway.store import shares
from headway.store.transact import ENGINE, connect, transact
from tests.scenarios.world import Scheduler, deploy, task, trigger, value

AGENTS = ["agents"]


def wide(count: int) -> list[Any]:
    return [task(f"t{number}") for number in range(count)]


class Two:
    """Teams 1 and 2, each with a scheduler, an agent with more places than there are slots, and a DAG."""

    def __init__(self, conn: Connection[Any], other: Connection[Any]) -> None:
        self.conn = conn
        conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
        conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'default', 99)")
        self.schedulers = {1: Scheduler(conn), 2: Scheduler(other, team_id=2)}
        for team_id in self.schedulers:
            deploy(conn, *wide(12), team_id=team_id)

    def has(self, slots: int, **settings: tuple[int | None, float]) -> None:
        shares.provide(self.conn, "here", slots)
        for name, (nominal, weight) in settings.items():
            self.conn.execute(
                "UPDATE team SET slots = %s, weight = %s WHERE name = %s", [nominal, weight, name]
            )
        self.divide()

    def divide(self) -> bool:
        return transact(self.conn, divide_slots, AGENTS, [1, 2])

    def used(self) -> tuple[int, int]:
        found = self.conn.execute("SELECT used FROM share ORDER BY team_id").fetchall()
        return found[0][0], found[1][0]

    def trigger(self, team_id: int) -> str:
        (run_id,) = trigger(self.conn, team_id=team_id)
        return run_id

    def tick(self, team_id: int, ends: int = 0) -> Any:
        scheduler = self.schedulers[team_id]
        held = list(scheduler.held.values())[:ends]
        return scheduler.tick(*[scheduler.end(grant) for grant in held])


@pytest.fixture
def two(conn: Connection[Any], owner_conn: Connection[Any], database: str) -> Iterator[Two]:
    with connect(database, role=ENGINE) as other:
        yield Two(conn, other)


def test_alone_nothing_is_shared_and_nothing_is_locked(conn: Connection[Any]) -> None:
    shares.provide(conn, "here", 2)
    assert not transact(conn, divide_slots, AGENTS, [1])
    deploy(conn, *wide(8))
    scheduler = Scheduler(conn)
    trigger(conn)
    assert len(scheduler.tick().grants) == 8
    assert conn.execute("SELECT used, allotted, short FROM share").fetchall() == [(8, None, False)]


def test_a_task_that_waits_is_counted_once_however_many_executors_there_are(two: Two) -> None:
    two.has(8, default=(4, 1), other=(4, 1))
    two.trigger(1)
    two.tick(1)
    two.divide()
    two.tick(1)
    two.trigger(2)
    two.tick(2)
    for executors in (AGENTS, [*AGENTS, "pods"]):
        claims = shares.claims(two.conn, executors)
        assert {each.team_id: (each.used, each.wants) for each in claims} == {
            1: (8, 12),
            2: (0, 12),
        }


def test_a_place_counts_for_each_of_its_queues_until_it_is_taken(two: Two) -> None:
    """A team whose agents serve partly the same queues is due too much for one division, and then what it can use."""
    ours = two.schedulers[1]
    session, elsewhere = (
        "UPDATE agent_session SET queues = '{default,gpu}', slots = 4 WHERE session_id = %s",
        "INSERT INTO agent_session (team_id, session_id, agent, host, pid, slots, started_at, heartbeat_at, queues)"
        " VALUES (1, 'b', 'b', 'host', 1, 4, now(), now(), '{cpu}')",
    )
    two.conn.execute(session, [ours.session])
    two.conn.execute(elsewhere)
    of_gpu = [task(f"g{number}", queue="gpu") for number in range(6)]
    deploy(two.conn, *wide(6), *of_gpu)
    two.has(8, default=(8, 1), other=(0, 1))
    two.trigger(1)
    ours.places = 0
    two.tick(1)  # it is ready, and nothing is granted yet
    two.trigger(2)
    two.tick(2)

    def wants() -> int:
        return next(each.wants for each in shares.claims(two.conn, AGENTS) if each.team_id == 1)

    assert wants() == 8, "four places for each of two queues: no more than all free places"
    two.divide()
    assert two.tick(2).grants == []
    ours.places = 4
    assert len(two.tick(1).grants) == 4
    assert wants() == 4, "what is taken counts for no queue"
    two.divide()
    assert len(two.tick(2).grants) == 4
    assert two.used() == (4, 4)


def test_idle_slots_are_lent_and_come_back_as_tasks_end(two: Two) -> None:
    two.has(8, default=(4, 1), other=(4, 1))
    two.trigger(1)
    assert len(two.tick(1).grants) == 4
    assert two.divide()  # the other one wants nothing
    assert len(two.tick(1).grants) == 4
    assert two.used() == (8, 0)

    run_id = two.trigger(2)
    assert two.tick(2).uneven
    why = value(
        two.conn, "SELECT blocked_reason::text FROM task_instance WHERE run_id = %s LIMIT 1", run_id
    )
    assert stored(why) == TeamSlots("other", 0, 0, borrowed=0, lent=4)
    two.divide()
    for ended in range(1, 5):
        turn = two.tick(1, ends=1)
        assert (turn.grants, turn.uneven) == (
            [],
            True,
        )  # it is over its share: what ends is not its own
        assert two.divide()
        assert len(two.tick(2).grants) == 1
        assert two.used() == (8 - ended, ended)
    assert len(two.tick(1, ends=1).grants) == 1
    assert two.used() == (4, 4)


def test_kept_slots_are_there_at_once_beside_a_flood(two: Two) -> None:
    """A team that keeps some of its slots waits for no end of another team's task."""
    two.has(8, default=(4, 1), other=(4, 1))
    two.conn.execute("""UPDATE team SET limits = '{"kept_slots": 2}' WHERE name = 'other'""")
    two.trigger(1)
    two.tick(1)
    assert two.divide()
    turn = two.tick(1)
    assert two.used() == (6, 0)
    assert not turn.uneven  # what is kept is not spare, so nothing is divided again and again
    assert not two.tick(1).uneven
    two.trigger(2)
    assert len(two.tick(2).grants) == 2
    two.divide()
    two.tick(1, ends=1)
    two.divide()
    assert len(two.tick(2).grants) == 1  # the others come back as tasks end
    assert two.used() == (5, 3)


def test_what_is_over_a_division_makes_good_by_weight(two: Two) -> None:
    two.has(9, default=(None, 2), other=(None, 1))
    for team_id in (1, 2):
        two.trigger(team_id)
        two.tick(team_id)
    two.divide()
    for team_id in (1, 2, 1, 2):
        two.tick(team_id)
    assert two.used() == (6, 3)


def test_a_team_that_wants_no_more_gives_back_what_it_has(two: Two) -> None:
    two.has(6, default=(3, 1), other=(3, 1))
    for team_id in (1, 2):
        two.trigger(team_id)
        two.tick(team_id)
    two.divide()
    assert two.used() == (3, 3)
    for _ in range(4):
        turn = two.tick(2, ends=3)
    assert turn.uneven
    assert two.divide()
    assert len(two.tick(1).grants) == 3
    assert two.used() == (6, 0)


def test_settings_change_what_a_team_is_due_without_a_restart(two: Two) -> None:
    two.has(8, default=(None, 1), other=(None, 1))
    for team_id in (1, 2):
        two.trigger(team_id)
        two.tick(team_id)
    assert two.used() == (4, 4)
    two.has(8, default=(None, 3), other=(None, 1))
    assert two.tick(2, ends=2).grants == []
    two.divide()
    assert len(two.tick(1).grants) == 2
    assert two.used() == (6, 2)


def test_when_one_team_is_left_nothing_is_shared(two: Two) -> None:
    two.has(4, default=(2, 1), other=(2, 1))
    two.trigger(1)
    two.tick(1)
    two.conn.execute("UPDATE team SET deleted_at = now() WHERE team_id = 2")
    assert two.divide()
    assert len(two.tick(1).grants) == 10


def test_a_limit_of_running_tasks_holds_beside_others_and_alone(two: Two) -> None:
    limit = "UPDATE team SET limits = '{\"running_tasks\": 3}' WHERE team_id = 1"
    two.conn.execute(limit)
    two.has(8, default=(4, 1), other=(4, 1))
    two.trigger(1)
    assert len(two.tick(1).grants) == 3
    two.divide()
    assert two.tick(1).grants == []  # although five slots are idle
    assert two.used() == (3, 0)
    two.conn.execute("UPDATE team SET deleted_at = now() WHERE team_id = 2")
    two.divide()
    assert two.tick(1).grants == []
    assert len(two.tick(1, ends=2).grants) == 2
    two.conn.execute("UPDATE team SET limits = '{}' WHERE team_id = 1")
    two.divide()
    assert len(two.tick(1).grants) == 7


def test_a_tick_of_one_team_does_not_wait_for_that_of_another(two: Two, database: str) -> None:
    """Only a division takes the shares of all: it waits for ticks, and they for it."""
    two.has(8, default=(4, 1), other=(4, 1))
    two.trigger(2)
    with connect(database, role=ENGINE) as busy:
        with busy.transaction():
            assert shares.lock(busy, [1])[1].used == 0
            assert len(two.tick(2).grants) == 4
            dividing = Thread(target=two.divide)
            dividing.start()
        dividing.join(60)
        assert not dividing.is_alive()


def test_what_a_version_without_shares_left_is_counted_when_sharing_begins(two: Two) -> None:
    two.trigger(1)
    two.tick(1)
    two.conn.execute("UPDATE share SET used = 0")
    two.has(20)
    assert two.used() == (12, 0)


def test_what_waits_behind_one_that_does_not_fit_claims_no_slot(two: Two) -> None:
    """Nobody overtakes it in its pool, so the slots that its team cannot use are another one's: none is idle."""
    two.conn.execute("UPDATE pool SET slots = 5 WHERE team_id = 1")
    small = [task(f"s{number}", priority_weight=1) for number in range(6)]
    deploy(
        two.conn,
        task("first", pool_slots=3, priority_weight=9),
        task("second", pool_slots=4, priority_weight=5),
        *small,
    )
    two.has(8, default=(4, 1), other=(4, 1))
    two.trigger(1)
    assert [grant.instance.node.task_id for grant in two.tick(1).grants] == ["first"]
    two.trigger(2)
    two.tick(2)
    two.divide()
    two.tick(2)
    assert two.used() == (1, 7)
    assert not two.tick(2).uneven  # nothing is left to divide
    assert not two.tick(1).uneven

    turn = two.tick(1, ends=1)
    assert [grant.instance.node.task_id for grant in turn.grants] == ["second"]
    for _ in range(3):
        two.tick(2, ends=1)
        two.divide()
        two.tick(1)
        two.tick(2)
    assert two.used() == (2, 6), "the second, and one that fits beside it"
