"""Plans of what is asked of watchers, among many of them."""

from typing import Any

import pytest
from psycopg import Connection

from tests.store.test_plans import PREPARED, engine, filled, generic, nodes, plan_of

__all__ = ("engine", "filled")  # fixtures


def indexes(engine: Connection[Any], name: str) -> tuple[set[str | None], set[str]]:
    """Return the indexes that a statement enters, and the tables that it reads whole."""
    statement = generic(PREPARED[f"watchers.{name}"])
    plan = plan_of(engine, f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {statement}")
    found = [node for node, _ in nodes(plan)]
    whole = {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"}
    return {node.get("Index Name") for node in found}, whole


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("CLAIM", "watch_free"),
        ("HELD", "watch_held"),
        ("LOCK", "watch_pkey"),
        ("STORED", "watch_pkey"),
        ("STOPPED", "watch_pkey"),
        ("NOTE", "watch_pkey"),
        ("EMIT", "asset_watcher_by_digest"),
    ],
)
def test_a_watcher_is_found_among_many_by_key(
    engine: Connection[Any], name: str, index: str
) -> None:
    entered, whole = indexes(engine, name)
    assert index in entered
    assert not whole & {"watch", "asset_watcher"}
