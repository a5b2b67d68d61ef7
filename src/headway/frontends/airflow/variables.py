"""Variables that tasks of Airflow set, delete and list, of their team."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from headway.authoring import secrets
from headway.spec.variable_changes import KIND, Asked, Keys, flaw


class BadVariable(Exception):
    """A variable that cannot be stored: why, for the log and the task."""


def put(body: dict[str, Any]) -> None:
    value = "" if body.get("value") is None else str(body["value"])
    change(Asked("set", body["key"], value, body.get("description")))


def delete(body: dict[str, Any]) -> dict[str, Any]:
    change(Asked("delete", body["key"]))
    return {"type": "OKResponse", "ok": True}


def keys(body: dict[str, Any]) -> dict[str, Any]:
    prefix, limit, offset = (
        body.get("prefix") or "",
        body.get("limit", 1_000),
        body.get("offset", 0),
    )
    text = change(Asked("keys", prefix=prefix, limit=limit, offset=offset))
    found = msgspec.json.decode(text or "", type=Keys)
    return {"type": "VariableKeysResult", "keys": found.keys, "total_entries": found.total}


def change(asked: Asked) -> str | None:
    if (why := flaw(asked)) is not None:
        raise BadVariable(why)
    return secrets.ask(KIND, msgspec.json.encode(asked).decode())


ANSWERS: Final[Mapping[str, Callable[[dict[str, Any]], dict[str, Any] | None]]] = {
    "PutVariable": put,
    "DeleteVariable": delete,
    "GetVariableKeys": keys,
}
