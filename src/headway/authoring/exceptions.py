"""The names of exceptions' classes, as rules of a retry policy and ends of attempts have them.

A class has the name of the module that defines it before its own: ``builtins.ValueError``. The module of a DAG file has
the same name in every process (``loading.new_module``). An exception is the user's code: nothing of it is called.
"""

from typing import Any, Final

CLASSES_MAX: Final = 20
NAME_MAX: Final = 200  # characters
# A metaclass may replace these by its own, which lie or raise.
classes: Final = type.__dict__["__mro__"].__get__
module_of: Final = type.__dict__["__module__"].__get__
own_name_of: Final = type.__dict__["__qualname__"].__get__


def name_of(kind: type) -> str:
    """Return the name of a class, with the module that defines it."""
    return f"{plain(module_of(kind))}.{plain(own_name_of(kind))}"[:NAME_MAX]


def plain(name: Any) -> str:
    """Return the beginning of a name that a message can carry. A class may have anything as the name of its module."""
    if not isinstance(name, str):
        return "?"
    return str.__getitem__(name, slice(NAME_MAX)).encode("utf-8", "backslashreplace").decode()


def lineage(kind: type) -> list[str]:
    """Return the names of a class and of those that it is derived from, the most special one first."""
    return [name_of(each) for each in classes(kind) if each is not object][:CLASSES_MAX]


def classes_of(error: BaseException) -> list[str]:
    """Return the names of the classes of an exception."""
    return lineage(type(error))


def exit_code_of(error: BaseException) -> int | None:
    """Return the exit code that the exception asks for or is about, negative for a signal."""
    if isinstance(error, SystemExit):
        code = error.code
        return int.__and__(code, 0xFF) if isinstance(code, int) else 1  # as the kernel keeps it
    if plain(module_of(type(error))).startswith("headway.authoring.operators."):
        name = "exit_code"
    elif "subprocess.CalledProcessError" in classes_of(error):
        name = "returncode"
    else:
        return None
    found = vars(error).get(name)  # of a class of one's own it may be a property, which raises
    return found if type(found) is int and -64 <= found <= 255 else None


class EndedElsewhere(Exception):
    """The failure of what ran outside of the task's process. ``cause``: as the ends of attempts have it."""

    def __init__(
        self, text: str, cause: str, exit_code: int | None = None, *, retry: bool = True
    ) -> None:
        super().__init__(text)
        self.cause = cause
        self.exit_code = exit_code
        self.retry = retry
