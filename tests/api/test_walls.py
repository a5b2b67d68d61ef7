"""The second wall: without the conditions on the team that statements have, row security holds."""

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import psycopg
import pytest
from psycopg import Connection

from headway.store import api_login
from headway.store.transact import APP, Session, begun, connect, enter_team
from tests.api import people, seed
from tests.api.browser import API, Browser
from tests.api.test_plans import READS

OURS, THEIRS = 1, 2

# What a statement says of the team, and what is left of it when somebody forgets it.
CONDITIONS: Final = (
    (re.compile(r"(\w+\.)?\bteam_id = (%\(team_id\)s|\w+\.team_id)"), "true"),
    (re.compile(r"USING \(team_id, "), "USING ("),
)
# It cannot be forgotten where the statement would be none: what else it names would be in doubt.
NO_STATEMENT: Final = (
    psycopg.errors.SyntaxError,
    psycopg.errors.AmbiguousColumn,
    psycopg.errors.UndefinedColumn,
)

COPIED: Final = """
    SELECT string_agg(quote_ident(attname), ', '),
        string_agg(CASE attname WHEN 'team_id' THEN '2' ELSE quote_ident(attname) END, ', ')
    FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a'
"""
TENANT_TABLES: Final = """
    SELECT relname::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attname = 'team_id' ORDER BY relname
"""


@pytest.fixture
def twins(conn: Session, owner_conn: Session) -> None:
    """Two teams with the same DAGs, runs and tasks by the same ids: the hardest to tell apart."""
    seed.dag(conn, "d")
    for number, state in enumerate(("success", "failed", "running", "queued")):
        run_id = f"run00000100{number}"
        seed.run(conn, "d", run_id, number, state)
        for task, ended in (("t0", "success"), ("t1", "failed"), ("t2", "ready")):
            seed.instance(conn, run_id, task, ended)
        conn.execute(
            "INSERT INTO event (team_id, at, subject, dag_id, run_id, name, actor)"
            " VALUES (1, %s, 'run', 'd', %s, 'start', 'user:ann')",
            [seed.NOON, run_id],
        )
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'two') ON CONFLICT DO NOTHING")
    copy(owner_conn)
    owner_conn.execute("UPDATE pool SET slots = 77 WHERE team_id = 2")


def copy(conn: Session) -> None:
    """Every row of team 1, for team 2 as well."""
    with conn.transaction():
        conn.execute("SET LOCAL session_replication_role = replica")
        for (table,) in conn.execute(TENANT_TABLES).fetchall():
            if table != "team":
                names, values = conn.execute(COPIED, [table]).fetchone() or ("", "")
                conn.execute(
                    f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE team_id = 1"
                    " ON CONFLICT DO NOTHING".encode()
                )


def mutants(statement: str) -> Iterator[str]:
    """The statement without one of its conditions on the team, for each, and without any."""
    bare = statement
    for pattern, nothing in CONDITIONS:
        for found in pattern.finditer(statement):
            yield statement[: found.start()] + nothing + statement[found.end() :]
        bare = pattern.sub(nothing, bare)
    if bare != statement:
        yield bare


def answer(conn: Connection[Any], statement: str, values: Mapping[str, Any]) -> list[str]:
    with conn.transaction():
        return sorted(map(repr, conn.execute(statement.encode(), values).fetchall()))


@pytest.mark.usefixtures("twins")
def test_a_read_that_forgets_the_team_shows_no_more(database: str) -> None:
    """All reads of the API, each without each of its conditions on the team."""
    login, tried, answered = api_login.embedded(database, "test"), 0, 0
    with connect(login.dsn, role=APP, prepare=False) as conn, begun(conn):
        conn.secret = login.secret
        enter_team(conn, OURS)
        for statement, values in READS:
            whole = answer(conn, statement, {"team_id": OURS, **values})
            answered += bool(whole)
            for mutant in mutants(statement):
                try:
                    found = answer(conn, mutant, {"team_id": OURS, **values})
                except NO_STATEMENT:
                    continue
                tried += 1
                assert found == whole, mutant
    assert tried > 80
    assert answered > 40


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """All statements forget the team, in the whole process. Answers with how many conditions were dropped."""
    dropped, execute = 0, psycopg.Cursor.execute

    def without(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal dropped
        if isinstance(query, str):
            query, count = CONDITIONS[0][0].subn("true", query)
            dropped += count
        return execute(self, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", without)
    return lambda: dropped


def rows_of(conn: Session, team: int) -> dict[str, list[str]]:
    found = {}
    for (table,) in conn.execute(TENANT_TABLES).fetchall():
        rows = conn.execute(f"SELECT t::text FROM {table} AS t WHERE team_id = {team}".encode())
        found[table] = sorted(row for (row,) in rows)
    return found


CHANGES: Final[tuple[tuple[str, str, Any], ...]] = (
    ("POST", "/dags/d/pause", {}),
    ("POST", "/dags/d/resume", {}),
    ("POST", "/dags/d/runs", {}),
    ("POST", "/dags/d/runs/bulk", {"count": 2}),
    ("POST", "/dags/d/backfills", {"first": "2026-02-01", "last": "2026-02-02"}),
    ("PATCH", "/runs/run000001000", {"note": "seen"}),
    ("POST", "/runs/run000001001/clear", {"tasks": ["t1"]}),
    ("POST", "/runs/run000001002/mark", {"state": "failed"}),
    ("POST", "/runs/run000001003/cancel", {}),
    ("PUT", "/pools/default", {"slots": 5}),
    ("PUT", "/pools/extra", {"slots": 5}),
    ("DELETE", "/pools/extra", None),
    ("PUT", "/log-retention", {"days": 9}),
    ("PUT", "/run-retention", {"days": 9}),
    ("PATCH", "/users/ann", {"display_name": "Ann"}),
    ("GET", "/runs", None),
    ("GET", "/dags/d", None),
    ("GET", "/pools", None),
    ("GET", "/audit", None),
)


@pytest.mark.usefixtures("twins")
def test_a_change_that_forgets_the_team_changes_no_other(
    url: str, owner_conn: Session, request: pytest.FixtureRequest
) -> None:
    people.create(url, "ann", "operator")
    before, admin = rows_of(owner_conn, THEIRS), people.local(url)
    dropped = request.getfixturevalue("forgetful")
    done = {
        (method, path): admin.ask(method, f"{API}{path}", body).status
        for method, path, body in CHANGES
    }
    assert rows_of(owner_conn, THEIRS) == before
    good = [change for change, status in done.items() if status < 300]
    assert len(good) > 10, done
    assert dropped() > 10


@pytest.mark.usefixtures("twins")
def test_200_parallel_requests_of_two_teams_see_their_own_rows(
    url: str, owner_conn: Session
) -> None:
    """On the three connections that all of them share."""
    people.create(url, "ann", "operator")
    owner_conn.execute(
        "INSERT INTO membership (team_id, person_id, role, created_by)"
        " SELECT 2, person_id, 'viewer', 'test' FROM person WHERE name = 'ann' ON CONFLICT DO NOTHING"
    )
    owner_conn.execute("UPDATE run SET note = 'of team ' || team_id")
    ann = people.signed_in(url, "ann")

    def ask(number: int) -> tuple[int, set[Any]]:
        team = OURS if number % 3 else THEIRS
        browser = Browser(url, ann.cookie)
        named = {"Headway-Team": "default" if team == OURS else "two"}
        if number % 2:
            pools = browser.ask("GET", f"{API}/pools", headers=named).json["items"]
            return team, {THEIRS if pool["slots"] == 77 else OURS for pool in pools}
        runs = browser.ask("GET", f"{API}/runs", headers=named).json["items"]
        return team, {int(run["note"].removeprefix("of team ")) for run in runs}

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(ask, range(200)))
    assert len(answers) == 200
    assert [pair for pair in answers if pair[1] != {pair[0]}] == []
