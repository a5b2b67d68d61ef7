"""Bugs to plant in a world of waits for assets, each with the symptom by which it must be found."""

from typing import Any

from headway.store import deferrals
from tests.simulation.asset_waits import AssetWaits
from tests.simulation.assets import STEPS
from tests.simulation.bugs.bug import Bug

PARITY = {"seen": 0}
SEEN: Any = deferrals.LOOK_AT_ASSETS  # replaced as text, and no longer a literal


def told_to_nobody(conn: Any) -> Any:
    """Every other look notes that the waits are told, and tells nobody."""
    found = look_at_assets(conn)
    PARITY["seen"] += len(found)
    return found if PARITY["seen"] % 2 else []


look_at_assets = deferrals.look_at_assets

BUGS = [
    Bug(name, symptom, (0, 1), (place,), STEPS, AssetWaits)
    for name, symptom, place in (
        (
            "an event before the time ends a wait",
            "I66",
            (
                deferrals,
                "LOOK_AT_ASSETS",
                SEEN.replace("newest.at >= wanted.since", "newest.at IS NOT NULL"),
            ),
        ),
        (
            "an event of another partition ends a wait",
            "I66",
            (
                deferrals,
                "LOOK_AT_ASSETS",
                SEEN.replace("wanted.partition IS NULL AND", ""),
            ),
        ),
        (
            "a wait is noted as told, and nobody is told",
            "I67",
            (deferrals, "look_at_assets", told_to_nobody),
        ),
    )
]
