"""Teams over the API: a platform admin creates, changes and deletes them, and nobody else."""

import pytest

from headway.store.transact import Session
from tests.api import people, seed
from tests.api.attacks import Watch
from tests.api.browser import API, Browser


@pytest.fixture
def admin(url: str) -> Browser:
    """The local admin, who is a platform admin."""
    return people.local(url)


def audited(owner_conn: Session, action: str) -> list[str]:
    return [
        name
        for (name,) in owner_conn.execute(
            "SELECT team.name FROM audit JOIN team USING (team_id) WHERE action = %s ORDER BY 1",
            [action],
        )
    ]


def test_a_team_has_all_that_it_needs_at_once(admin: Browser, owner_conn: Session) -> None:
    asked = {"name": "marketing", "slots": 40, "weight": 2, "title": "Marketing"}
    made = admin.ask("POST", f"{API}/teams", asked)
    assert made.status == 201, made.json
    token = made.json["agent_token"]
    assert (made.json["created"], token[:4]) == (True, "hwa_")
    assert (made.json["slots"], made.json["weight"], made.json["members"]) == (40, 2.0, 1)
    there = {"Headway-Team": "marketing"}
    assert admin.ask("GET", f"{API}/session", headers=there).json["role"] == "admin"
    (pool,) = admin.ask("GET", f"{API}/pools", headers=there).json["items"]
    assert (pool["name"], pool["slots"]) == ("default", 128)
    (agents,) = admin.ask("GET", f"{API}/tokens", headers=there).json["items"]
    assert agents["scope"] == "agent"
    assert audited(owner_conn, "teams.create_team") == ["default", "marketing"]
    told = owner_conn.execute("SELECT detail::text FROM audit").fetchall()
    assert token not in str(told)


def test_a_second_call_changes_nothing(admin: Browser) -> None:
    asked = {"name": "marketing", "slots": 40}
    admin.ask("POST", f"{API}/teams", asked)
    for again in (asked, {"name": "marketing"}):
        answer = admin.ask("POST", f"{API}/teams", again)
        assert (answer.json["created"], answer.json["agent_token"]) == (False, None)
        assert answer.json["slots"] == 40
    other = admin.ask("POST", f"{API}/teams", {**asked, "slots": 41})
    assert other.status == 409
    assert "slots is 40, not 41" in other.json["detail"]
    assert other.json["hint"] == "to change them: headway team set marketing"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"name": "Marketing"}, "is not a valid team name"),
        ({"name": "a_b"}, "is not a valid team name"),
        ({"name": "../x"}, "is not a valid team name"),
        ({"name": "mаrketing"}, "is not a valid team name"),  # a Cyrillic letter
        ({"name": "x" * 41}, "is not a valid team name"),
        ({"name": "all"}, "is reserved"),
        ({"name": "a", "slots": -1}, "slots must be 0 to"),
        ({"name": "a", "slots": 2**31}, "slots must be 0 to"),
        ({"name": "a", "weight": 0}, "a weight must be above 0"),
        ({"name": "a", "weight": 1001}, "a weight must be above 0 and at most 1000"),
        ({"name": "a", "title": ""}, "a title must have 1 to 100"),
    ],
)
def test_what_a_team_cannot_be(admin: Browser, asked: dict[str, object], said: str) -> None:
    answer = admin.ask("POST", f"{API}/teams", asked)
    assert (answer.status, said in answer.json["detail"]) == (400, True), answer.json
    assert [team["name"] for team in admin.ask("GET", f"{API}/teams").json["items"]] == ["default"]


def test_settings_are_changed_one_by_one(admin: Browser) -> None:
    admin.ask("POST", f"{API}/teams", {"name": "marketing", "slots": 40, "weight": 2})
    path = f"{API}/teams/marketing"
    changed = admin.ask("PATCH", path, {"weight": 0.5}).json
    assert (changed["slots"], changed["weight"]) == (40, 0.5)
    reset = admin.ask("PATCH", path, {"slots": None, "weight": None}).json
    assert (reset["slots"], reset["weight"]) == (None, 1.0)
    missing = admin.ask("PATCH", f"{API}/teams/marketin", {"slots": 1})
    assert (missing.status, missing.json["hint"]) == (404, 'did you mean "marketing"?')


def test_others_see_their_own_team_and_change_none(admin: Browser, url: str) -> None:
    admin.ask("POST", f"{API}/teams", {"name": "marketing"})
    people.create(url, "ann", "admin")
    ann = people.signed_in(url, "ann")
    assert [team["name"] for team in ann.ask("GET", f"{API}/teams").json["items"]] == ["default"]
    hidden = ann.ask("GET", f"{API}/teams/marketing")
    nothing = ann.ask("GET", f"{API}/teams/marketinx")
    assert (hidden.status, hidden.json["detail"].replace("ing'", "inx'")) == (
        nothing.status,
        nothing.json["detail"],
    )
    for method, path, body in (
        ("POST", "/teams", {"name": "ann"}),
        ("PATCH", "/teams/default", {"slots": 1000}),
        ("PATCH", "/teams/marketing", {"slots": 1000}),
        ("DELETE", "/teams/marketing", None),
    ):
        answer = ann.ask(method, f"{API}{path}", body)
        assert (answer.status, answer.json["detail"]) == (403, "this needs a platform admin")


def test_a_deleted_team_opens_for_nobody_and_leaves_nothing_to_the_next(
    admin: Browser, url: str, owner_conn: Session, watch: Watch
) -> None:
    there = {"Headway-Team": "marketing"}
    admin.ask("POST", f"{API}/teams", {"name": "marketing", "slots": 40})
    user = {"name": "eve", "role": "admin", "password": people.PASSWORD}
    admin.ask("POST", f"{API}/users", user, headers=there)
    eve = people.signed_in(url, "eve")
    token = eve.ask("POST", f"{API}/tokens", {"name": "ci", "role": "admin"}).json["token"]
    program = people.bearer(url, token)
    eve.ask("PUT", f"{API}/pools/etl", {"slots": 3})
    assert (eve.ask("GET", f"{API}/pools").status, program.ask("GET", f"{API}/pools").status) == (
        200,
        200,
    )
    assert admin.ask("DELETE", f"{API}/teams/marketing?confirm=marketing").status == 200
    made = admin.ask("POST", f"{API}/teams", {"name": "marketing"})
    assert (made.json["created"], made.json["slots"], made.json["members"]) == (True, None, 1)
    with watch.attack() as told:
        answers = [
            caller.ask(method, f"{API}/pools/default", headers=headers)
            for caller in (eve, program, Browser(url))
            for method in ("PUT", "DELETE")
            for headers in ({}, there, {"Headway-Team": "nowhere"})
        ]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert told == [("nobody", "access.refused", "any request", 401)]
    (pool,) = admin.ask("GET", f"{API}/pools", headers=there).json["items"]
    assert pool["name"] == "default"
    assert audited(owner_conn, "teams.delete_team") == ["default"]


def test_a_team_with_live_runs_is_deleted_by_force(admin: Browser, owner_conn: Session) -> None:
    admin.ask("POST", f"{API}/teams", {"name": "marketing"})
    (team_id,) = owner_conn.execute(
        "SELECT team_id FROM team WHERE name = 'marketing'"
    ).fetchone() or (0,)
    seed.dag(owner_conn, "hello", team_id=team_id)
    seed.run(owner_conn, "hello", run_id := "r1", state="queued", team_id=team_id)
    refused = admin.ask("DELETE", f"{API}/teams/marketing?confirm=marketing")
    assert (refused.status, run_id in refused.json["detail"]) == (409, True)
    assert refused.json["hint"].endswith("headway team delete marketing --force")
    assert admin.ask("GET", f"{API}/teams/marketing").status == 200
    assert admin.ask("DELETE", f"{API}/teams/marketing?confirm=marketing&force=true").status == 200
    assert owner_conn.execute("SELECT state FROM run WHERE run_id = %s", [run_id]).fetchone() == (
        "cancelled",
    )


@pytest.mark.parametrize(
    "query", ["", "?force=true", "?confirm=", "?confirm=Marketing", "?confirm=default"]
)
def test_a_team_is_deleted_only_by_who_names_it_again(admin: Browser, query: str) -> None:
    admin.ask("POST", f"{API}/teams", {"name": "marketing"})
    refused = admin.ask("DELETE", f"{API}/teams/marketing{query}")
    assert refused.status == 409
    assert refused.json["detail"].startswith("nothing was deleted: the team marketing goes with")
    assert refused.json["hint"].endswith("confirm=marketing")
    assert admin.ask("GET", f"{API}/teams/marketing").status == 200
    missing = admin.ask("DELETE", f"{API}/teams/nowhere{query}")
    assert missing.status == 404


def test_the_team_of_the_local_admin_stays(admin: Browser) -> None:
    answer = admin.ask("DELETE", f"{API}/teams/default?confirm=default")
    assert (answer.status, "manages a platform admin" in answer.json["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/users/admin/password", {"password": "a new long password"}),
        ("PATCH", "/users/admin", {"disabled": True}),
        ("PATCH", "/users/admin", {"display_name": "me"}),
        ("POST", "/login-links", {"user": "admin"}),
        ("POST", "/tokens", {"user": "admin", "name": "t", "role": "admin"}),
    ],
)
def test_an_admin_of_a_team_does_not_become_a_platform_admin(
    url: str, watch: Watch, method: str, path: str, body: dict[str, object]
) -> None:
    people.create(url, "eve", "admin")
    eve = people.signed_in(url, "eve")
    with watch.attack() as told:
        refused = eve.ask(method, f"{API}{path}", body)
    assert [(who, status) for who, _, _, status in told] == [("user:eve", 403)]
    assert (refused.status, refused.json["detail"]) == (403, "this user is a platform admin")
    people.create(url, "ann", "admin")
    assert (
        eve.ask(
            method,
            f"{API}{path.replace('admin', 'ann')}",
            {**body, "user": "ann"} if "user" in body else body,
        ).status
        < 300
    )
