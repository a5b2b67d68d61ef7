"""Who asked for what: complete, without secrets, and never changed."""

import pytest

from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import API, Browser


@pytest.fixture
def admin(url: str) -> Browser:
    return people.local(url)


def entries(admin: Browser, query: str = "") -> list[tuple[str, str, str]]:
    items = admin.ask("GET", f"{API}/audit{query}").json["items"]
    return [(each["actor"], each["action"], each["subject"]) for each in items]


def test_everything_that_changed_something_is_there(
    admin: Browser, url: str, conn: Session
) -> None:
    seed.dag(conn, "d")
    people.create(url, "ann", "operator")
    ann = people.signed_in(url, "ann")
    run = ann.ask("POST", f"{API}/dags/d/runs", {"params": {"size": 5}}).json["run_id"]
    ann.ask("POST", f"{API}/runs/{run}/cancel")
    ann.ask("POST", f"{API}/dags/d/pause")
    ann.ask("GET", f"{API}/runs")
    admin.ask("PUT", f"{API}/pools/etl", {"slots": 3})
    assert entries(admin) == [
        ("user:admin", "pools.set_pool", "etl"),
        ("user:ann", "dags.pause", "d"),
        ("user:ann", "runs.cancel", run),
        ("user:ann", "dags.trigger", "d"),
        ("user:ann", "session.sign_in", "ann"),
        ("user:admin", "users.create_user", ""),
    ]
    assert entries(admin, "?actor=user:ann&action=dags.pause") == [("user:ann", "dags.pause", "d")]
    detail = admin.ask("GET", f"{API}/audit?action=dags.trigger").json["items"][0]
    assert detail["detail"] == {"body": {"params": {"size": 5}}}
    assert (detail["via"], detail["address"]) == ("session", "127.0.0.1")


def test_what_was_refused_or_failed_leaves_nothing_but_failed_sign_ins_do(
    admin: Browser, url: str, conn: Session
) -> None:
    people.create(url, "ann", "viewer")
    ann = people.signed_in(url, "ann")
    before = len(entries(admin))
    assert ann.ask("PUT", f"{API}/pools/etl", {"slots": 3}).status == 403
    assert admin.ask("DELETE", f"{API}/pools/none").status == 404
    assert len(entries(admin)) == before
    Browser(url).sign_in("ann", "not the password")
    Browser(url).sign_in("nobody\nuser:admin", "not the password")
    assert entries(admin)[:2] == [
        ("nobody", "session.refused", "nobody\nuser:admin"),
        ("nobody", "session.refused", "ann"),
    ]


def test_it_holds_no_secret(admin: Browser, url: str) -> None:
    people.create(url, "ann", "viewer")
    token = people.token(url, "ann", "viewer")
    ann = people.signed_in(url, "ann")
    own = {"password": "a wholly new password", "current": people.PASSWORD}
    assert ann.ask("PUT", f"{API}/users/ann/password", own).status == 204
    link = admin.ask("POST", f"{API}/login-links", {}).json["url"].partition("#")[2]
    told = admin.ask("GET", f"{API}/audit").body.decode()
    for secret in (people.PASSWORD, own["password"], token, link):
        assert secret not in told
    assert "***" in told


def test_a_change_of_a_user_tells_before_and_after(admin: Browser, url: str) -> None:
    people.create(url, "ann", "viewer")
    admin.ask("PATCH", f"{API}/users/ann", {"role": "author"})
    detail = admin.ask("GET", f"{API}/audit").json["items"][0]["detail"]
    assert (detail["before"]["role"], detail["after"]["role"]) == ("viewer", "author")


@pytest.mark.parametrize(
    ("tampering", "broken_at"),
    [
        ("SELECT", None),
        ("UPDATE audit SET actor = 'user:eve' WHERE seq = 3", 3),
        ("UPDATE audit SET at = at - interval '1 day' WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 3", 4),
        ("DELETE FROM audit WHERE seq = 1", 2),
    ],
)
def test_who_changes_it_as_a_superuser_is_found_out(
    admin: Browser, url: str, owner_conn: Session, tampering: str, broken_at: int | None
) -> None:
    for n in range(5):
        people.create(url, f"user{n}", "viewer")
    owner_conn.execute(tampering.encode())
    check = admin.ask("GET", f"{API}/audit/check").json
    assert (check["intact"], check["broken_at"]) == (broken_at is None, broken_at)
