"""Sets of states as SQL writes them, made from ``core/states``: no statement lists them itself."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final, LiteralString

from headway.core.states import (
    ATTEMPT_LIVE,
    BROKEN,
    FINAL,
    RUN_FINAL,
    RUN_TRANSITIONS,
    RunEvent,
    RunState,
    State,
)


def own(text: Any) -> LiteralString:
    """Vouch for SQL that is made of nothing but the code's own words."""
    literal: LiteralString = text
    return literal


def listed(states: Iterable[StrEnum]) -> LiteralString:
    """``('queued', 'running')``, as it stands after ``state IN``."""
    return own(f"({', '.join(repr(state.value) for state in sorted(states))})")


LIVE_ATTEMPTS: Final = listed(ATTEMPT_LIVE)
FINAL_INSTANCES: Final = listed(FINAL)
FINAL_RUNS: Final = listed(RUN_FINAL)
BROKEN_INSTANCES: Final = listed(BROKEN)
ENDED_WELL: Final = listed({State.SUCCESS, State.SKIPPED})
# Ended, and neither by a person nor before they started.
TRIED_RUNS: Final = listed(RUN_FINAL - {RunState.CANCELLED, RunState.SKIPPED})
OPEN_RUNS: Final = listed(set(RunState) - RUN_FINAL)
SET_ASIDE_FROM: Final = listed(s for s, event in RUN_TRANSITIONS if event is RunEvent.SET_ASIDE)
NOTHING_TO_EXPLAIN: Final = listed({State.SUCCESS, State.WAITING})

# The quiet states come first: most task instances are in one of them.
WHENS: Final = " ".join(f"WHEN '{state}' THEN '{state.letter}'" for state in reversed(State))
LETTER: Final = own(f"CASE state {WHENS} END")
