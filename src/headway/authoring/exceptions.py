"""The names of exceptions' classes, as rules of a retry policy and ends of attempts have them.

A class has the name of the module that defines it before its own: ``builtins.ValueError``. The module of a DAG file has
the same name in every process (``loading.new_module``). An exception is the user's code: nothing of it is called.
"""

from typing import Final

CLASSES_MAX: Final = 20
NAME_MAX: Final = 200  # characters
classes: Final = type.__dict__["__mro__"].__get__  # a metaclass may have one of its own


def name_of(kind: type) -> str:
    """Return the name of a class, with the module that defines it."""
    return f"{kind.__module__}.{kind.__qualname__}"[:NAME_MAX]


def lineage(kind: type) -> list[str]:
    """Return the names of a class and of those that it is derived from, the most special one first."""
    return [name_of(each) for each in classes(kind) if each is not object][:CLASSES_MAX]


def classes_of(error: BaseException) -> list[str]:
    """Return the names of the classes of an exception; none if they cannot be told."""
    try:
        return lineage(type(error))
    except Exception:  # of a metaclass
        return []


def exit_code_of(error: BaseException) -> int | None:
    """Return the exit code that the exception asks for or is about, negative for a signal."""
    if isinstance(error, SystemExit):
        return (
            int(error.code) & 0xFF if isinstance(error.code, int) else 1
        )  # as the kernel keeps it
    module = str(type(error).__module__)
    if module.startswith("headway.authoring.operators."):
        found = getattr(error, "exit_code", None)
    elif "subprocess.CalledProcessError" in classes_of(error):
        found = getattr(error, "returncode", None)
    else:
        return None
    return found if isinstance(found, int) and -64 <= found <= 255 else None
