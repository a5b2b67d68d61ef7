"""What Prometheus reads, through the real server."""

import re

import pytest

from headway import clock
from headway.api.door import CONNECTIONS
from headway.client import Client
from headway.errors import NotFound
from headway.events import Follower
from headway.store import schedulers
from headway.store.measures import Measures
from headway.store.transact import Session
from tests.api import seed
from tests.tidy.tree import ROOT

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


def test_what_schedulers_counted_is_told_for_the_team(client: Client, conn: Session) -> None:
    measures = Measures()
    for took_s in (0.0005, 0.004, 0.3, 7200.0):
        measures.add_tick(took_s)
    measures.add_waits([(1, 0.05), (2, 30.0)])
    measures.add_ends([(1, "success"), (1, "success"), (1, "failed"), (2, "lost")])
    schedulers.open_scheduler(conn, "s1", "worker-1", 7)
    schedulers.renew(conn, "s1", clock.now(), measures)
    schedulers.open_scheduler(conn, "s2", "worker-2", 8)
    schedulers.renew(conn, "s2", clock.now(), measures)
    schedulers.close(conn, "s2")
    lines = client.metrics().splitlines()
    ticks = "headway_scheduler_tick_seconds"
    assert f'{ticks}_bucket{{scheduler="worker-1/7",le="0.001"}} 1' in lines
    assert f'{ticks}_bucket{{scheduler="worker-1/7",le="0.005"}} 2' in lines
    assert f'{ticks}_bucket{{scheduler="worker-1/7",le="3600"}} 3' in lines
    assert f'{ticks}_bucket{{scheduler="worker-1/7",le="+Inf"}} 4' in lines
    assert f'{ticks}_count{{scheduler="worker-1/7"}} 4' in lines
    assert f'{ticks}_sum{{scheduler="worker-1/7"}} 7200.3045' in lines
    assert 'headway_queue_wait_seconds_sum{scheduler="worker-1/7"} 0.05' in lines
    ends = "headway_attempts_ended_total"
    assert f'{ends}{{scheduler="worker-1/7",outcome="success"}} 2' in lines
    assert f'{ends}{{scheduler="worker-1/7",outcome="failed"}} 1' in lines
    assert not [line for line in lines if "lost" in line or "worker-2" in line]


def test_how_long_runs_took_by_dag(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    for number in range(4):
        seed.run(conn, "d", f"r{number}", minute=number, state="success")
    conn.execute("UPDATE run SET ended_at = now(), started_at = now() - interval '8 seconds'")
    conn.execute("UPDATE run SET started_at = now() - interval '2 seconds' WHERE run_id = 'r0'")
    lines = client.metrics().splitlines()
    assert 'headway_run_seconds_last_hour{dag_id="d",quantile="0.5"} 8' in lines
    assert 'headway_run_seconds_last_hour{dag_id="d",quantile="0.95"} 8' in lines
    assert 'headway_runs_ended_last_hour{state="success"} 4' in lines


def test_connections_of_the_database_and_of_the_api(client: Client) -> None:
    values = dict(
        line.rsplit(" ", 1) for line in client.metrics().splitlines() if not line.startswith("#")
    )
    assert int(values["headway_database_connections"]) >= 1
    assert int(values["headway_database_connections"]) <= int(
        values["headway_database_connections_max"]
    )
    assert 1 <= int(values["headway_api_connections"]) <= CONNECTIONS
    assert int(values["headway_api_waiting"]) == 0


def test_every_metric_is_described_and_every_description_is_of_one(
    client: Client, conn: Session
) -> None:
    seed.dag(conn, "d")
    for number, state in enumerate(("running", "queued", "success")):
        seed.run(conn, "d", f"r{number}", minute=number, state=state)
    conn.execute("UPDATE run SET ended_at = now(), started_at = now() WHERE state = 'success'")
    measures = Measures()
    measures.add_tick(0.1)
    measures.add_waits([(1, 0.1)])
    measures.add_ends([(1, "success")])
    schedulers.open_scheduler(conn, "s1", "worker-1", 7)
    schedulers.renew(conn, "s1", clock.now(), measures)
    Follower("alerts", lambda conn, found: None).turn(conn)
    client.runs(1)
    text = client.metrics()
    told = set(re.findall(r"# TYPE (\S+)", text))
    sampled = {
        re.sub(r"_(bucket|sum|count)$", "", line.partition("{")[0].partition(" ")[0])
        for line in text.splitlines()
        if not line.startswith("#")
    }
    assert told == sampled
    section = (ROOT / "docs/operating.md").read_text("utf-8").partition("\n## Metrics\n")[2]
    written = set(re.findall(r"`(headway_\w+)`", section.partition("\n## ")[0]))
    assert told == written


def test_how_late_followers_of_events_are(client: Client, conn: Session) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    for name, team_id in (("alerts", None), ("alerts", 1), ("theirs", 2)):
        Follower(name, lambda conn, found: None, team_id).turn(conn)
    name = "headway_event_follower_lag_seconds"
    assert f'{name}{{follower="alerts",teams="all"}} 0' in client.metrics().splitlines()
    conn.execute(
        "INSERT INTO event (team_id, at, subject, name, actor)"
        " VALUES (1, now() - interval '1 hour', 'pool', 'resize', 'me')"
    )
    Follower("alerts", lambda conn, found: None, 1).turn(conn)
    found = dict(line.rsplit(" ", 1) for line in client.metrics().splitlines() if name in line)
    assert float(found[f'{name}{{follower="alerts",teams="all"}}']) >= 3600
    assert float(found[f'{name}{{follower="alerts",teams="one"}}']) == 0
    assert "theirs" not in "".join(found)
