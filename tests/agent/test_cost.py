"""What an attempt costs, in operations: it must not depend on how many there are."""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

from headway.agent.protocol import AxisItem, XComRef, XComValue
from headway.agent.xcoms import Entry, Key, Xcoms
from tests.agent.gateway import grant_of

REF = XComRef("numbers")


def calls_of(attempts: int) -> int:
    """Functions called, Python's and C's, to give each attempt of a mapped task its item."""
    xcoms = Xcoms(Path("/data"))
    body = b"[" + b",".join(b"%d" % n for n in range(attempts)) + b"]"
    xcoms.put("r1", REF, [XComValue("return_value", body, None, len(body), attempts)])
    grants = [
        grant_of("double", map_index=n, axes=[AxisItem(n, REF)]) for n in reversed(range(attempts))
    ]
    calls = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        for grant in grants:
            held: dict[Key, Entry] = {}
            assert not xcoms.hold(grant, held)
            (place,) = xcoms.places(grant, held)
    finally:
        sys.setprofile(None)
    assert place.item is not None
    assert place.item.value == b"0"
    return calls


def test_a_mapped_attempt_costs_the_same_however_many_there_are() -> None:
    few, many = calls_of(50), calls_of(1500)
    assert many / 1500 <= few / 50
