"""``fail_fast`` through the scheduler's own transactions: what is stored, and goes on after a restart."""

from typing import Any

from psycopg import Connection

from headway.actions import commands
from headway.core.commands import Selection
from headway.store.transact import transact
from tests.scenarios.world import ANN, Scheduler, deploy, graphs, run_state, states, task, trigger

TASKS = (
    task("create", setup=True),
    task("bad", "create"),
    task("slow", "create"),
    task("next", "slow"),
    task("delete", "create", "next", teardown=True, trigger_rule="all_done_setup_success"),
)
ENDS = {
    "create": "success",
    "bad": "failed",
    "slow": "failed",
    "next": "skipped",
    "delete": "success",
}


def test_what_runs_is_ended_also_after_a_restart(conn: Connection[Any]) -> None:
    deploy(conn, *TASKS, fail_fast=True)
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.tick()
    scheduler.tick(*scheduler.work())
    bad, slow = sorted(scheduler.held.values(), key=lambda grant: str(grant.instance))
    turn = scheduler.tick(scheduler.end(bad, "failed", retry=False, detail="no"))
    assert turn.intents
    assert states(conn, run_id)["slow"] == "queued"
    scheduler.ticker.models.clear()
    scheduler.tick(scheduler.end(slow, "cancelled"))
    scheduler.play()
    assert states(conn, run_id) == ENDS
    assert run_state(conn, run_id) == "failed"
    scheduler.ticker.models.clear()
    again = Selection(failed_only=True, downstream=True)
    transact(conn, commands.clear, 1, run_id, again, graphs(scheduler), ANN)
    scheduler.play()
    assert run_state(conn, run_id) == "success"
    assert set(states(conn, run_id).values()) == {"success"}
