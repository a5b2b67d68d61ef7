"""What Prometheus reads, through the real server."""

import dataclasses
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from headway import clock
from headway.api.door import CONNECTIONS
from headway.client import Client
from headway.errors import NotFound
from headway.events import Follower
from headway.store import audit, schedulers
from headway.store.measures import Measures
from headway.store.transact import Session
from tests.api import seed
from tests.tidy.tree import ROOT


def values_of(client: Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """By name and labels, read as Prometheus does."""
    families = text_string_to_metric_families(client.metrics())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def of(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_prometheus_reads_what_is_there(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1")
    seed.run(conn, "d", "r2", state="queued")
    conn.execute("UPDATE pool SET name = E'odd \\\\ \"pool\"\\n' WHERE name = 'default'")
    client.runs(1)
    client.runs(1)
    values = values_of(client)
    assert values[of("headway_runs_active", dag_id="d", state="running")] == 1
    assert values[of("headway_runs_active", dag_id="d", state="queued")] == 1
    assert values[of("headway_pool_slots", pool='odd \\ "pool"\n')] == 128
    assert values[of("headway_component_up", component="database")] == 1
    asked = of("headway_api_requests_total", method="GET", route="/api/v1/runs", status="200")
    assert values[asked] == 2


def test_templates_not_paths_are_counted(client: Client, conn: Session) -> None:
    """So that nobody fills the memory of whoever collects them."""
    for number in range(5):
        with pytest.raises(NotFound):
            client.dag(f"hidden{number}")
    text = client.metrics()
    assert "hidden" not in text
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
    values = values_of(client)
    ticks = "headway_scheduler_tick_seconds"
    for limit, count in {"0.001": 1, "0.005": 2, "3600": 3, "+Inf": 4}.items():
        assert values[of(f"{ticks}_bucket", scheduler="worker-1/7", le=limit)] == count
    assert values[of(f"{ticks}_count", scheduler="worker-1/7")] == 4
    assert values[of(f"{ticks}_sum", scheduler="worker-1/7")] == 7200.3045
    assert values[of("headway_queue_wait_seconds_sum", scheduler="worker-1/7")] == 0.05
    ends = "headway_attempts_ended_total"
    assert values[of(ends, scheduler="worker-1/7", outcome="success")] == 2
    assert values[of(ends, scheduler="worker-1/7", outcome="failed")] == 1
    said = {label for _, labels in values for _, label in labels}
    assert not [label for label in said if "lost" in label or "worker-2" in label]


def test_how_long_runs_took_by_dag(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    for number in range(4):
        seed.run(conn, "d", f"r{number}", minute=number, state="success")
    conn.execute("UPDATE run SET ended_at = now(), started_at = now() - interval '8 seconds'")
    conn.execute("UPDATE run SET started_at = now() - interval '2 seconds' WHERE run_id = 'r0'")
    values = values_of(client)
    assert values[of("headway_run_seconds_last_hour", dag_id="d", quantile="0.5")] == 8
    assert values[of("headway_run_seconds_last_hour", dag_id="d", quantile="0.95")] == 8
    assert values[of("headway_runs_ended_last_hour", state="success")] == 4


def test_connections_of_the_database_and_of_the_api(client: Client) -> None:
    values = values_of(client)
    most = values[of("headway_database_connections_max")]
    assert 1 <= values[of("headway_database_connections")] <= most
    assert 1 <= values[of("headway_api_connections")] <= CONNECTIONS
    assert values[of("headway_api_waiting")] == 0


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
    schedulers.open_scheduler(conn, "s1", "worker-1", 7, canary_s=300.0)
    schedulers.renew(conn, "s1", clock.now(), measures)
    Follower("alerts", lambda conn, found: None).turn(conn)
    conn.execute("INSERT INTO team_canary VALUES (1, 300, now(), now(), now())")
    client.runs(1)
    families = [*text_string_to_metric_families(client.metrics())]
    assert [each.name for each in families if not each.samples or not each.documentation] == []
    assert {each.type for each in families} <= {"counter", "gauge", "histogram"}
    told = {each.name + "_total" * (each.type == "counter") for each in families}
    section = (ROOT / "docs/operating.md").read_text("utf-8").partition("\n## Metrics\n")[2]
    written = set(re.findall(r"`(headway_\w+)`", section.partition("\n## ")[0]))
    assert told == written


def test_who_guesses_names_of_secrets_is_counted(
    client: Client, conn: Session, owner_conn: Session
) -> None:
    """Those of the own team, of the last hour."""
    guesses = of("headway_secret_guesses_last_hour")
    assert values_of(client)[guesses] == 0
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    entry = audit.Entry(
        actor="task:d/t", via="agent", action="secrets.guess", subject="r", address="", detail={}
    )
    for team_id in (1, 1, 2):
        audit.write(owner_conn, team_id, entry)
    audit.write(owner_conn, 1, dataclasses.replace(entry, action="dags.pause"))
    assert values_of(client)[guesses] == 2
    owner_conn.execute("ALTER TABLE audit DISABLE TRIGGER ALL")
    owner_conn.execute("UPDATE audit SET at = now() - interval '2 hours'")
    assert values_of(client)[guesses] == 0


def test_how_late_followers_of_events_are(client: Client, conn: Session) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    for name, team_id in (("alerts", None), ("alerts", 1), ("theirs", 2)):
        Follower(name, lambda conn, found: None, team_id).turn(conn)
    name = "headway_event_follower_lag_seconds"
    assert values_of(client)[of(name, follower="alerts", teams="all")] == 0
    conn.execute(
        "INSERT INTO event (team_id, at, subject, name, actor)"
        " VALUES (1, now() - interval '1 hour', 'pool', 'resize', 'me')"
    )
    Follower("alerts", lambda conn, found: None, 1).turn(conn)
    values = values_of(client)
    assert values[of(name, follower="alerts", teams="all")] >= 3600
    assert values[of(name, follower="alerts", teams="one")] == 0
    assert not any(("follower", "theirs") in labels for _, labels in values)
