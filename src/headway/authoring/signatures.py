"""Function signatures from code objects, because ``inspect`` is slow to import."""

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Final, NamedTuple

from headway.authoring.run import AIRFLOW_NAMES, CONTEXT_NAMES, Run

CO_VARARGS: Final = 0x04
CO_VARKEYWORDS: Final = 0x08
NO_DEFAULT: Final = object()
CONTEXT_CATCHERS: Final = ("context", "kwargs")  # ``**context`` receives all the context names


class Parameter(NamedTuple):
    name: str
    default: object
    annotation: object
    positional: bool

    @property
    def required(self) -> bool:
        return self.default is NO_DEFAULT

    @property
    def wants_run(self) -> bool:
        return (
            self.name == "run"
            or self.annotation is Run
            or self.annotation in ("Run", "headway.Run")
        )

    @property
    def wants_context(self) -> bool:
        """Filled from the run when the DAG file gives nothing else."""
        unset = self.required or self.default is None
        return unset and (self.wants_run or self.name in (*CONTEXT_NAMES, *AIRFLOW_NAMES))


class Signature(NamedTuple):
    parameters: dict[str, Parameter]
    varargs: bool
    varkw: str | None  # the name after **

    def missing(self, given: frozenset[str] | set[str]) -> list[str]:
        """Arguments that nobody gives, neither the caller nor the run."""
        return [
            p.name
            for p in self.parameters.values()
            if p.required and p.name not in given and not p.wants_context
        ]

    def unknown(self, given: frozenset[str] | set[str]) -> list[str]:
        return [] if self.varkw else sorted(given - self.parameters.keys())


def signature_of(function: Callable[..., object]) -> Signature:
    if not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
        return inspected(function)
    return of_function(function)


@cache  # read when the DAG file is, and so at hand in every process that is forked from there
def of_function(function: FunctionType) -> Signature:
    code = function.__code__
    count, keyword_only = code.co_argcount, code.co_kwonlyargcount
    names = code.co_varnames
    defaults = function.__defaults__ or ()
    values: dict[str, object] = dict(
        zip(names[count - len(defaults) : count], defaults, strict=True)
    )
    values |= function.__kwdefaults__ or {}
    notes = function.__annotations__
    parameters = {
        name: Parameter(name, values.get(name, NO_DEFAULT), notes.get(name), place < count)
        for place, name in enumerate(names[: count + keyword_only])
    }
    varargs = bool(code.co_flags & CO_VARARGS)
    has_varkw = bool(code.co_flags & CO_VARKEYWORDS)
    return Signature(
        parameters, varargs, names[count + keyword_only + varargs] if has_varkw else None
    )


def inspected(function: Callable[..., object]) -> Signature:
    """Wrapped functions, methods, partials and other callables."""
    import inspect

    found = inspect.signature(function).parameters.values()
    kinds = inspect.Parameter
    parameters = {
        p.name: Parameter(
            p.name,
            NO_DEFAULT if p.default is kinds.empty else p.default,
            None if p.annotation is kinds.empty else p.annotation,
            p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD),
        )
        for p in found
        if p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
    }
    varkw = next((p.name for p in found if p.kind is kinds.VAR_KEYWORD), None)
    return Signature(parameters, any(p.kind is kinds.VAR_POSITIONAL for p in found), varkw)
