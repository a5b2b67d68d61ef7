"""Triggers of Airflow in a triggerer of Headway: the first event of one ends the wait; of a watcher, each is one.

An event is ``{"payload": …}`` in Airflow's own JSON, or ``{"end": state, "xcoms": …}`` if the trigger ends the task.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from headway.authoring.looking import Given
    from headway.authoring.run import Run
    from headway.authoring.watching import Watched

PREFIX: Final = "airflow:"


async def awaited(given: "Given") -> Mapping[str, Any]:
    """Return the first event. Raises what the trigger raises, and RuntimeError if it ends without an event."""
    from headway.frontends.airflow import comms

    comms.install()
    comms.ASKS.set(given)
    trigger = made(given.facts.trigger, given.facts.kwargs)
    trigger.task_instance = instance(given.run)
    try:
        async for event in trigger.run():
            return told(event)
    finally:
        await trigger.cleanup()
    raise RuntimeError(f"the trigger {type(trigger).__name__} ended without an event")


async def watched(given: "Watched") -> None:
    """Tell each event of a trigger, with the extra that Airflow gives it. The trigger goes on when it is stored."""
    from headway.authoring.watchers import WatcherEvent
    from headway.frontends.airflow import comms, stores

    comms.install()
    trigger = made(given.facts.trigger, given.facts.kwargs)
    trigger.asset_state_store = await stores.of_watcher()
    try:
        async for event in trigger.run():
            extra = {"from_trigger": True, "payload": event.payload}
            await given.tell([WatcherEvent(extra)], None)
    finally:
        await trigger.cleanup()


def made(name: str, kwargs: Mapping[str, Any]) -> Any:
    """Return the trigger that a wait or a watcher names."""
    from airflow.sdk._shared.module_loading import import_string
    from airflow.sdk.serde import deserialize

    given: Any = deserialize(dict(kwargs))
    return import_string(name.removeprefix(PREFIX))(**given)


def instance(run: "Run") -> Any:
    """Return the task instance that waits, as Airflow's triggers know it."""
    from airflow.sdk.api.datamodels._generated import TaskInstance

    from headway.frontends.airflow import startup

    return TaskInstance(
        id=startup.identity(run),
        task_id=run.task_id,
        dag_id=run.dag_id,
        run_id=run.run_id,
        try_number=run.try_number,
        map_index=run.map_index,
        dag_version_id=startup.version(run.dag_id, ""),
    )


def told(event: Any) -> dict[str, Any]:
    from airflow.sdk.serde import serialize

    state = getattr(event, "task_instance_state", None)
    if state is None:
        return {"payload": serialize(event.payload)}
    xcoms = getattr(event, "xcoms", None) or {}
    return {"end": str(getattr(state, "value", state)), "xcoms": serialize(xcoms)}
