"""Measured values: one JSON line each, and their median, least and greatest over the repeats."""

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

RESULTS: Final = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of one repeat. `metric` carries its unit last: `wall_s`, `idle_pss_mb`."""

    subject: str
    workload: str
    metric: str
    value: float
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    median: float
    least: float
    greatest: float
    count: int
    p95: float


def summarise(values: Iterable[float]) -> Summary:
    ordered = sorted(values)
    if not ordered:
        raise ValueError("there is no median of no values")
    # Nearest rank: the p95 of 30 repeats is a value that was measured, the second greatest.
    rank = -(-95 * len(ordered) // 100)
    return Summary(median(ordered), ordered[0], ordered[-1], len(ordered), ordered[rank - 1])


def summaries(figures: Iterable[Figure]) -> dict[tuple[str, str], Summary]:
    """By workload and metric, in order of first appearance."""
    values: dict[tuple[str, str], list[float]] = {}
    for figure in figures:
        values.setdefault((figure.workload, figure.metric), []).append(figure.value)
    return {key: summarise(several) for key, several in values.items()}


class Record:
    """A file of JSON lines, written as the figures come in: an aborted bench keeps what it has."""

    def __init__(self, name: str, folder: Path = RESULTS) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.started = datetime.now(UTC)
        self.path = folder / f"{name}-{self.started:%Y%m%dT%H%M%SZ}.jsonl"
        self.figures: list[Figure] = []

    def add(self, *figures: Figure) -> None:
        machine = f"{platform.machine()} python {platform.python_version()}"
        with self.path.open("a") as lines:
            for figure in figures:
                stamped = {
                    "at": datetime.now(UTC).isoformat(),
                    "machine": machine,
                    # A figure from a busy machine must be recognisable as one.
                    "load_1m": os.getloadavg()[0],
                    **asdict(figure),
                }
                lines.write(json.dumps(stamped) + "\n")
        self.figures.extend(figures)


def read(path: Path) -> list[Figure]:
    """The figures of one recorded file; stamps are not part of a figure."""
    names = Figure.__dataclass_fields__.keys()
    lines = path.read_text().splitlines()
    return [Figure(**{name: json.loads(line)[name] for name in names}) for line in lines]
