"""API tokens: only their hashes are stored, and those never come back. Every function takes a
connection; none commits.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, LiteralString

from psycopg import Connection, errors
from psycopg.rows import class_row

from headway.errors import Conflict


@dataclass(frozen=True, slots=True)
class Bearer:
    """A valid token: its owner, team and maximum role."""

    token_id: str
    person_id: int
    team_id: int
    role: str
    expires_at: datetime
    verbs: list[str] | None  # what the token is narrowed to
    dag_ids: list[str] | None


LOCAL_AGENT: Final = "local-agent"
LOCAL_AGENT_LIFE: Final = timedelta(days=36_500)  # it is made anew by each start of the server

IDENTIFY_AGENT: LiteralString = """
    SELECT team_id, token_id FROM identify_agent(%(hash)s, %(now)s)
"""

VOID: LiteralString = """
    SELECT team_id, token_id FROM unnest(%(teams)s::integer[], %(tokens)s::text[]) AS asked (team_id, token_id)
    EXCEPT
    SELECT team_id, token_id FROM good_agents(%(teams)s::integer[], %(tokens)s::text[], %(now)s)
"""

INSERT_LOCAL_AGENT: LiteralString = """
    INSERT INTO api_token (team_id, token_id, person_id, name, role, scope, hash, expires_at)
    VALUES (%(team)s, %(token)s, %(person)s, 'the agent of headway up', 'viewer', 'agent', %(hash)s, %(until)s)
    ON CONFLICT (team_id, token_id) DO NOTHING
"""

RENEW_LOCAL_AGENT: LiteralString = "SELECT renew_local_agent(%(hash)s, %(until)s)"

IDENTIFY: LiteralString = """
    SELECT token_id, person_id, team_id, role, expires_at, verbs, dag_ids
    FROM identify_bearer(%(hash)s)
"""

CREATE: LiteralString = """
    INSERT INTO api_token (
        team_id, token_id, person_id, name, role, scope, hash, verbs, dag_ids, expires_at)
    VALUES (%(team_id)s, %(token_id)s, %(person_id)s, %(name)s, %(role)s, %(scope)s, %(hash)s,
        %(verbs)s, %(dag_ids)s, now() + make_interval(secs => %(lifetime_s)s))
"""

REVOKE: LiteralString = """
    UPDATE api_token SET revoked_at = now()
    WHERE team_id = %(team_id)s AND token_id = %(token_id)s AND revoked_at IS NULL
"""

REVOKE_ALL: LiteralString = """
    UPDATE api_token SET revoked_at = now()
    WHERE team_id = %(team_id)s AND person_id = %(person_id)s AND revoked_at IS NULL
        AND token_id <> 'local-agent'
"""


def fingerprint(secret: str) -> bytes:
    """Return the hash under which a secret is stored. Secrets are random and long, so a fast hash is enough."""
    return sha256(secret.encode(errors="surrogatepass")).digest()


def identify_agent(conn: Connection[Any], hashed: bytes, now: datetime) -> tuple[int, str] | None:
    """Return the team and id of a valid agent token."""
    row = conn.execute(IDENTIFY_AGENT, {"hash": hashed, "now": now}).fetchone()
    return None if row is None else (row[0], row[1])


def void(
    conn: Connection[Any], tokens: Collection[tuple[int, str]], now: datetime
) -> set[tuple[int, str]]:
    """Return which tokens (team and id) are revoked or expired, or whose owner is no longer an admin."""
    values = {"teams": [team for team, _ in tokens], "tokens": [token for _, token in tokens]}
    return {(team, token) for team, token in conn.execute(VOID, {**values, "now": now})}


def renew_local_agent(
    conn: Connection[Any], team_id: int, person_id: int, hashed: bytes, now: datetime
) -> None:
    """Replace the token of the agent that the server of the entered team starts."""
    values: dict[str, Any] = {
        "team": team_id,
        "token": LOCAL_AGENT,
        "person": person_id,
        "hash": hashed,
    }
    values["until"] = now + LOCAL_AGENT_LIFE
    conn.execute(INSERT_LOCAL_AGENT, values)
    conn.execute(RENEW_LOCAL_AGENT, values)


def identify(conn: Connection[Any], hashed: bytes) -> Bearer | None:
    with conn.cursor(row_factory=class_row(Bearer)) as cursor:
        return cursor.execute(IDENTIFY, {"hash": hashed}).fetchone()


def create(
    conn: Connection[Any],
    team_id: int,
    token_id: str,
    person_id: int,
    name: str,
    role: str,
    hashed: bytes,
    lifetime_s: float,
    scope: str = "api",
    verbs: list[str] | None = None,
    dag_ids: list[str] | None = None,
) -> None:
    values: dict[str, Any] = {"team_id": team_id, "token_id": token_id, "person_id": person_id}
    values |= {"name": name, "role": role, "hash": hashed, "lifetime_s": lifetime_s, "scope": scope}
    values |= {"verbs": verbs, "dag_ids": dag_ids}
    try:
        conn.execute(CREATE, values)
    except errors.UniqueViolation as error:
        raise Conflict(
            f"a token named {name!r} already exists",
            hint="revoke it or choose another name; to list tokens: headway token ls",
        ) from error


def revoke(conn: Connection[Any], team_id: int, token_id: str) -> None:
    conn.execute(REVOKE, {"team_id": team_id, "token_id": token_id})


def revoke_all(conn: Connection[Any], team_id: int, person_id: int) -> None:
    """Revoke all tokens of a user in the team, but not that of the server's own agent."""
    conn.execute(REVOKE_ALL, {"team_id": team_id, "person_id": person_id})
