"""Airflow's stores for the state of tasks and of assets, which are kept by the server (ADR 74). Airflow 3.2 has none.

A store that ``[workers] state_store_backend`` names is used by the task's own process: what comes here then is where
it has put a value.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from headway.authoring import secrets
from headway.frontends.airflow import dates
from headway.spec.carried import flaws, place
from headway.spec.state_stores import KIND, Asked, flaw

VERBS: Final = ("get", "set", "delete", "clear")
OF_TASK: Final = {f"{verb.capitalize()}TaskStateStore": verb for verb in VERBS}
OF_ASSET: Final = {
    f"{verb.capitalize()}AssetStateStoreBy{by}": verb for verb in VERBS for by in ("Name", "Uri")
}
ASSETS: Final = msgspec.json.Decoder(list[tuple[str, str]])


class BadState(Exception):
    """A state that cannot be stored: why, for the log and the task."""


def answer(body: Mapping[str, Any]) -> dict[str, Any]:
    """Do what a task or a trigger asks of its store. Raises BadState, SecretRefused."""
    kind = body["type"]
    of_asset = kind in OF_ASSET
    verb: Any = OF_ASSET[kind] if of_asset else OF_TASK[kind]
    asked = Asked(
        verb,
        key=body.get("key", ""),
        asset=body.get("name"),
        uri=body.get("uri"),
        value=encoded(body) if verb == "set" else Asked("set").value,
        expires_at=None if body.get("expires_at") is None else dates.moment(body["expires_at"]),
    )
    if (why := flaw(asked)) is not None:
        raise BadState(why)
    found = ask(asked)
    if verb != "get":
        return {"type": "OKResponse", "ok": True}
    word = "Asset" if of_asset else "Task"
    if found is None:
        error = f"{word.upper()}_STORE_NOT_FOUND"
        return {"type": "ErrorResponse", "error": error, "detail": {"key": asked.key}}
    return {"type": f"{word}StateStoreResult", "value": msgspec.json.decode(found)}


def encoded(body: Mapping[str, Any]) -> msgspec.Raw:
    """Return a value as JSON, which has no word for some of what Python has."""
    for path, why in flaws(body["value"]):
        raise BadState(f"the state {body['key']!r:.80}{place(path)} {why}")
    return msgspec.Raw(msgspec.json.encode(body["value"]))


def succeeded() -> None:
    """Remove the state of the task instance that asks, if Airflow is configured so."""
    from airflow.sdk.execution_time import context

    if not hasattr(context, "TaskStateStoreAccessor"):  # Airflow 3.2
        return
    from airflow.sdk.configuration import conf

    if conf.getboolean("state_store", "clear_on_success", fallback=False):
        try:
            ask(Asked("clear"))
        except secrets.SecretRefused as error:  # it has succeeded all the same, as in Airflow
            print(f"the state of the task was not cleared: {error}")


async def of_watcher() -> Any:
    """Return Airflow's accessors for the state of the assets that the watcher who asks has; None: it is Airflow 3.2."""
    from airflow.sdk import Asset
    from airflow.sdk.execution_time import context

    if (accessors := getattr(context, "AssetStateStoreAccessors", None)) is None:
        return None
    found = ASSETS.decode(await secrets.ask_later(KIND, text_of(Asked("assets"))) or "[]")
    return accessors([Asset(name=name, uri=uri) for name, uri in found])


def ask(asked: Asked) -> str | None:
    return secrets.ask(KIND, text_of(asked))


def text_of(asked: Asked) -> str:
    return msgspec.json.encode(asked).decode()
