"""Grants between teams: what one opens, what it does not, and its end."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest

from headway.store import api_login
from headway.store.transact import APP, Session, begun, connect, enter_team
from tests.api import people, seed
from tests.api.attacks import Watch
from tests.api.browser import API, Answer, Browser
from tests.api.described import document
from tests.api.stream import Listening, listening

MARKETING = {"Headway-Team": "marketing"}
IN_DEFAULT = {"Headway-Team": "default"}
SEE = {"grantee": "marketing", "name": "sales", "kind": "see_runs"}
START = {**SEE, "kind": "start"}


@pytest.fixture
def admin(url: str, owner_conn: Session) -> Browser:
    """The local admin, in a team with two DAGs; a second team is there."""
    for dag in ("sales", "salaries"):
        seed.dag(owner_conn, dag)
        seed.run(owner_conn, dag, f"{dag}-run", state="success")
        seed.instance(owner_conn, f"{dag}-run", "t0", "success")
    made = people.local(url).ask("POST", f"{API}/teams", {"name": "marketing"})
    assert made.status == 201, made.body
    return people.local(url)


def member(url: str, name: str, role: str) -> Browser:
    """Somebody in marketing who asks about the team default."""
    user = {"name": name, "role": role, "password": people.PASSWORD}
    assert people.local(url).ask("POST", f"{API}/users", user, MARKETING).status == 201
    browser = people.signed_in(url, name)
    browser.headers |= IN_DEFAULT
    return browser


def watching(url: str, guest: Browser) -> AbstractContextManager[Listening]:
    return listening(url, headers={"Cookie": guest.cookie or "", **IN_DEFAULT}, dag_id="sales")


@pytest.fixture
def ann(url: str, admin: Browser) -> Browser:
    return member(url, "ann", "operator")


def give(admin: Browser, body: dict[str, str] = SEE) -> str:
    answer = admin.ask("POST", f"{API}/grants", body)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def revoke(browser: Browser, grant_id: str, **headers: str) -> Answer:
    path = f"{API}/grants/{grant_id}"
    return browser.ask("PATCH", path, {"state": "revoked"}, headers or None)


def status(browser: Browser, method: str, path: str, body: Any = None) -> int:
    return browser.ask(method, f"{API}{path}", body).status


SEEN = ("/runs?dag_id=sales", "/runs/sales-run", "/runs/sales-run/tasks")
NOT_SEEN = (
    *("/runs", "/runs?dag_id=salaries", "/runs/salaries-run", "/runs/salaries-run/tasks"),
    *("/runs?dag_id=sales&dag_id=salaries", "/runs/sales-r", "/runs/@latest", "/runs/missing"),
    *("/runs?dag_id=sale", "/runs?q=sales", "/runs/sales-run/diff?with=sales-run"),
    *("/stream", "/stream?dag_id=salaries", "/stream?run_id=salaries-run"),
    *("/stream?dag_id=sales&run_id=salaries-run", "/stream?dag_id=sales&topics=run,pool"),
    *("/stream?dag_id=sales&topics=dag", "/stream?run_id=sales-run&task_id=t0&topics=log"),
)
OPEN = {"list_runs", "show_run", "list_tasks", "watch", "trigger"}
FILLED = {"dag_id": "sales", "run_id": "sales-run", "task_id": "t0", "version": "1", "number": "1"}


def operations() -> Iterator[tuple[str, str]]:
    """Every route that needs somebody, for the DAG of the grant wherever one can name a DAG."""
    for path, methods in document()["paths"].items():
        filled = re.sub(r"\{(\w+)\}", lambda name: FILLED.get(name[1], "x"), path)
        for method, operation in methods.items():
            if operation["operationId"] not in OPEN and operation.get("security") != [{}]:
                yield method.upper(), f"{filled}?dag_id=sales&run_id=sales-run"


def test_a_grant_opens_exactly_what_it_names(
    admin: Browser, ann: Browser, owner_conn: Session, watch: Watch
) -> None:
    (watch.team_id,) = owner_conn.execute(
        "SELECT team_id FROM team WHERE name = 'marketing'"
    ).fetchone() or (0,)
    for path in SEEN:
        with watch.attack() as told:
            answers = [
                ann.ask("GET", API + each) for each in (path, path.replace("sales", "zales"))
            ]
        assert (answers[0].status, answers[0].body) == (403, answers[1].body), path
        assert [(who, refused) for who, _, _, refused in told] == [("user:ann", 403)]
    give(admin)
    give(admin, START)
    for path in SEEN:
        assert status(ann, "GET", path) == 200, path
    listed = ann.ask("GET", f"{API}/runs?dag_id=sales").json["items"]
    assert [run["run_id"] for run in listed] == ["sales-run"]
    for path in NOT_SEEN:
        with watch.attack():
            answers = [
                ann.ask("GET", API + each, read=False)
                for each in (path, path.replace("salaries", "zalaries"))
            ]
        assert (answers[0].status, answers[0].body) == (403, answers[1].body), path
    asked = list(operations())
    assert len(asked) > 90
    for method, path in asked:
        with watch.attack():
            answer = ann.ask(method, path, None if method in ("GET", "DELETE") else {}, read=False)
        assert answer.status == 403, (method, path, answer)
        assert answer.json["detail"] == "no grant of the team default lets you do this", path


def test_only_members_with_the_verb_use_a_grant(url: str, admin: Browser, ann: Browser) -> None:
    give(admin, START)
    viewer = member(url, "bob", "viewer")
    assert status(viewer, "POST", "/dags/sales/runs", {}) == 403
    started = ann.ask("POST", f"{API}/dags/sales/runs", {})
    assert (started.status, started.json["dag_id"]) == (201, "sales")
    assert started.json["created_by"] == "user:ann"
    for path in SEEN:  # to start is not to see
        assert status(ann, "GET", path) == 403
    assert status(ann, "POST", "/dags/sales/runs", {"dry_run": True}) == 403
    assert status(ann, "POST", "/dags/salaries/runs", {}) == 403
    assert status(ann, "POST", "/dags/sales/runs/bulk", {"count": 2}) == 403
    people.create(url, "eve", "admin")  # of the owner's team: no guest of the other one
    eve = people.signed_in(url, "eve")
    assert eve.ask("GET", f"{API}/runs?dag_id=sales", headers=MARKETING).status == 403


def test_of_a_dag_that_is_gone_nothing_is_told(
    admin: Browser, ann: Browser, owner_conn: Session
) -> None:
    """Neither which other DAGs are called alike."""
    give(admin)
    give(admin, START)
    owner_conn.execute("UPDATE team_grant SET name = 'salarie'")
    for method, path in (("POST", "/dags/salarie/runs"), ("GET", "/runs?dag_id=salarie")):
        answer = ann.ask(method, f"{API}{path}", {} if method == "POST" else None)
        assert (answer.status, b"salaries" in answer.body) == (403, False)


def test_each_dag_has_its_own_grants(admin: Browser, ann: Browser) -> None:
    give(admin)
    give(admin, {**START, "name": "salaries"})
    assert status(ann, "GET", "/runs?dag_id=sales") == 200
    assert status(ann, "POST", "/dags/salaries/runs", {}) == 201
    assert status(ann, "POST", "/dags/sales/runs", {}) == 403
    assert status(ann, "GET", "/runs?dag_id=salaries") == 403
    assert status(ann, "GET", "/stream?dag_id=sales&run_id=salaries-run") == 403


def test_a_token_uses_what_its_verbs_allow(url: str, admin: Browser, ann: Browser) -> None:
    give(admin)
    for name, narrowed, expected in (
        ("all", {}, 200),
        ("triggers", {"verbs": ["run.trigger"]}, 403),
    ):
        asked: dict[str, Any] = {"name": name, "user": "ann", "role": "operator", **narrowed}
        made = admin.ask("POST", f"{API}/tokens", asked, MARKETING)
        assert made.status == 201, made.body
        program = people.bearer(url, made.json["token"])
        answer = program.ask("GET", f"{API}/runs?dag_id=sales", headers=IN_DEFAULT)
        assert answer.status == expected, name


def test_a_token_of_some_dags_is_no_guest(
    url: str, admin: Browser, ann: Browser, owner_conn: Session
) -> None:
    """Its DAGs are those of its own team, though one of the other team has the same name."""
    give(admin)
    asked = {"name": "t", "user": "ann", "role": "operator"}
    made = admin.ask("POST", f"{API}/tokens", asked, MARKETING)
    owner_conn.execute("UPDATE api_token SET dag_ids = '{sales}' WHERE name = 't'")
    program = people.bearer(url, made.json["token"])
    assert program.ask("GET", f"{API}/runs?dag_id=sales", headers=IN_DEFAULT).status == 403


def test_a_grant_that_is_taken_back_opens_nothing(url: str, admin: Browser, ann: Browser) -> None:
    grant = give(admin)
    with (
        watching(url, ann) as of_ann,
        listening(url) as of_admin,
    ):
        of_ann.next("ready")
        of_admin.next("ready")
        assert revoke(admin, grant).json["state"] == "revoked"
        assert list(of_ann.rest()) == []
        assert status(ann, "GET", "/runs?dag_id=sales") == 403
        assert status(ann, "GET", "/runs/sales-run") == 403
        assert admin.ask("PUT", f"{API}/pools/etl", {"slots": 3}).status == 200
        assert of_admin.next("pool").data["pools"]
    give(admin)
    assert status(ann, "GET", "/runs?dag_id=sales") == 200
    assert revoke(admin, grant, **MARKETING).status == 200  # handed back
    assert status(ann, "GET", "/runs?dag_id=sales") == 403


@pytest.mark.parametrize("end", ["disabled", "removed", "lapsed"])
def test_a_guests_stream_ends_with_what_opened_it(
    url: str, admin: Browser, ann: Browser, owner_conn: Session, end: str
) -> None:
    give(admin)
    with watching(url, ann) as stream:
        stream.next("ready")
        if end == "disabled":
            owner_conn.execute("UPDATE person SET disabled_at = now() WHERE name = 'ann'")
        elif end == "removed":
            owner_conn.execute("DELETE FROM membership WHERE role = 'operator'")
        else:
            owner_conn.execute("UPDATE membership SET lapses_at = now() WHERE role = 'operator'")
        assert list(stream.rest()) == []


def test_a_guests_stream_tells_of_the_dag(url: str, admin: Browser, ann: Browser) -> None:
    give(admin)
    with watching(url, ann) as stream:
        stream.next("ready")
        admin.ask("PUT", f"{API}/pools/etl", {"slots": 3})
        assert status(admin, "POST", "/dags/salaries/runs", {}) == 201
        assert status(admin, "POST", "/dags/sales/runs", {}) == 201
        said = stream.next()
        assert (said.event, said.data["dag_id"]) == ("run", "sales")


# -- asked for, given, refused


def ask_for(browser: Browser, **more: str) -> Answer:
    body = {"owner": "default", "name": "sales", "kind": "see_runs", "note": "please", **more}
    return browser.ask("POST", f"{API}/grants/requests", body, MARKETING)


def test_asked_for_and_given(admin: Browser, ann: Browser) -> None:
    asked = ask_for(admin)
    assert (asked.status, asked.json["state"], asked.json["note"]) == (201, "asked", "please")
    assert status(ann, "GET", "/runs?dag_id=sales") == 403
    grant = f"{API}/grants/{asked.json['id']}"
    # Whoever asks gives themselves nothing.
    assert admin.ask("PATCH", grant, {"state": "given"}, MARKETING).status == 409
    (seen,) = admin.ask("GET", f"{API}/grants").json["items"]
    assert (seen["state"], seen["grantee"], seen["changed_by"]) == (
        "asked",
        "marketing",
        "user:admin",
    )
    assert admin.ask("PATCH", grant, {"state": "refused"}).json["state"] == "refused"
    assert ask_for(admin).json["state"] == "asked"
    assert give(admin) == asked.json["id"]
    assert give(admin) == asked.json["id"]  # again: nothing new
    assert status(ann, "GET", "/runs?dag_id=sales") == 200
    assert ask_for(admin).status == 409
    assert admin.ask("PATCH", grant, {"state": "refused"}).status == 409
    assert admin.ask("PATCH", grant, {"state": "asked"}).status == 400
    there = admin.ask("GET", f"{API}/grants", headers=MARKETING).json["items"]
    assert [each["state"] for each in there] == ["given"]


def test_what_is_said_to_nobody_has_the_same_answer(admin: Browser) -> None:
    told = []
    for owner, dag in (("default", "sales"), ("default", "missing"), ("nobody", "sales")):
        answer = ask_for(admin, owner=owner, name=dag)
        body = answer.json
        told.append((answer.status, body["state"], sorted(body)))
        assert (body["owner"], body["name"]) == (owner, dag)
    assert told[0] == told[1] == told[2]
    given = [give(admin, {**SEE, "grantee": name}) for name in ("marketing", "nobody")]
    assert given[0] != given[1]
    assert admin.ask("POST", f"{API}/grants", {**SEE, "name": "missing"}).status == 404
    assert admin.ask("POST", f"{API}/grants", {**SEE, "grantee": "default"}).status == 400
    assert admin.ask("POST", f"{API}/grants", {**SEE, "grantee": "No Team"}).status == 400
    assert admin.ask("POST", f"{API}/grants", {**SEE, "kind": "use_dag"}).status == 400


def test_only_what_the_team_has_is_given(admin: Browser, owner_conn: Session) -> None:
    owner_conn.execute(
        "INSERT INTO asset SELECT team_id, asset, asset, '', '{}', now() FROM team"
        " CROSS JOIN unnest(ARRAY['orders', '@marketing/leads']) AS asset WHERE name = 'default'"
    )
    for kind, name, expected in (
        ("use_asset", "orders", 201),
        ("use_asset", "sales", 404),
        ("wait", "orders", 404),
        ("wait", "sales", 201),
        ("use_asset", "@marketing/leads", 400),
        ("wait", "@marketing/sales", 400),
    ):
        answer = admin.ask("POST", f"{API}/grants", {**SEE, "kind": kind, "name": name})
        assert answer.status == expected, (kind, name)


@pytest.mark.parametrize("kind", ["wait", "use_asset"])
def test_what_dags_use_opens_nothing_to_people(
    admin: Browser, ann: Browser, owner_conn: Session, kind: str
) -> None:
    give(admin)
    owner_conn.execute("UPDATE team_grant SET kind = %s", [kind])
    for path in (*SEEN, *NOT_SEEN, "/dags", "/assets"):
        missing = ann.ask("GET", f"{API}{path}", headers={"Headway-Team": "missing"}, read=False)
        answer = ann.ask("GET", f"{API}{path}", headers=IN_DEFAULT, read=False)
        assert answer.status == missing.status == 403, path


def test_both_teams_audits_tell(admin: Browser, ann: Browser) -> None:
    ask_for(admin)
    grant = give(admin, START)
    ann.ask("POST", f"{API}/dags/sales/runs", {})
    revoke(admin, grant)
    for headers, own, other in (
        (IN_DEFAULT, "grants.give_grant", "grants.asked"),
        (MARKETING, "grants.ask_for_grant", "grants.given"),
    ):
        entries = admin.ask("GET", f"{API}/audit?limit=20", headers=headers).json["items"]
        actions = {entry["action"] for entry in entries}
        assert {own, other, "dags.trigger"} <= actions, actions
        (triggered,) = [entry for entry in entries if entry["action"] == "dags.trigger"]
        assert triggered["detail"]["guest"] == {"team": "default", "of": "marketing"}
        assert triggered["actor"] == "user:ann"
        assert admin.ask("GET", f"{API}/audit/check", headers=headers).json["broken_at"] is None


def test_grants_end_with_their_teams(admin: Browser, owner_conn: Session) -> None:
    give(admin)
    ask_for(admin)
    assert status(admin, "DELETE", "/teams/marketing?confirm=marketing") == 200
    assert owner_conn.execute("SELECT FROM team_grant").fetchall() == []
    assert status(admin, "POST", "/teams", {"name": "marketing"}) == 201
    assert admin.ask("GET", f"{API}/grants", headers=MARKETING).json["items"] == []


def test_only_who_holds_a_verb_hands_it_on(url: str, admin: Browser) -> None:
    role = {"name": "sharer", "verbs": ["grant.manage", "run.read", "team.read", "dag.read"]}
    assert status(admin, "POST", "/roles", role) == 201
    people.create(url, "sam", "sharer")
    sam = people.signed_in(url, "sam")
    assert sam.ask("POST", f"{API}/grants", SEE).status == 201
    assert sam.ask("POST", f"{API}/grants", START).status == 403


# -- the wall beneath: what SQL of the API sees and writes


@pytest.fixture
def api(database: str, admin: Browser) -> Iterator[Session]:
    login = api_login.embedded(database, "sql")
    with connect(login.dsn, role=APP, prepare=False) as conn:
        login.settle(conn)
        yield conn


def run_in(conn: Session, team_id: int, statement: str) -> None:
    with begun(conn):
        enter_team(conn, team_id)
        conn.execute(statement.encode())


def test_sql_of_a_team_gives_it_nothing(api: Session, admin: Browser, owner_conn: Session) -> None:
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (7, 'third')")
    grant = ask_for(admin).json["id"]
    of = {}
    for name in ("default", "marketing", "third"):
        row = owner_conn.execute("SELECT team_id FROM team WHERE name = %s", [name]).fetchone()
        assert row is not None
        (of[name],) = row
    insert = (
        "INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, changed_by, changed_in)"
        " VALUES ('x', 'default', '{}', 'sales', 'start', '{}', 'me', '{}')"
    )
    for team, statement in (
        ("marketing", f"UPDATE team_grant SET state = 'given' WHERE grant_id = '{grant}'"),
        ("marketing", "UPDATE team_grant SET state = 'given'"),
        ("marketing", insert.format("marketing", "given", "marketing")),
        ("third", insert.format("marketing", "asked", "third")),
        ("marketing", "UPDATE team_grant SET owner = 'marketing'"),
        ("marketing", "DELETE FROM team_grant"),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run_in(api, of[team], statement)
    with begun(api):
        assert api.execute("SELECT FROM team_grant").fetchall() == []
        enter_team(api, of["third"])
        assert api.execute("SELECT FROM team_grant").fetchall() == []
        assert api.execute("UPDATE team_grant SET state = 'revoked'").rowcount == 0
