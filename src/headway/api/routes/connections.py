"""/connections: how tasks of a team reach other systems. Secret fields are written, never read."""

from typing import Any, Final

from litestar import delete, get, post, put
from litestar.params import JSONBody
from psycopg import Connection

from headway import clock, ids, wire
from headway.api.context import Handed
from headway.api.parameters import Id
from headway.api.wakeups import wait
from headway.core.roles import Verb
from headway.errors import Conflict
from headway.executors.base import LEASE
from headway.secrets import stored
from headway.store import connection_tests
from headway.store.clock import clock as database_clock

TEST_S: Final = 30.0  # more than a secret backend and the process of the agent take together
NO_ANSWER: Final = (
    f"no agent of the team gave a result within {TEST_S:g} s; they may be busy or cut off"
)


@get("/connections", needs=Verb.CONNECTION_READ)
async def list_connections(api: Handed) -> wire.Page[wire.Connection]:
    """List connections, without their secrets."""
    return wire.Page(await api.door.call(stored.list_connections, api.door.team_id))


@get("/connections/{conn_id:str}", needs=Verb.CONNECTION_READ)
async def show_connection(api: Handed, conn_id: Id) -> wire.Connection:
    """Get a connection, without its secrets."""
    return await api.door.call(stored.show_connection, api.door.team_id, conn_id)


@put("/connections/{conn_id:str}", needs=Verb.CONNECTION_WRITE, secret=True)
async def set_connection(
    api: Handed, conn_id: Id, data: JSONBody[wire.ConnectionRequest]
) -> wire.Connection:
    """Create a connection, or replace it. Secrets that the request leaves out stay."""

    def work(conn: Connection[Any]) -> wire.Connection:
        return stored.set_connection(conn, api.secrets, api.door.team_id, conn_id, data, api.actor)

    return await api.door.call(work)


@delete("/connections/{conn_id:str}", needs=Verb.CONNECTION_WRITE)
async def delete_connection(api: Handed, conn_id: Id) -> None:
    """Delete a connection with its secrets."""
    await api.door.call(stored.delete_connection, api.door.team_id, conn_id)


@post("/connections/{conn_id:str}/test", needs=Verb.CONNECTION_READ, status_code=200)
async def test_connection(api: Handed, conn_id: Id) -> wire.ConnectionTest:
    """Try a connection in a process of an agent of the team. The answer comes within half a minute."""
    team_id, test_id = api.door.team_id, ids.run_id()
    deadline = clock.monotonic() + TEST_S
    with api.wakeups.watching(test_id) as wakeup:
        await api.door.call(ask_for_test, team_id, test_id, conn_id)
        while (found := await api.door.call(connection_tests.result, team_id, test_id)) is None:
            if not await wait(wakeup, deadline):
                break
    await api.door.call(forget_test, team_id, test_id)
    ok, message = found or (False, NO_ANSWER)
    return wire.ConnectionTest(conn_id=conn_id, ok=ok, message=message)


def ask_for_test(conn: Connection[Any], team_id: int, test_id: str, conn_id: str) -> None:
    """Raises NotFound. Conflict: no agent of the team is connected."""
    stored.show_connection(conn, team_id, conn_id)
    now = database_clock(conn)
    if not connection_tests.has_agents(conn, team_id, now, LEASE):
        raise Conflict(
            "no agent of the team is connected, so nothing can try the connection",
            hint="to see what runs: headway doctor",
        )
    connection_tests.ask(conn, team_id, test_id, conn_id, now)


def forget_test(conn: Connection[Any], team_id: int, test_id: str) -> None:
    connection_tests.forget(conn, team_id, test_id, database_clock(conn))


ROUTES = [list_connections, show_connection, set_connection, test_connection, delete_connection]
