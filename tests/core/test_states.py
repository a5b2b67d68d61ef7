"""The transition tables are closed, and say what the rest of the core relies on."""

from collections.abc import Mapping
from typing import Any

import pytest

from headway.core import states
from headway.core.plan import END_OF
from headway.core.reports import Outcome
from headway.core.states import (
    ATTEMPT_FINAL,
    ATTEMPT_TRANSITIONS,
    FINAL,
    LIVE,
    PENDING,
    RUN_FINAL,
    RUN_TRANSITIONS,
    TRANSITIONS,
    AttemptEvent,
    AttemptState,
    Event,
    RunEvent,
    RunState,
    State,
)

AE = AttemptEvent
PERSONS = {Event.CLEAR, Event.MARK_SUCCESS, Event.MARK_FAILED}


def reachable(table: Mapping[Any, str], start: str) -> set[str]:
    found = {start}
    while True:
        more = {to for (at, _), to in table.items() if at in found} - found
        if not more:
            return found
        found |= more


def test_every_state_is_of_exactly_one_kind() -> None:
    kinds = [LIVE, PENDING, FINAL]
    assert sorted(s for kind in kinds for s in kind) == sorted(State)


def test_every_state_is_reached_and_every_event_used() -> None:
    assert reachable(TRANSITIONS, State.WAITING) == set(State)
    assert {event for _, event in TRANSITIONS} == set(Event)
    assert reachable(RUN_TRANSITIONS, RunState.QUEUED) == set(RunState)
    assert {event for _, event in RUN_TRANSITIONS} == set(RunEvent)
    assert reachable(ATTEMPT_TRANSITIONS, AttemptState.QUEUED) == set(AttemptState)
    assert {event for _, event in ATTEMPT_TRANSITIONS} == set(AttemptEvent)


def test_an_attempt_ends_as_its_executor_says() -> None:
    ends = {event: to for (_, event), to in ATTEMPT_TRANSITIONS.items()}
    assert {outcome: ends[event] for outcome, event in END_OF.items()} == {
        outcome: AttemptState(outcome) for outcome in Outcome
    }
    assert set(ends.values()) - set(map(AttemptState, Outcome)) == {
        AttemptState.RUNNING,
        AttemptState.QUEUED,  # again
    }


def sources(event: Event) -> set[State]:
    """Where the event is legal."""
    return {state for state, by in TRANSITIONS if by is event}


@pytest.mark.parametrize("event", Event)
def test_an_event_leads_to_one_state_from_wherever_it_is_legal(event: Event) -> None:
    targets = {states.target(state, event) for state in sources(event)}
    assert len(targets) == 1
    for state in set(State) - sources(event):
        with pytest.raises(AssertionError, match="illegal move"):
            states.target(state, event)


def test_only_a_person_moves_what_has_ended() -> None:
    assert {event for state, event in TRANSITIONS if state in FINAL} == PERSONS
    assert {event for (state, event), to in RUN_TRANSITIONS.items() if state in RUN_FINAL} == {
        RunEvent.REPIN,
        RunEvent.REOPEN,
        RunEvent.LATE_PARTITION,  # it is told of, and moves nothing
    }
    assert all(
        to is state
        for (state, event), to in RUN_TRANSITIONS.items()
        if event is RunEvent.LATE_PARTITION
    )


def test_only_a_grant_makes_an_attempt_live_and_every_live_one_can_end() -> None:
    into = {event for (state, event), to in TRANSITIONS.items() if to in LIVE and state not in LIVE}
    assert into == {Event.GRANT}
    for state in LIVE:
        assert {to for (at, _), to in TRANSITIONS.items() if at is state} & FINAL
    going_on = (AE.START, AE.DEFER, AE.RESUME)
    assert {to for (_, event), to in ATTEMPT_TRANSITIONS.items() if event not in going_on} == (
        ATTEMPT_FINAL
    )


def test_a_result_needs_a_process() -> None:
    assert (AttemptState.QUEUED, AE.SUCCEED) not in ATTEMPT_TRANSITIONS
    assert (AttemptState.QUEUED, AE.SKIP) not in ATTEMPT_TRANSITIONS
    assert (State.QUEUED, Event.SUCCEED) not in TRANSITIONS
    assert (State.READY, Event.SUCCEED) not in TRANSITIONS
