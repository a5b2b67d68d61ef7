"""What one team may bring at most, beside a team that has little to do: counted in ticks, not in seconds."""

from typing import Any, Final

import pytest
from psycopg import Connection

from tests.scenarios.world import Scheduler, deploy, run_state, task, trigger, value

TASKS: Final = 20_000
WIDTH: Final = 200  # tasks side by side: each tick has a wave of them to plan


@pytest.mark.long
def test_a_dag_of_20_000_tasks_does_not_hold_up_a_quiet_team(
    conn: Connection[Any], owner_conn: Connection[Any]
) -> None:
    """A run of the other team starts in the tick after it was made, and ends in the one after its report."""
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'quiet')")
    owner_conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'default', 9)")
    ids = [f"t{number}" for number in range(TASKS)]
    giant = [
        task(name, *(ids[number - WIDTH : number - WIDTH + 1] if number >= WIDTH else ()))
        for number, name in enumerate(ids)
    ]
    deploy(conn, *giant, dag_id="giant")
    deploy(conn, task("a"), dag_id="mine", team_id=2)
    big, quiet = Scheduler(conn, places=WIDTH), Scheduler(conn, team_id=2)
    big.ticker = quiet.ticker  # one scheduler for both
    (run_id,) = trigger(conn, "giant")
    for turn in range(4):
        (mine,) = trigger(conn, "mine", team_id=2)
        ends = quiet.work() + (big.work() if turn > 1 else [])
        granted = {grant.run.run_id for grant in quiet.tick(*ends).grants}
        assert mine in granted, turn
        big.tick()
        assert run_state(conn, mine) == "running"
    quiet.tick(*quiet.work())
    assert value(conn, "SELECT array_agg(DISTINCT state) FROM run WHERE team_id = 2") == ["success"]
    assert run_state(conn, run_id) == "running"
    done = value(conn, "SELECT count(*) FROM task_instance WHERE team_id = 1 AND state = 'success'")
    assert done >= WIDTH / 2, "the giant goes on, too"
    forget(owner_conn)


def forget(owner_conn: Connection[Any]) -> None:
    """Remove the giant: the invariants compare each task instance of a run with all others, which takes minutes."""
    owner_conn.execute("SET session_replication_role = replica")
    for table in ("attempt", "event", "task_instance", "run"):
        owner_conn.execute(f"DELETE FROM {table} WHERE team_id = 1".encode())
    owner_conn.execute("UPDATE share SET used = 0 WHERE team_id = 1")
    owner_conn.execute("UPDATE pool SET used = 0 WHERE team_id = 1")
    owner_conn.execute("RESET session_replication_role")
