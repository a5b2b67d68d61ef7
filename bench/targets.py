"""What each workload is to reach, and whether it did.

Targets in seconds are meant for the reference machine, whose fib(33) takes 0.364 s; here they are
stretched or shrunk by what the same fib(33) takes in the same run. Ratios, sizes and what is made
of sleep are the same everywhere. Beside the verdict stands the ratio to the workload's own floor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bench.figures import Summary
from bench.workloads.loads import CHAIN, ITEMS, LAYERS, NAP_S, WIDE

REFERENCE_FIB_S: Final = 0.364

Floors = Mapping[str, float]


class Verdict(StrEnum):
    MOONSHOT = "moonshot"
    TARGET = "target"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Target:
    """`scales`: whether a slower machine may take longer. `statistic`: a field of Summary."""

    workload: str
    metric: str
    target: float
    moonshot: float | None = None
    scales: bool = True
    statistic: str = "median"
    floor: Callable[[Floors], float] | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    value: float
    ratio: float | None
    target: float
    moonshot: float | None
    verdict: Verdict


def start_s(floors: Floors) -> float:
    return 1 / floors["fork_serial_per_s"]


def link_s(floors: Floors) -> float:
    """A task that waits for the one before: a fork, and a commit which it waits for."""
    return start_s(floors) + 1 / floors["commit_per_s"]


def batch_s(floors: Floors, tasks: int) -> float:
    """Tasks that wait for nothing: forks side by side; the commits are shared."""
    return tasks / floors["fork_8_in_flight_per_s"]


def trigger_s(floors: Floors) -> float:
    return 1 / floors["http_per_s"] + 1 / floors["commit_per_s"]


def first_line_ms(floors: Floors) -> float:
    return 1e3 * (trigger_s(floors) + link_s(floors))


def end_ms(floors: Floors) -> float:
    return first_line_ms(floors) + 1e3 * trigger_s(floors)


TARGETS: Final = (
    Target("W1", "wall_s", 0.30, 0.20, floor=lambda floors: CHAIN * link_s(floors)),
    # Ratios to pure compute of the same run: see `ratios` in bench.run.
    Target("W2", "to_compute", 1.05, 1.03, scales=False),
    Target("W3", "wall_s", 3.5, 2.5, floor=lambda floors: batch_s(floors, ITEMS + 2)),
    Target("W4", "to_critical_path", 1.35, 1.25, scales=False),
    Target("W5", "first_line_ms", 15, 10, floor=first_line_ms),
    Target("W5", "first_line_ms", 30, statistic="p95", floor=first_line_ms),
    Target("W5", "end_ms", 25, floor=end_ms),
    Target("W6", "known_s", 10, 5),
    Target("W6", "change_live_s", 1),
    Target("W6", "idle_cpu_percent", 1),
    Target("W7", "up_s", 3, 2),
    Target("W7", "idle_pss_mb", 200, 150, scales=False),
    Target("W7", "connections", 12, scales=False),
    Target("W7", "install_mb", 150, scales=False),
    Target("W8", "wall_s", 20, 14, floor=lambda floors: batch_s(floors, WIDE)),
    Target("W9", "to_empty", 1.1, 1.05, scales=False),
    Target("W10", "deep_cpu_ms_per_change", 1),
    Target("W10", "wide_cpu_ms_per_change", 1),
    Target("W10", "deep_kb_per_task_instance", 2, scales=False),
    Target("W10", "wide_kb_per_task_instance", 2, scales=False),
    # 2,000 ends a second, and 5,000.
    Target("W11", "us_per_end", 500, 200),
    # Of one process with 10,000 waits in which nothing happens; and from what is waited for to the task's first line.
    Target("W12", "still_cpu_percent", 5, 2),
    Target("W12", "pss_mb", 300, scales=False),
    Target("W12", "first_line_ms", 500, 200, statistic="p95"),
    Target("W13", "event_to_run_ms", 1_000, 200, statistic="p95"),
    Target("W13", "flood_to_run_ms", 1_000, 200, statistic="p95"),
    Target("W13", "event_to_task_ms", 2_000, statistic="p95"),
    # A rate: what is reached may be more, so it is judged as the time for each.
    Target("W15", "ms_a_pod", 20, 5),
    Target("W15", "decided_to_created_ms", 300, 100, statistic="p95"),
    Target("W16", "granted_to_first_line_ms", 100, 30, statistic="p95"),
    # Of a team's own queue in front of its nominal slots: with the other team's backfill to without, same run.
    Target("W17", "p95_to_alone", 1.1, 1.02, scales=False),
)
CRITICAL_PATH_S: Final = LAYERS * NAP_S


def judge(target: Target, found: Summary, floors: Floors) -> Judgement:
    """Every target is a most: smaller is better."""
    stretch = floors["fib_s"] / REFERENCE_FIB_S if target.scales else 1.0
    value: float = getattr(found, target.statistic)
    allowed = target.target * stretch
    hoped = None if target.moonshot is None else target.moonshot * stretch
    if hoped is not None and value <= hoped:
        verdict = Verdict.MOONSHOT
    else:
        verdict = Verdict.TARGET if value <= allowed else Verdict.MISSED
    ratio = None if target.floor is None else value / target.floor(floors)
    return Judgement(value, ratio, allowed, hoped, verdict)
