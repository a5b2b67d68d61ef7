"""What a grant needs of its run is read without the rest of it: a run may have a pod for each of its instances."""

from typing import Any

from psycopg import Connection

from headway.agent.protocol import XComValue
from headway.engine.catalog import Catalog
from headway.store import snapshots
from headway.store.clock import clock
from tests.scenarios.world import Scheduler, deploy, key_of, names, task, trigger

LIST = XComValue("return_value", b"[1, 2, 3]", None, 9, 3)
ITEM = XComValue("return_value", b"1", None, 1, None)


def test_a_part_has_what_was_asked_for_and_how_long_its_lists_are(conn: Connection[Any]) -> None:
    deploy(conn, task("a"), task("b", over="a"), task("c", over="b"))
    trigger(conn)
    scheduler = Scheduler(conn)
    scheduler.tick()
    turn = scheduler.tick(*scheduler.work(lambda _: {"xcoms": [LIST]}))
    assert names(turn.grants) == ["b[0]", "b[1]", "b[2]"]
    grant = turn.grants[1]
    part = snapshots.load_part(conn, grant.row, [("b", 1)], Catalog(conn).graph, clock(conn))
    assert sorted((each.node.task_id, each.map_index) for each in part.all()) == [
        ("a", -1),
        ("b", 1),
    ]
    turn = scheduler.tick(*scheduler.work(lambda _: {"xcoms": [ITEM]}))
    assert names(turn.grants) == ["c[0]", "c[1]", "c[2]"]
    part = snapshots.load_part(conn, grant.row, [("c", 2)], Catalog(conn).graph, clock(conn))
    (alone,) = part.all()
    assert part.items[alone.node.axes[0].source] == 3  # type: ignore[index]
    assert alone.attempt is not None
    assert (
        alone.attempt.token
        == next(g for g in turn.grants if key_of(g).map_index == 2).attempt.token
    )


def test_what_is_not_there_is_left_out(conn: Connection[Any]) -> None:
    deploy(conn, task("a"))
    trigger(conn)
    (grant,) = Scheduler(conn).tick().grants
    part = snapshots.load_part(
        conn, grant.row, [("a", 7), ("gone", -1)], Catalog(conn).graph, clock(conn)
    )
    assert list(part.all()) == []
