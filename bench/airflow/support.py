"""Airflow's example DAGs, run by Headway and compared with what Airflow made of them: ``docs/airflow-support.md``.

    python -m bench.airflow.support            # load all, run those that are recorded, write results.json and the page
    python -m bench.airflow.support DAG_ID …   # run these, and print how they ended

The records are those of ``record.py``; ``apart.json`` says which of the others are not compared, and why. A difference
is not an error here: the page lists it.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import msgspec

from headway import clock, wire
from headway.client import Client, client_of
from headway.config import Layout
from headway.errors import UsageError
from headway.loader.migration import DOES_NOT, Finding, Report, analyse

HERE: Final = Path(__file__).parent
RECORDS: Final = HERE / "records.json"
RESULTS: Final = HERE / "results.json"
APART: Final = HERE / "apart.json"
PAGE: Final = HERE.parents[1] / "docs/airflow-support.md"
SECONDS_MAX: Final = 600.0
PLACES: Final = {
    "core": "airflow/example_dags",
    "standard": "airflow/providers/standard/example_dags",
}


class Ran(NamedTuple):
    state: str
    tasks: dict[str, str]


class Apart(msgspec.Struct, frozen=True):
    """DAGs that cannot be compared task by task, each with the reason. ``by_number``: by how many are in each state."""

    by_number: dict[str, str] = {}
    not_compared: dict[str, str] = {}


class Results(NamedTuple):
    """What the page is written from, beside the records of Airflow."""

    report: Report
    ran: dict[str, Ran]


def main(wanted: list[str]) -> None:
    records = json.loads(RECORDS.read_text())
    apart = msgspec.json.decode(APART.read_bytes(), type=Apart)
    with TemporaryDirectory(prefix="headway-airflow-") as name:
        place = Path(name)
        copy_examples(place / "dags")
        report = analyse(place / "dags")
        loaded = {each.dag_id for each in report.findings if each.verdict != DOES_NOT}
        left = loaded - apart.not_compared.keys()
        ids = wanted or [dag_id for dag_id in records["dags"] if dag_id in left]
        with server(place) as client:
            at = datetime.fromisoformat(records["date"])
            run(
                client, ids[0], at
            )  # imports Airflow, which may take longer than an import has on a busy machine
            ran = {dag_id: run(client, dag_id, at) for dag_id in ids}
    if wanted:
        sys.stdout.write("".join(f"{dag_id} {one}\n" for dag_id, one in ran.items()))
        return
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(Results(report, ran))) + b"\n")
    PAGE.write_text(page(report, records, ran, apart))


def copy_examples(folder: Path) -> None:
    import airflow

    packages = Path(str(airflow.__file__)).parents[1]
    for name, path in PLACES.items():
        shutil.copytree(
            packages / path, folder / name, ignore=shutil.ignore_patterns("__pycache__", "standard")
        )


@contextmanager
def server(place: Path) -> Iterator[Client]:
    command = [sys.executable, "-m", "headway", "up", "--port", "0", "--dags", "dags"]
    with subprocess.Popen(command, cwd=place, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            next(line for line in process.stderr if "Ctrl-C" in line)
            with closing(client_of(Layout(place / ".headway"))) as client:
                yield client
        finally:
            process.terminate()
            process.stderr.read()


def run(client: Client, dag_id: str, at: datetime) -> Ran:
    deadline = clock.monotonic() + SECONDS_MAX
    while not any(dag.dag_id == dag_id for dag in client.dags()):
        assert clock.monotonic() < deadline, f"{dag_id} was not loaded"
        clock.sleep(0.2)
    try:
        started = client.trigger(dag_id, wire.TriggerRequest(logical_date=at.isoformat()))
    except UsageError:  # a parameter has no value
        return Ran("no run", {})
    state = started.state
    while state in ("queued", "running") and clock.monotonic() < deadline:
        state = client.run(started.run_id, wait_s=5).state
    if state in ("queued", "running"):
        client.cancel(started.run_id)
        return Ran("did not end", {})
    instances = client.instances(started.run_id)
    return Ran(state, {named(each): each.state for each in instances})


def named(instance: wire.TaskInstance) -> str:
    index = instance.map_index
    return instance.task_id if index < 0 else f"{instance.task_id}[{index}]"


# -- the page


def page(report: Report, records: dict[str, Any], ran: dict[str, Ran], apart: Apart) -> str:
    dags = {each.dag_id: each for each in report.findings if each.dag_id}
    loaded = {name for name, each in dags.items() if each.verdict != DOES_NOT}
    same = [name for name in ran if not found_in(name, records, ran, apart)]
    broken = [each for each in report.findings if each.dag_id is None]
    lines = [
        "# Airflow's example DAGs",
        "",
        "Written by `python -m bench.airflow.support`: do not edit.",
        "",
        f"Of the {len(dags) + len(broken)} example DAGs in the packages of Airflow {records['airflow']}, "
        f"{len(loaded)} load. {len(ran)} were run by Airflow (`bench/airflow/record.py`) and by Headway: "
        f"{len(same)} of them ended with the same state of the run and of every task instance, "
        f"or for {len(apart.by_number)} that draw lots with the same number of instances in each state. "
        f"{len(apart.not_compared)} are not compared, for the reasons in the table.",
        "",
        "| DAG | Headway | Compared with Airflow |",
        "|---|---|---|",
    ]
    lines += [row(name, dags[name], records, ran, apart) for name in sorted(dags)]
    if broken:
        lines += ["", "Files that do not load:", "", "| File | Why |", "|---|---|"]
    lines += [f"| `{each.file}` | {text(each.reason)} |" for each in broken]
    return "\n".join(lines) + "\n"


def row(
    name: str, finding: Finding, records: dict[str, Any], ran: dict[str, Ran], apart: Apart
) -> str:
    said = finding.verdict if not finding.reason else f"{finding.verdict}: {text(finding.reason)}"
    if name not in ran:
        why = apart.not_compared.get(name)
        return f"| `{name}` | {said} | {f'not compared: {why}' if why else 'not run'} |"
    how = apart.by_number.get(name)
    found = "; ".join(found_in(name, records, ran, apart)) or "the same"
    return f"| `{name}` | {said} | {f'{found}; {how}' if how else found} |"


def found_in(name: str, records: dict[str, Any], ran: dict[str, Ran], apart: Apart) -> list[str]:
    compare = numbers if name in apart.by_number else differences
    return compare(records["dags"][name], ran[name])


def numbers(record: dict[str, Any], ran: Ran) -> list[str]:
    """Return how many ended otherwise than in Airflow, by state."""
    found = differences({**record, "tasks": {}}, ran._replace(tasks={}))
    ours, theirs = Counter(ran.tasks.values()), Counter(record["tasks"].values())
    return found + [
        f"{ours[state]} are {state}, in Airflow {theirs[state]}"
        for state in sorted(ours | theirs)
        if ours[state] != theirs[state]
    ]


def differences(record: dict[str, Any], ran: Ran) -> list[str]:
    """Return what ended otherwise than in Airflow. An instance that it removed, or never looked at, is not there."""
    found = []
    if record["state"] != ran.state:
        found.append(f"the run is {ran.state}, in Airflow {record['state']}")
    theirs = {name: state for name, state in record["tasks"].items() if state not in GONE}
    for name in sorted({*theirs, *ran.tasks}):
        ours, other = ran.tasks.get(name, "not there"), theirs.get(name, "not there")
        if ours != other:
            found.append(f"`{name}` is {ours}, in Airflow {other}")
    return found


GONE: Final = ("removed", "None")


def text(said: str) -> str:
    return said.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main(sys.argv[1:])
