"""The size of a regular expression with its repeats written out, as the library ``regex`` writes them when it compiles.

``((a{999}){999}){999}`` is short, and takes all memory and more time than anyone has.
"""

import re
from typing import Final

REPEAT: Final = re.compile(r"\{(\d+)(?:,\d*)?\}")
ONE: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)  # a class is one character


def size_of(pattern: str) -> int:
    """Return about how many characters the pattern matches at least."""
    groups, last, place = [0], 0, 0
    while place < len(pattern):
        if (repeat := REPEAT.match(pattern, place)) is not None:
            times = max(1, int(repeat[1]))
            groups[-1] += last * (times - 1)
            last, place = last * times, repeat.end()
            continue
        found = ONE.match(pattern, place)
        assert found is not None
        place, last = found.end(), 1
        if found[0] == "(":
            groups.append(0)
            continue
        if found[0] == ")" and len(groups) > 1:
            last = groups.pop()
        groups[-1] += last
    return sum(groups)
