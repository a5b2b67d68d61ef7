"""Credentials of agents in the databases of tests."""

from typing import Any, Final

from psycopg import Connection

from headway.store.api_tokens import fingerprint

SECRET: Final = "secret"

ADMIN = """
    INSERT INTO person (team_id, name, display_name, created_by) VALUES (1, 'agents', 'Agents', 'test')
    ON CONFLICT (name) DO NOTHING
"""
MEMBER = """
    INSERT INTO membership (team_id, person_id, role, created_by)
    SELECT %s, person_id, 'admin', 'test' FROM person WHERE name = 'agents' ON CONFLICT DO NOTHING
"""
TOKEN = """
    INSERT INTO api_token (team_id, token_id, person_id, name, role, scope, hash, expires_at)
    SELECT %s, %s, person_id, %s, 'viewer', 'agent', %s, 'infinity' FROM person WHERE name = 'agents'
    ON CONFLICT DO NOTHING
"""


def let_in(conn: Connection[Any], team_id: int = 1, secret: str = SECRET) -> None:
    """Make ``secret`` the token of agents of a team. As the owner, whoever the connection acts as."""
    (role,) = conn.execute("SELECT current_user").fetchone() or ("",)
    conn.execute("SET ROLE NONE")
    try:
        conn.execute(ADMIN)
        conn.execute(MEMBER, [team_id])
        conn.execute(TOKEN, [team_id, f"of-{secret}", f"of {secret}", fingerprint(secret)])
    finally:
        conn.execute(f"SET ROLE {role}".encode())
