"""What a person clears, and what stays as it was decided: on a real database, with every model read
anew.
"""

from typing import Any

import pytest
from psycopg import Connection

from headway.actions import commands
from headway.core.commands import Selection
from headway.core.reasons import ItemGone
from headway.core.stored_reasons import stored
from headway.errors import Conflict
from headway.executors.base import Grant
from headway.store.transact import transact
from headway.store.views import diagnosis, instances
from headway.store.views.memory import Memory
from tests.scenarios.test_runs import items, result
from tests.scenarios.world import (
    ANN,
    Scheduler,
    deploy,
    graphs,
    run_state,
    states,
    task,
    trigger,
    value,
)

RETRY = Selection(failed_only=True, downstream=True)


def clear(conn: Connection[Any], scheduler: Scheduler, run_id: str, selection: Selection) -> Any:
    """What the dry run says, which the deed must do. Then nobody remembers the run."""
    asked = (1, run_id, selection, graphs(scheduler))
    told = transact(conn, commands.would_clear, *asked)
    assert transact(conn, commands.clear, *asked, ANN) == told
    scheduler.ticker.models.clear()
    return [each.task_id for each in told]


def test_a_choice_outlives_a_retry_of_something_else(conn: Connection[Any]) -> None:
    deploy(
        conn,
        task("choose", branch=True),
        task("load"),
        task("keep", "choose", "load"),
        task("wipe", "choose", "load"),
        task("wiped", "wipe"),
    )
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    fails = True

    def behave(grant: Grant) -> dict[str, Any]:
        if grant.instance.node.task_id == "choose":
            return {"outcome": "success", "follow": ["keep"]}
        bad = fails and grant.instance.node.task_id == "load"
        return {"outcome": "failed", "retry": False} if bad else {"outcome": "success"}

    scheduler.play(behave)
    assert states(conn, run_id)["wipe"] == "skipped"
    counts = transact(conn, diagnosis.of_run, Memory(), run_id).retry
    assert (counts.failed, counts.total) == (2, 2)
    fails = False
    assert clear(conn, scheduler, run_id, RETRY) == ["load", "keep"]
    scheduler.play(behave)
    assert states(conn, run_id) == dict.fromkeys(("choose", "load", "keep"), "success") | {
        "wipe": "skipped",
        "wiped": "skipped",
    }
    assert run_state(conn, run_id) == "success"
    with pytest.raises(Conflict, match="`wipe` stays skipped: `choose` chose `keep`") as refused:
        clear(conn, scheduler, run_id, Selection(tasks=frozenset({"wipe"})))
    assert refused.value.hint == f"headway clear {run_id} choose lets the branch choose again"
    everything = clear(conn, scheduler, run_id, Selection())
    assert sorted(everything) == ["choose", "keep", "load", "wipe", "wiped"]


def test_a_shorter_list_takes_items_away_and_a_longer_one_brings_them_back(
    conn: Connection[Any],
) -> None:
    deploy(conn, task("files"), task("work", over="files"), task("total", "work"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    length = 4

    def behave(grant: Grant) -> dict[str, Any]:
        if grant.instance.node.task_id == "files":
            return items(length)
        return result("return_value", str(grant.instance.map_index).encode())

    scheduler.play(behave)
    for length, expected in ((2, 2), (0, 0), (4, 4)):
        clear(conn, scheduler, run_id, Selection())
        scheduler.play(behave)
        found = states(conn, run_id)
        work = [f"work[{n}]" for n in range(length)] or ["work"]
        assert set(found) == {"files", "total", *work}
        end = "success" if length else "skipped"
        assert {found["total"], *(found[name] for name in work)} == {end}
        brought = "SELECT count(*) FROM xcom WHERE run_id = %s AND task_id = 'work'"
        assert value(conn, brought, run_id) == expected
        assert run_state(conn, run_id) == "success"
    numbers = "SELECT map_index, attempts FROM task_instance WHERE task_id = 'work' ORDER BY 1"
    assert conn.execute(numbers).fetchall() == [(0, 3), (1, 3), (2, 2), (3, 2)]
    why = "SELECT DISTINCT reason::text FROM event WHERE name = 'remove' AND map_index = 2"
    assert stored(value(conn, why)) == ItemGone(2)


def test_the_attempts_of_an_item_that_is_gone_stay(conn: Connection[Any]) -> None:
    deploy(conn, task("files"), task("work", over="files"))
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)
    scheduler.play(lambda grant: items(3))
    clear(conn, scheduler, run_id, Selection())
    scheduler.play(lambda grant: items(1))
    assert set(states(conn, run_id)) == {"files", "work[0]"}
    (gone,) = transact(conn, instances.latest, [(run_id, "work", 2, None)])
    assert gone is not None
    assert (gone.number, gone.state) == (1, "success")
    (attempt,) = transact(conn, instances.history, run_id, "work", 2)
    assert attempt.log == gone.log
    conn.execute("DELETE FROM run WHERE run_id = %s", [run_id])
    assert value(conn, "SELECT count(*) FROM attempt") == 0


def test_what_returns_none_is_no_item(conn: Connection[Any]) -> None:
    deploy(
        conn,
        task("files"),
        task("find", over="files"),
        task("copy", over="find"),
        task("x", "copy"),
    )
    scheduler = Scheduler(conn)
    (run_id,) = trigger(conn)

    def behave(grant: Grant) -> dict[str, Any]:
        if grant.instance.node.task_id == "files":
            return items(4)
        odd = grant.instance.node.task_id == "find" and grant.instance.map_index % 2
        return {"outcome": "success"} if odd else result("return_value", b"1")

    scheduler.tick()
    for _ in range(2):
        scheduler.tick(*scheduler.work(behave))
        scheduler.ticker.models.clear()
    scheduler.play(behave)
    assert {name for name in states(conn, run_id) if name.startswith("copy")} == {
        "copy[0]",
        "copy[1]",
    }
    assert run_state(conn, run_id) == "success"
