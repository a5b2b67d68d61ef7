"""What a backfill has produced, read from its outputs: `python summary.py OUT`."""

import sys
from collections import Counter
from pathlib import Path

import pages


def summary(root: Path) -> str:
    days = pages.published(root)
    if not days:
        return f"There is no report in {root} yet: run the flights DAG first."
    rejected: Counter[str] = Counter()
    for day in days:
        rejected.update(day["rejected"])
    rows = sum(day["rows"] for day in days)
    believed = sum(day["accepted"] for day in days)
    partitions = list(root.glob("year=*/month=*/day=*/flights.parquet"))
    size_kb = sum(file.stat().st_size for file in partitions) / 1000
    lines = [
        f"Flights out of New York, {days[0]['day']} to {days[-1]['day']}",
        "",
        f"  {len(days):>9,}  days",
        f"  {rows:>9,}  flights read",
        f"  {believed:>9,}  believed, {sum(day['cancelled'] for day in days):,} of them cancelled,"
        f" {sum(day['late'] for day in days):,} late",
        f"  {rejected.total():>9,}  rejected",
        *(f"  {count:>9,}    {reason}" for reason, count in rejected.most_common()),
        "",
        f"  Data               {len(partitions)} Parquet partitions, {size_kb:,.0f} kB,"
        f" {root}/year=…/month=…/day=…/",
        f"  Rejected rows      {root / 'rejected'}/",
        f"  Report             {(root / 'index.html').resolve().as_uri()}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(summary(Path(sys.argv[1] if len(sys.argv) > 1 else "out/flights")) + "\n")
