"""`make bench`: floors and workloads in one run, one table, one file of JSON lines.

`python -m bench --workload W1 --workload W5 --repeats 5` measures some of them.
"""

import argparse
import sys
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from bench import floors
from bench.figures import Figure, Record, Summary, summaries
from bench.processes import take_charge
from bench.product import ProductError
from bench.run import WORKLOADS
from bench.tables import number, show
from bench.targets import TARGETS, Target, judge


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--workload", action="append", choices=WORKLOADS)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    take_charge()
    record = Record("headway")
    record.add(*floors.measure(arguments.repeats))
    failed = [
        name
        for name in arguments.workload or WORKLOADS
        if not measured(record, name, arguments.repeats)
    ]
    found = summaries(record.figures)
    show(found, "Headway and the floors of this machine")
    Console().print(verdicts(found))
    print(f"written to {record.path}")
    if failed:
        print(f"not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def measured(record: Record, name: str, repeats: int) -> bool:
    """One workload that fails costs the others nothing."""
    print(f"· {name}", file=sys.stderr, flush=True)
    counts: dict[str, int] = {}
    try:
        for metric, value in WORKLOADS[name](repeats):
            counts[metric] = counts.get(metric, -1) + 1
            record.add(Figure("headway", name, metric, value, counts[metric]))
    except (ProductError, OSError, AssertionError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return False
    return True


def verdicts(found: Mapping[tuple[str, str], Summary]) -> Table:
    medians = {metric: each.median for (name, metric), each in found.items() if name == "floor"}
    table = Table("workload", "metric", title="targets, for this machine's speed")
    for heading in ("value", "of floor", "target", "moonshot", "verdict"):
        table.add_column(heading, justify="right")
    for target in TARGETS:
        if each := found.get((target.workload, target.metric)):
            table.add_row(*row(target, each, medians))
    return table


def row(target: Target, each: Summary, medians: Mapping[str, float]) -> tuple[str, ...]:
    judged = judge(target, each, medians)
    return (
        target.workload,
        f"{target.metric} {target.statistic}",
        number(judged.value),
        "" if judged.ratio is None else f"{judged.ratio:.2f} ×",
        number(judged.target),
        "" if judged.moonshot is None else number(judged.moonshot),
        judged.verdict,
    )


if __name__ == "__main__":
    sys.exit(main())
