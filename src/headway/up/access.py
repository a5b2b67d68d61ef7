"""The credentials of a server's own parts: its API, its agents, the database. Tasks of its user must not find them."""

import os
import socket
from typing import TYPE_CHECKING, Any

from headway import ids
from headway.agent import processes
from headway.config import Layout
from headway.drafts import made_once

if TYPE_CHECKING:
    from psycopg import Connection

    from headway.store.api_login import ApiLogin
    from headway.up.shared import Shared


def forget_secrets() -> None:
    """Take what opens the database out of our environment and memory, where tasks of this user could read it."""
    processes.hide_memory()
    processes.take_environment("HEADWAY_DATABASE_URL")


def api_login_of(dsn: str, layout: Layout, *, is_ours: bool) -> "ApiLogin":
    """Return the API's login; ``is_ours``: to the embedded database."""
    from headway.store import api_login

    place = f"{socket.gethostname()}:{layout.data}"
    url = processes.take_environment(api_login.VARIABLE)
    return api_login.embedded(dsn, place) if is_ours else api_login.external(dsn, url, place)


def replica_login(shared: "Shared") -> "ApiLogin":
    """Return the login of one API server of several: each draws a secret of its own."""
    from headway.store import api_login

    place = f"{socket.gethostname()}:{shared.layout.data}:{os.getpid()}"
    url = processes.take_environment(api_login.VARIABLE)
    return api_login.external(shared.database_url, url, place)


def data_token(layout: Layout) -> str:
    """Return the token of the data directory. It never changes, so that clients survive a restart."""
    file = layout.run / "token"
    if not file.exists():
        made_once(file, ids.token())
    return file.read_text()


def agent_token(dsn: str, team_id: int) -> str:
    """Create a token for the agent that the server itself starts, with nothing to prepare."""
    from headway.identity import accounts
    from headway.store.transact import APP, connect, enter_team, transact

    def renew(conn: "Connection[Any]") -> str:
        enter_team(conn, team_id)
        return accounts.renew_local_agent(conn, team_id)

    with connect(dsn, role=APP) as conn:
        return transact(conn, renew)
