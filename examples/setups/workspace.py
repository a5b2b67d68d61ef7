"""A working folder for the time of a run: it is there for all tasks between the two, and is gone afterwards, also if a
task fails or somebody cancels the run.
"""

import shutil
import tempfile
from pathlib import Path

from headway import dag, setup, task, teardown


@dag
def workspace(rows: int = 3) -> None:
    @setup
    def make_folder() -> str:
        return tempfile.mkdtemp(prefix="workspace-")

    @task
    def export(folder: str, rows: int) -> str:
        file = Path(folder, "rows.txt")
        file.write_text("\n".join(str(row) for row in range(rows)), encoding="utf-8")
        return str(file)

    @task
    def count(file: str) -> int:
        return len(Path(file).read_text(encoding="utf-8").split())

    @teardown
    def remove_folder(folder: str) -> None:
        shutil.rmtree(folder)

    folder = make_folder()
    with remove_folder(folder):
        count(export(folder, rows))
