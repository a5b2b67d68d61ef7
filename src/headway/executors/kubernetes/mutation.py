"""The platform's ``pod_mutation``: a function that gets each pod as data and changes it, before Headway's fields.

It runs beside the scheduler, in a thread of its own for each pod: one that raises, hangs or returns nonsense hurts
the attempt of that pod and no other.
"""

import asyncio
import importlib
import threading
from collections.abc import Callable
from typing import Any, Final

import msgspec

from headway.errors import UsageError
from headway.executors.kubernetes.final import Denied, Manifest

HOOK_S: Final = 5.0  # that one call may take
HANGING_MAX: Final = 20  # calls that never returned; after that many no other one is made

Hook = Callable[[Manifest], Any]


def hook_of(name: str) -> Hook:
    """Import ``module:function``. Raises UsageError."""
    module, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:
        raise UsageError(f"cannot import the pod_mutation {name}: {error}") from error
    if not callable(found):
        raise UsageError(f"the pod_mutation {name} is not a function")
    hook: Hook = found
    return hook


class Mutation:
    """Calls the hook from the thread of an event loop. Without a hook it returns what it gets."""

    def __init__(self, hook: Hook | None, patience_s: float = HOOK_S) -> None:
        self.hook = hook
        self.patience_s = patience_s
        self.hanging = 0

    async def of(self, pod: Manifest) -> Manifest:
        """Return the pod as the hook returned it, or changed it. Raises Denied."""
        if self.hook is None:
            return pod
        if self.hanging >= HANGING_MAX:
            raise Denied(f"the pod_mutation of the platform has hung {HANGING_MAX} times")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()

        def settle(found: bytes | Exception) -> None:
            if answer.done():  # nobody waits for it any more
                self.hanging -= 1
            elif isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def tell(found: bytes | Exception) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, found)

        work = threading.Thread(
            target=call, args=(self.hook, copy_of(pod), tell), name="pod_mutation", daemon=True
        )
        work.start()
        try:
            data = await asyncio.wait_for(answer, self.patience_s)
        except TimeoutError:
            self.hanging += 1
            why = f"the pod_mutation of the platform did not return within {self.patience_s:g} s"
            raise Denied(why) from None
        found = msgspec.json.decode(data)
        if not isinstance(found, dict):
            raise Denied("the pod_mutation of the platform returned no pod")
        return found


def call(hook: Hook, pod: Manifest, tell: Callable[[bytes | Exception], None]) -> None:
    """Call the hook, and tell what it returned as JSON, so that it cannot change that afterwards."""
    try:
        returned = hook(pod)
        tell(msgspec.json.encode(pod if returned is None else returned))
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"[:500]
        tell(Denied(f"the pod_mutation of the platform raised {text}"))


def copy_of(pod: Manifest) -> Manifest:
    found: Manifest = msgspec.json.decode(msgspec.json.encode(pod))
    return found
