"""Ctrl-C while a request is under way whose answer names what it made."""

import os
import signal
from collections.abc import Callable

import pytest

from headway.cli.interrupts import interrupt_kept


def interrupted(*steps: Callable[[], None]) -> None:
    with interrupt_kept():
        for step in steps:
            step()


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_first_ctrl_c_waits_for_the_answer() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(press, lambda: done.append("answered"))
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_does_not_wait() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(press, press, lambda: done.append("answered"))
    assert not done


def test_what_the_request_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="refused"), interrupt_kept():
        raise ValueError("refused")
