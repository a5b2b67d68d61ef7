"""The command line: one file per command.

Every command but ``up``, ``run``, ``migrate``, ``check``, ``doctor``, ``backup`` and ``restore``
uses the HTTP API only. What a command needs is imported when it runs, so that ``headway --help`` is
quick.
"""

import os
import sys
import traceback
from tempfile import mkstemp

from headway.cli.terminal import complain
from headway.errors import HeadwayError


def main() -> None:
    """Run the command line. Every outcome has an exit code; none prints a stack trace."""
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: list[str]) -> int:
    try:
        from headway.cli import hints
        from headway.cli.app import tree

        hints.forget()
        tree(arguments)(
            arguments
        )  # shows what is wrong with the command line by itself: exit code 2
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except HeadwayError as error:
        complain(error)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        return surprised(error)
    return 0


def surprised(error: Exception) -> int:
    """Report a bug in Headway: one line on the terminal, the full traceback in a file."""
    handle, name = mkstemp(prefix="headway-error-", suffix=".txt")
    with os.fdopen(handle, "w") as file:
        file.write("".join(traceback.format_exception(error)))
    complain(HeadwayError(f"{type(error).__name__}: {error}", hint=f"full traceback in {name}"))
    return 1


__all__ = ["execute", "main"]
