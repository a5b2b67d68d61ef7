"""The log of a container that is read again after each break, and what the status of its pod tells of its end."""

import random
from collections.abc import Iterable
from typing import Any

import pytest

from headway.authoring.containers.ends import End, Over, Running, Waiting, end_of, state_of
from headway.authoring.containers.lines import LINE_BYTES_MAX, Lines

LINE = "2026-12-01T08:15:{second:02d}.{nanos:09d}Z line {number}\n"


def log_of(count: int, chance: random.Random) -> list[bytes]:
    """Lines whose times are near each other, some the same, and not all in order: of two streams."""
    found, at = [], 0.0
    for number in range(count):
        at += chance.choice((0.0, 0.0, 0.05, 0.3))
        moment = max(0.0, at - chance.choice((0.0, 0.0, 0.02)))
        second, nanos = int(moment), int(moment % 1 * 1e9)
        text = chance.choice((number, "the same"))
        found.append(LINE.format(second=second, nanos=nanos, number=text).encode())
    return found


def since(lines: Iterable[bytes], moment: str | None) -> bytes:
    """What the API server gives from a second on."""
    return b"".join(each for each in lines if moment is None or each[:19].decode() >= moment[:19])


@pytest.mark.parametrize("seed", range(40))
def test_wherever_it_breaks_every_line_comes_once(seed: int) -> None:
    chance = random.Random(seed)
    log, told = log_of(150, chance), b""
    lines = Lines()
    for _ in range(chance.randrange(6)):
        lines.begin()
        data = since(log, lines.since)
        told += lines.feed(data[: chance.randrange(len(data) + 1)])
    lines.begin()
    told += lines.feed(since(log, lines.since))
    assert told == b"".join(each.partition(b" ")[2] for each in log)


def test_in_whatever_pieces_it_comes() -> None:
    log = b"".join(log_of(50, random.Random(1)))
    lines = Lines()
    told = b"".join(lines.feed(log[at : at + 7]) for at in range(0, len(log), 7))
    assert told == b"".join(each.partition(b" ")[2] for each in log.splitlines(keepends=True))


def test_a_very_long_line_is_not_waited_for() -> None:
    lines = Lines()
    told = lines.feed(b"2026-12-01T08:15:00.000000001Z " + b"x" * (LINE_BYTES_MAX + 10))
    told += lines.feed(b"yy\n2026-12-01T08:15:00.000000002Z next\n")
    assert told == b"x" * (LINE_BYTES_MAX + 10) + b"yy\nnext\n"


def test_another_process_goes_on_from_the_second_that_was_noted() -> None:
    log = log_of(100, random.Random(3))
    first = Lines()
    first.feed(b"".join(log))
    assert first.since is not None
    second = Lines(first.since)
    told = second.feed(since(log, second.since))
    assert b"".join(each.partition(b" ")[2] for each in log).endswith(told)


# -- ends


def pod(state: dict[str, Any], meta: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    limits = {"resources": {"limits": {"memory": "1Gi"}}}
    return {
        "metadata": meta or {},
        "spec": {"containers": [{"name": "mesh"}, {"name": "task", **limits}]},
        "status": {"containerStatuses": [{"name": "task", "state": state}], **status},
    }


def ended(code: int, reason: str = "Error", at: str = "2026-12-01T08:00:10Z") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "finishedAt": at}}


DELETED = {"deletionTimestamp": "2026-12-01T08:00:50Z", "deletionGracePeriodSeconds": 45}  # at :05
EVICTED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "lastTransitionTime": "2026-12-01T08:00:05Z",
}


@pytest.mark.parametrize(
    ("found", "end"),
    [
        (pod(ended(0, "Completed")), End("success")),
        (
            pod(ended(3)),
            End("failed", "exit_code", "the container ended with exit code 3", 3),
        ),
        (
            pod(ended(137)),
            End("failed", "exit_code", "the container ended with exit code 137 (SIGKILL)", 137),
        ),
        (
            pod(ended(137, "OOMKilled")),
            End("failed", "memory", "OOMKilled: it used more than its limit of 1Gi", 137),
        ),
        (
            pod({"terminated": {"exitCode": 128, "reason": "StartError", "message": "no load"}}),
            End("failed", "container", "StartError: no load", 128),
        ),
        (
            pod(ended(143), DELETED),
            End("taken", "stopped", "its pod was ended: the pod was deleted"),
        ),
        (pod(ended(0), DELETED), End("taken", "stopped", "its pod was ended: the pod was deleted")),
        (pod(ended(0, at="2026-12-01T08:00:05Z"), DELETED), End("success")),
        (
            pod(ended(143), conditions=[EVICTED]),
            End("taken", "stopped", "its pod was ended: EvictionByEvictionAPI"),
        ),
        (
            pod(ended(137), phase="Failed", reason="Evicted"),
            End("taken", "stopped", "its pod was ended: Evicted"),
        ),
        (
            pod({}, phase="Failed", reason="NodeShutdown"),
            End("taken", "stopped", "its pod was ended: NodeShutdown"),
        ),
    ],
)
def test_how_it_ended(found: dict[str, Any], end: End) -> None:
    state = state_of(found)
    assert isinstance(state, Over)
    assert end_of(state, resumed=False) == end


def test_who_was_away_does_not_take_a_kill_for_an_end() -> None:
    state = state_of(pod(ended(137)))
    assert isinstance(state, Over)
    assert end_of(state, resumed=True).outcome == "taken"
    other = state_of(pod(ended(3)))
    assert isinstance(other, Over)
    assert end_of(other, resumed=True).exit_code == 3


def test_what_goes_on() -> None:
    assert state_of(pod({"running": {}})) == Running()
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "not found"}}
    assert state_of(pod(waiting)) == Waiting("ErrImagePull", "not found")
    assert state_of(pod({})) == Waiting("", "")
