"""F07: schedulers of this version on a database that a newer one has migrated meanwhile.

Migrations only ever add (``tests/tidy/test_migrations.py``), so what a future one may do to us is
known: new columns with a default on every table, new tables, new indexes. Processes that run go on;
only the start of an older Headway is refused, by ``migrate``.
"""

from typing import Any

import pytest
from psycopg import Connection, sql

from headway.actions import commands
from headway.core.commands import Selection
from headway.errors import Conflict
from headway.store.migrate import migrate, migrations
from headway.store.transact import Session, connect, transact
from tests.scenarios.world import ANN, Scheduler, deploy, graphs, run_state, task, trigger, value

PREPARED = 8  # executions after which every statement of a tick is prepared, with its columns


def migrate_to_the_future(owner: Session) -> None:
    tables = owner.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND relname <> 'schema_migration'"
    ).fetchall()
    with owner.transaction():
        for (name,) in tables:
            table = sql.Identifier(name)
            owner.execute(
                sql.SQL(
                    "ALTER TABLE {} ADD COLUMN state_of_the_future text NOT NULL DEFAULT ''"
                ).format(table)
            )
        owner.execute("CREATE TABLE future (team_id integer PRIMARY KEY REFERENCES team)")
        owner.execute("CREATE INDEX ON run (state_of_the_future)")
        owner.execute(
            "INSERT INTO schema_migration (number, name, sha256) VALUES (%s, 'future', '')",
            [len(migrations()) + 1],
        )


def test_a_scheduler_at_work_goes_on_when_the_database_is_migrated(
    conn: Connection[Any], owner_conn: Session, dsn: str, database: str
) -> None:
    deploy(conn, task("a"), task("b", "a"), task("c", "b"), max_active_runs=100)
    scheduler = Scheduler(conn)
    for _ in range(PREPARED):
        trigger(conn)
        scheduler.play()
    (halfway,) = trigger(conn)
    scheduler.tick()
    migrate_to_the_future(owner_conn)
    scheduler.tick(*scheduler.work())
    with connect(dsn) as theirs:
        other = Scheduler(theirs)
        runs = trigger(conn, "d", *(f"k{n}" for n in range(4)))
        for _ in range(PREPARED):
            scheduler.tick(*scheduler.work())
            other.tick(*other.work())
        transact(theirs, commands.clear, 1, runs[0], Selection(), graphs(other), ANN)
        for one in (scheduler, other, scheduler):
            one.play()
    assert {run_state(conn, run) for run in (halfway, *runs)} == {"success"}
    assert value(conn, "SELECT count(*) FROM run WHERE set_aside IS NOT NULL") == 0
    with pytest.raises(Conflict, match="upgrade Headway"):
        migrate(database)
