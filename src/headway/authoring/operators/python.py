"""``@task`` and ``python(task_id=…, python_callable=…)``: a Python function."""

from collections.abc import Callable, Coroutine, Mapping
from types import CoroutineType
from typing import Any

from headway.authoring.operators.base import Call, Operator
from headway.authoring.rendered import show_arguments
from headway.authoring.run import CONTEXT_NAMES, Fail, Run, context_of
from headway.authoring.signatures import CONTEXT_CATCHERS, Signature, signature_of


def run_function(call: Call) -> object:
    assert call.function is not None, "a task without its function"
    return invoke(call.function, call.args, call.kwargs, call.run)


def run(call: Call) -> object:
    function = call.kwargs["python_callable"]
    args, kwargs = call.kwargs.get("op_args", ()), call.kwargs.get("op_kwargs", {})
    if not callable(function):
        raise Fail(f"python_callable must be a function, not {function!r}")
    if not isinstance(args, (list, tuple)) or not isinstance(kwargs, Mapping):
        raise Fail("op_args must be a list and op_kwargs a dict")
    return invoke(function, tuple(args), dict(kwargs), call.run)


def invoke(
    function: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object], run: Run
) -> object:
    """Call it, filling from the run what it asks for by name or annotation, and wait for an ``async def``."""
    result = called(function, args, kwargs, run)
    return awaited(result) if isinstance(result, CoroutineType) else result


def called(
    function: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object], run: Run
) -> object:
    """Return what it returns: of an ``async def``, a coroutine."""
    signature = signature_of(function)
    show_arguments(signature.parameters, args, kwargs)
    if signature.varkw or len(args) + len(kwargs) < len(signature.parameters):
        kwargs = kwargs | asked_for(signature, len(args), kwargs, run)
    return function(*args, **kwargs)


def awaited(work: Coroutine[Any, Any, object]) -> object:
    """Return the result of an ``async def`` task, run in an event loop of its own."""
    import asyncio  # most tasks need none

    return asyncio.run(work)


def asked_for(
    signature: Signature, given: int, kwargs: Mapping[str, object], run: Run
) -> dict[str, object]:
    positional = [p.name for p in signature.parameters.values() if p.positional]
    taken = {*positional[:given], *kwargs}
    found = {
        parameter.name: run if parameter.wants_run else named(run, parameter.name)
        for parameter in signature.parameters.values()
        if parameter.name not in taken and parameter.wants_context
    }
    if signature.varkw in CONTEXT_CATCHERS:
        context = context_of(run)
        rest = context.keys() - taken - signature.parameters.keys()
        found |= {name: context[name] for name in rest}
    return found


def named(run: Run, name: str) -> object:
    return getattr(run, name) if name in CONTEXT_NAMES else context_of(run)[name]


OPERATOR = Operator(
    word="python",
    parameters=("python_callable", "op_args", "op_kwargs"),
    required=("python_callable",),
    run=run,
    run_function=run_function,
)
