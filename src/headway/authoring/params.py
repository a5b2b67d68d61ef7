"""Parameters of a DAG: values given at trigger time, with a type and a default."""

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Final, NamedTuple

from headway.authoring.frames import Site, call_site
from headway.authoring.kinds import ANY, Kind, kind_of_annotation, kind_of_value, plain
from headway.authoring.options import unknown_word
from headway.authoring.signatures import NO_DEFAULT, Parameter
from headway.spec.errors import BadSpec
from headway.spec.keywords import FORMATS, INSTEAD, KEYWORDS, TYPES

OWN: Final = (
    "description",
    "enum",
    "examples",
    "format",
    "section",
    "title",
    "type",
    "values_display",
)


class Param:
    """``Param(5, type="integer", minimum=1, description="…")``. No default: it must be given.

    ``type`` is a type of JSON Schema, or several: ``["string", "null"]``. Any other keyword of JSON Schema is an
    option: ``pattern``, ``maximum``, ``items``, ``properties`` … ``examples`` are suggested where a person gives the
    value, ``section`` groups parameters in the form, and ``values_display`` says what it shows in place of a value.
    """

    def __init__(
        self,
        default: object = NO_DEFAULT,
        description: str | None = None,
        *,
        type: str | Sequence[str] | None = None,
        enum: Sequence[Any] = (),
        format: str = "",
        title: str = "",
        section: str = "",
        examples: Sequence[Any] = (),
        values_display: Mapping[Any, str] | None = None,
        **schema: Any,
    ) -> None:
        self.default = default
        self.description = description or str(schema.pop("description_md", ""))
        self.type = type if type is None or isinstance(type, str) else tuple(type)
        self.enum = tuple(enum)
        self.format = format
        self.title = title
        self.section = section
        self.examples = tuple(examples)
        self.values_display = {
            str(value): str(told) for value, told in (values_display or {}).items()
        }
        self.schema = schema
        self.site = call_site()

    def __repr__(self) -> str:
        return f"<Param {self.type or 'any'}>"


class Declared(NamedTuple):
    """A parameter in the spec's words. ``line``: where a ``Param`` says it, in the DAG's file; 0: nowhere."""

    name: str
    kind: Kind
    default: object
    required: bool
    told: Param | None = None
    schema: Mapping[str, Any] = {}
    line: int = 0


def declared(name: str, given: object, site: Site, kind: Kind | None = None) -> Declared:
    """Return the parameter that ``params={name: given}`` declares; ``kind`` is that of its annotation."""
    if not isinstance(given, Param):
        return of_default(name, given, site, kind)
    site = given.site if given.site.file == site.file else site
    schema = schema_of(name, given, site)
    found = of_default(name, given.default, site, kind)
    kind = found.kind
    if (word := word_of(given.type)) not in (None, kind.type):
        kind = Kind(word or "any")
    if given.format in DATES:
        kind = kind._replace(format=given.format)
    if given.enum:
        kind = kind._replace(enum=tuple(carried(name, value, site) for value in given.enum))
    return found._replace(kind=kind, told=given, schema=schema, line=site.line)


DATES: Final = ("date", "date-time")


def schema_of(name: str, given: Param, site: Site) -> dict[str, Any]:
    """Return the keywords that the spec has no field for. Raises BadSpec at the place of the ``Param``."""
    types = (given.type,) if isinstance(given.type, str) else given.type or ()
    for word in types:
        if word not in (*TYPES, "any"):
            raise unknown_word(word, site, f"the type of the parameter {name}", [*TYPES, "any"])
    for word in given.schema:
        if word not in KEYWORDS and word not in INSTEAD:
            raise unknown_word(word, site, f"the parameter {name}", [*KEYWORDS, *OWN])
    if given.format and given.format not in FORMATS:
        raise unknown_word(given.format, site, f"the format of the parameter {name}", [*FORMATS])
    schema = {word: carried(name, value, site) for word, value in given.schema.items()}
    if not isinstance(given.type, (str, NoneType)) or given.type == "null":
        schema["type"] = list(types)
    if given.format and given.format not in DATES:
        schema["format"] = given.format
    return schema


def word_of(type: str | tuple[str, ...] | None) -> str | None:
    """Return the one type beside null; ``any`` if there are several."""
    if isinstance(type, str) and type != "null":
        return type
    several = [each for each in type or () if each != "null"] if type != "null" else []
    return None if type is None else several[0] if len(several) == 1 else "any"


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
