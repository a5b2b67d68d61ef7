"""Every route of the application, asked by everybody there can be."""

import re

import pytest

from headway.api.access import PLATFORM, PUBLIC, declared, verbs_needed
from headway.api.server import HttpServer
from headway.core.roles import BUILT_IN, Role
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.attacks import Watch
from tests.api.browser import API, Answer, Browser

ALLOWLIST = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/health/scheduler"),
    ("GET", "/api/v1/sign-in"),
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/session/header"),
    ("POST", "/api/v1/session/redirect"),
    ("POST", "/api/v1/session/code"),
    ("POST", "/api/v1/session/link"),
    ("POST", "/api/v1/session/negotiate"),
    ("POST", "/api/v1/backchannel-logout"),
    ("POST", "/api/v1/linked-run"),
    ("POST", "/api/v1/hooks/{slug}"),
    ("POST", "/api/v1/linked-question"),
    ("POST", "/api/v1/linked-answer"),
}
# All that changes something, and all that not everybody may see.
NEEDS = {
    ("POST", "/dags/{dag_id}/runs"): "run.trigger",
    ("POST", "/dags/{dag_id}/runs/bulk"): "run.trigger",
    ("POST", "/assets/events"): "asset.emit",
    ("POST", "/dags/{dag_id}/backfills"): "run.backfill",
    ("POST", "/dags/{dag_id}/airflow-runs"): "team.write",
    ("DELETE", "/dags/{dag_id}/airflow-runs"): "team.write",
    ("POST", "/dags/{dag_id}/pause"): "dag.pause",
    ("POST", "/dags/{dag_id}/resume"): "dag.pause",
    ("POST", "/runs/{run_id}/cancel"): "run.cancel",
    ("POST", "/runs/{run_id}/clear"): "run.clear",
    ("POST", "/runs/{run_id}/mark"): "run.mark",
    ("POST", "/runs/{run_id}/replay"): "run.trigger",
    ("POST", "/runs/{run_id}/task-instances/{task_id}/answer"): "task.answer",
    ("PATCH", "/runs/{run_id}"): "run.note",
    ("POST", "/backfills/{backfill_id}/cancel"): "run.cancel",
    ("POST", "/backfills/{backfill_id}/pause"): "run.backfill",
    ("POST", "/backfills/{backfill_id}/resume"): "run.backfill",
    ("POST", "/loader/look"): "dag.load",
    ("PUT", "/pools/{name}"): "pool.write",
    ("DELETE", "/pools/{name}"): "pool.write",
    ("GET", "/connections"): "connection.read",
    ("GET", "/connections/{conn_id}"): "connection.read",
    ("PUT", "/connections/{conn_id}"): "connection.write",
    ("DELETE", "/connections/{conn_id}"): "connection.write",
    ("POST", "/connections/{conn_id}/test"): "connection.read",
    ("GET", "/variables"): "variable.read",
    ("GET", "/variables/{key}"): "variable.read",
    ("PUT", "/variables/{key}"): "variable.write",
    ("DELETE", "/variables/{key}"): "variable.write",
    ("POST", "/secret-keys/rotation"): PLATFORM,
    ("GET", "/webhooks"): "webhook.manage",
    ("POST", "/webhooks"): "webhook.manage",
    ("GET", "/webhooks/{name}"): "webhook.manage",
    ("PATCH", "/webhooks/{name}"): "webhook.manage",
    ("DELETE", "/webhooks/{name}"): "webhook.manage",
    ("POST", "/webhooks/{name}/rotate"): "webhook.manage",
    ("GET", "/webhooks/{name}/deliveries"): "webhook.manage",
    ("POST", "/webhooks/{name}/deliveries/{number}/replay"): "webhook.manage",
    ("GET", "/outbound-webhooks"): "webhook.manage",
    ("POST", "/outbound-webhooks"): "webhook.manage",
    ("GET", "/outbound-webhooks/{name}"): "webhook.manage",
    ("PATCH", "/outbound-webhooks/{name}"): "webhook.manage",
    ("DELETE", "/outbound-webhooks/{name}"): "webhook.manage",
    ("GET", "/outbound-webhooks/{name}/deliveries"): "webhook.manage",
    ("POST", "/outbound-webhooks/{name}/deliveries/{number}/redeliver"): "webhook.manage",
    ("POST", "/outbound-webhooks/{name}/ping"): "webhook.manage",
    ("GET", "/run-links"): "run.link",
    ("POST", "/runs/{run_id}/links"): "run.link",
    ("POST", "/runs/{run_id}/task-instances/{task_id}/answer-links"): "run.link",
    ("DELETE", "/run-links/{link_id}"): "run.link",
    ("POST", "/roles"): "role.manage",
    ("PATCH", "/roles/{name}"): "role.manage",
    ("DELETE", "/roles/{name}"): "role.manage",
    ("POST", "/grants"): "grant.manage",
    ("POST", "/grants/requests"): "grant.manage",
    ("PATCH", "/grants/{grant_id}"): "grant.manage",
    ("POST", "/service-accounts"): "token.manage",
    ("GET", "/users"): "member.read",
    ("GET", "/users/{name}"): "member.read",
    ("POST", "/users"): "member.manage",
    ("PATCH", "/users/{name}"): "member.manage",
    ("POST", "/members"): "member.manage",
    ("DELETE", "/members/{name}"): "member.manage",
    ("PUT", "/log-retention"): "team.write",
    ("PUT", "/run-retention"): "team.write",
    ("POST", "/teams"): PLATFORM,
    ("PATCH", "/teams/{name}"): PLATFORM,
    ("DELETE", "/teams/{name}"): PLATFORM,
    ("GET", "/audit"): "audit.read",
    ("GET", "/audit/check"): "audit.read",
    ("GET", "/audit/export"): "audit.read",
    # One's own: the routes themselves look whose it is.
    ("PUT", "/users/{name}/password"): "member",
    ("POST", "/tokens"): "member",
    ("DELETE", "/tokens/{token_id}"): "member",
    ("DELETE", "/session"): "member",
    ("POST", "/login-links"): "member",
}
UNKNOWN = ("nobody", "access.refused", "any request", 401)
WRONG_ROLE = ("this needs the role", "this needs a platform admin")


@pytest.fixture
def routes(server: HttpServer) -> list[tuple[str, str, str]]:
    return sorted(declared(server.app.app.routes))


def test_what_is_public_is_this_and_no_more(routes: list[tuple[str, str, str]]) -> None:
    assert {(method, path) for method, path, need in routes if need == PUBLIC} == ALLOWLIST


def test_who_may_change_what_was_decided_for_each_route(
    routes: list[tuple[str, str, str]],
) -> None:
    found = {
        (method, path.removeprefix(API)): need
        for method, path, need in routes
        if need != PUBLIC
        and method != "OPTIONS"
        and (
            method not in ("GET", "HEAD")
            or not (need != PLATFORM and verbs_needed(need) <= BUILT_IN[Role.VIEWER])
        )
    }
    assert found == NEEDS


def test_each_route_lets_in_whom_it_says(
    routes: list[tuple[str, str, str]], url: str, owner_conn: Session
) -> None:
    callers: dict[str, tuple[Browser, Role | None]] = {"nobody": (Browser(url), None)}
    for role in people.ROLES:
        people.create(url, f"some-{role}", role)
        token = people.token(url, f"some-{role}", role)
        callers[role] = (people.bearer(url, token), Role(role))
    lesser = people.token(url, "admin", "viewer", "lesser")
    callers["admin's token of less"] = (people.bearer(url, lesser), Role.VIEWER)
    expired = people.token(url, "admin", "admin", "expired")
    owner_conn.execute("UPDATE api_token SET expires_at = now() WHERE name = 'expired'")
    callers["expired"] = (people.bearer(url, expired), None)
    revoked = people.token(url, "admin", "admin", "revoked")
    (token_id,) = owner_conn.execute(
        "SELECT token_id FROM api_token WHERE name = 'revoked'"
    ).fetchone() or ("",)
    people.local(url).ask("DELETE", f"{API}/tokens/{token_id}")
    callers["revoked"] = (people.bearer(url, revoked), None)
    wrong = [
        f"{name}: {method} {path} -> {outcome}"
        for method, path, need in routes
        for name, (browser, role) in callers.items()
        if (outcome := judged(ask(browser, method, path))) != expected(need, role)
    ]
    assert wrong == []
    assert len(routes) * len(callers) > 250


def test_what_a_viewer_may_not_do_is_refused_alike_whatever_there_is(
    routes: list[tuple[str, str, str]], url: str, conn: Session, watch: Watch
) -> None:
    seed.dag(conn, "thing")
    seed.run(conn, "thing", "thing-run")
    people.create(url, "vic", "viewer")
    vic = people.bearer(url, people.token(url, "vic", "viewer"))
    closed = [each for each in routes if expected(each[2], Role.VIEWER) == "not allowed"]
    assert len(closed) > 40
    for method, path, _ in closed:
        names = ("thing-run" if "{run_id}" in path else "thing", "nothing")
        with watch.attack() as told:
            answers = [ask(vic, method, path, name) for name in names]
        assert (answers[0].status, answers[0].body) == (403, answers[1].body), path
        assert told == [("user:vic", "access.refused", f"{method} {path}", 403)]


def ask(browser: Browser, method: str, path: str, name: str = "zz") -> Answer:
    """With a body that asks for nothing. ``name``: of what does not exist, unless it is given."""
    filled = re.sub(r"\{\w+\}", name, path)
    body: dict[str, str] | None = None if method in ("GET", "OPTIONS", "DELETE") else {}
    return browser.ask(method, filled, body, read=not filled.endswith("/stream"))


def judged(answer: Answer) -> str:
    assert answer.status < 500 or answer.status == 503, answer  # readyz: nothing runs here
    if answer.status == 401:
        return "unknown"
    if answer.status == 403 and answer.json["detail"].startswith(WRONG_ROLE):
        return "not allowed"
    return "let in"


def expected(need: str, role: Role | None) -> str:
    if need == PUBLIC:
        return "let in"
    if role is None:
        return "unknown"
    if need == PLATFORM:
        return "not allowed"  # nobody here is one: a token has no more than its role
    return "let in" if verbs_needed(need) <= BUILT_IN[role] else "not allowed"


@pytest.mark.parametrize(
    "twist", ["{}/", "{};x", "{}.json", "{}%2f..", "/{}", "{}/health", "{}/login", "/api/../{}"]
)
def test_no_spelling_of_a_path_goes_round_the_guard(
    routes: list[tuple[str, str, str]], url: str, watch: Watch, twist: str
) -> None:
    people.local(url).ask("PUT", f"{API}/pools/treasure", {"slots": 1})
    guarded = [path for method, path, need in routes if method == "GET" and need != PUBLIC]
    spelled = [
        each for path in guarded for each in (twist.format(path), twist.format(path).upper())
    ]
    # Of what is a route after all there is one entry: somebody tries one thing after another.
    with watch.attack(entries=int(not twist.startswith("/"))) as entries:
        for path in spelled:
            answers = [
                Browser(url).ask("GET", re.sub(r"\{\w+\}", name, path))
                for name in ("treasure", "zzzzzzzz")
            ]
            told = [(each.status, each.body.replace(b"treasure", b"zzzzzzzz")) for each in answers]
            assert told[0] == told[1], path
            is_page = answers[0].headers["content-type"].startswith("text/html")
            assert told[0][0] in (401, 404, 405) or (told[0][0] == 200 and is_page), path
    assert set(entries) <= {UNKNOWN}


@pytest.mark.parametrize(
    "authorization",
    [
        ["Bearer nothing"],
        ["Bearer "],
        [""],
        ["Basic YWRtaW46YWRtaW4="],
        ["{good}", "{good}"],
        ["{good}", "Bearer other"],
        ["bearer hwt_"],
    ],
)
def test_what_is_no_token_lets_nobody_in(url: str, watch: Watch, authorization: list[str]) -> None:
    good = people.local(url).headers["Authorization"]
    given = [("Authorization", value.format(good=good)) for value in authorization]
    with watch.attack() as told:
        for path in ("/pools/default", "/pools/nobodys"):
            assert Browser(url).ask_raw("DELETE", f"{API}{path}", given) == 401
    assert told == [UNKNOWN]


def test_a_token_in_the_address_is_no_token(url: str, watch: Watch) -> None:
    token = people.token(url, "admin", "admin")
    in_address = f"?token={token}&access_token={token}"
    with watch.attack() as told:
        assert Browser(url).ask("GET", f"{API}/pools{in_address}").status == 401
        assert Browser(url).ask("DELETE", f"{API}/pools/default{in_address}").status == 401
    assert told == [UNKNOWN]


def test_a_bad_token_is_not_made_good_by_a_cookie(url: str, watch: Watch) -> None:
    people.create(url, "ann", "admin")
    ann = people.signed_in(url, "ann")
    assert ann.ask("GET", f"{API}/pools").status == 200
    bad = {"Authorization": "Bearer hwt_wrong"}
    with watch.attack() as told:
        assert ann.ask("DELETE", f"{API}/pools/default", headers=bad).status == 401
    assert told == [UNKNOWN]
