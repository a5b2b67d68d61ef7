"""Who is let in, and how the others are told."""

import http.client
import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from headway.store.transact import Session
from tests.api.conftest import TOKEN

GOOD = {"Authorization": f"Bearer {TOKEN}"}


def ask(url: str, path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=10)
    try:
        connection.request("GET", path, None, headers)
        response = connection.getresponse()
        return response.status, response.getheader("content-type") or "", response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": TOKEN}, 401),
        ({**GOOD, "Host": "evil.example"}, 421),
        ({**GOOD, "Host": "evil.example:8080"}, 421),
        ({**GOOD, "Host": "localhost:8080"}, 200),
        ({**GOOD, "Host": "192.168.1.7:8080"}, 200),
        ({**GOOD, "Host": "[::1]:8080"}, 200),
        (GOOD, 200),
    ],
)
def test_only_the_bearer_of_the_token_under_our_name(
    url: str, headers: dict[str, str], status: int
) -> None:
    answered, kind, content = ask(url, "/api/v1/dags", headers)
    assert answered == status
    if status >= 400:
        assert kind == "application/problem+json"
        assert json.loads(content)["status"] == status


def test_probes_need_no_token(url: str) -> None:
    assert ask(url, "/healthz", {})[::2] == (200, b"ok")
    assert ask(url, "/readyz", {})[0] == 503


@pytest.mark.parametrize(("silent_s", "status"), [(1, 200), (60, 503)])
def test_a_part_that_hangs_makes_it_unready_and_the_server_no_less_alive(
    url: str, conn: Session, silent_s: int, status: int
) -> None:
    for text in (
        "INSERT INTO scheduler (scheduler_id, host, pid, started_at, heartbeat_at)"
        " VALUES ('one', 'here', 7, now(), now() - %s)",
        "INSERT INTO agent_session (team_id, session_id, agent, host, pid, slots, started_at,"
        " heartbeat_at) VALUES (1, 's1', 'local', 'here', 8, 4, now(), now() - %s)",
    ):
        conn.execute(text, [timedelta(seconds=silent_s)])
    conn.commit()
    answered, _, said = ask(url, "/readyz", {})
    assert (answered, said) == (status, b"ready" if status == 200 else said)
    assert status == 200 or said == b"not ready: scheduler, agent"
    assert ask(url, "/healthz", {})[::2] == (200, b"ok")


@pytest.mark.parametrize(
    ("others", "proved_s", "status"),
    [(0, 300, 200), (0, 700, 503), (0, None, 200), (1, 300, 200), (1, 700, 503)],
)
def test_schedulers_that_get_no_run_to_success_are_told(
    url: str, conn: Session, others: int, proved_s: int | None, status: int
) -> None:
    """Without a canary there is nothing to be late with; of several, each is told."""
    add = (
        "INSERT INTO scheduler (scheduler_id, host, pid, started_at, heartbeat_at, canary_s, proved_at, unproved)"
        " VALUES (%s, 'here', 7, now() - interval '1 day', now(), %s, now() - %s::interval, %s)"
    )
    period_s, ago = (None, None) if proved_s is None else (300, timedelta(seconds=proved_s))
    conn.execute(add, ["one", period_s, ago, "planted" if status == 503 else None])
    for number in range(others):
        conn.execute(add, [f"other{number}", 300, timedelta(seconds=1), None])
    conn.commit()
    said = b"schedules" if status == 200 else b"does not schedule"
    assert ask(url, "/health/scheduler", {})[::2] == (status, said)
    _, _, body = ask(url, "/api/v1/health", GOOD)
    found = [each for each in json.loads(body)["components"] if each["name"] == "scheduler"]
    assert len(found) == 1 + others
    late = [each for each in found if not each["healthy"]]
    assert len(late) == (status == 503)
    for each in late:
        assert re.search(r"got no run to success for 1\d m: planted$", each["detail"])
    metric = f'headway_scheduler_proved_seconds{{scheduler="here/7"}} {(proved_s or 0) // 100}'
    conn.execute("UPDATE scheduler SET measures = '{}'")
    conn.commit()
    _, _, metrics = ask(url, "/api/v1/metrics", GOOD)
    assert (metric in metrics.decode()) == (proved_s is not None), metrics.decode()[-2000:]


def test_an_unknown_path_and_a_wrong_type_are_problems(url: str) -> None:
    status, kind, _ = ask(url, "/api/v1/nothing", GOOD)
    assert (status, kind) == (404, "application/problem+json")
    status, kind, content = ask(url, "/api/v1/runs?limit=many", GOOD)
    assert (status, kind) == (400, "application/problem+json")
    assert "limit" in json.loads(content)["detail"]


def test_the_document_names_every_route(url: str) -> None:
    status, _, content = ask(url, "/api/v1/openapi.json", GOOD)
    assert status == 200
    paths = json.loads(content)["paths"]
    assert {"/api/v1/runs/{run_id}", "/api/v1/dags/{dag_id}"} <= set(paths)
