"""``@task.sensor``: a function that is called again and again, until what it looks for is there.

Between two looks the process ends and the slot is free (``mode="reschedule"``), or both are kept (``mode="poke"``,
for looks that come every few seconds). An ``async def`` function is called in a triggerer (``mode="deferred"``), where
a look costs no process. What the function returns at last is the result.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from headway import clock
from headway.authoring import triggers
from headway.authoring.frames import Site
from headway.authoring.operators import python
from headway.authoring.operators.base import Call, Operator
from headway.authoring.options import Wrong, flag, seconds
from headway.authoring.run import Deferral, Deferred, Fail, Run, Skip
from headway.authoring.values import NotSerialisable, to_json
from headway.spec.errors import BadSpec

MODES: Final = ("deferred", "reschedule", "poke")
TRIGGER: Final = "sensor"  # the function of the task, as a trigger
CO_COROUTINE: Final = 0x80
Find = Callable[[Call], object]
DOUBLINGS_MAX: Final = 30
ROUNDING_S: Final = 0.1  # nobody looks once more for so little


class Sensor(NamedTuple):
    """The options of a sensor; times in seconds. ``max_wait``: between two looks, with ``exponential_backoff``.

    Only what can be called in a triggerer is: a function that is not ``async def``, or whose arguments JSON cannot
    carry, is called in processes of its own, as with ``mode="reschedule"``.
    """

    mode: str = "deferred"
    poke_interval: float = 60.0
    timeout: float = 7 * 86_400.0
    soft_fail: bool = False  # skipped after the time-out, not failed
    silent_fail: bool = False  # a look that raises found nothing
    exponential_backoff: bool = False
    max_wait: float | None = None

    def pause(self, looks: int) -> float:
        """Return the time between a look and the next, by the number of looks so far."""
        if not self.exponential_backoff:
            return self.poke_interval
        pause = self.poke_interval * 2.0 ** min(looks - 1, DOUBLINGS_MAX)
        return pause if self.max_wait is None else min(pause, self.max_wait)


# Of an operator that looks in processes of its own.
OPTIONS: Final = tuple(name for name in Sensor._fields if name != "mode")


def taken(options: dict[str, Any], site: Site) -> Sensor:
    """Take the options of a sensor out of those of a task. Raises BadSpec."""
    found: dict[str, Any] = {}
    for name in [name for name in options if name in Sensor._fields]:
        value = options.pop(name)
        try:
            found[name] = read(name, value)
        except Wrong as expected:
            message = f"@task.sensor: {name} must be {expected}, not {value!r}"
            raise BadSpec(message, file=site.file, line=site.line) from None
    return Sensor(**found)


def read(name: str, value: object) -> object:
    if name == "mode":
        if value not in MODES:
            raise Wrong('"deferred", "reschedule" or "poke"')
        return value
    if name in ("soft_fail", "silent_fail", "exponential_backoff"):
        return flag(value)
    if name == "max_wait" and value is None:
        return None
    found = seconds(value)
    if not isinstance(found, int | float) or found <= 0:
        raise Wrong("a timedelta or a number of seconds above 0")
    return float(found)


def operator_of(sensor: Sensor) -> Operator:
    work = partial(look, sensor)
    return Operator(word="sensor", parameters=(), required=(), run=work, run_function=work)


def of_arguments(word: str, given: Mapping[str, object]) -> Sensor:
    """Return the options of an operator that looks again and again. Raises Fail."""
    found: dict[str, Any] = {}
    for name in (name for name in OPTIONS if given.get(name) is not None):
        try:
            found[name] = read(name, given[name])
        except Wrong as expected:
            raise Fail(f"{word}: {name} must be {expected}, not {given[name]!r}") from None
    return Sensor(**found)


def look(sensor: Sensor, call: Call, find: Find = python.run_function) -> object:
    """Look once, in poke mode until something is found. Raises Deferred until the next look."""
    if isinstance(told := call.run.found, dict) and "found" in told:
        return told["found"]
    elapsed_s, looks = so_far(call.run)
    began = clock.monotonic() - elapsed_s
    while True:
        found = once(sensor, call, find)
        looks += 1
        if found:
            return found
        left_s = sensor.timeout - (clock.monotonic() - began)
        if left_s <= ROUNDING_S:
            give_up(sensor, looks)
        if (deferral := deferred(sensor, call, left_s)) is not None:
            raise Deferred(deferral)
        pause_s = min(sensor.pause(looks), left_s)
        print(f"look {looks}: not there yet, looks again in {pause_s:g} s")
        if sensor.mode != "poke":
            carried = to_json({"looks": looks})
            raise Deferred(Deferral("time", {}, delay_s=pause_s, kwargs=carried, reschedules=True))
        clock.sleep(pause_s)


def deferred(sensor: Sensor, call: Call, left_s: float) -> Deferral | None:
    """Return the wait in which a triggerer looks; None: it cannot."""
    code = getattr(call.function, "__code__", None)
    if sensor.mode != "deferred" or code is None or not code.co_flags & CO_COROUTINE:
        return None
    options = sensor._asdict()
    arguments = {"args": list(call.args), "kwargs": call.kwargs, "sensor": options}
    try:
        found = triggers.deferral(
            TRIGGER, f"sensor {code.co_name}", arguments, sensor.poke_interval
        )
    except (NotSerialisable, Fail):
        return None
    # When its time is over it looks for a last time, and says what became of it.
    return found._replace(timeout_s=left_s, overdue="resume")


def so_far(run: Run) -> tuple[float, int]:
    """Return how long the attempt has taken, and how often it has looked."""
    if run.resumed is None:
        return 0.0, 0
    return run.resumed.elapsed_s, int(run.resumed.kwargs.get("looks", 0))


def once(sensor: Sensor, call: Call, find: Find) -> object:
    try:
        return find(call)
    except Exception as error:
        if not sensor.silent_fail or isinstance(error, Skip | Fail):
            raise
        print(f"this look failed, and counts as nothing found: {type(error).__name__}: {error}")
        return None


def give_up(sensor: Sensor, looks: int) -> None:
    times = "1 look" if looks == 1 else f"{looks} looks"
    told = "" if sensor.mode == "deferred" else f", in {times}"  # a triggerer may have looked, too
    text = f"nothing found within {sensor.timeout:g} s{told}"
    raise Skip(text) if sensor.soft_fail else Fail(text)
