"""The gate of a loop: after each iteration it calls the condition and decides whether another one follows."""

from typing import Final

from headway.authoring.iterations import LoopDecision
from headway.authoring.operators.base import Call, Operator
from headway.authoring.operators.python import invoke
from headway.authoring.run import Fail

REASON_CHARS_MAX: Final = 500


def decide(call: Call) -> dict[str, object]:
    """Call the condition. Raises Fail if it returns something else than a decision."""
    loop, until = call.run.loop, call.kwargs["until"]
    assert loop is not None, "a gate outside of a loop"
    if until is None:
        return {"stop": loop.index + 1 >= loop.max_iterations}
    assert callable(until)
    found = invoke(until, (), {}, call.run)
    stop, reason = found if isinstance(found, LoopDecision) else (found, None)
    name = getattr(until, "__name__", repr(until))
    if not isinstance(stop, bool):
        raise Fail(f"{name} must return True, False or a LoopDecision, not {found!r:.200}")
    if reason is not None and not isinstance(reason, str):
        raise Fail(f"the reason of a LoopDecision must be a text, not {reason!r:.200}")
    told = "" if not reason else f": {reason}"
    print(f"iteration {loop.index}: {'stop' if stop else 'go on'}{told}", flush=True)
    if not stop and loop.index + 1 >= loop.max_iterations:
        raise Fail(
            f"{name} did not hold after {loop.max_iterations} iterations (max_iterations){told}"
        )
    return {"stop": stop, **({"reason": reason[:REASON_CHARS_MAX]} if reason else {})}


GATE: Final = Operator(
    word="loop_gate", parameters=("until", "result"), required=("until",), run=decide
)
