"""The limits of a team over the API: a refusal says which limit, how much and when; other teams notice nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headway.api import team_rates
from headway.api.rates import Rate
from headway.errors import Conflict, RateLimited
from headway.runs.limits import check_new_runs
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.attacks import Watch
from tests.api.browser import API, Browser

RUNS = f"{API}/dags/sales/runs"


@pytest.fixture
def admin(url: str) -> Browser:
    """The local admin, who is a platform admin."""
    return people.local(url)


@pytest.fixture
def sales(owner_conn: Session) -> Session:
    seed.dag(owner_conn, "sales")
    return owner_conn


def limit(admin: Browser, team: str = "default", **given: int | None) -> dict[str, Any]:
    answer = admin.ask("PATCH", f"{API}/teams/{team}", {"limits": given})
    assert answer.status == 200, answer.json
    return {each["name"]: (each["limit"], each["used"]) for each in answer.json["limits"]}


def test_limits_are_shown_with_what_counts_against_them(admin: Browser, sales: Session) -> None:
    assert limit(admin)["open_runs"] == (None, 0)
    assert admin.ask("POST", RUNS, {}).status == 201
    assert limit(admin, open_runs=2, requests_per_s=50) == {
        "requests_per_s": (50, None),
        "runs_per_minute": (None, 1),
        "open_runs": (2, 1),
        "running_tasks": (None, 0),
        "kept_slots": (None, None),
        "run_tasks": (None, 0),
        "dag_file_bytes": (None, None),
        "log_bytes_per_minute": (None, 0),
    }
    assert limit(admin, open_runs=None)["requests_per_s"] == (50, None)
    for wrong in ({"open_runs": -1}, {"requests_per_s": 0}, {"run_tasks": 0}, {"slots": 3}):
        assert admin.ask("PATCH", f"{API}/teams/default", {"limits": wrong}).status == 400


def test_a_run_too_many_is_refused_with_the_limit_and_a_time(
    admin: Browser, sales: Session
) -> None:
    limit(admin, open_runs=2)
    assert [admin.ask("POST", RUNS, {}).status for _ in range(3)] == [201, 201, 429]
    refused = admin.ask("POST", RUNS, {})
    assert refused.json["code"] == "rate_limited"
    assert refused.json["detail"] == (
        "the limit of this team is 2 runs that have not ended (open_runs): 2 are in use, and 1 more were asked for"
    )
    assert int(refused.headers["retry-after"]) >= 1
    many = admin.ask("POST", f"{RUNS}/bulk", {"count": 3})
    assert many.status == 409
    assert "ask for 2 at most" in many.json["hint"]
    count = "SELECT count(*) FROM run"
    assert sales.execute(count).fetchone() == (2,)
    sales.execute("UPDATE run SET state = 'success', started_at = now(), ended_at = now()")
    assert admin.ask("POST", RUNS, {}).status == 201


def test_runs_of_a_minute_come_back_as_it_passes(sales: Session) -> None:
    sales.execute("""UPDATE team SET limits = '{"runs_per_minute": 3}'""")
    now = datetime(2040, 1, 1, tzinfo=UTC)
    for second in (10, 20):
        seed.run(sales, "sales", f"r{second}")
        created = now - timedelta(seconds=second)
        sales.execute("UPDATE run SET created_at = %s WHERE run_id = %s", [created, f"r{second}"])
    check_new_runs(sales, 1, 1, now)
    with pytest.raises(
        RateLimited, match=r"3 runs created in a minute .*: 2 are in use"
    ) as refused:
        check_new_runs(sales, 1, 2, now)
    assert refused.value.retry_after_s == 40  # then the older of the two is a minute old
    with pytest.raises(RateLimited) as refused:
        check_new_runs(sales, 1, 3, now)
    assert refused.value.retry_after_s == 50
    with pytest.raises(Conflict):
        check_new_runs(sales, 1, 4, now)
    check_new_runs(sales, 1, 3, now + timedelta(seconds=51))


def test_one_teams_requests_are_limited_and_anothers_are_not(
    admin: Browser, url: str, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team_rates, "Rate", lambda burst, period_s: Rate(3, 1e9))  # never refilled
    monkeypatch.setattr(team_rates, "READ_S", 0.0)
    admin.ask("POST", f"{API}/teams", {"name": "marketing"})
    people.create(url, "ann", "viewer")
    ann = people.signed_in(url, "ann")
    there = {"Headway-Team": "marketing"}
    admin.ask("POST", f"{API}/members", {"name": "ann", "role": "viewer"}, headers=there)
    limit(admin, requests_per_s=1)
    with watch.attack() as told:
        statuses = [ann.ask("GET", f"{API}/session").status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert told == [("user:ann", "access.refused", f"GET {API}/session", 429)]
    refused = ann.ask("GET", f"{API}/session")
    assert refused.json["detail"] == (
        "the limit of this team is 1 API requests a second (requests_per_s)"
    )
    assert int(refused.headers["retry-after"]) >= 1
    assert ann.ask("GET", f"{API}/session", headers=there).status == 200
    assert admin.ask("GET", f"{API}/session").status == 200
