"""Questions to people as DAG files write them: ``approve``, ``choose`` and ``ask`` in one shape.

The arguments are checked when the DAG file is read, as far as they are there, and again in the process of the task,
which knows all of them. That process ends with a wait for the answer.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from headway.authoring.frames import Site
from headway.authoring.graph import Node
from headway.authoring.params import declared
from headway.authoring.references import GroupItem, ParamRef
from headway.authoring.run import ANSWER, Deferral, Deferred, Fail
from headway.core.questions import (
    BODY_MAX,
    NAMES_MAX,
    OPTION_MAX,
    OPTIONS_MAX,
    SUBJECT_MAX,
    Ask,
)
from headway.errors import UsageError
from headway.spec.errors import BadSpec, did_you_mean, listing

COMMON: Final = (
    *("subject", "body", "params", "response_timeout", "assigned_users", "assigned_roles"),
)
TEMPLATED: Final = ("subject", "body")
EXAMPLE: Final[Mapping[str, object]] = {
    "chosen_options": [],
    "params_input": {},
    "responded_by_user": None,
    "responded_at": "",
    "timedout": False,
}


def ask(
    kind: Ask,
    given: Mapping[str, Any],
    *,
    options: Sequence[str],
    outcomes: Mapping[str, object],
    defaults: Sequence[str] | None,
    multiple: bool = False,
    refusals: Sequence[str] = (),
) -> Deferred:
    """Return what ends the process of a task that asks. ``outcomes``: what a function would return in place of each
    option, for branches. Raises Fail for arguments that are wrong.
    """
    check(given)
    example = {**EXAMPLE, "approved": True} if kind is Ask.APPROVE else EXAMPLE
    facts = {
        "ask": kind.value,
        "subject": text("subject", given["subject"], SUBJECT_MAX),
        "body": text("body", given.get("body") or "", BODY_MAX),
        "options": list(options),
        "multiple": multiple,
        "defaults": None if defaults is None else list(defaults),
        "params": fields(given.get("params")),
        "assigned_users": names("assigned_users", given.get("assigned_users")),
        "assigned_roles": names("assigned_roles", given.get("assigned_roles")),
        "refusals": list(refusals),
        "outcomes": dict(outcomes),
        "example": dict(example),
    }
    timeout_s = seconds(given.get("response_timeout"))
    return Deferred(Deferral(ANSWER, facts, timeout_s=timeout_s, finishes=True))


def check(given: Mapping[str, Any]) -> None:
    """Raise Fail for a wrong argument that is known when the DAG file is read."""
    for name, most in (("subject", SUBJECT_MAX), ("body", BODY_MAX)):
        if is_there(given, name):
            text(name, given[name], most)
    if is_there(given, "params"):
        fields(given["params"])
    if is_there(given, "response_timeout"):
        seconds(given["response_timeout"])
    for name in ("assigned_users", "assigned_roles"):
        if is_there(given, name):
            names(name, given[name])


def is_there(given: Mapping[str, Any], name: str) -> bool:
    return given.get(name) is not None and not is_later(given[name])


def is_later(value: object) -> bool:
    """Return whether the value is known only in the run, as a whole or in part."""
    if isinstance(value, Mapping):
        return any(map(is_later, value.values()))
    if isinstance(value, list | tuple):
        return any(map(is_later, value))
    return isinstance(value, Node | ParamRef | GroupItem)


def text(name: str, value: object, most: int) -> str:
    if not isinstance(value, str):
        raise Fail(f"{name} must be a text, not {value!r}")
    if name == "subject" and not value.strip():
        raise Fail("subject must say what is asked")
    if len(value) > most:
        raise Fail(f"{name} has {len(value):,} characters; the limit is {most:,}")
    return value


def seconds(value: object) -> float | None:
    if value is None:
        return None
    found = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 < found < 1e9:
        raise Fail(
            f"response_timeout must be a timedelta or a number of seconds above 0, not {value!r}"
        )
    return float(found)


def names(name: str, value: object) -> list[str]:
    """Return names of users or roles; one stands for a list of one."""
    found = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
        raise Fail(f'{name} must be a list of names, such as ["ann"], not {value!r}')
    if len(found) > NAMES_MAX:
        raise Fail(f"{name} has {len(found)} names; the limit is {NAMES_MAX}")
    return list(found)


def options_of(value: object) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise Fail(f'options must be a list of texts, such as ["small", "large"], not {value!r}')
    if not value:
        raise Fail("options must not be empty")
    if len(value) > OPTIONS_MAX:
        raise Fail(f"there are {len(value)} options; the limit is {OPTIONS_MAX}")
    for one in value:
        if not one.strip() or len(one) > OPTION_MAX:
            raise Fail(f"an option must have 1 to {OPTION_MAX} characters, not {one!r:.300}")
    if len(set(value)) < len(value):
        raise Fail(f"an option is named twice: {listing(value)}")
    return list(value)


def defaults_of(value: object, options: Sequence[str], *, multiple: bool) -> list[str] | None:
    """Return the options that hold when nobody answers in time; None: there are none."""
    if value is None:
        return None
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not found:
        raise Fail(f"defaults must be one of the options, or a list of them, not {value!r}")
    for one in found:
        if one not in options:
            hint = did_you_mean(str(one), options) or f"the options are {listing(options)}"
            raise Fail(f"defaults has {one!r}, which is not an option; {hint}")
    if len(found) > 1 and not multiple:
        raise Fail("defaults has several options, but only one can be chosen; add multiple=True")
    return list(dict.fromkeys(found))


def flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name) or False
    if not isinstance(value, bool):
        raise Fail(f"{name} must be True or False, not {value!r}")
    return value


def fields(value: object) -> list[dict[str, Any]]:
    """Return the parameters of a form, as a spec has those of a DAG. Raises Fail."""
    if value is None:
        return []
    if not isinstance(value, Mapping):
        raise Fail(
            f'params must be a dict, such as {{"amount": Param(5, minimum=1)}}, not {value!r}'
        )
    return [msgspec.to_builtins(field(str(name), one)) for name, one in value.items()]


def field(name: str, given: object) -> Any:
    from headway.authoring.build import param_spec
    from headway.spec import json_schema
    from headway.spec.params import RUN_S, checked

    try:
        spec = param_spec(declared(name, given, Site("", 0, "")))
        if spec.schema:
            json_schema.check_schema(spec.schema)
        if not spec.required:
            checked("the question", spec, {name: spec.default}, json_schema.patience(RUN_S))
    except BadSpec as error:
        raise Fail("; ".join(filter(None, (error.message, error.hint)))) from None
    except UsageError as error:
        raise Fail(f"{error.message} (its default)") from None
    except json_schema.BadSchema as error:
        raise Fail(f"the parameter {name} cannot be checked: {error}") from None
    return spec
