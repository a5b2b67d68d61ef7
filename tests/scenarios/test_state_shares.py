"""What a team keeps as state, of all tasks and assets together: it is counted where it changes, and has a bound."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway.engine import janitor
from headway.secrets import state
from headway.secrets.service import Service
from headway.spec.model import Asset
from headway.store import state_stores
from headway.store.state_stores import ROW_BYTES, NewValue, OfAsset, OfTask, Scope
from headway.store.transact import connect, in_team, transact
from tests.scenarios import asker
from tests.scenarios.asker import keys, scheduler, service
from tests.scenarios.test_retention import KEEP, age, sweep
from tests.scenarios.world import Scheduler, deploy, task, trigger, value

__all__ = ["keys", "scheduler", "service"]

ORDERS = Asset(name="orders", uri="s3://shop/orders")


class Asker(asker.Asker):
    kind = state.KIND

    def sets(self, key: str, kept: object, **parts: Any) -> str:
        """Set a value, and return why not."""
        return self.ask("set", key, value=kept, **parts).refused

    def get(self, key: str) -> Any:
        answer = self.ask("get", key)
        return None if answer.value is None else msgspec.json.decode(answer.value)


def started(service: Service, scheduler: Scheduler) -> Asker:
    deploy(scheduler.conn, task("a"), assets=(ORDERS,), team_id=scheduler.team_id)
    trigger(scheduler.conn, team_id=scheduler.team_id)
    (one,) = Asker.running(service, scheduler)
    return one


def kept(conn: Connection[Any], team_id: int = 1) -> int:
    return state_stores.used_by_team(conn, team_id)


def test_it_is_counted_whatever_changes_it(
    conn: Connection[Any], service: Service, scheduler: Scheduler
) -> None:
    """The invariants compare the count with the rows, after this test and every other one."""
    one = started(service, scheduler)
    for where in ({}, {"asset": "orders"}):
        before = kept(conn)
        one.sets("a", "x" * 98, **where)
        assert kept(conn) == before + ROW_BYTES + 100
        one.sets("a", "x" * 8, **where)
        one.sets("b", "x" * 8, **where)
        assert kept(conn) == before + 2 * (ROW_BYTES + 10)
        one.ask("delete", "b", **where)
        one.ask("delete", "nosuch", **where)
        assert kept(conn) == before + ROW_BYTES + 10
        one.ask("clear", **where)
        assert kept(conn) == before
    one.sets("secret", "x", secrets=["y" * 7])
    assert kept(conn) == ROW_BYTES + 10


def test_what_goes_with_its_run_or_its_asset_is_counted_out(
    conn: Connection[Any],
    owner_conn: Connection[Any],
    service: Service,
    scheduler: Scheduler,
    tmp_path: Path,
) -> None:
    one = started(service, scheduler)
    soon = (scheduler.now + timedelta(days=1)).isoformat()
    one.sets("short", 1, expires_at=soon)
    one.sets("long", 1)
    one.sets("last", 1, asset="orders")
    assert kept(conn) == 3 * (ROW_BYTES + 1)
    now = scheduler.now + timedelta(days=2)
    transact(conn, in_team, 1, janitor.prune, now - KEEP, now, 10)
    assert kept(conn) == 2 * (ROW_BYTES + 1)
    scheduler.play()
    age(owner_conn, one.by.key.run_id, 91)
    sweep(conn, tmp_path)
    assert kept(conn) == ROW_BYTES + 1
    owner_conn.execute("DELETE FROM asset WHERE name = 'orders'")
    assert kept(conn) == 0


def test_a_team_that_has_its_share_keeps_no_more_and_others_do(
    monkeypatch: pytest.MonkeyPatch,
    conn: Connection[Any],
    service: Service,
    scheduler: Scheduler,
) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'default', 8)")
    one, other = started(service, scheduler), started(service, Scheduler(conn, team_id=2))
    monkeypatch.setattr(state, "TEAM_BYTES_MAX", 2 * ROW_BYTES + 20)
    assert one.sets("a", "x" * 8) == ""
    assert one.sets("b", "x" * 8, asset="orders") == ""
    for where in ({}, {"asset": "orders"}):
        refused = one.sets("c", 1, **where)
        assert refused.startswith(
            "the states of all tasks and assets of the team would have 405 bytes; the limit is 276: delete"
        )
    assert "would have 277 bytes" in one.sets("a", "x" * 9)
    assert one.get("a") == "x" * 8, "a value that is not let in leaves the one before"
    assert other.sets("a", "x" * 18) == ""
    assert one.sets("a", "x" * 7) == ""
    assert one.ask("delete", "b", asset="orders").refused == ""
    assert one.sets("c", 1) == ""


def test_a_team_that_has_too_much_may_make_it_less(
    monkeypatch: pytest.MonkeyPatch, service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    one.sets("a", "x" * 100)
    monkeypatch.setattr(state, "TEAM_BYTES_MAX", 10)
    assert "the limit is 10" in one.sets("a", "x" * 101)
    assert one.sets("a", "y" * 100) == one.sets("a", "x" * 50) == ""
    assert one.get("a") == "x" * 50


def test_two_that_write_at_once_do_not_wait_for_each_other(
    conn: Connection[Any], dsn: str, service: Service, scheduler: Scheduler
) -> None:
    """Each counts in a part that nobody else holds. What removes states of the team waits for neither."""
    one = started(service, scheduler)
    one.sets("first", 1)
    conn.execute(
        "INSERT INTO asset (team_id, name, uri, asset_group, extra, created_at)"
        " SELECT 1, 'a' || n, 'u' || n, '', '{}', now() FROM generate_series(1, 3) AS n"
    )
    scopes: list[Scope] = [
        OfAsset(1, "a1"),
        OfAsset(1, "a2"),
        OfTask(1, one.by.key.run_id, "a", -1),
    ]
    new, now = NewValue("k", "1", [], None), scheduler.now
    with (
        connect(dsn, role="headway_engine") as second,
        connect(dsn, role="headway_engine") as third,
    ):
        writers = (conn, second, third)
        for writer, scope in zip(writers, scopes, strict=True):
            writer.execute("BEGIN; SET LOCAL lock_timeout = '1s'")
            state_stores.put(writer, scope, new, "me", now)
        state_stores.delete(third, scopes[2], "first")
        for writer in writers:
            writer.execute("COMMIT")
    assert kept(conn) == 3 * (ROW_BYTES + 1)
    assert value(conn, "SELECT count(*) FROM state_used") == 3
    state_stores.put(conn, scopes[2], new, "me", now)
    assert value(conn, "SELECT count(*) FROM state_used") == 3, "free parts are used again"
