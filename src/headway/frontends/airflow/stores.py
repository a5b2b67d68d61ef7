"""Tasks that use Airflow's stores for state, as their code tells beforehand. They are refused when they run."""

import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any, Final

STORES: Final = {
    "task_state_store": "uses Airflow's store for the state of tasks",
    "asset_state_store": "uses Airflow's store for the state of assets",
}


def use_of(task: Any, kind: type) -> str:
    """Return which store a task uses, or "". ``kind``: the class of its operator."""
    call = getattr(
        task, "python_callable", None
    )  # of a mapped operator, a part of what it is given
    if call is None and task.is_mapped:
        call = task.partial_kwargs.get("python_callable")
    for function in (call, kind.__dict__.get("execute")):
        for code in codes_of(function):
            words = {*code.co_varnames, *code.co_names, *map(str, code.co_consts)}
            for store, does in STORES.items():
                if store in words:
                    return does
    return ""


def codes_of(function: Any) -> Iterator[CodeType]:
    """Yield the code of a function and of those inside it."""
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    waiting = [code] if isinstance(code, CodeType) else []
    while waiting:
        code = waiting.pop()
        yield code
        waiting += [const for const in code.co_consts if isinstance(const, CodeType)]
