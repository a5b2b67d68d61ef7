"""Signing in by password and by link, staying signed in, and leaving."""

import pytest

from headway.store.transact import Session
from tests.api import seed
from tests.api.attacks import Watch
from tests.api.browser import API, Browser
from tests.api.conftest import TOKEN

PASSWORD = "correct horse battery"
LOCAL = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def admin(url: str) -> Browser:
    """With the token of the data directory."""
    return Browser(url, headers=LOCAL)


@pytest.fixture
def ann(admin: Browser, url: str) -> Browser:
    """An operator, signed in."""
    user = {"name": "ann", "display_name": "Ann A.", "role": "operator", "password": PASSWORD}
    assert admin.ask("POST", f"{API}/users", user).status == 201
    ann = Browser(url)
    assert ann.sign_in("ann", PASSWORD).status == 200
    return ann


def test_who_signs_in_is_told_who_they_are(ann: Browser, url: str) -> None:
    fresh = Browser(url)
    answer = fresh.sign_in("ann", PASSWORD)
    assert answer.json["user"] == {"name": "ann", "display_name": "Ann A."}
    assert (answer.json["team"], answer.json["role"]) == ("default", "operator")
    assert answer.json["teams"] == [{"name": "default", "role": "operator"}]
    assert answer.json == fresh.ask("GET", f"{API}/session").json
    assert fresh.cookie != ann.cookie


def test_the_cookie_is_for_nobody_but_our_pages(ann: Browser, url: str) -> None:
    given = Browser(url).sign_in("ann", PASSWORD).headers["set-cookie"]
    words = {word.strip().lower() for word in given.split(";")[1:]}
    assert {"httponly", "path=/", "samesite=strict"} <= words
    assert not any(word.startswith("domain") for word in words)
    assert given.startswith("headway_session=")


def test_what_does_not_fit_is_answered_alike(ann: Browser, url: str, watch: Watch) -> None:
    wrong = [("ann", "wrong password"), ("bob", PASSWORD), ("admin", ""), ("*)(uid=*", PASSWORD)]
    with watch.attack(entries=4) as told:
        answers = [Browser(url).sign_in(*pair) for pair in wrong]
    assert told == [("nobody", "session.refused", name, None) for name, _ in wrong]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_who_signs_out_is_out(ann: Browser, url: str, watch: Watch) -> None:
    kept = Browser(url, cookie=ann.cookie)
    assert ann.ask("DELETE", f"{API}/session").status == 200
    assert ann.ask("GET", f"{API}/session").status == 401
    with watch.attack() as told:
        assert kept.ask("GET", f"{API}/session").status == 401
        gone, never = (
            browser.ask("POST", f"{API}/dags/none/pause") for browser in (kept, Browser(url, "x=y"))
        )
        assert (gone.status, gone.body) == (401, never.body)
    assert told == [("nobody", "access.refused", "any request", 401)]


def test_a_session_ends_by_time_and_by_idleness(
    ann: Browser, url: str, owner_conn: Session
) -> None:
    other = Browser(url)
    other.sign_in("ann", PASSWORD)
    owner_conn.execute(
        "UPDATE browser_session SET used_at = now() - interval '13 hours'"
        " WHERE created_at = (SELECT min(created_at) FROM browser_session)"
    )
    assert ann.ask("GET", f"{API}/session").status == 401
    assert other.ask("GET", f"{API}/session").status == 200
    owner_conn.execute("UPDATE browser_session SET expires_at = now()")
    assert other.ask("GET", f"{API}/session").status == 401


def test_a_session_that_is_used_does_not_become_idle(ann: Browser, owner_conn: Session) -> None:
    owner_conn.execute("UPDATE browser_session SET used_at = now() - interval '11 hours'")
    assert ann.ask("GET", f"{API}/session").status == 200
    (fresh,) = owner_conn.execute(
        "SELECT used_at > now() - interval '1 minute' FROM browser_session"
    ).fetchone() or (None,)
    assert fresh


def test_a_link_signs_in_once(admin: Browser, url: str, owner_conn: Session, watch: Watch) -> None:
    link = admin.ask("POST", f"{API}/login-links", {}).json["url"]
    assert link.startswith(f"{url}/login#")
    first, second = Browser(url), Browser(url)
    assert first.sign_in_by(link).json["role"] == "admin"
    assert first.ask("GET", f"{API}/users").status == 200
    with watch.attack() as told:
        assert second.sign_in_by(link).status == 401
    assert told == [("nobody", "session.refused", "", None)]
    old = admin.ask("POST", f"{API}/login-links", {}).json["url"]
    owner_conn.execute("UPDATE login_link SET expires_at = now()")
    assert second.sign_in_by(old).status == 401
    assert second.sign_in_by(f"{url}/login#").status == 401


def test_an_invitation_lets_somebody_in_without_a_password(admin: Browser, url: str) -> None:
    admin.ask("POST", f"{API}/users", {"name": "new", "role": "viewer"})
    link = admin.ask("POST", f"{API}/login-links", {"user": "new"}).json["url"]
    new = Browser(url)
    assert new.sign_in_by(link).json["user"]["name"] == "new"
    own = f"{API}/users/new/password"
    assert new.ask("PUT", own, {"password": PASSWORD}).status == 204
    assert Browser(url).sign_in("new", PASSWORD).status == 200


def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(
    ann: Browser, url: str
) -> None:
    elsewhere = Browser(url)
    elsewhere.sign_in("ann", PASSWORD)
    own, new = f"{API}/users/ann/password", "another long password"
    assert ann.ask("PUT", own, {"password": new}).status == 403
    assert ann.ask("PUT", own, {"password": new, "current": "wrong"}).status == 403
    assert ann.ask("PUT", own, {"password": "short", "current": PASSWORD}).status == 400
    assert ann.ask("PUT", own, {"password": new, "current": PASSWORD}).status == 204
    assert ann.ask("GET", f"{API}/session").status == 200
    assert elsewhere.ask("GET", f"{API}/session").status == 401
    assert Browser(url).sign_in("ann", PASSWORD).status == 401
    assert Browser(url).sign_in("ann", new).status == 200


def test_who_guesses_their_own_password_keeps_nobody_from_theirs(
    ann: Browser, admin: Browser, url: str
) -> None:
    user = {"name": "bob", "role": "viewer", "password": PASSWORD}
    assert admin.ask("POST", f"{API}/users", user).status == 201
    bob = Browser(url)
    assert bob.sign_in("bob", PASSWORD).status == 200
    guess = {"password": "another long password", "current": "wrong"}
    found = [ann.ask("PUT", f"{API}/users/ann/password", guess).status for _ in range(60)]
    assert found[:5] == [403] * 5
    assert set(found) == {403, 429}
    right = {"password": "another long password", "current": PASSWORD}
    assert bob.ask("PUT", f"{API}/users/bob/password", right).status == 204


def test_who_is_disabled_is_out_at_once(ann: Browser, admin: Browser, url: str) -> None:
    token = ann.ask("POST", f"{API}/tokens", {"name": "ci"}).json["token"]
    program = Browser(url, headers={"Authorization": f"Bearer {token}"})
    assert program.ask("GET", f"{API}/session").status == 200
    assert admin.ask("PATCH", f"{API}/users/ann", {"disabled": True}).status == 200
    assert ann.ask("GET", f"{API}/session").status == 401
    assert program.ask("GET", f"{API}/session").status == 401
    assert Browser(url).sign_in("ann", PASSWORD).status == 401
    assert admin.ask("PATCH", f"{API}/users/ann", {"disabled": False}).status == 200
    assert Browser(url).sign_in("ann", PASSWORD).status == 200


def test_a_role_that_is_taken_away_is_gone_at_once(
    ann: Browser, admin: Browser, conn: Session, watch: Watch
) -> None:
    seed.dag(conn, "d")
    pause = f"{API}/dags/{{}}/pause".format
    assert ann.ask("POST", pause("none")).status == 404
    admin.ask("PATCH", f"{API}/users/ann", {"role": "viewer"})
    with watch.attack() as told:
        answers = [ann.ask("POST", pause(dag_id)) for dag_id in ("d", "none")]
    assert answers[0].status == 403
    assert answers[0].body == answers[1].body
    assert told == [("user:ann", "access.refused", f"POST {pause('{dag_id}')}", 403)]
