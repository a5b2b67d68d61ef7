"""/variables: values that tasks of a team read by key. The value of a secret one is written, never read."""

from typing import Any

from litestar import delete, get, put
from litestar.params import JSONBody
from psycopg import Connection

from headway import wire
from headway.api.context import Handed
from headway.api.parameters import Id
from headway.core.roles import Verb
from headway.secrets import stored


@get("/variables", needs=Verb.VARIABLE_READ)
async def list_variables(api: Handed) -> wire.Page[wire.Variable]:
    """List variables. A secret one has no value."""
    return wire.Page(await api.door.call(stored.list_variables, api.door.team_id))


@get("/variables/{key:str}", needs=Verb.VARIABLE_READ)
async def show_variable(api: Handed, key: Id) -> wire.Variable:
    """Get a variable. A secret one has no value."""
    return await api.door.call(stored.show_variable, api.door.team_id, key)


@put("/variables/{key:str}", needs=Verb.VARIABLE_WRITE, secret=True)
async def set_variable(api: Handed, key: Id, data: JSONBody[wire.VariableRequest]) -> wire.Variable:
    """Create a variable, or replace it. Without a value, the stored one stays."""

    def work(conn: Connection[Any]) -> wire.Variable:
        return stored.set_variable(conn, api.secrets, api.door.team_id, key, data, api.actor)

    return await api.door.call(work)


@delete("/variables/{key:str}", needs=Verb.VARIABLE_WRITE)
async def delete_variable(api: Handed, key: Id) -> None:
    """Delete a variable."""
    await api.door.call(stored.delete_variable, api.door.team_id, key)


ROUTES = [list_variables, show_variable, set_variable, delete_variable]
