"""Roles of a team's own, tokens with a scope, service accounts: nobody rises by any of them."""

from typing import Any

import psycopg
import pytest

from headway.core.roles import BUILT_IN, Role, Verb
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.attacks import Watch
from tests.api.browser import API, Answer, Browser


def define(browser: Browser, name: str, *verbs: str) -> Answer:
    return browser.ask("POST", f"{API}/roles", {"name": name, "verbs": verbs})


def token_of(browser: Browser, **asked: Any) -> Answer:
    return browser.ask("POST", f"{API}/tokens", {"name": "t", **asked})


def status(browser: Browser, method: str, path: str, body: Any = None) -> int:
    return browser.ask(method, f"{API}{path}", body).status


@pytest.fixture
def admin(url: str) -> Browser:
    return people.local(url)


@pytest.fixture
def runs(conn: Session) -> None:
    for dag_id in ("dag_a", "dag_attacker"):
        seed.dag(conn, dag_id)
        seed.run(conn, dag_id, f"{dag_id}-run", state="failed")
        seed.instance(conn, f"{dag_id}-run", "t0", "failed")
        seed.attempt(conn, f"{dag_id}-run", "t0")


# -- roles of a team's own


def test_a_role_allows_its_verbs_and_no_more(url: str, admin: Browser, runs: None) -> None:
    assert define(admin, "triage", "run.read", "run.clear").status == 201
    people.create(url, "ann", "triage")
    ann = people.signed_in(url, "ann")
    shown = ann.ask("GET", f"{API}/session").json
    assert (shown["role"], shown["verbs"]) == ("triage", ["run.clear", "run.read"])
    assert status(ann, "GET", "/runs") == 200
    assert status(ann, "POST", "/runs/dag_a-run/clear", {"dry_run": True}) == 200
    for method, path in (
        ("POST", "/runs/dag_a-run/cancel"),
        ("GET", "/dags"),
        ("GET", "/runs/dag_a-run/task-instances/t0/logs"),
        ("GET", "/runs/dag_a-run/xcoms"),
        ("GET", "/metrics"),
        ("GET", "/users"),
        ("GET", "/stream?run_id=dag_a-run&task_id=t0&topics=log"),
    ):
        refused = ann.ask(method, f"{API}{path}", {} if method == "POST" else None)
        assert refused.status == 403, path
    assert "run.cancel" in ann.ask("POST", f"{API}/runs/dag_a-run/cancel", {}).json["detail"]


def test_a_backfill_that_runs_dates_again_needs_the_right_to_clear(
    url: str, admin: Browser, runs: None
) -> None:
    define(admin, "filler", "run.backfill")
    people.create(url, "ann", "filler")
    ann = people.signed_in(url, "ann")
    dates = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "dry_run": True}
    path = "/dags/dag_a/backfills"
    assert status(ann, "POST", path, dates) == 201
    refused = ann.ask("POST", f"{API}{path}", {**dates, "again": "all"})
    assert (refused.status, "run.clear" in refused.json["detail"]) == (403, True)


def test_a_change_of_a_role_is_felt_at_once(url: str, admin: Browser, runs: None) -> None:
    define(admin, "triage", "run.read", "run.clear")
    people.create(url, "ann", "triage")
    ann = people.signed_in(url, "ann")
    changed = admin.ask("PATCH", f"{API}/roles/triage", {"verbs": ["run.clear"]})
    assert changed.json["verbs"] == ["run.clear"]
    assert status(ann, "GET", "/runs") == 403
    assert status(admin, "DELETE", "/roles/triage") == 409
    admin.ask("PATCH", f"{API}/users/ann", {"role": "viewer"})
    assert status(admin, "DELETE", "/roles/triage") == 200
    entry = admin.ask("GET", f"{API}/audit?action=roles.change_role").json["items"][0]
    assert entry["detail"]["before"]["verbs"] == ["run.clear", "run.read"]
    assert entry["detail"]["after"]["verbs"] == ["run.clear"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "admin", "verbs": ["run.read"]},
        {"name": "Triage", "verbs": ["run.read"]},
        {"name": "x", "verbs": []},
        {"name": "x", "verbs": ["run.reed"]},
        {"name": "x", "verbs": ["run.read"], "team_id": 2},
    ],
)
def test_a_strange_role_is_refused(admin: Browser, body: dict[str, Any]) -> None:
    assert status(admin, "POST", "/roles", body) in (400, 409)


def test_an_unknown_role_is_refused_with_those_there_are(admin: Browser) -> None:
    answer = admin.ask("POST", f"{API}/users", {"name": "ann", "role": "operatr"})
    assert answer.status == 400
    assert "operator" in answer.json["hint"]


# -- XB9: nobody hands on what they do not hold


@pytest.fixture
def manager(url: str, admin: Browser) -> Browser:
    """May look after people, roles and tokens, and read runs; more they may not."""
    verbs = ["run.read", "member.read", "member.manage", "role.manage", "token.manage"]
    assert define(admin, "manager", *verbs).status == 201
    assert define(admin, "reader", "run.read").status == 201
    people.create(url, "mia", "manager")
    people.create(url, "boss", "admin")
    return people.signed_in(url, "mia")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/roles", {"name": "mine", "verbs": ["run.read", "run.clear"]}),
        ("PATCH", "/roles/reader", {"verbs": ["audit.read"]}),
        ("PATCH", "/roles/manager", {"verbs": sorted(Verb)}),
        ("POST", "/users", {"name": "eve", "role": "admin"}),
        ("POST", "/users", {"name": "eve", "role": "viewer"}),
        ("POST", "/members", {"name": "boss", "role": "operator"}),
        ("PATCH", "/users/mia", {"role": "admin"}),
        ("PATCH", "/users/boss", {"role": "reader"}),
        ("PATCH", "/users/boss", {"disabled": True}),
        ("DELETE", "/members/boss", None),
        ("PUT", "/users/boss/password", {"password": "a wholly new password"}),
        ("POST", "/login-links", {"user": "boss"}),
        ("POST", "/login-links", {"user": "admin"}),
        ("POST", "/tokens", {"name": "t", "user": "boss", "role": "reader"}),
        ("POST", "/tokens", {"name": "t", "role": "admin"}),
        ("POST", "/service-accounts", {"name": "ci", "role": "operator"}),
    ],
)
def test_nobody_rises(
    manager: Browser,
    owner_conn: Session,
    watch: Watch,
    method: str,
    path: str,
    body: dict[str, Any] | None,
) -> None:
    tokens = "SELECT token_id FROM api_token ORDER BY 1"
    before = owner_conn.execute(tokens).fetchall()
    with watch.attack() as told:
        assert status(manager, method, path, body) == 403
    ((who, action, _, refused),) = told
    assert (who, action, refused) == ("user:mia", "access.refused", 403)
    assert owner_conn.execute(tokens).fetchall() == before


def test_what_one_holds_one_may_hand_on(manager: Browser) -> None:
    assert define(manager, "looker", "run.read").status == 201
    assert status(manager, "POST", "/users", {"name": "eve", "role": "looker"}) == 201
    assert status(manager, "POST", "/login-links", {"user": "eve"}) == 201
    assert status(manager, "DELETE", "/members/eve") == 200


def test_a_team_admin_becomes_no_platform_admin(url: str, admin: Browser, watch: Watch) -> None:
    people.create(url, "tom", "admin")
    tom = people.signed_in(url, "tom")
    for method, path, body in (
        ("PUT", "/users/admin/password", {"password": "a wholly new password"}),
        ("POST", "/login-links", {"user": "admin"}),
        ("POST", "/tokens", {"name": "t", "user": "admin", "role": "admin"}),
        ("PATCH", "/users/admin", {"display_name": "x"}),
    ):
        with watch.attack():
            assert status(tom, method, path, body) == 403, path
    assert admin.ask("GET", f"{API}/session").json["is_platform_admin"] is True
    assert tom.ask("GET", f"{API}/session").json["is_platform_admin"] is False


def test_a_disabled_admin_is_no_way_up(
    url: str, admin: Browser, manager: Browser, watch: Watch
) -> None:
    assert status(admin, "PATCH", "/users/boss", {"disabled": True}) == 200
    for method, path, body in (
        ("PUT", "/users/boss/password", {"password": "a wholly new password"}),
        ("POST", "/login-links", {"user": "boss"}),
        ("PATCH", "/users/boss", {"disabled": False}),
    ):
        with watch.attack():
            assert status(manager, method, path, body) == 403, path


def test_roles_end_with_their_team(admin: Browser, owner_conn: Session) -> None:
    there = {"Headway-Team": "marketing"}
    admin.ask("POST", f"{API}/teams", {"name": "marketing"})
    role = {"name": "triage", "verbs": ["run.read"]}
    assert admin.ask("POST", f"{API}/roles", role, headers=there).status == 201
    user = {"name": "eve", "role": "triage", "password": people.PASSWORD}
    assert admin.ask("POST", f"{API}/users", user, headers=there).status == 201
    assert admin.ask("DELETE", f"{API}/teams/marketing?confirm=marketing").status == 200
    assert owner_conn.execute("SELECT FROM team_role").fetchall() == []


# -- tokens with a scope


def test_a_token_of_some_verbs(url: str, admin: Browser, runs: None) -> None:
    made = token_of(admin, role="operator", verbs=["run.read", "run.clear"])
    assert made.json["verbs"] == ["run.clear", "run.read"]
    program = people.bearer(url, made.json["token"])
    assert status(program, "GET", "/runs") == 200
    assert status(program, "POST", "/runs/dag_a-run/clear", {"dry_run": True}) == 200
    assert status(program, "POST", "/runs/dag_a-run/cancel", {}) == 403
    assert status(program, "GET", "/dags") == 403
    assert token_of(program, name="more", role="viewer", expires_in_days=1).status == 403
    assert token_of(program, name="same", expires_in_days=1).status == 403
    lesser = token_of(program, name="less", role="viewer", verbs=["run.read"], expires_in_days=1)
    assert lesser.status == 201
    assert program.ask("GET", f"{API}/session").json["is_platform_admin"] is False


def test_a_token_cannot_have_verbs_beyond_its_role(admin: Browser) -> None:
    answer = token_of(admin, role="viewer", verbs=["run.clear"])
    assert (answer.status, answer.json["hint"]) == (400, "choose a higher role for the token")


def test_a_token_has_no_more_than_its_owner_now(url: str, admin: Browser) -> None:
    define(admin, "reader", "run.read")
    people.create(url, "ann", "operator")
    program = people.bearer(url, people.token(url, "ann", "operator"))
    assert status(program, "GET", "/pools") == 200
    admin.ask("PATCH", f"{API}/users/ann", {"role": "reader"})
    assert status(program, "GET", "/pools") == 403
    assert program.ask("GET", f"{API}/session").json["verbs"] == ["run.read"]


# -- XB14: a token for one DAG is not for one whose name begins alike


def test_a_token_of_one_dag(url: str, admin: Browser, runs: None, watch: Watch) -> None:
    assert token_of(admin, dag_ids=["dag_missing"]).status == 404
    made = token_of(admin, role="operator", dag_ids=["dag_a"]).json
    program = people.bearer(url, made["token"])
    for good in (
        "/dags/dag_a",
        "/runs?dag_id=dag_a",
        "/runs/dag_a-run",
        "/runs/dag_a-ru/tasks",
        "/runs/dag_a-run/diff?with=dag_a-run",
        "/session",
    ):
        assert status(program, "GET", good) == 200, good
    for bad in (
        *("/dags/dag_attacker", "/dags/DAG_A", "/dags/dag_", "/dags/dag_a%20", "/dags", "/runs"),
        *("/runs?dag_id=dag_attacker", "/runs?dag_id=dag_a&dag_id=dag_attacker"),
        *("/runs/dag_attacker-run", "/runs/dag_a-run/diff?with=dag_attacker-run"),
        *("/pools?dag_id=dag_a", "/metrics?run_id=dag_a-run", "/search?q=dag&dag_id=dag_a"),
        *("/tokens", "/events", "/runs/missing", "/overview?with=dag_a-run"),
        "/runs/dag_a-run/tasks?with=dag_attacker-run",
    ):
        with watch.attack():
            answers = [
                program.ask("GET", API + path)
                for path in (bad, bad.replace("dag_attacker", "dag_attackez"))
            ]
        assert (answers[0].status, answers[0].body) == (403, answers[1].body), bad
    assert status(program, "POST", "/dags/dag_a/runs", {}) == 201
    with watch.attack() as told:
        assert status(program, "POST", "/dags/dag_attacker/runs", {}) == 403
        assert status(program, "POST", "/dags/dag_attackez/runs", {}) == 403
    assert told == [("user:admin", "access.refused", f"POST {API}/dags/{{dag_id}}/runs", 403)]
    assert token_of(program, name="wide", expires_in_days=1).status == 403


# -- service accounts


def test_a_service_account_has_tokens_and_no_other_way_in(
    url: str, admin: Browser, owner_conn: Session
) -> None:
    made = admin.ask("POST", f"{API}/service-accounts", {"name": "ci", "role": "operator"})
    assert made.status == 201
    assert (made.json["name"], made.json["is_service"]) == ("ci@default", True)
    token = token_of(admin, user="ci@default", role="operator").json["token"]
    program = people.bearer(url, token)
    assert program.ask("GET", f"{API}/session").json["user"]["name"] == "ci@default"
    assert status(admin, "POST", "/login-links", {"user": "ci@default"}) == 400
    password = {"password": "a wholly new password"}
    assert status(admin, "PUT", "/users/ci@default/password", password) == 400
    assert Browser(url).sign_in("ci@default", password["password"]).status == 401
    with pytest.raises(psycopg.errors.CheckViolation):
        owner_conn.execute(
            "INSERT INTO browser_session (team_id, session_id, person_id, hash, expires_at, address)"
            " SELECT team_id, 's', person_id, 'h', now(), '' FROM person WHERE is_service"
        )
    assert status(admin, "PATCH", "/users/ci@default", {"disabled": True}) == 200
    assert status(program, "GET", "/session") == 401


def test_a_service_account_is_of_one_team(url: str, admin: Browser, owner_conn: Session) -> None:
    admin.ask("POST", f"{API}/service-accounts", {"name": "ci", "role": "viewer"})
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'two')")
    owner_conn.execute(
        "INSERT INTO membership (team_id, person_id, role, created_by)"
        " SELECT 2, person_id, 'admin', 'me' FROM person WHERE name = 'admin'"
    )
    headers = {"Headway-Team": "two"}
    asked = {"name": "ci@default", "role": "viewer"}
    answer = admin.ask("POST", f"{API}/members", asked, headers)
    assert answer.status == 404
    again = admin.ask("POST", f"{API}/service-accounts", {"name": "ci", "role": "viewer"}, headers)
    assert again.json["name"] == "ci@two"


def test_the_roles_that_are_there(admin: Browser) -> None:
    define(admin, "triage", "run.read")
    listed = admin.ask("GET", f"{API}/roles").json["items"]
    assert [each["name"] for each in listed] == [*Role, "triage"]
    assert [set(each["verbs"]) for each in listed[:4]] == [set(BUILT_IN[role]) for role in Role]
