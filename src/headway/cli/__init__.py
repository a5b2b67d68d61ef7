"""The command line: one file per command. Only ``up``, ``run`` and ``migrate`` start anything.

Every command but those and ``check``, ``doctor``, ``backup`` uses the HTTP API only. What a command
needs is imported when it runs, so that ``headway --help`` is quick.
"""

import os
import sys
import traceback
from pathlib import Path
from tempfile import gettempdir

from headway.cli.terminal import complain, say


def main() -> None:
    """The entry point: an exit code for every end, never a stack trace."""
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: list[str]) -> int:
    from headway.errors import HeadwayError

    try:
        from headway.cli.app import app

        return app(arguments, standalone_mode=False) or 0
    except HeadwayError as error:
        complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return ended_by(error)


def ended_by(error: Exception) -> int:
    """Typer's own errors as it shows them; an error of ours as one line and a file."""
    import click

    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.exceptions.Abort):
        say("interrupted")
        return 130
    if isinstance(error, click.ClickException):
        error.show(sys.stderr)
        return 2
    trace = Path(gettempdir(), f"headway-error-{os.getpid()}.txt")
    trace.write_text("".join(traceback.format_exception(error)))
    complain(RuntimeError(f"{type(error).__name__}: {error} (an error of Headway's; see {trace})"))
    return 1


__all__ = ["execute", "main"]
