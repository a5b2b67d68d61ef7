"""What an agent tells of a failure for the rules of a retry policy: classes of the exception, and exit codes."""

import pytest

from headway import ids
from tests.agent.gateway import Gateway

EXCEPTION = ["builtins.Exception", "builtins.BaseException"]
LOOKUP = ["builtins.LookupError", *EXCEPTION]
FAILED = "headway.authoring.operators.bash.CommandFailed"


@pytest.mark.parametrize(
    ("task", "cause", "exceptions", "exit_code"),
    [
        ("raises", "exception", ["builtins.ValueError", *EXCEPTION], None),
        ("raises_its_own", "exception", ["flow.NoFlights", *LOOKUP], None),
        ("calls_exit", "exit_code", ["builtins.SystemExit", "builtins.BaseException"], 4),
        ("exits", "exit_code", [], 3),
        ("segfault", "signal", [], -11),
        ("exits_75", "exception", [FAILED, *EXCEPTION], 75),
        ("kills_itself", "exception", [FAILED, *EXCEPTION], -9),
        (
            "runs_a_program",
            "exception",
            ["subprocess.CalledProcessError", "subprocess.SubprocessError", *EXCEPTION],
            75,
        ),
    ],
)
def test_a_failure_tells_what_ended_it(
    shared: Gateway, task: str, cause: str, exceptions: list[str], exit_code: int | None
) -> None:
    ended = shared.run(task, run_id=ids.run_id())
    assert (ended.outcome, ended.cause, ended.exit_code) == ("failed", cause, exit_code)
    assert ended.facts.exceptions == exceptions
    assert (ended.facts.delay_s, ended.facts.reason) == (None, "")


@pytest.mark.parametrize("task", ["hello", "skips"])
def test_other_ends_tell_nothing(shared: Gateway, task: str) -> None:
    assert shared.run(task, run_id=ids.run_id()).facts.exceptions == []


def test_a_timeout_has_no_exception(shared: Gateway) -> None:
    ended = shared.run("sleeps", run_id=ids.run_id(), timeout_s=0.2)
    assert (ended.cause, ended.facts.exceptions) == ("timeout", [])


def test_a_trigger_that_raises_tells_its_exception(shared: Gateway) -> None:
    key = shared.watch("raises_later", run_id=ids.run_id(), kwargs={"text": "no flights"})
    assert shared.found(key).exceptions == ["builtins.ValueError", *EXCEPTION]


def test_a_trigger_whose_exception_has_no_name_ends_its_wait(shared: Gateway) -> None:
    """A class may be named by a lone surrogate, which no message carries."""
    key = shared.watch("raises_what_has_no_name", run_id=ids.run_id())
    assert shared.found(key).exceptions == [r"\ud800.\ud800", "builtins.ValueError", *EXCEPTION]
