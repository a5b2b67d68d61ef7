"""Extracts the arguments of a task that are data (``spec.arguments``), to show, compare or run it without its file.

Rule 1: an argument is data as a whole or not at all; what is none says why. Rule 2: what a file has from its
environment stays there: anyone who may read the spec of a DAG may read its file, and learns no more from the
one than from
the other. Rule 3: the work is bounded, whatever an argument holds.
"""

import os
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from msgspec import json

from headway.authoring.graph import Node
from headway.authoring.references import Listed, ParamRef, XComArg
from headway.authoring.signatures import signature_of
from headway.authoring.task import Task
from headway.spec.arguments import DAG_BYTES_MAX, TASK_BYTES_MAX, Why, absent, param, result
from headway.spec.carried import TAG, flaw_of_text, shown

DEPTH_MAX: Final = 16
NAME_CHARS_MAX: Final = 200
INT64: Final = 2**63  # what a result writes as JSON
NODE_BYTES: Final = 8  # of a value besides its text, at the least
PRIVATE_CHARS_MIN: Final = 8  # a shorter value of the environment is found everywhere
ADDRESS: Final = re.compile(r"\bat 0x[0-9a-f]{6,}")  # of an object, in its repr
SCALARS: Final = (bool, int, float, type(None), datetime, date, time, timedelta, Decimal)
PARAM: Final = re.compile(r"\{\{ params\['\w+'\] \}\}")  # what a parameter is in an f-string
MORE: Final = "*"  # the name of positional arguments that have none


class NoData(Exception):
    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


class Writer:
    """The arguments of one DAG. ``place`` is the path of its file, ``file`` its path in the bundle."""

    def __init__(self, place: str, file: str) -> None:
        self.place = place
        self.root = place.removesuffix(f"/{file}") if place.endswith(f"/{file}") else ""
        self.source: bytes | None = None
        self.room = DAG_BYTES_MAX
        self.work_left = 0  # on the argument at hand
        self.guarded = False
        values = set(os.environ.values())
        self.private = [value for value in values if len(value) >= PRIVATE_CHARS_MIN]

    def function(self, task: Task) -> str:
        """The name of the function that the task was made of; empty: of none."""
        if task.function is None:
            return ""
        name = getattr(task.function, "__name__", type(task.function).__name__)
        return shown(str(name))[:NAME_CHARS_MAX]

    def arguments(self, task: Task) -> dict[str, Any]:
        """Return the arguments by name, those that the task is mapped over as ``expand`` got them."""
        given = {**named(task), **task.arguments.axes}
        if given and self.room <= 0:
            return {MORE: absent("size")}
        guarded = task.operator.guarded if task.function is None else ()
        room = min(TASK_BYTES_MAX, self.room)
        found: dict[str, Any] = {}
        for name, value in given.items():
            # The dicts of ``expand_kwargs`` have the name "".
            data = self.argument(value, guarded=name in guarded or (not name and bool(guarded)))
            if len(json.encode(data)) > room:
                data = absent("size")
            found[shown(name)] = data
            room -= len(json.encode({name: data}))
        if room < 0:
            found = {MORE: absent("size")}
        self.room -= len(json.encode(found))
        return found

    def argument(self, value: object, *, guarded: bool) -> object:
        self.guarded, self.work_left = guarded, TASK_BYTES_MAX
        try:
            return self.data(value, 0)
        except NoData as error:
            return absent(error.why)

    def data(self, value: object, depth: int) -> object:
        """Exact types: a subclass may be more than its base."""
        self.spend(NODE_BYTES)
        if type(value) is str:
            return self.text(value)
        if type(value) in SCALARS:
            return self.scalar(value)
        if isinstance(value, XComArg):
            return result(value.task_id, value.key)
        if isinstance(value, ParamRef):
            return param(value.name)
        if depth >= DEPTH_MAX:
            raise NoData("size")
        if type(value) is list:
            return [self.data(item, depth + 1) for item in value]
        if type(value) is tuple:
            return {TAG: "tuple", "value": [self.data(item, depth + 1) for item in value]}
        if type(value) is dict:
            return self.mapping(value, depth)
        if isinstance(value, Listed):  # a function of the file may be in it
            raise NoData("object")
        if isinstance(value, Node) and len(results := value.results()) == 1:
            return result(results[0].task_id)
        raise NoData("object")

    def mapping(self, value: dict[Any, Any], depth: int) -> object:
        if any(type(name) is not str or name == TAG for name in value):
            raise NoData("object")
        return {self.text(name): self.data(item, depth + 1) for name, item in value.items()}

    def scalar(self, value: object) -> object:
        """Return ``value`` as a result is written, because JSON has no dates and only short integers."""
        if value is None or type(value) is bool:
            return value
        if self.guarded and not self.is_written(str(value)):
            raise NoData("private")
        if type(value) is int and abs(value) < INT64:
            return value
        from headway.authoring.encoding import plain  # most files need none of it

        try:
            return plain(value, "", 0)
        except Exception:  # a time zone may be an object of the file's own
            raise NoData("object") from None

    def text(self, value: str) -> str:
        self.spend(len(value))
        if flaw_of_text(value) is not None:
            raise NoData("object")
        if self.root and self.root in value:
            raise NoData("place")
        if ADDRESS.search(value):
            raise NoData("unstable")
        if self.guarded and not all(map(self.is_written, PARAM.split(value))):
            raise NoData("private")
        if any(held in value and not self.is_written(held) for held in self.private):
            raise NoData("private")
        return value

    def is_written(self, value: str) -> bool:
        """Return whether a text is in the DAG file, which is read only if needed."""
        if self.source is None:
            try:
                self.source = Path(self.place).read_bytes()
            except OSError:
                self.source = b""
        return value.encode("utf-8", "surrogatepass") in self.source

    def spend(self, work: int) -> None:
        self.work_left -= work
        if self.work_left < 0:
            raise NoData("size")


def named(task: Task) -> dict[str, object]:
    """Return the arguments of the task that are not mapped."""
    args, kwargs = task.arguments.args, task.arguments.kwargs
    if not args or task.function is None:
        return dict(kwargs)
    parameters = signature_of(task.function).parameters.values()
    names = [parameter.name for parameter in parameters if parameter.positional]
    rest: dict[str, object] = {MORE: list(args[len(names) :])} if len(args) > len(names) else {}
    return {**dict(zip(names, args, strict=False)), **kwargs, **rest}
