"""Differences of two versions of a file."""

from headway.loader.sourcefiles import SourceFile, difference


def file(lines: list[str]) -> SourceFile:
    return SourceFile(file="a.py", text="\n".join(lines) + "\n", others=[], truncated=False)


def test_a_difference_is_unified() -> None:
    lines = [f"x{number} = {number % 7}" for number in range(9_000)]
    changed = [*lines[:40], "new = 1", *lines[41:]]
    told = difference(file(lines), file(changed)) or ""
    assert "-x40 = 5\n+new = 1\n" in told
    assert told.count("@@") == 2


def test_lines_that_are_made_to_be_compared_for_ever_are_not() -> None:
    """``difflib`` takes minutes for it, in a thread of a process that all teams share."""
    before, after = [], []
    for number in range(5_000):
        before += [f"s{number % 50}", f"x{number}"]
        after += [f"s{number % 50}", f"y{number}"]
    assert difference(file(before), file(after)) is None
