"""Watchers of assets: how fast one may tell of events, and when one that ended begins again. Pure.

A watcher looks out for something outside for as long as a DAG waits for its asset. What it tells is stored in batches,
each with the *cursor* from which the watcher goes on elsewhere.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

EVENTS_MAX: Final = 600  # of one watcher in a window
WINDOW: Final = timedelta(minutes=1)
BATCH_MAX: Final = 100  # events that are stored at once
ENDED_S: Final = 5.0  # from the end of a watcher to its next beginning
RESTART_S_MAX: Final = 300.0
HAND_OUT: Final = timedelta(seconds=15)  # within which an agent has a watcher whose time has come
CURSOR_BYTES_MAX: Final = 256 * 1024


class Window(NamedTuple):
    """The events that a watcher has told of since ``at``."""

    at: datetime
    events: int


def admit(before: Window | None, events: int, now: datetime) -> Window | timedelta:
    """Return the window with these events, too; or how long the watcher has to wait until they are taken."""
    if before is None or not timedelta() <= now - before.at < WINDOW:
        return Window(now, events)
    if before.events + events > EVENTS_MAX:
        return before.at + WINDOW - now
    return Window(before.at, before.events + events)


def restart_s(failures: int) -> float:
    """Return the seconds until a watcher begins again that failed so often in a row; 0: it ended by itself."""
    if not failures:
        return ENDED_S
    return min(2.0 ** min(failures - 1, 30), RESTART_S_MAX)


class WatcherState(StrEnum):
    """The state of a watcher now."""

    LOOKING = "looking"
    FAILED = "failed"  # it begins again
    WAITING = "waiting"  # for an agent, or for its time
    STOPPED = "stopped"  # no DAG that runs waits for its asset


def state_of(*, wanted: bool, held: bool, error: str | None) -> WatcherState:
    if not wanted:
        return WatcherState.STOPPED
    if held:
        return WatcherState.LOOKING
    return WatcherState.WAITING if error is None else WatcherState.FAILED


def reason(state: WatcherState, queue: str, starts_in: timedelta) -> str:
    """Say why nobody looks, and what to do about it; "": somebody looks, or the watcher's error says it."""
    if state is WatcherState.STOPPED:
        return "no DAG waits for the asset, or all that do are paused"
    if state is WatcherState.LOOKING:
        return ""
    if starts_in > -HAND_OUT:
        return "" if state is WatcherState.FAILED else "it begins soon"
    return f'it waits for an agent that serves the queue "{queue}": start one, or look at headway doctor'
