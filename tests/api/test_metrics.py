"""What Prometheus reads, through the real server."""

import re

import pytest

from headway.client import Client
from headway.errors import NotFound
from headway.store.transact import Session
from tests.api import seed

SAMPLE = re.compile(r'^[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)*\})? -?[0-9.e+-]+$')


def test_every_line_is_a_sample_or_a_comment(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    seed.run(conn, "d", "r2", state="queued")
    conn.execute("UPDATE pool SET name = E'odd \\\\ \"pool\"\\n' WHERE name = 'default'")
    client.runs(1)
    client.runs(1)
    lines = client.metrics().splitlines()
    assert [line for line in lines if not line.startswith("#") and not SAMPLE.match(line)] == []
    assert 'headway_runs_active{dag_id="d",state="running"} 1' in lines
    assert 'headway_runs_active{dag_id="d",state="queued"} 1' in lines
    assert 'headway_pool_slots{pool="odd \\\\ \\"pool\\"\\n"} 128' in lines
    assert 'headway_component_up{component="database"} 1' in lines
    asked = 'headway_api_requests_total{method="GET",route="/api/v1/runs",status="200"} 2'
    assert asked in lines


def test_templates_not_paths_are_counted(client: Client, conn: Session) -> None:
    """So that nobody fills the memory of whoever collects them."""
    for number in range(5):
        with pytest.raises(NotFound):
            client.dag(f"secret{number}")
    text = client.metrics()
    assert "secret" not in text
    assert '{method="GET",route="/api/v1/dags/{dag_id}",status="404"} 5' in text
