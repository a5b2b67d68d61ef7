"""Text with ``{{ ds }}``, ``{{ params.x }}``, ``{{ run.logical_date }}``, rendered in the task's
own process.

Sandboxed: values come from the person who triggers the run. A name that does not exist is an error, never
an empty string. ``{{ params.x | quote }}`` makes one word of a value for the shell,
``{{ data_interval_end | ds }}`` a date of a moment.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from headway.authoring.airflow_names import NAMES
from headway.authoring.run import Fail, Run, context_of
from headway.authoring.secrets import Connections, Variables
from headway.core.pod_templates import FILTERS, FORMATS

LENGTH: Final = "${#"  # of a variable or an array in the shell, never the beginning of a comment
KEPT: Final = "$\ue000{\ue000"
NOTHING: Final[Mapping[str, object]] = {}

# What the code of a template may raise that is no mistake of Headway's.
MISTAKES: Final = (ArithmeticError, AttributeError, TypeError, ValueError)

folders: tuple[str, ...] = (".",)  # where scripts are, in this process


def filter_of(name: str) -> Callable[[datetime | None], str | None]:
    """Return the filter that writes a moment, as Airflow names it. As there, nothing stays nothing."""

    def written(moment: datetime | None) -> str | None:
        if isinstance(moment, str):
            raise TypeError(f"| {name} writes a moment, and {moment!r} is a text")
        form = FORMATS.get(name)
        if moment is None:
            return None
        return moment.isoformat() if form is None else moment.strftime(form)

    return written


def search(places: tuple[str, ...]) -> None:
    """Look for scripts in these folders from now on; they are relative to the DAG folder."""
    global folders
    folders = places


def script(name: str, run: Run) -> str:
    """Return what a script says in this run. Raises Fail if no folder has it."""
    for folder in folders:
        try:
            return render(Path(folder, name).read_text(encoding="utf-8"), run)
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise Fail(f"the script {name} cannot be read: {why}") from None
    raise Fail(nowhere(name))


def nowhere(name: str) -> str:
    places = ["the DAG folder", *folders[1:]]
    return (
        f"there is no script {name} in {' or '.join(places)}; "
        'more folders to look in: DAG(…, template_searchpath="sql")'
    )


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

    from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound
    from jinja2.runtime import Context
    from jinja2.sandbox import SandboxedEnvironment
    from jinja2.utils import missing

    class Names(Context):
        """Those of Airflow are made when the template asks for them: some of them take a question to the server."""

        def resolve_or_missing(self, key: str) -> Any:
            found = super().resolve_or_missing(key)
            return NAMES[key](run) if found is missing and key in NAMES else found

    environment = SandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, loader=FileSystemLoader(folders)
    )
    environment.context_class = Names
    environment.filters |= {name: filter_of(name) for name in FILTERS}
    environment.filters["quote"] = lambda value: shlex.quote(str(value))
    try:
        return (
            environment.from_string(template)
            .render({**context_of(run), "conn": Connections(), "var": Variables(), **more})
            .replace(KEPT, LENGTH)
        )
    except TemplateNotFound as error:
        raise Fail(nowhere(str(error))) from None
    except (TemplateError, *MISTAKES) as error:  # the sandbox bounds loops by an OverflowError
        raise Fail(f"the template {text[:80]!r} cannot be rendered: {error}") from None
