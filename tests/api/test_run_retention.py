"""For how long a team keeps its runs: shown to all, changed by admins."""

from datetime import timedelta
from typing import Any

import pytest

from headway import wire
from headway.client import Client
from headway.core.roles import Role
from headway.errors import UsageError
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import API

ROUTE = f"{API}/run-retention"


def keep(client: Client, days: int | None, *, dry_run: bool = False) -> wire.RunRetention:
    return client.set_run_retention(wire.RunRetentionRequest(days=days, dry_run=dry_run))


def test_a_team_says_for_how_long_and_takes_it_back(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.run_retention() == wire.RunRetention(
        days=None, default_days=90, effective_days=90, removes=0
    )
    assert keep(client, 30).effective_days == 30
    assert client.run_retention().days == 30
    assert client.log_retention().run_days == 30
    monkeypatch.setenv("HEADWAY_RETENTION_DAYS", "7.5")
    assert keep(client, None) == wire.RunRetention(
        days=None, default_days=7.5, effective_days=7.5, removes=0
    )


def test_a_dry_run_counts_what_would_be_removed_and_changes_nothing(
    client: Client, conn: Session
) -> None:
    seed.dag(conn, "d")
    for run_id, days in (("young", 5), ("old", 20), ("older", 40)):
        seed.run(conn, "d", run_id, state="success")
        conn.execute(
            "UPDATE run SET ended_at = now() - %s WHERE run_id = %s", [timedelta(days=days), run_id]
        )
    seed.run(conn, "d", "live")
    told = keep(client, 30, dry_run=True)
    assert (told.days, told.effective_days, told.removes) == (30, 30, 1)
    assert keep(client, 10, dry_run=True).removes == 2
    assert (client.run_retention().days, client.run_retention().removes) == (None, 0)
    assert (
        client.audit(1)[0].words
        == "previewed, without a change: set how long runs are kept to 10 days"
    )


@pytest.mark.parametrize("days", [0, -1, 6, 36_501, 2**31, 2**63])
def test_a_number_of_days_that_makes_no_sense_is_refused(client: Client, days: int) -> None:
    with pytest.raises(UsageError):
        keep(client, days)
    assert client.run_retention().days is None


@pytest.mark.parametrize("body", [{"days": "ten"}, {"days": 7.5}, {"days": 30, "more": 1}])
def test_another_body_is_refused(url: str, body: dict[str, Any]) -> None:
    assert people.local(url).ask("PUT", ROUTE, body).status == 400


def test_a_viewer_sees_it_and_only_an_admin_changes_it(url: str) -> None:
    for role in people.ROLES:
        people.create(url, f"some-{role}", role)
        browser = people.signed_in(url, f"some-{role}")
        assert browser.ask("GET", ROUTE).status == 200
        expected = 200 if role == Role.ADMIN else 403
        assert browser.ask("PUT", ROUTE, {"days": 30}).status == expected


def test_the_audit_tells_before_and_after(client: Client) -> None:
    keep(client, 30)
    keep(client, None)
    (entry,) = client.audit(1)
    assert (entry.action, entry.words) == (
        "run_retention.set_run_retention",
        "set how long runs are kept to the default",
    )
    assert (entry.detail["before"], entry.detail["after"]) == ({"days": 30}, {"days": None})
