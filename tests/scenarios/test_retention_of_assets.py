"""What is removed of assets: events by their age, and assets that nothing is left of."""

from pathlib import Path
from typing import Any

from psycopg import Connection

from headway.engine import assets as engine
from headway.store import assets
from headway.store.clock import clock
from headway.store.transact import Session, transact
from tests.scenarios.test_assets import consumer, emit, producer
from tests.scenarios.test_retention import sweep
from tests.scenarios.world import deploy, task, value


def names(conn: Connection[Any]) -> list[str]:
    return [name for (name,) in conn.execute("SELECT name FROM asset ORDER BY name").fetchall()]


def test_events_go_by_their_age_and_assets_when_nothing_is_left_of_them(
    conn: Session, owner_conn: Connection[Any], tmp_path: Path
) -> None:
    producer(conn, "made")
    consumer(conn, {"all": ["awaited", "recent"]}, "awaited", "recent")
    producer(conn, "dropped", "recent", dag_id="edited")
    for name in ("made", "dropped", "recent"):
        emit(conn, name)
    transact(conn, engine.route)
    emit(conn, "made")  # no consumer knows it yet
    edited = deploy(conn, task("other"), dag_id="edited")
    transact(conn, assets.register, 1, [edited], clock(conn))
    owner_conn.execute("UPDATE asset SET created_at = created_at - interval '91 days'")
    owner_conn.execute(
        "UPDATE asset_event SET at = at - interval '91 days' WHERE asset <> 'recent'"
    )
    sweep(conn, tmp_path)
    assert names(conn) == ["awaited", "made", "recent"]
    assert value(conn, "SELECT array_agg(asset ORDER BY asset) FROM asset_event") == [
        "made",
        "recent",
    ]
    consumer(conn, "awaited", "awaited")
    owner_conn.execute("DELETE FROM asset_event WHERE asset = 'recent'")
    sweep(conn, tmp_path)
    assert names(conn) == ["awaited", "made"]
