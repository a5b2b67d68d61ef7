"""The tree of commands."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from headway.cli.output import line
from headway.cli.teamed import add_team

COMMANDS: Final = (
    "init",
    "up",
    "api",
    "scheduler",
    "loader",
    "agent",
    "shipper",
    "run",
    "backfill",
    "ls",
    "show",
    "why",
    "logs",
    "xcom",
    "durations",
    "retry",
    "clear",
    "mark",
    "answer",
    "note",
    "replay",
    "diff",
    "cancel",
    "pause",
    "resume",
    "check",
    "import-airflow",
    "import-runs",
    "doctor",
    "manifests",
    "migrate",
    "backup",
    "restore",
    "open",
    "slots",
    "whoami",
    "audit",
    "retention",
    "question",
    "asset",
    "webhook",
    "pool",
    "conn",
    "var",
    "secrets",
    "user",
    "team",
    "token",
    "role",
    "account",
    "link",
    "grant",
)
"""In the order of the help. Module ``headway.cli.NAME`` has a function of this name, or an ``app`` of commands."""


class Commands(TyperGroup):
    """The commands; what they say of a wrong argument does not begin with the name of an exception."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


def print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        line(f"headway {version('headway')}")
        raise typer.Exit


def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Run and monitor data workflows."""


def tree(arguments: Sequence[str] = ()) -> Callable[[list[str]], Any]:
    """Return the tree, in which each command that asks a server takes --team.

    It has the command only that ``arguments`` begin with, or all: to import one takes a third of the time of all.
    """
    app = typer.Typer(
        name="headway",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        cls=Commands,
    )
    app.callback()(root)
    for name in arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS:
        add(app, name)
    found = get_command(app)
    add_team(found)
    return found


def add(app: typer.Typer, name: str) -> None:
    module = import_module(f"headway.cli.{name.replace('-', '_')}")
    if hasattr(module, "app"):
        app.add_typer(module.app, name=name)
    else:
        app.command(name)(
            getattr(module, name.replace("-", "_"), None) or getattr(module, f"{name}_")
        )  # ``open_`` hides no builtin
