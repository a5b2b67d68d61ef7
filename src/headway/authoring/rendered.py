"""Rendered fields of a task: its arguments and its command, to explain later what it did."""

from collections.abc import Callable, Iterable
from reprlib import Repr
from typing import Final

VALUE_CHARS_MAX: Final = 4000
FIELDS_MAX: Final = 50


def nobody_listens(fields: list[tuple[str, str]]) -> None:
    """Outside of a running attempt nobody asks."""


def nobody_calls(name: str) -> None:
    """Outside of a running attempt an instance needs no name."""


# Set by the process that runs an attempt.
call_instance: Callable[[str], None] = nobody_calls
announce: Callable[[list[tuple[str, str]]], None] = nobody_listens

short: Final = Repr()
short.maxlevel = 4
short.maxlist = short.maxtuple = short.maxset = short.maxfrozenset = short.maxdict = 40
short.maxstring = short.maxother = short.maxlong = 1000


def show_arguments(
    names: Iterable[str], args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    """Return the arguments as Python would write them, large ones shortened."""
    if announce is nobody_listens or not (args or kwargs):
        return
    named = [*zip(names, args, strict=False), *kwargs.items()]
    announce([(name, cut(short.repr(value))) for name, value in named[:FIELDS_MAX]])


def show(**fields: str) -> None:
    if announce is not nobody_listens:
        announce([(name, cut(text)) for name, text in fields.items()])


def cut(text: str) -> str:
    return text if len(text) <= VALUE_CHARS_MAX else text[: VALUE_CHARS_MAX - 1] + "…"
