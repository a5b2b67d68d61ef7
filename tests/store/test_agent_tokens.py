"""The token of the server's own agent, and what the roles of Headway may change of tokens."""

import pytest
from psycopg import errors

from headway.core.roles import Role
from headway.identity import accounts
from headway.store import api_tokens, people
from headway.store.api_tokens import fingerprint
from headway.store.clock import clock
from headway.store.transact import APP, ENGINE, connect, enter_team
from headway.up.access import agent_token

TEAM = 1
NAME = "the agent of headway up"
SEIZE = "UPDATE api_token SET hash = %s WHERE token_id = 'local-agent'"


def is_good(dsn: str, secret: str) -> bool:
    with connect(dsn, role=ENGINE) as conn:
        now = clock(conn)
        return api_tokens.identify_agent(conn, fingerprint(secret), now) is not None


def test_each_start_makes_the_token_before_worthless(dsn: str) -> None:
    first, second = agent_token(dsn, TEAM), agent_token(dsn, TEAM)
    assert (is_good(dsn, first), is_good(dsn, second)) == (False, True)


@pytest.mark.parametrize("before", [True, False])
def test_no_name_of_a_token_keeps_the_server_from_starting(dsn: str, before: bool) -> None:
    if not before:
        agent_token(dsn, TEAM)
    with connect(dsn, role=APP) as conn, conn.transaction():
        enter_team(conn, TEAM)
        admin = accounts.ensure_admin(conn, TEAM)
        api_tokens.revoke(conn, TEAM, api_tokens.LOCAL_AGENT)
        accounts.create_token(conn, TEAM, admin, NAME, Role.VIEWER, 1)
    assert is_good(dsn, agent_token(dsn, TEAM))


def test_the_agent_of_the_server_is_nobodys(dsn: str) -> None:
    secret = agent_token(dsn, TEAM)
    with connect(dsn, role=APP) as conn, conn.transaction():
        enter_team(conn, TEAM)
        accounts.create_user(conn, TEAM, "other", None, None, Role.ADMIN, "test")
        person_id = accounts.ensure_admin(conn, TEAM)
        people.leave(conn, TEAM, person_id)
        api_tokens.revoke_all(conn, TEAM, person_id)
        assert people.admins(conn, TEAM) != []
    assert is_good(dsn, secret)


def test_nobody_changes_the_secret_of_a_token_by_hand(dsn: str) -> None:
    secret = agent_token(dsn, TEAM)
    for role in (APP, ENGINE):
        with connect(dsn, role=role) as conn, conn.transaction():
            enter_team(conn, TEAM)
            with pytest.raises(errors.InsufficientPrivilege), conn.transaction():
                conn.execute(SEIZE, [b"mine"])
    with connect(dsn, role=ENGINE) as conn, pytest.raises(errors.InsufficientPrivilege):
        conn.execute("SELECT hash FROM api_token")
    with connect(dsn, role=APP) as conn:  # which has entered no team
        conn.execute("SELECT renew_local_agent('mine', 'infinity')")
    assert is_good(dsn, secret)
