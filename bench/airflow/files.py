"""W14: Airflow's DAG files, unmodified, run by Headway and by Airflow 3.3.2 in one run, by turns.

    python -m bench.airflow.files                      # W1, W3, W4 of both, and the ratio
    python -m bench.airflow.files --rounds 3 --repeats 5 --dags w1 w4
    python -m bench.airflow.files --folder             # 1,000 files instead: how soon they are known, and idle cost

Both get the files of `bench/peers/definitions/airflow`, durable databases and a process for each task. Airflow is
`tuned` (see `bench.peers.airflow`). The first run of Airflow, and of each DAG
in Headway, is no part of the figures.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, Record, Summary, summaries
from bench.peers import airflow
from bench.peers.common import DEFINITIONS, WORKLOADS
from bench.processes import cpu_seconds, descendants, idle_cost, take_charge
from bench.product import Headway, fresh, up, wait_until
from bench.run import FILES, IDLE_S, count_dags, known, timed
from bench.tables import number
from bench.workloads.loads import CHAIN

DAGS: Final = ("w1", "w3", "w4")
MODE: Final = "tuned"
LIMIT_S: Final = 900.0
OURS, THEIRS = "headway", "airflow"
ONE: Final = """from airflow.sdk import dag, task


@dag(schedule=None)
def many_{number}():
    @task
    def nothing():
        return {number}

    nothing()


many_{number}()
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.airflow.files", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="both products, by turns")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each DAG in a round")
    parser.add_argument("--dags", nargs="+", default=DAGS, choices=DAGS, help="only these")
    parser.add_argument("--folder", action="store_true", help=f"{FILES:,} files instead")
    arguments = parser.parse_args()
    take_charge()
    record = Record("airflow-files")
    if arguments.folder:
        folders(record)
    else:
        for number_of_round in range(arguments.rounds):
            first = number_of_round * arguments.repeats
            runs(record, arguments.dags, range(first, first + arguments.repeats))
    Console().print(compared(record.figures))
    print(f"written to {record.path}")
    return 0


def runs(record: Record, dag_ids: Sequence[str], repeats: range) -> None:
    with airflow.session(MODE) as session:
        session.perform(DAGS[0].upper(), LIMIT_S)  # its workers read the file anew for each task
        for dag_id in dag_ids:
            for repeat in repeats:
                with processor_time(os.getpid()) as spent:
                    values = session.perform(dag_id.upper(), LIMIT_S)
                note(record, THEIRS, dag_id, {**values, **spent}, repeat)
    with files() as folder, fresh(folder) as headway:
        for dag_id in dag_ids:
            api = known(headway, dag_id)
            timed(api, dag_id)
            for repeat in repeats:
                with processor_time(headway.pid) as spent:
                    wall_s = timed(api, dag_id)
                note(record, OURS, dag_id, {"wall_s": wall_s, **spent}, repeat)


@contextmanager
def processor_time(root: int) -> Iterator[dict[str, float]]:
    """Measure what all below a process spend. On a shared machine it wanders less than the wall clock."""
    spent: dict[str, float] = {}
    before = cpu_seconds([root, *descendants(root)])
    yield spent
    spent["cpu_s"] = cpu_seconds([root, *descendants(root)]) - before


def note(
    record: Record, subject: str, dag_id: str, values: Mapping[str, float], repeat: int
) -> None:
    found = dict(values)
    if dag_id == "w1":
        found["ms_per_task"] = found["wall_s"] * 1e3 / CHAIN
        found["cpu_ms_per_task"] = found["cpu_s"] * 1e3 / CHAIN
    print("·", subject, dag_id, found, file=sys.stderr, flush=True)
    record.add(*(Figure(subject, dag_id.upper(), *each, repeat) for each in found.items()))


@contextmanager
def files() -> Iterator[Path]:
    with TemporaryDirectory(prefix="headway-bench-") as name:
        for dag_id in DAGS:
            shutil.copy(DEFINITIONS / "airflow" / f"{dag_id}.py", name)
        shutil.copy(WORKLOADS / "loads.py", name)
        yield Path(name)


def folders(record: Record) -> None:
    with TemporaryDirectory(prefix="headway-bench-") as name:
        dags = Path(name, "dags")
        dags.mkdir()
        for count in range(FILES):
            (dags / f"many_{count:04}.py").write_text(ONE.format(number=count))
        begun = time.monotonic()
        with up(Path(name, "data"), dags) as headway:
            wait_until(lambda: all_known(headway), f"{FILES:,} DAGs", LIMIT_S)
            known_s = time.monotonic() - begun
            values = {"known_s": known_s, **idle_cost(headway.pid, IDLE_S)}
        record.add(*(Figure(OURS, "files", *each) for each in values.items()))
        with airflow.session(MODE, dags, FILES) as session:
            values = {**session.startup, **idle_cost(os.getpid(), IDLE_S)}
        record.add(*(Figure(THEIRS, "files", *each) for each in values.items()))


def all_known(headway: Headway) -> bool:
    return count_dags(headway.api) == FILES


def compared(figures: list[Figure]) -> Table:
    """Return the medians of both, and how many times as long Airflow takes."""
    ours, theirs = (
        summaries(each for each in figures if each.subject == subject) for subject in (OURS, THEIRS)
    )
    table = Table("workload", "metric", title="the same Airflow files")
    for heading in ("Headway", "min", "max", "Airflow", "min", "max", "ratio"):
        table.add_column(heading, justify="right")
    for key, one in ours.items():
        other = theirs.get(key)
        ratio = "" if other is None else f"{other.median / one.median:.1f} ×"
        table.add_row(*key, *three(one), *three(other), ratio)
    return table


def three(found: Summary | None) -> tuple[str, str, str]:
    if found is None:
        return "", "", ""
    return number(found.median), number(found.least), number(found.greatest)


if __name__ == "__main__":
    sys.exit(main())
