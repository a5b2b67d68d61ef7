"""Components apart by way of PgBouncer in transaction mode: only LISTEN goes to the server itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from headway.store import api_login
from headway.store.migrate import migrate
from headway.store.transact import connect
from tests.apart.install import install
from tests.cli.conftest import wait_until
from tests.own_postgres import documented_user, installed_versions, own_server
from tests.pgbouncer import MISSING, PROGRAM, pooler

pytestmark = [pytest.mark.long, pytest.mark.skipif(PROGRAM is None, reason=MISSING)]
POOL: Final = 6  # for each user: the owner's, and that of the API
RUNS: Final = 6
LISTENERS: Final = {
    "headway scheduler listen": 2,
    "headway loader listen": 1,
    "headway api wake-ups": 2,
}


@pytest.fixture
def own() -> Iterator[str]:
    versions = installed_versions()
    with own_server(versions[min(versions)]) as superuser:
        dsn = documented_user(superuser, "hw", "hw")
        migrate(dsn)
        yield dsn


def connections(dsn: str) -> dict[str, int]:
    """Count the connections to the server by what they are for."""
    with connect(dsn) as conn:
        rows = conn.execute(
            "SELECT application_name, count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY 1"
        ).fetchall()
    return dict(rows)


def test_a_pooler_that_is_restarted_under_load_loses_nothing(own: str, tmp_path: Path) -> None:
    parts = conninfo_to_dict(own)
    with pooler(own, size=POOL) as bouncer:
        environment = {
            api_login.VARIABLE: make_conninfo(bouncer.dsn, user=api_login.LOGIN),
            "HEADWAY_LISTEN_ADDRESS": f"{parts['host']}:{parts['port']}",
        }
        with install(tmp_path, bouncer.dsn, environment) as here:
            assert LISTENERS.items() <= connections(own).items()
            ledger = tmp_path / "ledger"
            run_ids = [here.trigger(ledger, f"before-{n}") for n in range(RUNS)]
            wait_until(ledger.exists, "nothing runs")
            bouncer.kill()
            bouncer.start()
            run_ids += [here.trigger(ledger, f"after-{n}") for n in range(RUNS)]
            wait_until(lambda: here.go_on() and here.all_succeeded(run_ids), "not all runs end")
            written = ledger.read_text().splitlines()
            assert len(set(written)) == len(written), "an attempt ran twice"
            assert {line.split()[0] for line in written} == set(run_ids)
            found = connections(own)
            assert {name: found.pop(name, 0) for name in LISTENERS} == LISTENERS
            assert sum(found.values()) <= 2 * POOL
