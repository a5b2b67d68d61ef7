"""Text with ``{{ ds }}``, ``{{ params.x }}``, ``{{ run.logical_date }}``, rendered in the task's
own process.

Sandboxed: values come from the person who triggers the run. A name that does not exist is an error, never
an empty string. ``{{ params.x | quote }}`` makes one word of a value for the shell,
``{{ data_interval_end | ds }}`` a date of a moment.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from headway.authoring.run import Fail, Run, context_of
from headway.authoring.secrets import Connections, Variables

LENGTH: Final = "${#"  # of a variable or an array in the shell, never the beginning of a comment
KEPT: Final = "$\ue000{\ue000"
NOTHING: Final[Mapping[str, object]] = {}

# Of a moment, as Airflow names them.
FILTERS: Final[dict[str, Callable[[datetime], str]]] = {
    "ds": lambda moment: moment.strftime("%Y-%m-%d"),
    "ds_nodash": lambda moment: moment.strftime("%Y%m%d"),
    "ts": lambda moment: moment.isoformat(),
    "ts_nodash": lambda moment: moment.strftime("%Y%m%dT%H%M%S"),
}


def render_all(value: Any, run: Run) -> Any:
    """Return ``value`` with each text inside its lists and dicts rendered."""
    if isinstance(value, str):
        return render(value, run)
    if type(value) in (list, tuple):
        return type(value)(render_all(item, run) for item in value)
    if type(value) is dict:
        return {name: render_all(item, run) for name, item in value.items()}
    return value


def flaw_of_syntax(text: str) -> str | None:
    """Return why this is not a template; None if it is."""
    from jinja2 import TemplateSyntaxError
    from jinja2.sandbox import SandboxedEnvironment

    from headway.authoring import (
        asset_events as asset_events,  # once here, or in each attempt that renders
    )

    try:
        SandboxedEnvironment().parse(text)
    except TemplateSyntaxError as error:
        return str(error)
    return None


def render(text: str, run: Run, more: Mapping[str, object] = NOTHING) -> str:
    """``more``: names besides those of the run, or in place of them."""
    template = text.replace(LENGTH, KEPT)
    if "{{" not in template and "{%" not in template and "{#" not in template:
        return text
    import shlex

    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters |= FILTERS
    environment.filters["quote"] = lambda value: shlex.quote(str(value))
    try:
        return (
            environment.from_string(template)
            .render({**context_of(run), "conn": Connections(), "var": Variables(), **more})
            .replace(KEPT, LENGTH)
        )
    except (TemplateError, OverflowError) as error:  # the sandbox bounds loops by an OverflowError
        raise Fail(f"the template {text[:80]!r} cannot be rendered: {error}") from None
