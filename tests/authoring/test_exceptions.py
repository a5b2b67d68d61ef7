"""The names of an exception's classes, whatever its author made of them."""

import subprocess
from typing import Any

import pytest

from headway.authoring.exceptions import NAME_MAX, classes_of, exit_code_of

EXCEPTION = ["builtins.Exception", "builtins.BaseException"]


class Hostile(type):
    """Raises when it is asked for the names of its classes."""

    def __getattribute__(cls, name: str) -> Any:
        if name in ("__module__", "__qualname__", "__name__", "__mro__"):
            raise ZeroDivisionError
        return super().__getattribute__(name)


class Closed(Exception, metaclass=Hostile): ...


class Number(int):
    def __int__(self) -> int:
        raise KeyError

    def __and__(self, other: int) -> int:
        raise KeyError


class Stopped(subprocess.CalledProcessError):
    @property
    def returncode(self) -> int:
        raise ZeroDivisionError

    @returncode.setter
    def returncode(self, value: int) -> None: ...


def test_a_metaclass_is_not_asked() -> None:
    name, *above = classes_of(Closed())
    assert name.endswith("test_exceptions.Closed")
    assert above == EXCEPTION
    assert exit_code_of(Closed()) is None


@pytest.mark.parametrize(
    ("module", "name", "told"),
    [
        (7, "Odd", "?.Odd"),
        (None, "Odd", "?.Odd"),
        ("flow", "\ud800", "flow.\\ud800"),
        ("m" * 10_000_000, "Odd", "m" * NAME_MAX),
        ("flow", "n" * 10_000_000, f"flow.{'n' * NAME_MAX}"[:NAME_MAX]),
    ],
)
def test_a_name_is_one_that_a_message_can_carry(module: object, name: str, told: str) -> None:
    kind = type("Odd", (Exception,), {"__module__": module, "__qualname__": name})
    assert classes_of(kind()) == [told, *EXCEPTION]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SystemExit(Number(260)), 4),
        (SystemExit(-1), 255),
        (SystemExit("no"), 1),
        (subprocess.CalledProcessError(75, "x"), 75),
        (subprocess.CalledProcessError(2**70, "x"), None),
        (subprocess.CalledProcessError(True, "x"), None),
        (Stopped(75, "x"), None),
    ],
)
def test_an_exit_code_is_a_number_that_a_process_can_have(
    error: BaseException, code: int | None
) -> None:
    assert exit_code_of(error) == code
