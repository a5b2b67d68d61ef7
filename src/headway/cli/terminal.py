"""Terminal output: data on stdout, messages on stderr, colour only on a terminal that allows it."""

import os
import sys
from typing import Final

from headway.cli.hints import placed

CODES: Final = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "grey": 90, "bold": 1}


def say(text: str = "") -> None:
    print(placed(text), file=sys.stderr, flush=True)


def complain(error: BaseException) -> None:
    first, _, rest = str(error).partition("\n")
    say(f"{paint('error:', 'red')} {first}")
    if rest:
        say(rest)


def paint(text: str, colour: str) -> str:
    if not has_colour():
        return text
    return f"\x1b[{CODES[colour]}m{text}\x1b[0m"


def has_colour() -> bool:
    return (
        sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def is_interactive() -> bool:
    """Return whether a person watches: stderr is a terminal and this is not CI."""
    return sys.stderr.isatty() and not os.environ.get("CI")


def read_secret(prompt: str) -> str:
    """Ask for a secret without showing it, or read a line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    from getpass import getpass

    return getpass(f"{prompt}: ")
