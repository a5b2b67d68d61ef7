"""Parameters of a DAG: values given at trigger time, with a type and a default."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from headway.authoring.frames import Site
from headway.authoring.options import unknown_word
from headway.authoring.signatures import NO_DEFAULT, Parameter
from headway.spec.errors import BadSpec

TYPES: Final[Mapping[type, str]] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    tuple: "array",
    dict: "object",
}
WORDS: Final = ("string", "integer", "number", "boolean", "array", "object", "any")


class Param:
    """``Param(5, type="integer", description="…", enum=[…])``. No default: it must be given."""

    __slots__ = ("default", "description", "enum", "type")

    def __init__(
        self,
        default: object = NO_DEFAULT,
        *,
        type: str | None = None,
        description: str = "",
        enum: list[Any] | tuple[Any, ...] = (),
    ) -> None:
        self.default = default
        self.type = type
        self.description = description
        self.enum = tuple(enum)

    def __repr__(self) -> str:
        return f"<Param {self.type or 'any'}>"


class Declared(NamedTuple):
    """A parameter in the spec's words."""

    name: str
    type: str
    default: object
    required: bool
    description: str = ""
    enum: tuple[object, ...] = ()


def declared(name: str, given: object, site: Site) -> Declared:
    """From ``params={name: given}``."""
    if not isinstance(given, Param):
        return Declared(name, type_of_value(given), plain(name, given, site), required=False)
    if given.type is not None and given.type not in WORDS:
        raise unknown_word(given.type, site, f"the type of the parameter {name}", list(WORDS))
    required = given.default is NO_DEFAULT
    default = None if required else plain(name, given.default, site)
    kind = given.type or type_of_value(default)
    return Declared(name, kind, default, required, given.description, given.enum)


def declared_by(parameter: Parameter, site: Site) -> Declared:
    """From the signature of a @dag function."""
    if isinstance(parameter.default, Param):
        return declared(parameter.name, parameter.default, site)
    default = None if parameter.required else plain(parameter.name, parameter.default, site)
    kind, enum = type_of_annotation(parameter.annotation)
    if kind == "any":
        kind = type_of_value(default)
    return Declared(parameter.name, kind, default, parameter.required, enum=enum)


def type_of_value(value: object) -> str:
    return TYPES.get(type(value), "any")


def type_of_annotation(annotation: object) -> tuple[str, tuple[object, ...]]:
    """The JSON type and the allowed values.

    ``X | None`` is X: None is right where it is the default.
    """
    if isinstance(annotation, str):
        parts = [part.strip() for part in annotation.split("|") if part.strip() != "None"]
        word = parts[0].split("[")[0] if len(parts) == 1 else ""
        return next((json for kind, json in TYPES.items() if kind.__name__ == word), "any"), ()
    if get_origin(annotation) is Literal:
        return type_of_value(get_args(annotation)[0]), get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return type_of_annotation(kinds[0]) if len(kinds) == 1 else ("any", ())
    kind = get_origin(annotation) or annotation
    return (TYPES.get(kind, "any") if isinstance(kind, type) else "any"), ()


def plain(name: str, value: object, site: Site) -> object:
    """Parameters travel as JSON through triggers and the API, so dates become text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(name, item, site) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(name, item, site) for key, item in value.items()}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise BadSpec(
        f"the default of the parameter {name} is a {type(value).__name__}, "
        "which JSON does not have",
        file=site.file,
        line=site.line,
        hint="use a string, number, boolean, list, dict or None",
    )
