"""``bash``: what it takes for its result, what it says of a failure, what it refuses."""

import json

import pytest

from headway import DAG, Fail, Skip, bash, task
from headway.authoring.operators.bash import CommandFailed
from headway.testing import RunResult, run_dag


def result_of(command: str, env: dict[str, object] | None = None) -> RunResult:
    with DAG("flow") as flow:
        bash("say", command=command, env=env)
    return run_dag(flow)


def error_of(command: str, env: dict[str, object] | None = None) -> BaseException:
    error = result_of(command, env)["say"].error
    assert error is not None
    return error


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0c", "\x1d"])
def test_a_line_ends_where_the_shell_ends_it(separator: str) -> None:
    text = json.dumps({"x": f"a{separator}y"}, ensure_ascii=False)
    result = result_of("printf 'first\\n%s\\n\\n' \"$TEXT\"", {"TEXT": text})
    assert result["say"].value == text


def test_a_line_may_end_as_on_windows() -> None:
    assert result_of(r"printf 'a\r\nb\r\n'")["say"].value == "b"


@pytest.mark.parametrize(
    "command",
    [
        'a=(1 2 3); echo "${#a[@]}"',
        "a=abc; echo ${#a}",
        "a=abc; {# a comment #}echo {% raw %}${#a}{% endraw %}",
        "a=abc; echo {{ 1 }} >&2; echo ${#a}",
    ],
)
def test_a_length_is_no_comment(command: str) -> None:
    assert result_of(command)["say"].value == "3"


def test_a_variable_without_a_value_is_refused() -> None:
    with DAG("flow") as flow:

        @task
        def nothing() -> str:
            raise Skip("no file today")

        bash("say", command="echo $V", env={"V": nothing()}, trigger_rule="all_done")
    error = run_dag(flow)["say"].error
    assert isinstance(error, Fail)
    assert "the variable V of env is None" in str(error)
    assert result_of("echo $V", {"V": 0})["say"].value == "0"


def test_a_failure_says_the_end_of_standard_error() -> None:
    error = error_of("seq 5 >&2; echo; exit 4")
    assert isinstance(error, CommandFailed)
    assert str(error) == "the command ended with exit code 4: 3 | 4 | 5"
    assert str(error_of("exit 4")) == "the command ended with exit code 4"
    assert str(error_of("kill -9 $$")) == "the command was ended by signal 9"


def test_what_cannot_be_started_is_told() -> None:
    for command, env, text in [
        ("true", {"BIG": "x" * 3_000_000}, "longer than the system allows"),
        ("true", {"NUL": "a\0b"}, "cannot be passed on"),
        ("true \0", None, "cannot be passed on"),
    ]:
        error = error_of(command, env)  # type: ignore[arg-type]
        assert isinstance(error, Fail)
        assert text in str(error)


def test_what_goes_on_in_the_background_holds_nothing_up() -> None:
    assert result_of("yes >&2 & sleep 0.1")["say"].state == "success"
