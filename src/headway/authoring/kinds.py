"""Types of parameters: converts types and defaults of the DAG file to JSON types, and values back."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from types import SimpleNamespace, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

TYPES: Final[Mapping[type, str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    tuple: "array",
    dict: "object",
}


class Kind(NamedTuple):
    """``restore`` makes of the JSON value what the DAG file means by it; None: it is that already."""

    type: str
    format: str = ""
    enum: tuple[object, ...] = ()
    restore: Callable[[Any], object] | None = None


ANY: Final = Kind("any")
DATETIME: Final = Kind("string", "date-time", restore=datetime.fromisoformat)
DATE: Final = Kind("string", "date", restore=date.fromisoformat)


def kind_of_value(value: object) -> Kind:
    return kind_of_class(type(value)) if value is not None else ANY


def kind_of_class(cls: type) -> Kind:
    if issubclass(cls, Enum):
        values = tuple(member.value for member in cls)
        return Kind(type_of_all(values), enum=values, restore=members(cls))
    if issubclass(cls, datetime):
        return DATETIME
    if issubclass(cls, date):
        return DATE
    return Kind(TYPES.get(cls, "any"))


def members(cls: type[Enum]) -> Callable[[Any], object]:
    """Return what finds the member that a value in JSON stands for: a tuple has become a list there."""
    return lambda value: next(member for member in cls if plain(member.value) == value)


def type_of_all(values: tuple[object, ...]) -> str:
    types = {TYPES.get(type(value), "any") for value in values}
    return types.pop() if len(types) == 1 else "any"


def kind_of_annotation(annotation: object) -> Kind | None:
    """``X | None`` is X: None is right where it is the default. None: it does not say."""
    if isinstance(annotation, str):  # it could not be resolved: a builtin is known by its name
        parts = [part.strip() for part in annotation.split("|") if part.strip() != "None"]
        word = parts[0].split("[")[0] if len(parts) == 1 else ""
        return next((Kind(json) for kind, json in TYPES.items() if kind.__name__ == word), None)
    if annotation in (Any, object):
        return ANY
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind_of_annotation(arguments[0])
    if origin is Literal:
        values = tuple(value for value in arguments if value is not None)
        return kind_of_literals(values)
    if origin in (Union, UnionType):
        kinds = [kind for kind in arguments if kind is not type(None)]
        return kind_of_annotation(kinds[0]) if len(kinds) == 1 else ANY
    if isinstance(origin or annotation, type):
        kind = kind_of_class(origin or annotation)  # type: ignore[arg-type]
        return None if kind == ANY else kind
    # ``NewType`` and ``type X = …`` stand for another.
    meant = getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)
    return None if meant is None else kind_of_annotation(meant)


def kind_of_literals(values: tuple[object, ...]) -> Kind:
    """Members of an enum are known by their values."""
    classes = {type(value) for value in values}
    if len(classes) == 1 and issubclass(cls := classes.pop(), Enum):
        allowed = tuple(value.value for value in values if isinstance(value, Enum))
        return Kind(type_of_all(allowed), enum=allowed, restore=members(cls))
    return Kind(type_of_all(values), enum=values)


def resolved(annotation: object, function: Callable[..., object]) -> object:
    """The type that an annotation names where it is text, as ``from __future__ import annotations``
    makes it; the text itself if it names what is not there when the file runs (``TYPE_CHECKING``).
    """
    if not isinstance(annotation, str):
        return annotation
    named = SimpleNamespace(__annotations__={"it": annotation})
    names = getattr(function, "__globals__", {})
    try:
        return get_type_hints(named, names, names_around(function))["it"]
    except Exception:  # it may be any expression, and is only a note
        return annotation


def names_around(function: Callable[..., object]) -> dict[str, object]:
    """Return the variables of the enclosing functions that it uses."""
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None)
    found = {}
    for name, cell in zip(code.co_freevars if code else (), cells or (), strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not yet assigned
            continue
    return found


def plain(value: object) -> object:
    """Parameters travel as JSON through triggers and the API. TypeError: the type that JSON lacks."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
