"""/connections: how tasks of a team reach other systems. Secret fields are written, never read."""

from typing import Any

from litestar import delete, get, put
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Id
from headway.core.roles import Role
from headway.secrets import stored


@get("/connections", needs=Role.AUTHOR)
async def list_connections(api: Handed) -> wire.Page[wire.Connection]:
    """List connections, without their secrets."""
    return wire.Page(await api.door.call(stored.list_connections, api.door.team_id))


@get("/connections/{conn_id:str}", needs=Role.AUTHOR)
async def show_connection(api: Handed, conn_id: Id) -> wire.Connection:
    """Get a connection, without its secrets."""
    return await api.door.call(stored.show_connection, api.door.team_id, conn_id)


@put("/connections/{conn_id:str}", needs=Role.ADMIN, secret=True)
async def set_connection(
    api: Handed, conn_id: Id, data: JSONBody[wire.ConnectionRequest]
) -> wire.Connection:
    """Create a connection, or replace it. Secrets that the request leaves out stay."""

    def work(conn: Connection[Any]) -> wire.Connection:
        return stored.set_connection(conn, api.secrets, api.door.team_id, conn_id, data, api.actor)

    return await api.door.call(work)


@delete("/connections/{conn_id:str}", needs=Role.ADMIN)
async def delete_connection(api: Handed, conn_id: Id) -> None:
    """Delete a connection with its secrets."""
    await api.door.call(stored.delete_connection, api.door.team_id, conn_id)


ROUTES = [list_connections, show_connection, set_connection, delete_connection]
