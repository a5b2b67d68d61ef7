"""Triggers of Airflow in a triggerer of Headway: the first event of one ends the wait.

An event is ``{"payload": …}`` in Airflow's own JSON, or ``{"end": state, "xcoms": …}`` if the trigger ends the task.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from headway.authoring.looking import Given

PREFIX: Final = "airflow:"


async def awaited(given: "Given") -> Mapping[str, Any]:
    """Return the first event. Raises what the trigger raises, and RuntimeError if it ends without an event."""
    from airflow.sdk._shared.module_loading import import_string
    from airflow.sdk.serde import deserialize

    made = import_string(given.facts.trigger.removeprefix(PREFIX))
    kwargs: Any = deserialize(given.facts.kwargs)
    trigger = made(**kwargs)
    try:
        async for event in trigger.run():
            return told(event)
    finally:
        await trigger.cleanup()
    raise RuntimeError(f"the trigger {made.__name__} ended without an event")


def told(event: Any) -> dict[str, Any]:
    from airflow.sdk.serde import serialize

    state = getattr(event, "task_instance_state", None)
    if state is None:
        return {"payload": serialize(event.payload)}
    xcoms = getattr(event, "xcoms", None) or {}
    return {"end": str(getattr(state, "value", state)), "xcoms": serialize(xcoms)}
