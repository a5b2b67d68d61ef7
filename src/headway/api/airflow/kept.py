"""Variables, connections and pools; health and version."""

import json
from typing import Any, Final

from headway.api.airflow import shapes
from headway.api.airflow.dags import paged
from headway.api.airflow.facade import Answer, Asked
from headway.api.airflow.filters import Filters
from headway.api.airflow.inner import Problem

VERSION: Final = "3.3.2"  # of Airflow, whose API this is
POOLS: Final = {ours: theirs for theirs, ours in shapes.DEFAULT_POOL.items()}
FIELDS: Final = ("conn_type", "host", "port", "schema", "login", "password", "description")
KINDS: Final = ("variables", "connections", "pools")
VARIABLES: Final = Filters(
    patterns={"variable_key": "key"}, orders={name: name for name in ("key", "id", "description")}
)
CONNECTIONS: Final = Filters(
    patterns={"connection_id": "connection_id"},
    orders={
        name: name for name in ("connection_id", "conn_type", "description", "host", "port", "id")
    },
)
BY_NAME: Final = Filters(
    patterns={"pool_name": "name"}, orders={"name": "name", "slots": "slots", "id": "name"}
)


def page(asked: Asked, name: str, wanted: Filters, items: list[dict[str, Any]]) -> Answer:
    rules = wanted.rules(asked.query)
    found = [each for each in items if all(rule(each) for rule in rules)]
    return paged(asked, name, wanted.sorted(asked.query, found))


async def list_variables(asked: Asked) -> Answer:
    found = await asked.inner.get("/api/v1/variables")
    return page(asked, "variables", VARIABLES, [shapes.variable(each) for each in found["items"]])


async def show_variable(asked: Asked) -> Answer:
    return Answer(shapes.variable(await asked.inner.get(path_of(asked, "variables"))))


async def create_variable(asked: Asked) -> Answer:
    name = asked.body.get("key")
    await refuse_known(asked, "variables", name)
    return Answer((await set_variable(asked, {"description": ""}, name)).body, 201)


async def change_variable(asked: Asked) -> Answer:
    before = await asked.inner.get(path_of(asked, "variables"))
    return await set_variable(asked, before, asked.names["name"])


async def set_variable(asked: Asked, before: dict[str, Any], name: Any) -> Answer:
    wanted: dict[str, Any] = {
        "description": asked.body.get("description") or before["description"],
        **{field: before[field] for field in ("is_secret", "dags") if field in before},
    }
    if (value := asked.body.get("value")) is not None:
        wanted["value"] = value if isinstance(value, str) else json.dumps(value)
    found = await asked.inner.send("PUT", f"/api/v1/variables/{name}", wanted)
    return Answer(shapes.variable(found))


async def list_connections(asked: Asked) -> Answer:
    found = await asked.inner.get("/api/v1/connections")
    return page(
        asked, "connections", CONNECTIONS, [shapes.connection(each) for each in found["items"]]
    )


async def show_connection(asked: Asked) -> Answer:
    return Answer(shapes.connection(await asked.inner.get(path_of(asked, "connections"))))


async def create_connection(asked: Asked) -> Answer:
    name = asked.body.get("connection_id")
    await refuse_known(asked, "connections", name)
    wanted = {field: asked.body[field] for field in FIELDS if asked.body.get(field) is not None}
    return Answer((await set_connection(asked, wanted, name)).body, 201)


async def change_connection(asked: Asked) -> Answer:
    """Set the fields that are given; the others stay."""
    before = await asked.inner.get(path_of(asked, "connections"))
    kept: dict[str, Any] = {
        field: before[field] for field in (*FIELDS, "extra", "dags") if field in before
    }
    given: dict[str, Any] = {field: asked.body[field] for field in FIELDS if field in asked.body}
    if given.get("password") == "***":
        del given["password"]
    return await set_connection(asked, {**kept, **given}, asked.names["name"])


async def set_connection(asked: Asked, wanted: dict[str, Any], name: Any) -> Answer:
    if (extra := asked.body.get("extra")) is not None:
        wanted["extra"] = object_of(extra)
    wanted["description"] = wanted.get("description") or ""
    found = await asked.inner.send("PUT", f"/api/v1/connections/{name}", wanted)
    return Answer(shapes.connection(found))


async def test_connection(asked: Asked) -> Answer:
    """Try a stored connection. Others are not tried: what tries it is an agent, which only knows those."""
    name = named("connections", asked.body.get("connection_id"))
    before = await asked.inner.get(f"/api/v1/connections/{name}")
    for field in ("host", "port", "schema", "login"):
        given = asked.body.get(field)
        if given is not None and given != before[field]:
            why = f"Headway tries stored connections, and {name!r} has another {field}"
            raise Problem(501, f"{why}: store it first", [])
    found = await asked.inner.send("POST", f"/api/v1/connections/{name}/test")
    return Answer({"status": found["ok"], "message": found["message"]})


def object_of(text: object) -> dict[str, Any]:
    try:
        found = json.loads(str(text)) if text else {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Problem(422, "extra must be a JSON object, as text", [])
    return found


async def list_pools(asked: Asked) -> Answer:
    found = await asked.inner.get("/api/v1/pools")
    return page(asked, "pools", BY_NAME, [shapes.pool(each) for each in found["items"]])


async def show_pool(asked: Asked) -> Answer:
    name = POOLS.get(asked.names["name"], asked.names["name"])
    found = await asked.inner.get("/api/v1/pools")
    for each in found["items"]:
        if each["name"] == name:
            return Answer(shapes.pool(each))
    raise Problem(404, f"there is no pool {name!r}", [])


async def create_pool(asked: Asked) -> Answer:
    name = named("pools", asked.body.get("name"))
    known = await asked.inner.get("/api/v1/pools")
    if name in (shapes.pool(each)["name"] for each in known["items"]):
        raise Problem(409, f"there is a pool {name!r} already", [])
    return Answer((await set_pool(asked, name)).body, 201)


async def change_pool(asked: Asked) -> Answer:
    await show_pool(asked)
    return await set_pool(asked, asked.names["name"])


async def set_pool(asked: Asked, name: str) -> Answer:
    path = f"/api/v1/pools/{POOLS.get(name, name)}"
    return Answer(
        shapes.pool(await asked.inner.send("PUT", path, {"slots": asked.body.get("slots")}))
    )


async def delete(asked: Asked) -> Answer:
    kind = asked.names["kind"]
    name = asked.names["name"]
    name = POOLS.get(name, name) if kind == "pools" else name
    await asked.inner.send("DELETE", f"/api/v1/{kind}/{name}")
    return Answer(None, 204)


def path_of(asked: Asked, kind: str) -> str:
    return f"/api/v1/{kind}/{asked.names['name']}"


def named(kind: str, name: object) -> str:
    """Return a name, which is one part of a path. Raises Problem if it is none."""
    if not isinstance(name, str) or not name or "/" in name:
        raise Problem(422, f"{kind} need a name without a slash", [])
    return name


async def refuse_known(asked: Asked, kind: str, name: object) -> None:
    """Raise Problem if there is one with this name, or if it is none."""
    try:
        await asked.inner.get(f"/api/v1/{kind}/{named(kind, name)}")
    except Problem as error:
        if error.status != 404:
            raise
    else:
        raise Problem(409, f"{name!r} exists already", [])


async def version(asked: Asked) -> Answer:
    return Answer({"version": VERSION, "git_version": None})


async def health(asked: Asked) -> Answer:
    """Say whether everything that runs need is there: one word for all components."""
    status, _, _ = await asked.inner.raw("GET", "/readyz", {}, b"")
    word = "healthy" if status == 200 else "unhealthy"
    return Answer(
        {
            "metadatabase": {"status": word},
            "scheduler": {"status": word, "latest_scheduler_heartbeat": None},
            "triggerer": {"status": word, "latest_triggerer_heartbeat": None},
            "dag_processor": {"status": word, "latest_dag_processor_heartbeat": None},
        }
    )
