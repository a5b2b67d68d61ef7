"""Who asks is found by an index, however many sessions, tokens and entries of the audit there are."""

from typing import Any, LiteralString

import pytest
from psycopg import Connection

from headway import clock
from headway.store import (
    api_tokens,
    browser_sessions,
    grants,
    people,
    provider_sessions,
    run_links,
)
from headway.store.transact import Session, enter_team, transact
from headway.store.views import api_tokens as token_views
from headway.store.views import audit as audit_views
from headway.store.views import people as people_views
from tests.api import seed

MANY = 5_000
LARGE = (
    "person",
    "membership",
    "api_token",
    "browser_session",
    "login_link",
    "audit",
    "run_link",
    "team_grant",
)
HASH = {"hash": b"x" * 32}
PAGE: dict[str, Any] = {"name": None, "after": None, "limit": 101}
TOKENS: dict[str, Any] = {"token_id": None, "person_id": 7, "after": None, "after_id": None}
ENTRIES: dict[str, Any] = {"before": 900, "actor": None, "action": None, "since": None}

LINKS: dict[str, Any] = {"link_id": None, "run_id": None, "after": None, "after_id": None}

STATEMENTS: list[tuple[LiteralString, dict[str, Any]]] = [
    (browser_sessions.IDENTIFY, HASH),
    (browser_sessions.USE, HASH),
    (api_tokens.IDENTIFY, HASH),
    (people.STANDING, {"person_id": 7}),
    (people.WATCHERS, {"team_id": 1, "people": [7, 8], "credentials": ["user7", "user8"]}),
    (people.PARAMETERS, {"name": "user7"}),
    (people.MATCHES, {"name": "user7", "computed": "$argon2id$x"}),
    (people.BY_NAME, {"name": "user7"}),
    (people.ANYWHERE, {"name": "user7"}),
    (people.LEAVE, {"team_id": 1, "person_id": 7}),
    (api_tokens.REVOKE_ALL, {"team_id": 1, "person_id": 7}),
    (people_views.PAGE, PAGE | {"name": "user7"}),
    (token_views.PAGE, TOKENS | {"limit": 101}),
    (audit_views.PAGE, ENTRIES | {"limit": 101}),
    (grants.GRANTS_OF, {"secret": None, "owner": "team8", "teams": [1]}),
    (grants.PAGE, {"after": None, "after_id": None, "limit": 101}),
    (grants.ONE, {"grant_id": "g7"}),
    (grants.NAMED, {"owner": "default", "grantee": "team7", "name": "d", "kind": "start"}),
    (grants.GIVEN, {"kind": "see_runs", "grantees": ["team7"]}),
    (grants.GOT, {"kind": "wait", "owners": ["team7"]}),
    (grants.COUNT, {}),
    (run_links.OPEN, HASH),
    (run_links.PAGE, LINKS | {"limit": 101}),
    (audit_views.EXPORT, {"after": 100, "since": None, "until": None, "limit": 101}),
]

# Of all teams at once: functions of the owner, which ask for the secret of an API server.
LOGOUT: dict[str, Any] = {"secret": None, "source": "sso", "token": b"x", "until": clock.now()}
OF_PROVIDERS: list[tuple[LiteralString, dict[str, Any]]] = [
    (provider_sessions.CLAIM, HASH | {"secret": None, "hold_s": 60.0}),
    (provider_sessions.KEEP, HASH | {"secret": None, "token": b"x", "after_s": 60.0}),
    (provider_sessions.END, LOGOUT | {"sid": "sid7", "subject": None}),
    (provider_sessions.END, LOGOUT | {"sid": None, "subject": "sub7", "token": b"y"}),
]


@pytest.fixture
def large(owner_conn: Session) -> None:
    owner_conn.execute(
        "INSERT INTO person (team_id, name, display_name, created_by)"
        " SELECT 1, 'user' || n, 'User', 'test' FROM generate_series(1, %s) AS n",
        [MANY],
    )
    owner_conn.execute(
        "INSERT INTO membership (team_id, person_id, role, created_by)"
        " SELECT 1, person_id, 'viewer', 'test' FROM person"
    )
    owner_conn.execute(
        "INSERT INTO browser_session (team_id, session_id, person_id, hash, expires_at, address)"
        " SELECT 1, name, person_id, sha256(name::bytea), now() + interval '1 day', '' FROM person"
    )
    owner_conn.execute(
        "INSERT INTO api_token (team_id, token_id, person_id, name, role, hash, expires_at)"
        " SELECT 1, name, person_id, name, 'viewer', sha256(name::bytea), now() + interval '1 day'"
        " FROM person"
    )
    owner_conn.execute(
        "INSERT INTO login_link (team_id, hash, person_id, created_by, expires_at)"
        " SELECT 1, sha256(name::bytea), person_id, 'test', now() FROM person"
    )
    owner_conn.execute(
        "INSERT INTO audit (team_id, actor, via, action, subject, detail, address)"
        " SELECT 1, 'user:x', 'session', 'a', 'b', '{}', '' FROM generate_series(1, 1000)"
    )
    seed.dag(owner_conn, "d")
    seed.run(owner_conn, "d", "r1", state="failed")
    owner_conn.execute(
        "INSERT INTO run_link (team_id, link_id, run_id, hash, with_logs, created_at, created_by, expires_at)"
        " SELECT 1, 'l' || n, 'r1', sha256(n::text::bytea), false, now() - n * interval '1 s', 'me',"
        " now() + interval '1 day'"
        " FROM generate_series(1, %s) AS n",
        [MANY],
    )
    owner_conn.execute(
        "INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, changed_by, changed_in)"
        " SELECT 'g' || n, CASE WHEN n < 10 THEN 'default' ELSE 'team' || n END,"
        " 'team' || CASE WHEN n < 10 THEN n ELSE 0 END,"
        " 'd', 'see_runs', 'given', 'me', 'x' FROM generate_series(1, %s) AS n",
        [MANY],
    )
    owner_conn.execute("ANALYZE")
    # What was read until here is not counted any more by who asks on this connection.
    owner_conn.execute("SELECT pg_stat_force_next_flush()")


def scans(conn: Connection[Any], statement: LiteralString, values: dict[str, Any]) -> list[str]:
    """The large tables that the statement, with the functions it calls, read from end to end."""
    enter_team(conn, 1)
    conn.execute(statement, values)
    found = conn.execute(
        "SELECT relname FROM pg_stat_xact_user_tables WHERE seq_scan > 0 AND relname = ANY(%s)",
        [list(LARGE)],
    )
    return [name for (name,) in found]


@pytest.mark.usefixtures("large")
def test_who_asks_is_found_by_an_index(app_conn: Session) -> None:
    app_conn.prepare_threshold = None
    for statement, values in STATEMENTS:
        assert transact(app_conn, scans, statement, values) == [], statement


@pytest.mark.usefixtures("large")
def test_sessions_of_providers_are_found_by_an_index(owner_conn: Session) -> None:
    for statement, values in OF_PROVIDERS:
        assert transact(owner_conn, scans, statement, values) == [], statement


def found(conn: Connection[Any], statement: LiteralString, values: dict[str, Any]) -> list[Any]:
    """What it answers but for nulls and what it counts."""
    enter_team(conn, 1)
    cursor = conn.execute(statement, values)
    rows = cursor.fetchall() if cursor.description else []
    return [value for row in rows for value in row if value]


def test_on_an_empty_database_they_find_nobody(app_conn: Session) -> None:
    for statement, values in STATEMENTS:
        assert transact(app_conn, found, statement, values) == [], statement


@pytest.mark.usefixtures("large")
def test_the_check_sees_a_scan(app_conn: Session) -> None:
    assert transact(app_conn, scans, "SELECT max(created_by) FROM person", {}) == ["person"]
