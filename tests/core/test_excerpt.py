"""The part of a log that says why an attempt failed."""

import traceback

from headway.core.excerpt import LINES_MAX, excerpt


def logged(error: BaseException) -> str:
    return "before\n" + "".join(traceback.format_exception(error))


def caught(depth: int) -> Exception:
    def fail(left: int) -> None:
        if left:
            fail_other(left - 1)
        raise ValueError("12,5")

    def fail_other(left: int) -> None:
        fail(left)

    try:
        try:
            fail(depth)
        except ValueError as error:
            raise RuntimeError("cannot render") from error
    except RuntimeError as error:
        found = error
    return found


def test_a_chain_is_shown_from_its_root() -> None:
    found = (excerpt(logged(caught(0)), "RuntimeError: cannot render") or "").splitlines()
    assert found[0] == "Traceback (most recent call last):"
    assert "ValueError: 12,5" in found
    assert found[-1] == "RuntimeError: cannot render"


def test_a_long_chain_keeps_both_ends() -> None:
    found = (excerpt(logged(caught(60)), None) or "").splitlines()
    assert len(found) <= LINES_MAX
    assert "ValueError: 12,5" in found
    assert found[-1] == "RuntimeError: cannot render"


def test_an_earlier_traceback_is_none_of_the_chain() -> None:
    text = logged(ValueError("retried")) + "Traceback (most recent call last):\nKeyError: 'x'\n"
    assert excerpt(text, "KeyError: 'x'") == "Traceback (most recent call last):\nKeyError: 'x'"


def test_a_group_is_shown_whole() -> None:
    group = ExceptionGroup("two uploads failed", [caught(0), KeyError("b")])
    try:
        raise group
    except ExceptionGroup as error:
        found = (excerpt(logged(error), None) or "").splitlines()
    assert "Exception Group Traceback" in found[0]
    assert any("two uploads failed (2 sub-exceptions)" in line for line in found)
    assert any("KeyError: 'b'" in line for line in found)


def test_without_a_traceback_the_error_stands_after_some_lines() -> None:
    text = "".join(f"line {number}\n" for number in range(50)) + "no numbers\nCommandFailed: 3\n"
    found = (excerpt(text, "CommandFailed: 3") or "").splitlines()
    assert found[-2:] == ["no numbers", "CommandFailed: 3"]
    assert found[0] == "line 45"


def test_a_line_of_many_bundles_is_read_as_far_as_it_is_shown() -> None:
    """Each as the end of the path takes minutes."""
    line = 'File "' + "/bundles/a" * 200_000
    assert excerpt(line, None) == line[:500]
