"""The name of a mapped instance, which people see in place of its index: its ``map_index_template``, rendered.

As in Airflow: before the task begins, as far as that is possible, and again at its end, because it may add variables to
``get_current_context()``. One that cannot be rendered fails a task that succeeded, and is left out of any other end.
"""

from contextlib import suppress
from types import SimpleNamespace

from headway.authoring import rendered
from headway.authoring.operators.base import Call
from headway.authoring.operators.templates import render
from headway.authoring.run import Fail, added
from headway.authoring.signatures import signature_of

LENGTH_MAX = 250  # as in Airflow


class Naming:
    """Announces the name around the work of an attempt.

    Not by ``contextlib``, which writes to the traceback of what a task raises: a task may raise what forbids it.
    """

    def __init__(self, template: str, call: Call) -> None:
        self.template = template if call.run.map_index >= 0 else ""
        self.call = call

    def __enter__(self) -> None:
        self.attempt()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.attempt()
        elif self.template:
            try:
                self.announce()
            except Fail as error:
                raise Fail(f"map_index_template: {error}") from None

    def attempt(self) -> None:
        if self.template:
            with suppress(Exception):  # of values that the task made, too
                self.announce()

    def announce(self) -> None:
        call = self.call
        task = {"task_id": call.run.task_id, "op_args": call.args, "op_kwargs": call.kwargs}
        given = by_name(call)
        names = {**given, **added()}
        names.setdefault("task", SimpleNamespace(**{**task, **given}))
        rendered.call_instance(shortened(render(self.template, call.run, names)))


def by_name(call: Call) -> dict[str, object]:
    """Return the arguments of a call, those given by position too."""
    if not call.args or call.function is None:
        return dict(call.kwargs)
    parameters = signature_of(call.function).parameters.values()
    names = (parameter.name for parameter in parameters if parameter.positional)
    return {**dict(zip(names, call.args, strict=False)), **call.kwargs}


def shortened(name: str) -> str:
    """Return the name as one line, not too long to be shown."""
    line = " ".join(name.split())
    return line if len(line) <= LENGTH_MAX else f"{line[: LENGTH_MAX - 1]}…"
