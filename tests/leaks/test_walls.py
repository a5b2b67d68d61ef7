"""The leak suite: what a team may learn of another one, which is nothing.

Every operation of the API is asked for what another team has and for what nobody has. The two answers
are the same, byte for byte but for the id itself, and took the same statements; nothing is changed.
``make leaks`` asks as every role; the tests of every change as an admin, who sees most.
"""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from headway import clock
from headway.api import team_rates
from headway.api.access import declared
from headway.api.refused import OPEN_REFUSED, REFUSED
from headway.config import Layout
from headway.core.grants import GrantKind
from headway.store.transact import Session
from headway.up.address import url_of
from tests.api import people, seed
from tests.api.attacks import PATIENCE_S, Watch
from tests.api.browser import Answer, Browser
from tests.api.conftest import Served, served
from tests.api.stream import listening
from tests.leaks import world
from tests.leaks.routes import (
    IDS,
    KINDS,
    MAKES,
    Asked,
    Kind,
    Operation,
    asked,
    names_of,
    operations,
)
from tests.leaks.world import MISSING, NO_TEAM, OURS, TEAM, THEIRS, World, rows_of

pytestmark = pytest.mark.long

FAST = 1_000_000  # requests a second: here nobody is slowed down
ROLES = [
    pytest.param(role, marks=() if role == "admin" else pytest.mark.stress) for role in people.ROLES
]
OUTSIDERS = [
    pytest.param(name, marks=() if name == "nobody" else pytest.mark.stress)
    for name in world.OUTSIDERS
]
NOT_SEEDED = {"show_source", "show_source_of_run", "show_rendered"}
WILD = ("*", "%25", "~", "_", THEIRS[:-1])
VOLATILE = {"date", "content-length", "etag"}


@pytest.fixture
def server(database: str, layout: Layout) -> Iterator[Served]:
    with served(database, layout.data, rate=FAST) as server:
        yield server


@pytest.fixture
def teams(server: Served, owner_conn: Session, layout: Layout) -> World:
    return world.made(url_of(server.listener, "127.0.0.1"), owner_conn, layout)


def ask(browser: Browser, request: Asked, headers: dict[str, str] | None = None) -> Answer:
    operation = request.operation
    return browser.ask(
        operation.method, request.path, request.body, headers, read=not operation.streams
    )


def told(answer: Answer, word: str, known: str = "...") -> tuple[int, dict[str, str], bytes]:
    """Return all that somebody learns, with a placeholder for the id that they brought. ``known``: to them."""
    kept = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
    body = answer.body.replace(known.encode(), b"what is known")
    return answer.status, kept, body.replace(word.encode(), b"...")


def test_every_operation_is_classified() -> None:
    known = " ".join(KINDS.values()).split()
    assert sorted(known) == sorted(operation.name for operation in operations())
    for operation in operations():
        of_thing = operation.kind is Kind.THING
        named = set(operation.path_names) - {"slug"}  # a secret, as that of a run link
        assert of_thing == bool(named), f"{operation.name} is no {operation.kind}"


def test_every_place_for_an_id_is_known() -> None:
    for operation in operations():
        assert set(operation.path_names) <= set(IDS), f"{operation.path}: an unknown kind of id"


def test_the_document_has_every_route(server: Served) -> None:
    documented = {(operation.method, operation.path) for operation in operations()}
    routes = {
        (method, path)
        for method, path, _ in declared(server.app.app.routes)
        if method not in ("OPTIONS", "HEAD")
    }
    assert routes - documented == {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/health/scheduler"),
        ("GET", "/api/v1/openapi.json"),
    }


def test_what_is_ours_is_found(teams: World) -> None:
    """So that the answers below are not alike because nothing is found at all."""
    for operation in operations():
        if operation.method == "GET" and operation.kind in (Kind.THING, Kind.LIST):
            answer = ask(teams.ours["admin"], asked(operation, None, OURS))
            assert answer.status < 300 or operation.name in NOT_SEEDED, (operation, answer.body)


def test_each_list_shows_what_is_ours_and_counts_no_more(teams: World, owner_conn: Session) -> None:
    """So that an answer below that names nothing of theirs is not empty: related objects, too, and numbers."""
    counts = {
        "count_runs": {"total": 2, "by_state": {"failed": 2}, "truncated": False},
        "count_questions": {"open": 1, "truncated": False},
    }
    for operation in operations():
        if operation.method != "GET" or operation.kind is not Kind.LIST or operation.streams:
            continue
        answer = ask(teams.ours["admin"], asked(operation, None, OURS))
        if operation.name in counts:
            assert answer.json == counts[operation.name]
        elif operation.name == "show_slot_history":
            assert [team["team"] for team in answer.json["teams"]] == ["default"]
        elif operation.name == "show_calendar_of_all":
            assert [day["failed"] for day in answer.json["days"]] == [2]
        elif operation.name == "list_teams":
            assert [team["name"] for team in answer.json["items"]] == ["default"]
        elif operation.name == "check_audit":
            (own,) = owner_conn.execute(
                "SELECT count(*) FROM audit WHERE team_id = 1"
            ).fetchone() or (0,)
            assert answer.json["entries"] <= own
        else:
            assert OURS.encode() in answer.body, (operation.name, answer.body)


def test_a_shared_pool_is_told_to_those_who_share_it(teams: World) -> None:
    """So that what is not told of theirs below is there."""
    items = teams.ours["viewer"].ask("GET", "/api/v1/pools").json["items"]
    found = {pool["name"]: [loan["team"] for loan in pool["lent_to"]] for pool in items}
    assert found[f"@partner/{OURS}-lent"] == []
    assert found[f"{OURS}-pool"] == ["partner"]
    assert THEIRS not in str(items)


@pytest.mark.parametrize("role", ROLES)
def test_what_another_team_has_is_as_what_nobody_has(
    teams: World,
    server: Served,
    owner_conn: Session,
    role: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also in the audit: what is refused is one entry of one kind, and told to the team of who asked."""
    statements = recorded(monkeypatch)
    theirs = rows_of(owner_conn, 2)
    differ, count = [], 0
    # Streams come last: a server looks after theirs for a while, and its statements are of no request.
    for operation in sorted(operations(), key=lambda operation: operation.streams):
        for place in names_of(operation):
            answers = []
            for word in (MISSING, THEIRS):
                statements.clear()
                answer = ask(teams.ours[role], asked(operation, place, word))
                answers.append((*told(answer, word), [] if operation.streams else [*statements]))
                count += 1
            check_noted(server, operation, [status for status, *_ in answers])
            if answers[0] != answers[1] and operation.name not in MAKES:
                differ.append((operation.name, place, *answers))
            assert answers[0][0] < 500, answers
    assert differ == []
    # Who tries to sign in as one of their people is told to them.
    assert rows_of(owner_conn, 2) | {"audit": ""} == theirs | {"audit": ""}
    assert count > 100


def check_noted(server: Served, operation: Operation, statuses: list[int]) -> None:
    """Each refusal of one of us is to be written in the audit of our team, all of one status as one entry."""
    refused = OPEN_REFUSED if operation.kind is Kind.OPEN else REFUSED
    wanted = {(1, status): statuses.count(status) for status in statuses if status in refused}
    counts, deadline = server.api.refusals.counts, clock.monotonic() + PATIENCE_S
    while sum(count.times for count in [*counts.values()]) < sum(wanted.values()):
        assert clock.monotonic() < deadline, (operation.name, statuses, counts)
        clock.sleep(0.001)  # a request is counted after its answer
    found = [(kind.asker.team_id, kind.status, count.times) for kind, count in counts.items()]
    assert found == [(*key, times) for key, times in wanted.items()], operation.name
    counts.clear()


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of all that follows: an answer that took the same ones took no other time."""
    # The limit of a team's requests is read once in a while, whatever is asked for: here for each request.
    monkeypatch.setattr(team_rates, "READ_S", 0.0)
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def recording(self: Any, query: Any, *args: Any, **more: Any) -> Any:
        statements.append(str(query))
        return execute(self, query, *args, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", recording)
    return statements


@pytest.mark.parametrize("role", ROLES)
def test_a_refused_request_has_done_nothing(
    teams: World, server: Served, owner_conn: Session, role: str
) -> None:
    """One foreign id in a request, also beside good ones, refuses the whole of it."""
    for operation in operations():
        if operation.method == "GET" or operation.name in MAKES or operation.kind is Kind.OPEN:
            continue
        for place in names_of(operation):
            before, theirs = rows_of(owner_conn, 1), rows_of(owner_conn, 2)
            request = asked(operation, place, THEIRS)
            if request.body is not None and isinstance(request.body.get(place), list):
                request.body[place].insert(0, IDS[place].format(OURS))
                request.body["dry_run"] = False
            answer = ask(teams.ours[role], request)
            assert answer.status in (400, 403, 404), (operation.name, place, answer)
            after = rows_of(owner_conn, 1)
            assert {name for name in after if after[name] != before[name]} <= {"audit", "api_token"}
            assert rows_of(owner_conn, 2) == theirs
            check_noted(server, operation, [answer.status])


@pytest.mark.parametrize("role", ROLES)
def test_no_answer_names_what_another_team_has(teams: World, role: str) -> None:
    """Without an id, with a wildcard, with the beginning of a name, and with each other parameter."""
    caller = teams.ours[role]
    for operation in operations():
        if operation.method != "GET" or operation.streams:
            continue
        plain = asked(operation, None, OURS)
        answers = [ask(caller, plain), ask(caller, plain, {"If-None-Match": '"x"'})]
        for name in operation.query_names:
            for value in WILD:
                joint = "&" if "?" in plain.path else "?"
                answers.append(caller.ask("GET", f"{plain.path}{joint}{name}={value}"))
        for answer in answers:
            assert answer.status < 500, (operation.path, answer)
            assert THEIRS.encode() not in answer.body, (operation.path, answer)
            assert THEIRS not in json.dumps(answer.headers)


def test_a_cursor_of_another_team_leads_to_nothing_of_it(teams: World, owner_conn: Session) -> None:
    for operation in operations():
        for name in {"cursor", "before"} & set(operation.query_names):
            path = asked(operation, None, THEIRS).path.replace(OURS, THEIRS)
            joint = "&" if "?" in path else "?"
            page = teams.theirs.ask("GET", f"{path}{joint}limit=1")
            cursor = page.json.get("next_cursor") if page.status == 200 else None
            own = asked(operation, None, OURS).path
            for forged in [cursor or "WyJreHF6d3ZrMSJd", "x", "WyI", "W10", "bnVsbA", "'", "%00"]:
                answer = teams.ours["admin"].ask("GET", f"{own}{joint}{name}={forged}")
                assert answer.status in (200, 400), (operation.path, forged, answer)
                assert THEIRS.encode() not in answer.body


@pytest.mark.parametrize("role", ROLES)
def test_a_team_that_one_is_not_in_is_as_one_that_nobody_is_in(
    teams: World, server: Served, owner_conn: Session, role: str
) -> None:
    """Also where the name begins as that of a team that one is in."""
    before = rows_of(owner_conn, 2)
    for operation in operations():
        if operation.kind is Kind.OPEN:
            continue
        request = asked(operation, None, OURS)
        answers = [
            told(ask(teams.ours[role], request, {"Headway-Team": team}), word)
            for team, word in ((NO_TEAM, MISSING), (TEAM, THEIRS))
        ]
        assert answers[0] == answers[1], operation.path
        assert answers[0][0] == 403, operation.path
        check_noted(server, operation, [403, 403])
    assert rows_of(owner_conn, 2) == before
    for name in (
        "defaul",
        "default2",
        "DEFAULT",
        "default ",
        "d\u0435fault".encode().decode("latin-1"),
    ):
        answer = teams.ours[role].ask("GET", "/api/v1/dags", headers={"Headway-Team": name})
        assert answer.status == (200 if name.strip() == "default" else 403)


def test_what_is_said_to_a_team_is_said_to_nobody_alike(
    teams: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asks and gives: the same answer but for its id and time, after the same statements."""
    statements = recorded(monkeypatch)
    caller = teams.ours["admin"]
    for path, body in (
        ("/grants", {"grantee": "theirteam-{}", "name": OURS, "kind": "see_runs"}),
        ("/grants/requests", {"owner": "theirteam-{}", "name": "{}", "kind": "start"}),
        ("/grants/requests", {"owner": TEAM, "name": "{}", "kind": "see_runs"}),
    ):
        answers = []
        for word in (MISSING, THEIRS):
            statements.clear()
            said = {name: text.format(word) for name, text in body.items()}
            known = body.get("owner", "...")
            status, headers, answer = told(caller.ask("POST", f"/api/v1{path}", said), word, known)
            grant = json.loads(answer)
            assert grant.pop("id")
            assert grant.pop("created_at") == grant.pop("changed_at")
            answers.append((status, headers, grant, [*statements]))
        assert answers[0] == answers[1], path
        assert answers[0][0] == 201, path


@pytest.mark.parametrize("role", ROLES)
def test_a_guest_learns_of_one_dag(
    teams: World, owner_conn: Session, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a grant of another DAG: all else that its owner has is as what nobody has."""
    seed.dag(owner_conn, "shared", team_id=2)
    seed.run(owner_conn, "shared", "shared-run", state="failed", team_id=2)
    for kind in GrantKind:
        owner_conn.execute(
            "INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, changed_by, changed_in)"
            " VALUES (%s, %s, 'default', 'shared', %s, 'given', 'me', %s)",
            [f"of-{kind}", TEAM, kind, TEAM],
        )
    caller, inside = teams.ours[role], {"Headway-Team": TEAM}
    for path in ("/runs?dag_id=shared", "/runs/shared-run", "/runs/shared-run/tasks"):
        assert caller.ask("GET", f"/api/v1{path}", headers=inside).status == 200
    statements = recorded(monkeypatch)
    theirs = rows_of(owner_conn, 2)
    for operation in operations():
        if operation.kind is Kind.OPEN:
            continue
        for place in [None, *names_of(operation)]:
            answers = []
            for word in (MISSING, THEIRS):
                statements.clear()
                request = asked(operation, place, word)
                path = request.path.replace(OURS, "shared")
                answer = caller.ask(
                    operation.method, path, request.body, inside, read=not operation.streams
                )
                answers.append((*told(answer, word, TEAM), [*statements]))
            if place is None and operation.name == "trigger":
                continue
            assert answers[0] == answers[1], (operation.name, place)
            if place in ("dag_id", "run_id", "with"):
                assert answers[0][0] == 403, (operation.name, place)
    left = {"run", "event", "audit", "dag", "task_instance"}  # of the DAG that some may start
    after = rows_of(owner_conn, 2)
    assert {name for name in after if after[name] != theirs[name]} <= left


@pytest.mark.parametrize("outsider", OUTSIDERS)
def test_outsiders_learn_nothing_of_any_team(
    teams: World, server: Served, owner_conn: Session, outsider: str
) -> None:
    """Nobody, and holders of credentials that were good once: the same answer for whatever there is."""
    browser = teams.outsiders[outsider]
    with Watch(server, owner_conn).attack() as entries:
        outsider_asks(browser)
    assert entries == [("nobody", "access.refused", "any request", 401)]


def outsider_asks(browser: Browser) -> None:
    for operation in operations():
        if operation.kind is Kind.OPEN:
            continue
        for place in [None, *names_of(operation)]:
            answers = [
                told(ask(browser, asked(operation, place, word), {"Headway-Team": team}), word)
                for word, team in ((OURS, "default"), (THEIRS, TEAM), (MISSING, NO_TEAM))
            ]
            assert answers[0] == answers[1] == answers[2], operation.path
            assert answers[0][0] == 401, operation.path


def test_a_stream_tells_nothing_of_another_team(teams: World, owner_conn: Session) -> None:
    headers = dict(teams.ours["viewer"].headers)
    kinds: list[dict[str, Any]] = [
        {"topics": "run,dag,pool"},
        {"run_id": f"{OURS}-run"},
        {"dag_id": OURS},
        {"dag_id": THEIRS},
    ]
    for wanted in kinds:
        with listening(teams.url, headers=headers, **wanted) as stream:
            stream.next("ready")
            happened(owner_conn, 2)
            happened(owner_conn, 1)
            if wanted != {"dag_id": THEIRS}:
                assert stream.next().data["run_id"] == f"{OURS}-run"
    with (
        listening(teams.url, headers=headers, dag_id=MISSING) as of_missing,
        listening(teams.url, headers=headers, dag_id=THEIRS) as of_theirs,
    ):
        assert of_missing.next("ready") == of_theirs.next("ready")


def happened(conn: Session, team_id: int) -> None:
    with conn.transaction():
        conn.execute(
            "INSERT INTO event (team_id, at, subject, dag_id, run_id, name, actor)"
            " SELECT team_id, now(), 'run', dag_id, run_id, 'fail', 'x' FROM run"
            " WHERE team_id = %s AND run_id LIKE '%%-run'",
            [team_id],
        )
        conn.execute("SELECT pg_notify('headway_run', 'x')")


def test_metrics_count_nothing_of_another_team(teams: World, owner_conn: Session) -> None:
    caller = teams.ours["viewer"]
    path = "/api/v1/metrics"
    before = counted(caller.ask("GET", path).body)
    for _ in range(3):
        teams.theirs.ask("GET", f"/api/v1/dags/{THEIRS}")
        teams.theirs.ask("POST", f"/api/v1/dags/{THEIRS}/pause", {})
    owner_conn.execute("UPDATE run SET state = 'running', ended_at = NULL WHERE team_id = 2")
    assert counted(caller.ask("GET", path).body) == before


def counted(body: bytes) -> set[str]:
    """Return the lines that tell of requests and work, without those of ``/metrics`` itself."""
    told = {"headway_api_requests", "headway_api_request_seconds", "headway_run", "headway_pool"}
    return {
        line
        for line in body.decode().splitlines()
        if line.startswith(tuple(told)) and "/metrics" not in line
    }
