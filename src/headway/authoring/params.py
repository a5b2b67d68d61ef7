"""Parameters of a DAG: values given at trigger time, with a type and a default."""

from typing import Any, Final, NamedTuple

from headway.authoring.frames import Site
from headway.authoring.kinds import ANY, Kind, kind_of_annotation, kind_of_value, plain
from headway.authoring.options import unknown_word
from headway.authoring.signatures import NO_DEFAULT, Parameter
from headway.spec.errors import BadSpec

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
    kind: Kind
    default: object
    required: bool
    description: str = ""


def declared(name: str, given: object, site: Site, kind: Kind | None = None) -> Declared:
    """Return the parameter that ``params={name: given}`` declares; ``kind`` is that of its annotation."""
    if not isinstance(given, Param):
        return of_default(name, given, site, kind)
    if given.type is not None and given.type not in WORDS:
        raise unknown_word(given.type, site, f"the type of the parameter {name}", list(WORDS))
    found = of_default(name, given.default, site, kind)
    kind = found.kind
    if given.type not in (None, kind.type):
        kind = Kind(given.type or "any")
    if given.enum:
        kind = kind._replace(enum=tuple(carried(name, value, site) for value in given.enum))
    return found._replace(kind=kind, description=given.description)


def declared_by(parameter: Parameter, site: Site, annotation: object) -> Declared:
    """Return the parameter that the signature of a @dag function declares; ``annotation`` is resolved."""
    return declared(parameter.name, parameter.default, site, kind_of_annotation(annotation))


def of_default(name: str, given: object, site: Site, kind: Kind | None) -> Declared:
    required = given is NO_DEFAULT
    default = None if required else carried(name, given, site)
    if kind is None:
        kind = ANY if required else kind_of_value(given)
    kind = kind._replace(enum=tuple(carried(name, value, site) for value in kind.enum))
    return Declared(name, kind, default, required)


def carried(name: str, value: object, site: Site) -> object:
    try:
        return plain(value)
    except TypeError as error:
        raise BadSpec(
            f"a value of the parameter {name} is a {error}, which JSON cannot represent",
            file=site.file,
            line=site.line,
            hint="use a string, number, boolean, list, dict, date, datetime or None",
        ) from None


def given_to(declared: dict[str, Declared], params: dict[str, Any]) -> dict[str, Any]:
    """A run's parameters as its tasks get them: dates and members of enums are such again."""
    again = {
        name: param.kind.restore(params[name])
        for name, param in declared.items()
        if param.kind.restore is not None and params.get(name) is not None
    }
    return {**params, **again} if again else params
