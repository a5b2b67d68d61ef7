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
    from headway.frontends.airflow import comms

    comms.install()
    trigger = made(given.facts.trigger, given.facts.kwargs)
    state = trigger.asset_state_store = State(given)
    try:
        async for event in trigger.run():
            extra = {"from_trigger": True, "payload": event.payload}
            await given.tell([WatcherEvent(extra)], state.taken())
        if state.changed:
            await given.tell([], state.taken())
    finally:
        await trigger.cleanup()


class State:
    """Airflow's store for the state of the assets of a trigger, in the cursor of its watcher: one for all of them."""

    def __init__(self, given: "Watched") -> None:
        self.given = given
        self.values: dict[str, Any] = dict(given.cursor or {})
        self.changed = False

    def __getitem__(self, asset: object) -> "State":
        return self

    def taken(self) -> dict[str, Any] | None:
        """Return what is to be stored, if anything has changed."""
        changed, self.changed = self.changed, False
        return dict(self.values) if changed else None

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    async def aget(self, key: str, default: Any = None) -> Any:
        return self.get(key, default)

    def set(self, key: str, value: Any) -> None:
        """Set a value, which is stored with the next event. ``aset`` returns when it is stored."""
        if value is None:
            raise ValueError("Cannot set value as None")
        self.values[key] = value
        self.changed = True

    async def aset(self, key: str, value: Any) -> None:
        self.set(key, value)
        await self.given.tell([], self.taken())

    def delete(self, key: str) -> None:
        self.changed |= self.values.pop(key, None) is not None

    async def adelete(self, key: str) -> None:
        self.delete(key)
        if self.changed:
            await self.given.tell([], self.taken())

    def clear(self) -> None:
        self.changed |= bool(self.values)
        self.values.clear()

    async def aclear(self) -> None:
        self.clear()
        if self.changed:
            await self.given.tell([], self.taken())


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
