"""For how long a team keeps logs: shown to all, changed by admins; and what stands in place of a log that is gone."""

from typing import Any

import pytest

from headway import wire
from headway.cli.trouble import describe
from headway.client import Client
from headway.config import Layout
from headway.core.roles import Role
from headway.errors import LogRemoved, UsageError
from headway.paths import log_path
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import API

ROUTE = f"{API}/log-retention"


def keep(client: Client, days: int | None) -> wire.LogRetention:
    return client.set_log_retention(wire.LogRetentionRequest(days=days))


def test_a_team_says_for_how_long_and_takes_it_back(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = wire.LogRetention(days=None, default_days=None, effective_days=None, run_days=90)
    assert client.log_retention() == nothing
    assert keep(client, 7).effective_days == 7
    assert client.log_retention().days == 7
    monkeypatch.setenv("HEADWAY_LOG_DAYS", "30")
    monkeypatch.setenv("HEADWAY_RETENTION_DAYS", "7.5")
    assert keep(client, None) == wire.LogRetention(
        days=None, default_days=30, effective_days=30, run_days=7.5
    )


def test_on_this_machine_not_for_longer_than_anywhere(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_LOG_LOCAL_DAYS", "5")
    found = client.set_log_retention(wire.LogRetentionRequest(days=30, local_days=7))
    assert (found.local_days, found.default_local_days, found.effective_local_days) == (7, 5, 7)
    assert keep(client, 30).effective_local_days == 5
    with pytest.raises(UsageError, match="cannot stay on this machine for 31"):
        client.set_log_retention(wire.LogRetentionRequest(days=30, local_days=31))


@pytest.mark.parametrize("days", [0, -1, 36_501, 2**31, 2**63])
def test_a_number_of_days_that_makes_no_sense_is_refused(client: Client, days: int) -> None:
    with pytest.raises(UsageError):
        keep(client, days)
    assert client.log_retention().days is None


@pytest.mark.parametrize(
    "body", [{"days": "seven"}, {"local_days": [1]}, {"days": 1.5}, {"days": 7, "more": 1}]
)
def test_another_body_is_refused(url: str, body: dict[str, Any]) -> None:
    assert people.local(url).ask("PUT", ROUTE, body).status == 400


def test_a_viewer_sees_it_and_only_an_admin_changes_it(url: str) -> None:
    for role in people.ROLES:
        people.create(url, f"some-{role}", role)
        browser = people.signed_in(url, f"some-{role}")
        assert browser.ask("GET", ROUTE).status == 200
        expected = 200 if role == Role.ADMIN else 403
        assert browser.ask("PUT", ROUTE, {"days": 7}).status == expected


def test_the_audit_tells_before_and_after(client: Client) -> None:
    keep(client, 30)
    keep(client, 7)
    (entry,) = client.audit(1)
    assert (entry.actor, entry.action) == ("user:admin", "log_retention.set_log_retention")
    assert (entry.detail["before"], entry.detail["after"]) == (
        {"days": 30, "local_days": None},
        {"days": 7, "local_days": None},
    )


def test_what_has_not_changed_need_not_be_sent_again(client: Client, url: str) -> None:
    first = people.local(url).ask("GET", ROUTE)
    known = {"If-None-Match": first.headers["etag"]}
    assert people.local(url).ask("GET", ROUTE, headers=known).status == 304
    keep(client, 7)
    assert people.local(url).ask("GET", ROUTE, headers=known).status == 200


@pytest.fixture
def removed(conn: Session, layout: Layout, client: Client) -> Client:
    """The first attempt's log is gone; the second ended after that and has its own."""
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1", state="failed")
    seed.instance(conn, "r1", "t0", "failed")
    seed.attempt(conn, "r1", "t0", detail="ValueError: no flights")
    conn.execute("UPDATE run SET logs_removed_at = ended_at + interval '20 days'")
    conn.execute(
        "INSERT INTO attempt (team_id, run_id, task_id, map_index, number, state, session_id,"
        " queued_at, ended_at) SELECT 1, 'r1', 't0', -1, 2, 'failed', 's1', logs_removed_at,"
        " logs_removed_at + interval '1 day' FROM run"
    )
    path = layout.data / log_path("r1", "t0", -1, 2)
    path.parent.mkdir(parents=True)
    path.write_text("still here\n")
    keep(client, 19)
    return client


def test_a_log_that_is_gone_says_so_wherever_it_is_asked_for(removed: Client) -> None:
    sentence = "the log was removed on 2026-01-21: this team keeps logs for 19 days"
    for ask in (
        lambda: removed.log("r1", "t0", attempt=1),
        lambda: removed.log_tail("r1", "t0", 100, attempt=1),
        lambda: removed.log_lines("r1", "t0", 1, 1, attempt=1),
        lambda: removed.search_log("r1", "t0", "x", attempt=1),
        lambda: removed.log_file("r1", "t0", attempt=1),
    ):
        with pytest.raises(LogRemoved, match=sentence) as caught:
            ask()
        assert "headway retention" in (caught.value.hint or "")
    keep(removed, None)
    with pytest.raises(LogRemoved, match=r"removed on 2026-01-21\n"):
        removed.log("r1", "t0", attempt=1)


def test_what_stays_of_a_run_whose_logs_are_gone(removed: Client) -> None:
    assert removed.log("r1", "t0")[0] == b"still here\n"
    second, first = removed.instance("r1", "t0").history
    assert (second.log_removed_at, first.detail) == (None, "ValueError: no flights")
    assert first.log_removed_at == seed.NOON.replace(day=21)
    assert removed.rendered("r1", "t0", attempt=1).fields == []
    assert [found.text for found in removed.search_run("r1", "here")] == ["still here"]
    assert [found.attempt for found in removed.search_logs("here")] == [2]


def test_why_a_run_failed_is_told_without_its_log(removed: Client, conn: Session) -> None:
    conn.execute("DELETE FROM attempt WHERE number = 2")
    said = ["t0: ValueError: no flights (d.py:11)", "  the log was removed on 2026-01-21"]
    assert describe(removed, "r1", "t0", -1) == said
    (group,) = removed.diagnosis("r1").errors
    assert (group.first.detail, group.first.excerpt) == ("ValueError: no flights", None)
