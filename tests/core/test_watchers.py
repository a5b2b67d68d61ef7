"""How fast a watcher may tell of events, and when one that ended begins again."""

from datetime import UTC, datetime, timedelta

from headway.core.watchers import (
    ENDED_S,
    EVENTS_MAX,
    WINDOW,
    WatcherState,
    Window,
    admit,
    reason,
    restart_s,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_window_takes_so_many_events_and_the_next_one_as_many() -> None:
    window = admit(None, 100, NOON)
    assert window == Window(NOON, 100)
    full = admit(Window(NOON, EVENTS_MAX - 1), 1, NOON + timedelta(seconds=20))
    assert full == Window(NOON, EVENTS_MAX)
    assert isinstance(full, Window)
    assert admit(full, 1, NOON + timedelta(seconds=20)) == timedelta(seconds=40)
    assert admit(full, 7, NOON + WINDOW) == Window(NOON + WINDOW, 7)


def test_a_clock_that_goes_back_begins_a_window() -> None:
    earlier = NOON - timedelta(hours=1)
    assert admit(Window(NOON, EVENTS_MAX), 1, earlier) == Window(earlier, 1)


def test_who_fails_again_and_again_waits_longer_up_to_a_limit() -> None:
    assert [restart_s(failures) for failures in (0, 1, 2, 3)] == [ENDED_S, 1.0, 2.0, 4.0]
    assert restart_s(10_000) == 300.0


def test_an_agent_is_asked_for_only_when_none_has_come_for_some_time() -> None:
    """One that ended or failed waits for its time, and then for the next look of a scheduler."""
    nobody = (
        'it waits for an agent that serves the queue "gpu": start one, or look at headway doctor'
    )
    told = {
        (state, seconds): reason(state, "gpu", timedelta(seconds=seconds))
        for state in (WatcherState.FAILED, WatcherState.WAITING)
        for seconds in (5, -5, -20)
    }
    assert told == {
        (WatcherState.FAILED, 5): "",
        (WatcherState.FAILED, -5): "",
        (WatcherState.FAILED, -20): nobody,
        (WatcherState.WAITING, 5): "it begins soon",
        (WatcherState.WAITING, -5): "it begins soon",
        (WatcherState.WAITING, -20): nobody,
    }
