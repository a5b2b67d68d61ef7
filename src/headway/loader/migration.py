"""``headway import-airflow``: which DAGs of an Airflow folder run here, judged by their definitions alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from headway.core.callbacks import SUFFIX
from headway.frontends.base import Trouble
from headway.loader.check import Checked, check
from headway.loader.folder import scan
from headway.spec.model import Dag

RUNS: Final = "runs"
REMARK: Final = "runs with a remark"
DOES_NOT: Final = "does not"
DEFAULTS: Final = ("default",)


class Finding(msgspec.Struct, frozen=True):
    """A DAG, or a file that does not load, with what is to be said of it."""

    dag_id: str | None
    file: str
    line: int | None
    verdict: str
    reason: str = ""
    hint: str = ""


class Report(msgspec.Struct, frozen=True):
    """``pools`` and ``queues``: those that the DAGs name, beside the default ones.

    ``others``: Python files that are not read for DAGs, because they import no ``airflow`` or are ignored.
    """

    findings: list[Finding]
    pools: list[str] = []
    queues: list[str] = []
    others: list[str] = []

    def count(self, verdict: str) -> int:
        return len({(each.dag_id, each.file) for each in self.findings if each.verdict == verdict})


def analyse(folder: Path) -> Report:
    """Import the files as the loader does, and run nothing. Raises NotFound and FolderError."""
    checked = check(folder)
    tasks = [task for each in checked for dag in each.dags for task in dag.tasks]
    return Report(
        [finding for each in checked for finding in of_file(each)],
        sorted({task.pool for task in tasks}.difference(DEFAULTS)),
        sorted({task.queue for task in tasks}.difference(DEFAULTS)),
        sorted(python_files(folder).difference(each.file for each in checked)),
    )


def python_files(folder: Path) -> set[str]:
    if not folder.is_dir():
        return set()
    return {found.path for found in scan(folder).files if found.path.endswith(".py")}


def of_file(checked: Checked) -> Iterator[Finding]:
    loaded = {dag.dag_id for dag in checked.dags}
    left_out = [each for each in checked.warnings if each.dag_id and each.dag_id not in loaded]
    for dag in checked.dags:
        if not dag.dag_id.endswith(SUFFIX):  # the companion is no DAG of the file's author
            yield from of_dag(checked, dag)
    for trouble in left_out:
        yield told(trouble, checked, DOES_NOT)
    if checked.error is not None:
        yield told(checked.error, checked, DOES_NOT)


def of_dag(checked: Checked, dag: Dag) -> Iterator[Finding]:
    remarks = [each for each in checked.warnings if each.dag_id in (dag.dag_id, None)]
    for remark in remarks:
        yield told(msgspec.structs.replace(remark, dag_id=dag.dag_id), checked, REMARK)
    if not remarks:
        yield Finding(dag.dag_id, checked.file, dag.line or None, RUNS)


def told(trouble: Trouble, checked: Checked, verdict: str) -> Finding:
    line: Any = trouble.line
    reason = trouble.message.removeprefix(f"{trouble.dag_id}: ")
    reason = reason.removeprefix(f"{trouble.dag_id} does not run here: ")
    return Finding(trouble.dag_id, checked.file, line, verdict, reason, trouble.hint or "")
