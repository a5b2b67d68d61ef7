"""The step from the parameters of an Airflow DAG to those of a spec.

Airflow's task runner checks the values again, with the schema as it is written. What ``spec.json_schema`` does not
check is left out here, and told.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from headway.spec import json_schema, model
from headway.spec.carried import flaws, shown
from headway.spec.keywords import INSTEAD, KEYWORDS
from headway.spec.params import IS, RUN_S, schema_of, types_of

TOLD: Final = ("title", "section", "examples", "values_display", "description_md", "enum")
DATES: Final = ("date", "date-time")


def params_of(dag: Any, *, scheduled: bool) -> Iterator[model.Param]:
    for name, param in dag.params.items():
        if name.isidentifier():
            made = param_of(name, param)
            yield (
                made
                if scheduled or made.required or is_right(made)
                else replace(made, default=None, required=True)
            )


def is_right(param: model.Param) -> bool:
    """Return whether its default obeys its schema. One that does not stands for none, as in Airflow's form."""
    if param.default is None and "null" not in types_of(param):
        return True
    try:
        within = json_schema.patience(RUN_S)
        return (
            not param.schema or json_schema.wrong(schema_of(param), param.default, within) is None
        )
    except TimeoutError:
        return False


def param_of(name: str, param: Any) -> model.Param:
    """A default of None that its type does not allow stands for none, as in Airflow's form."""
    schema = written(param)
    types = types_in(schema)
    value = None if is_unset(param) else param.value
    required = is_unset(param) or (value is None and bool(types) and "null" not in types)
    several = [each for each in types if each != "null"]
    kind: Any = several[0] if len(several) == 1 else "any"
    date: Any = schema.get("format") if kind == "string" else ""
    return model.Param(
        name=name,
        type=kind,
        format=date if date in DATES else "",
        default=value,
        required=required,
        description=told(param.description or schema.get("description_md")),
        enum=tuple(schema.get("enum") or ()),
        schema=beyond(schema, kind, None if unchecked(param) else schema),
        title=told(schema.get("title")),
        section=told(schema.get("section")),
        examples=tuple(examples if isinstance(examples := schema.get("examples"), list) else ()),
        values_display={str(value): told(text) for value, text in labels_in(schema)},
    )


def beyond(schema: dict[str, Any], kind: str, checked: dict[str, Any] | None) -> dict[str, Any]:
    """Return the keywords that the spec has no field for. ``checked`` is None where they cannot be checked."""
    left = {
        word: value
        for word, value in (checked or {}).items()
        if word in KEYWORDS and word not in TOLD and word not in ("type", "format")
    }
    types = schema.get("type")
    if isinstance(types, list) or types == "null":
        left["type"] = types
    if schema.get("format") not in (None, "", *(DATES if kind == "string" else ())):
        left["format"] = schema["format"]
    return left


def unchecked(param: Any) -> str:
    """Return why the schema of a parameter is not checked when a run is asked for; nothing if it is."""
    schema = written(param)
    known = {word: value for word, value in schema.items() if word in KEYWORDS or word in INSTEAD}
    try:
        json_schema.check_schema(known)
    except json_schema.BadSchema as error:
        return str(error)
    return ""


def written(param: Any) -> dict[str, Any]:
    """Return the schema of what JSON and the database can carry."""
    schema = param.schema if isinstance(param.schema, dict) else {}
    fine = {str(word): value for word, value in schema.items() if is_carried(value)}
    if not all(each in IS for each in types_in(fine)):
        fine.pop("type")
    return fine


def is_carried(value: Any) -> bool:
    try:
        return next(flaws(value), None) is None and json_schema.shown(value) != ""
    except (TypeError, ValueError, OverflowError):
        return False


def types_in(schema: dict[str, Any]) -> tuple[str, ...]:
    types = schema.get("type") or ()
    return (types,) if isinstance(types, str) else tuple(types)


def labels_in(schema: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    labels = schema.get("values_display")
    yield from labels.items() if isinstance(labels, dict) else ()


def is_unset(param: Any) -> bool:
    from airflow.sdk.definitions._internal.types import NOTSET

    return param.value is NOTSET


def told(text: object) -> str:
    return shown(str(text or ""))
