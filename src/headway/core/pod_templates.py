"""The templates of a container's command and environment: ``{{ ds }}``, ``{{ params.day }}``. Pure.

A pod's command is fixed when the pod is created, so the scheduler fills it in. It runs nothing of an author: of Jinja
there are only names that a run is known by, and the filters for dates; no expression, no statement. Connections,
variables and results are not among the names, because many may read the objects of a cluster.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

NAME: Final = r"[^\W\d]\w*"
STEP: Final = rf"""\s*(?:\.\s*{NAME}|\[\s*(?:"[^"\\]*"|'[^'\\]*'|\d+)\s*\])"""
EXPRESSION: Final = re.compile(
    rf"\{{\{{-?\s*(?P<path>{NAME}(?:{STEP})*)\s*(?:\|\s*(?P<filter>{NAME})\s*)?-?\}}\}}"
)
PART: Final = re.compile(rf"""({NAME})|"([^"\\]*)"|'([^'\\]*)'|(\d+)""")
OPENING: Final = re.compile(r"\{\{|\{%|(?<!\$)\{#")  # ${#name} is a length in the shell
SHOWN_MAX: Final = 80

# The names, and what they stand for in a run. A moment may have a filter.
NAMES: Final = (
    *("dag_id", "run_id", "task_id", "map_index", "try_number", "params"),
    *("ds", "ds_nodash", "ts", "ts_nodash", "logical_date"),
    *("data_interval_start", "data_interval_end"),
    *("partition", "partition_key", "partition_date"),
)
MOMENTS: Final = ("logical_date", "data_interval_start", "data_interval_end", "partition_date")
FORMATS: Final = {"ds": "%Y-%m-%d", "ds_nodash": "%Y%m%d", "ts_nodash": "%Y%m%dT%H%M%S"}
FILTERS: Final = ("ds", "ds_nodash", "ts", "ts_nodash")
SECRET: Final = {"conn": "a connection", "var": "a variable"}


class NoValue(Exception):
    """A template has no value in this run: the message says which, and why."""


def flaw_of_template(text: str) -> str | None:
    """Return why the scheduler cannot fill in a template; None if it can."""
    return next(flaws(text), None)


def flaws(text: str) -> Iterator[str]:
    for found in EXPRESSION.finditer(text):
        first, *rest = parts(found["path"])
        if first == "run" and rest:
            first, *rest = rest
        if first in SECRET:
            yield f"{shown(found[0])} is {SECRET[str(first)]}"
        elif first not in NAMES:
            yield f"{shown(found[0])} is not known when the pod is created"
        elif rest and first != "params":
            yield f"{shown(found[0])} is an expression"
        elif not rest and first == "params":
            yield f"{shown(found[0])} names no parameter"
        elif (word := found["filter"]) and (word not in FILTERS or first not in MOMENTS):
            yield f"{shown(found[0])} is an expression"
    if (left := OPENING.search(EXPRESSION.sub("", text))) is not None:
        yield f"{shown(EXPRESSION.sub('', text)[left.start() :])} is an expression"


def param_names(text: str) -> Iterator[str]:
    """Yield the parameters that a template names."""
    for found in EXPRESSION.finditer(text):
        path = parts(found["path"])
        path = path[1:] if path[0] == "run" else path
        if path[0] == "params" and len(path) > 1:
            yield str(path[1])


def filled(text: str, facts: Mapping[str, Any], written: Callable[[str], str] = str) -> str:
    """Return the text with the values of a run in place of its expressions. Raises NoValue.

    ``written``: how a value is written into the text.
    """
    return EXPRESSION.sub(lambda found: written(value_of(found, facts)), text)


def value_of(found: re.Match[str], facts: Mapping[str, Any]) -> str:
    path = parts(found["path"])
    path = path[1:] if path[0] == "run" else path
    value: Any = facts
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            raise NoValue(f"this run has no value for {shown(found[0])}") from None
    if found["filter"] is None:
        return str(value)
    if not isinstance(value, datetime):
        raise NoValue(f"{shown(found[0])} stands for no time in this run")
    form = FORMATS.get(found["filter"])
    return value.isoformat() if form is None else value.strftime(form)


def parts(path: str) -> list[str | int]:
    return [
        int(number) if number else name or double or single
        for name, double, single, number in PART.findall(path)
    ]


def shown(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def facts_of(
    *,
    dag_id: str,
    run_id: str,
    task_id: str,
    map_index: int,
    try_number: int,
    logical_date: datetime,
    interval: tuple[datetime, datetime],
    partition: str | None,
    params: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the values of the names in a run, as tasks have them."""
    ds = logical_date.date().isoformat()
    nodash = ds.replace("-", "")
    return {
        "dag_id": dag_id,
        "run_id": run_id,
        "task_id": task_id,
        "map_index": map_index,
        "try_number": try_number,
        "params": params,
        "ds": ds,
        "ds_nodash": nodash,
        "ts": logical_date.isoformat(),
        "ts_nodash": f"{nodash}T{logical_date:%H%M%S}",
        "logical_date": logical_date,
        "data_interval_start": interval[0],
        "data_interval_end": interval[1],
        "partition": partition,
        "partition_key": partition,
        "partition_date": None if partition is None else interval[0],
    }
