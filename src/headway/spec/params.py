"""The parameters of a run, checked against the DAG's declarations."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec

from headway.core.resource_params import flaw_of_amount, param_of
from headway.errors import UsageError
from headway.spec import json_schema
from headway.spec.carried import PARAMS_BYTES_MAX, flaw_of_text, flaws, place
from headway.spec.errors import cut, did_you_mean, listing
from headway.spec.json_schema import Patience, patience
from headway.spec.model import Dag, Param

RUN_S: Final = 1.0  # to compare the values of one run with their schemas
REQUEST_S: Final = 5.0  # to compare those of all runs of a request
IS: Final[Mapping[str, Callable[[object], bool]]] = {
    "any": lambda value: True,
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
READ: Final[Mapping[str, Callable[[str], date]]] = {
    "date": date.fromisoformat,
    "date-time": datetime.fromisoformat,
}
EXAMPLE: Final = {"date": "2013-01-31", "date-time": "2013-01-31T05:00:00Z"}
ARTICLE: Final = {"integer": "an", "array": "an", "object": "an"}


def check_params(
    dag: Dag, given: Mapping[str, object], of_all: Patience | None = None
) -> dict[str, Any]:
    """Return the parameters of a run with defaults filled in. Raises UsageError.

    ``of_all``: the time for the values of all runs of a request, where there are several.
    """
    return check_form(dag.dag_id, dag.params, given, dag, of_all)


def check_form(
    owner: str,
    params: Sequence[Param],
    given: Mapping[str, object],
    dag: Dag | None = None,
    of_all: Patience | None = None,
) -> dict[str, Any]:
    """Return values for parameters, with defaults filled in: of a run of ``dag``, or of a question. Raises UsageError.

    ``owner``: whose parameters they are, for messages.
    """
    declared = {param.name: param for param in params}
    others = {name: value for name, value in given.items() if name not in declared}
    for name, value in given.items():
        if name in others and (dag is None or not dag.open_params):
            raise UsageError(
                f'{owner} has no parameter "{cut(name)}"',
                hint=did_you_mean(cut(name), declared) or f"it has {listing(declared) or 'none'}",
            )
        check_flaws(owner, name, value)
    check_size(owner, given)  # before anything is compared: what that costs grows with the size
    within = patience_for(params, RUN_S)
    if of_all is not None and of_all.until < within.until:
        within = of_all
    found = {
        name: checked(owner, param, given, within) for name, param in declared.items()
    } | others
    if dag is not None:
        check_resources(dag, found)
    check_size(owner, found)
    return found


def patience_for(params: Sequence[Param], limit_s: float) -> Patience:
    """Begin to compare values with the schemas of parameters."""
    if any(param.schema for param in params):
        json_schema.ready()
    return patience(limit_s)


def check_size(owner: str, params: Mapping[str, object]) -> None:
    if (size := size_of(params)) > PARAMS_BYTES_MAX:
        raise UsageError(
            f"the parameters of {owner} take {size:,} bytes as JSON; the limit is {PARAMS_BYTES_MAX:,}",
            hint="put large data in a file or an object store and pass its path",
        )


def check_resources(dag: Dag, params: Mapping[str, object]) -> None:
    """Check that parameters which are amounts of a resource are such."""
    for task in dag.tasks:
        for resource, text in task.resources.items():
            name = param_of(text)
            if name is None or name not in params:
                continue
            if flaw_of_amount(resource, params[name]) is not None:
                raise UsageError(
                    f'the parameter "{name}" of {dag.dag_id} is the {resource} of the task {task.task_id}, '
                    f"not {shown(params[name])}",
                    hint="write it as Kubernetes does: 500m, 2, 512Mi, 4Gi",
                )


def checked(owner: str, param: Param, given: Mapping[str, object], within: Patience) -> object:
    """Return the value of a parameter, which is its default if none is given. Raises UsageError."""
    if param.name not in given:
        if param.required:
            raise UsageError(
                f'{owner} needs a value for the parameter "{param.name}"',
                hint=f"give it with -p {param.name}=…",
            )
        return param.default
    value = given[param.name]
    check_flaws(owner, param.name, value)
    if (
        value is None
        and (param.default is None or "null" in types_of(param))
        and not param.required
    ):
        return None
    if param.schema:
        return by_schema(owner, param, value, within)
    if param.type == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not IS[param.type](value):
        article = ARTICLE.get(param.type, "a")
        raise UsageError(
            f'the parameter "{param.name}" of {owner} is {article} {param.type}, not {shown(value)}'
        )
    if param.format:
        return dated(owner, param, str(value))
    if param.enum and not any(same(value, allowed) for allowed in param.enum):
        known = map(str, param.enum)
        hint = did_you_mean(cut(value), map(cut, known)) if isinstance(value, str) else None
        raise UsageError(
            f'the parameter "{param.name}" of {owner} is one of '
            f"{listing(map(shown, param.enum))}, not {shown(value)}",
            hint=hint,
        )
    return value


def by_schema(owner: str, param: Param, value: object, within: Patience) -> object:
    """Return the value if it obeys the schema of its parameter, a date in one form."""
    types = types_of(param)
    if isinstance(value, float) and value.is_integer() and types and "number" not in types:
        value = int(value)
    if param.format and isinstance(value, str):
        value = dated(owner, param, value)
    try:
        found = json_schema.wrong(schema_of(param), value, within)
    except TimeoutError:
        raise too_long(owner, param, within) from None
    if found is None:
        return value
    path, what = found
    told = f"{param.name}{place(path)} " if path else ""
    raise UsageError(
        f'the parameter "{param.name}" of {owner}{": " if told else " "}{told}{what}',
        hint=f"for instance {shown(param.examples[0])}" if param.examples and not path else None,
    )


def too_long(owner: str, param: Param, within: Patience) -> UsageError:
    if within.limit_s > RUN_S:
        return UsageError(
            f"the parameters of {owner} take longer than {within.limit_s:g} s to compare with their schemas; "
            f'"{param.name}" was the last',
            hint="ask for fewer runs at once, or let the author of the DAG simplify the schemas",
        )
    return UsageError(
        f'the parameter "{param.name}" of {owner} takes longer than {within.limit_s:g} s to compare with its '
        "schema",
        hint="give a smaller value, or let the author of the DAG simplify the schema",
    )


def schema_of(param: Param) -> dict[str, Any]:
    """Return all that the declaration says, as one JSON Schema."""
    said: dict[str, Any] = {} if param.type == "any" else {"type": param.type}
    if param.format:
        said["format"] = param.format
    if param.enum:
        said["enum"] = list(param.enum)
    return said | param.schema


def types_of(param: Param) -> tuple[str, ...]:
    """Return the types that the value may have; nothing: any."""
    types = param.schema.get("type", () if param.type == "any" else param.type)
    return (types,) if isinstance(types, str) else tuple(types)


def check_flaws(owner: str, name: str, value: object) -> None:
    if (why := flaw_of_text(name)) is not None:
        raise UsageError(f"the name of the parameter {name!a:.100} of {owner} {why}")
    for path, why in flaws(value):
        raise UsageError(
            f'the parameter "{name}" of {owner} cannot be stored: {name}{place(path)} {why}'
        )


def dated(owner: str, param: Param, text: str) -> str:
    """Normalise a date or time to one ISO 8601 form."""
    try:
        return READ[param.format](text.strip()).isoformat()
    except (ValueError, OverflowError):
        raise UsageError(
            f'the parameter "{param.name}" of {owner} is a {param.format}, not {shown(text)}',
            hint=f"write it as {EXAMPLE[param.format]}",
        ) from None


def same(value: object, other: object) -> bool:
    """Return whether two values are equal in JSON, where True is not 1."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def size_of(params: Mapping[str, Any]) -> int:
    """Return the size in bytes as JSON of a value without flaws."""
    return len(msgspec.json.encode(params))


def params_from_text(dag: Dag, given: Mapping[str, str]) -> dict[str, Any]:
    """Parse ``-p name=text`` options by the types of the parameters. Raises UsageError."""
    return check_params(dag, values_from_text(dag.params, given))


def values_from_text(params: Sequence[Param], given: Mapping[str, str]) -> dict[str, Any]:
    """Read texts as values by the types of the parameters. Other names have an open type."""
    known = {param.name: param for param in params}
    return {name: parsed(known.get(name) or Param(name=name), text) for name, text in given.items()}


def parsed(param: Param, text: str) -> object:
    """A text stays what was typed, and so does a number that JSON would write in another way where
    the type is open: 1.10 is a version. Anything else is JSON, or text if it is none.
    """
    for allowed in param.enum:
        if text in (allowed, shown(allowed)):
            return allowed
    types = types_of(param)
    if "null" in types and text == "null":
        return None
    if types and {*types} <= {"string", "null"}:
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text.lower() == "true" if text.lower() in ("true", "false") else text
    if "string" in types and not any(IS[each](value) for each in types):
        return text
    open_type = not types or "string" in types
    if open_type and isinstance(value, (int, float)) and json.dumps(value) != text:
        return text
    return value


def shown(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return cut(text)
